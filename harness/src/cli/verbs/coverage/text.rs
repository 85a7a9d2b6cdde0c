//! `coverage --text`: the specification's text with the requirements in its margin.
//!
//! The text is the user's file: the project holds only the map.

use std::fs;
use std::path::Path;

use crate::abi::{Abi, LineMeaning, Reading, TextMap};
use crate::case::Suite;
use crate::cli::Failed;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::out::{eprintln, print};
use crate::cli::verbs;
use crate::report::json::{self, CoverageLine, CoverageProblem, CoverageText};
use crate::report::{Paint, safe};
use crate::runner::Specs;

pub(super) fn run(
    file: &Path,
    format: Format,
    specs: &Specs,
    suite: &Suite,
    abi: &Abi,
) -> anyhow::Result<Exit> {
    let map = specs
        .text_map(abi.text_version())
        .map_err(|problems| verbs::bad(problems, specs))?;
    let text = fs::read_to_string(file).map_err(|e| {
        let failed = Failed::new(
            Exit::Usage,
            format!("failed to read {}: {e}", file.display()),
        );
        failed.help(format!("the text of {} is at {}", map.abi, map.text))
    })?;
    let reading = map.read(&text, abi);
    match format {
        Format::Json => print!("{}", json::text(&as_json(&map, &reading))),
        Format::Pretty => {
            print!("{}", margin(&reading, suite, abi));
            for problem in &reading.problems {
                eprintln!(
                    "{}: {}",
                    Paint::Red.text("error"),
                    safe(&problem.to_string())
                );
            }
            print!("{}", counts(&map, &reading));
        }
    }
    Ok(if reading.problems.is_empty() {
        Exit::Fine
    } else {
        Exit::Unexpected
    })
}

/// How wide the text may be before its margin is pushed out.
const TEXT: usize = 82;

fn margin(reading: &Reading, suite: &Suite, abi: &Abi) -> String {
    let by = super::tested(suite, abi);
    let shown = |id: &String| {
        let excluded = abi.requirement(id).is_some_and(|r| r.excluded.is_some());
        match (by.contains_key(id.as_str()), excluded) {
            (true, _) => Paint::Green.text(id),
            (false, true) => Paint::Dim.text(format!("{id} (excluded)")),
            (false, false) => Paint::Red.text(format!("{id} (gap)")),
        }
    };
    let mut out = String::new();
    let mut before = None;
    for line in &reading.lines {
        let said = match &line.meaning {
            LineMeaning::Informative(why) if why == "blank" => String::new(),
            // What goes on from the line above is said once.
            meaning if before == Some(meaning) => Paint::Dim.text("\""),
            LineMeaning::Reqs(ids) => ids.iter().map(shown).collect::<Vec<_>>().join(" "),
            LineMeaning::Informative(why) => Paint::Dim.text(format!("- {why}")),
            LineMeaning::Unmapped => Paint::Red.text("not mapped"),
        };
        before = Some(&line.meaning);
        let text = safe(&line.text);
        let row = format!("{:>5}  {text:<TEXT$}  {said}", line.number);
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

fn counts(map: &TextMap, reading: &Reading) -> String {
    let count = |wanted: fn(&LineMeaning) -> bool| {
        let all = reading.lines.iter();
        all.filter(|l| wanted(&l.meaning)).count()
    };
    let bound = count(|m| matches!(m, LineMeaning::Reqs(_)));
    let idle = count(|m| matches!(m, LineMeaning::Informative(_)));
    format!(
        "{}: {} lines, {bound} behind requirements, {idle} informative, {} not mapped; {} problems\n",
        map.abi,
        reading.lines.len(),
        reading.lines.len() - bound - idle,
        reading.problems.len()
    )
}

fn as_json(map: &TextMap, reading: &Reading) -> CoverageText {
    let lines = reading.lines.iter().map(|line| {
        let (reqs, informative) = match &line.meaning {
            LineMeaning::Reqs(ids) => (ids.clone(), None),
            LineMeaning::Informative(why) => (Vec::new(), Some(why.clone())),
            LineMeaning::Unmapped => (Vec::new(), None),
        };
        CoverageLine {
            line: line.number as u32,
            reqs,
            informative,
        }
    });
    let problems = reading.problems.iter().map(|p| CoverageProblem {
        line: (p.line > 0).then_some(p.line as u32),
        message: p.message.clone(),
    });
    CoverageText {
        version: json::JSON_VERSION,
        abi: map.abi.clone(),
        text: map.text.clone(),
        known: reading.known,
        lines: lines.collect(),
        problems: problems.collect(),
    }
}
