//! `judge` and `report`: from records that are there already. No host is started.

use std::path::{Path, PathBuf};

use anstream::{eprintln, print, println};

use crate::cli::Failed;
use crate::cli::args::{Global, JudgeArgs, ReportArgs, ReportKind};
use crate::cli::exit::Exit;
use crate::cli::verbs;
use crate::record::{Record, Writer};
use crate::report::html::HtmlOptions;
use crate::report::terminal::{EndOptions, end, failures};
use crate::runner;

/// A record by the name of its file or of its run's folder.
fn open(path: &Path) -> anyhow::Result<Record> {
    let file: PathBuf = if path.is_dir() {
        path.join("record.jsonl")
    } else {
        path.to_owned()
    };
    Record::read(&file).map_err(|e| Failed::new(Exit::Usage, format!("failed to {e}")).into())
}

pub(crate) fn judge(args: &JudgeArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = specs.profiles().map_err(|p| verbs::bad(p, &specs))?;
    let mut record = open(&args.record)?;
    let outcome =
        runner::rejudge(&suite, &profiles, &mut record).map_err(|e| Failed::new(Exit::Usage, e))?;
    if let Some(out) = &args.out {
        Writer::create(out).and_then(|mut w| w.record(&record))?;
    }
    print!("{}", failures(&record, ""));
    print!("{}", end(&record, &EndOptions::default()));
    for entry in &outcome.entries {
        eprintln!("pwspec: {entry}");
    }
    Ok(Exit::worst([
        if outcome.unmatched.is_empty() {
            Exit::Fine
        } else {
            Exit::Usage
        },
        if outcome.unexpected {
            Exit::Unexpected
        } else {
            Exit::Fine
        },
        if outcome.incomplete {
            Exit::Incomplete
        } else {
            Exit::Fine
        },
    ]))
}

pub(crate) fn report(args: &ReportArgs, global: &Global) -> anyhow::Result<Exit> {
    let records: Vec<Record> = args
        .records
        .iter()
        .map(|p| open(p))
        .collect::<anyhow::Result<_>>()?;
    let text = match args.format {
        ReportKind::Html => {
            let suite = verbs::suite(&verbs::specs(global)?)?;
            let abis: Vec<&crate::abi::Abi> = suite.abis.iter().map(AsRef::as_ref).collect();
            let options = HtmlOptions {
                abis: &abis,
                prove: None,
            };
            crate::report::html::render_with(&records, &options)
        }
        ReportKind::Json => {
            let all: Vec<_> = records.iter().map(crate::record::summary).collect();
            match &all[..] {
                [one] => crate::report::json::text(one),
                many => crate::report::json::text(&many),
            }
        }
    };
    match &args.out {
        None => print!("{text}"),
        Some(path) => {
            runner::write_atomically(path, text.as_bytes())
                .map_err(|e| Failed::new(Exit::Usage, e))?;
            println!("{}", path.display());
        }
    }
    Ok(Exit::Fine)
}
