//! The end of a run: verdict lines, counts, what could not be run, slowest cases, what changed.
//!
//! Does not know files: the caller names the report and finds the record of the run before.

use std::collections::BTreeMap;

use crate::judge::Verdict;
use crate::record::{Record, ResultLine, Verdicts};
use crate::report::terminal::{Failure, Unplayed};
use crate::report::{
    Cell, ColumnView, Paint, Table, befell, host_mark, host_named, mark, safe, safe_short,
};

/// What the end of a run is shown with.
#[derive(Debug, Clone, Copy, Default)]
pub struct EndOptions<'a> {
    /// The folder of the run, as the user would type it.
    pub folder: &'a str,
    /// The report's file, if one was written.
    pub report: Option<&'a str>,
    /// What the last run of the same hosts said.
    pub before: Option<&'a Verdicts>,
    /// Only verdict lines and trouble (`--format terse`).
    pub terse: bool,
}

/// So many reasons for being out of scope are named.
const REASONS: usize = 8;

/// Verdict lines are no wider, beside the name.
const WIDE: usize = 110;
/// How many slow cases are named.
const SLOWEST: usize = 3;
/// How many failures are shown as blocks; the rest get a line.
const BLOCKS: usize = 30;

/// The end of a run.
pub fn end(record: &Record, options: &EndOptions<'_>) -> String {
    let mut out = String::new();
    for view in ColumnView::all(record) {
        let verdict = view.tally.verdict().filter(|_| !view.column.dialect);
        let m = host_mark(verdict);
        let name = Paint::Bold.text(safe(&view.column.name));
        let glyph = m.paint.text(m.glyph.to_string());
        let line = safe(&view.line);
        let (line, beyond) = match options.terse {
            true => (line, String::new()),
            false => parted(&line),
        };
        out.push_str(&format!("{glyph} {name}  {line}\n{beyond}"));
        if !options.terse {
            out.push_str(&counts(&view));
            out.push_str(&beside(&view, record));
        }
    }
    for (_, text) in befell(record)
        .iter()
        .filter(|(kind, _)| ["host", "canary"].contains(kind))
    {
        out.push_str(&format!("{}  {text}\n", Paint::Red.text("trouble")));
    }
    if options.terse {
        return out;
    }
    out.push_str(&slowest(record));
    if let Some(before) = options.before {
        out.push_str(&changed(before, record));
    }
    if let Some(pinned) = record
        .header
        .pinned
        .as_ref()
        .filter(|p| !p.newer.is_empty())
    {
        let shown: Vec<&str> = pinned.newer.iter().take(5).map(String::as_str).collect();
        let more = if pinned.newer.len() > 5 { " …" } else { "" };
        out.push_str(&format!(
            "{}  {} cases newer than suite {} were not run: {}{more}\n",
            Paint::Cyan.text("new"),
            pinned.newer.len(),
            safe(&pinned.suite),
            safe(&shown.join(", "))
        ));
    }
    if record.footer.interrupted {
        out.push_str(&format!("{}\n", Paint::Yellow.text("interrupted")));
    }
    out.push_str(&once_more(record));
    for (label, path) in [("report", options.report), ("record", Some(options.folder))] {
        let path = path.filter(|p| !p.is_empty());
        if let Some(path) = path {
            let label = Paint::Cyan.text(format!("{label:<8}"));
            out.push_str(&format!("{label}{}\n", safe(path)));
        }
    }
    out
}

/// What was unexpected or could not be run, for a log that was not read while it grew: in blocks, or
/// `terse` in a line each.
pub fn failures(record: &Record, traces: &str, terse: bool) -> String {
    let mut out = String::new();
    let mut unplayed = Unplayed::default();
    let news = record.results.iter().filter(|r| is_news(r));
    let shown = news.filter(|r| !unplayed.only_counts(r));
    for (n, result) in shown.collect::<Vec<_>>().into_iter().enumerate() {
        let column = record
            .header
            .columns
            .iter()
            .find(|c| c.name == result.column);
        let (Some(column), Some(case)) = (column, record.case_of(result)) else {
            continue;
        };
        let failure = Failure {
            column,
            case,
            result,
            traces,
            command: &record.header.command,
        };
        if n < BLOCKS && !terse {
            out.push_str(&failure.block());
            out.push('\n');
        } else {
            out.push_str(&format!("  {}\n", failure.line()));
        }
    }
    for rest in unplayed.rest() {
        out.push_str(&format!("  {}\n", unplayed_line(rest)));
    }
    if unplayed.rest().next().is_some() && !terse {
        out.push('\n');
    }
    out
}

/// Cases that are only counted, in one line without newline: column, reason, how many.
pub(super) fn unplayed_line((column, why, n): (&str, &str, u32)) -> String {
    let m = mark(Verdict::NotRun);
    let (word, why) = (m.paint.text("NOT-RUN"), safe_short(why, 160));
    format!("{word}  {}  {n} more cases · {why}", safe(column))
}

/// What differs from its snapshot, with the difference; what has no snapshot yet is only named, and
/// counted where there is much of it.
pub fn drifts(record: &Record) -> String {
    let mut out = String::new();
    for column in &record.header.columns {
        let mine = record.results.iter().filter(|r| r.column == column.name);
        let drifted = mine.filter_map(|r| Some((r, r.drift.as_ref()?)));
        let (new, old): (Vec<_>, Vec<_>) = drifted.partition(|(_, d)| d.new);
        // Of a foreign host there are snapshots only where somebody asked for them.
        if old.is_empty()
            && column.driver != "reference"
            && !record.header.command.contains("--snapshots")
        {
            continue;
        }
        let name = safe(&column.name);
        let head = |word: &str, case: &str| {
            let (word, case) = (Paint::Yellow.text(word), Paint::Bold.text(safe(case)));
            format!("  {word}  {case}  {name}\n")
        };
        if new.len() > BLOCKS {
            let word = Paint::Yellow.text("NEW");
            out.push_str(&format!(
                "  {word}  {} cases of {name} have no snapshot\n",
                new.len()
            ));
        } else {
            new.iter()
                .for_each(|(r, _)| out.push_str(&head("NEW", &r.case)));
        }
        for (n, (r, drift)) in old.iter().enumerate() {
            out.push_str(&head("DRIFT", &r.case));
            if n < BLOCKS {
                for line in drift.diff.lines() {
                    out.push_str(&format!("        {}\n", safe(line)));
                }
            }
        }
    }
    out
}

/// Whether a result is shown while the run goes on: unexpected, or not run.
pub fn is_news(result: &ResultLine) -> bool {
    result.gate.unexpected() || result.judgement.verdict == Verdict::NotRun
}

/// A long verdict line in two parts: what is not offered goes below it, in lines of its own.
fn parted(line: &str) -> (String, String) {
    const SAYS: &str = "not offered: ";
    let long = line.chars().count() > WIDE;
    let parts = line.split_once(&format!("; {SAYS}")).filter(|_| long);
    let Some((verdict, rest)) = parts else {
        return (line.to_owned(), String::new());
    };
    let (names, gate) = rest.rsplit_once(" · ").unwrap_or((rest, ""));
    let mut below = format!("    {SAYS}");
    let mut at = below.len();
    for (n, name) in names.split(", ").enumerate() {
        if at + name.len() > 100 {
            below.truncate(below.trim_end().len());
            below.push_str(&format!("\n{}", " ".repeat(SAYS.len() + 4)));
            at = SAYS.len() + 4;
        }
        below.push_str(name);
        below.push_str(if n + 1 < names.split(", ").count() {
            ", "
        } else {
            "\n"
        });
        at += name.len() + 2;
    }
    let gate = if gate.is_empty() {
        String::new()
    } else {
        format!(" · {gate}")
    };
    (
        format!("{verdict}{gate}"),
        Paint::Dim.text(below.trim_end()) + "\n",
    )
}

/// A table: levels down, verdicts across.
fn counts(view: &ColumnView<'_>) -> String {
    let t = &view.tally;
    let used: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|v| t.count(*v) > 0)
        .collect();
    let mut table = Table::new();
    let head = |v: &Verdict| {
        let m = mark(*v);
        Cell::new(format!("{} {v}", m.glyph)).paint(m.paint).right()
    };
    table.row(
        [Cell::new(""), Cell::new("cases").paint(Paint::Dim).right()]
            .into_iter()
            .chain(used.iter().map(head)),
    );
    for (level, by) in [
        ("must", &t.must),
        ("should", &t.should),
        ("survey", &t.survey),
    ] {
        let all: u32 = by.iter().sum();
        if all == 0 {
            continue;
        }
        let number = |n: u32| match n {
            0 => Cell::new("·").paint(Paint::Dim).right(),
            n => Cell::new(n.to_string()).right(),
        };
        table.row(
            [Cell::new(level), number(all)]
                .into_iter()
                .chain(used.iter().map(|v| number(by[*v as usize]))),
        );
    }
    table.text(4)
}

/// How many results differ from their snapshot; that there is none yet is no difference.
fn drifted(view: &ColumnView<'_>, record: &Record) -> u32 {
    let mine = record.results.iter();
    let mine = mine.filter(|r| r.column == view.column.name && !r.added);
    let old = mine.filter(|r| r.drift.as_ref().is_some_and(|d| !d.new));
    u32::try_from(old.count()).unwrap_or(u32::MAX)
}

/// What the table does not say: unexpected, known, drift, and why cases could not be run.
fn beside(view: &ColumnView<'_>, record: &Record) -> String {
    let mut parts = Vec::new();
    if let Some(s) = view.summary {
        let named = [
            (
                s.unexpected_failures,
                "unexpected failure",
                "unexpected failures",
            ),
            (s.unexpected_passes, "unexpected pass", "unexpected passes"),
            (s.known, "known", "known"),
            (drifted(view, record), "drifted", "drifted"),
            (
                s.company,
                "failed only in company",
                "failed only in company",
            ),
            (
                s.faults.harness,
                "fault of the harness",
                "faults of the harness",
            ),
            (
                s.faults.environment,
                "fault of the environment",
                "faults of the environment",
            ),
            (
                s.faults.adapter,
                "fault of the adapter",
                "faults of the adapter",
            ),
            (s.faults.case, "fault of a case", "faults of cases"),
        ];
        let some = named.iter().filter(|(n, ..)| *n > 0);
        parts
            .extend(some.map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many })));
        parts.push(format!("{:.1} s", s.seconds));
    }
    let mut out = match parts.is_empty() {
        true => String::new(),
        false => format!("    {}\n", Paint::Dim.text(parts.join(" · "))),
    };
    let mut reasons: BTreeMap<(Verdict, String), u32> = BTreeMap::new();
    let mine = record
        .results
        .iter()
        .filter(|r| r.column == view.column.name && !r.added);
    for r in mine {
        let j = &r.judgement;
        let why = match j.verdict {
            Verdict::Blocked => j.blocked_by.clone(),
            Verdict::NotRun | Verdict::OutOfScope => j.reason.clone(),
            _ => continue,
        };
        *reasons
            .entry((j.verdict, why.unwrap_or_default()))
            .or_default() += 1;
    }
    let mut beyond: Vec<(String, u32)> = Vec::new();
    let said = |verdict: Verdict, n: u32, why: &str| {
        let m = mark(verdict);
        let head = m.paint.text(format!("{} {n} {verdict}", m.glyph));
        format!("    {head}  {}\n", safe_short(why, 120))
    };
    for ((verdict, why), n) in reasons {
        match verdict {
            Verdict::OutOfScope => beyond.push((why, n)),
            _ => out.push_str(&said(verdict, n, &why)),
        }
    }
    // Of a library most of a suite may be out of scope: the report has it all.
    beyond.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    for (why, n) in beyond.iter().take(REASONS) {
        out.push_str(&said(Verdict::OutOfScope, *n, why));
    }
    if beyond.len() > REASONS {
        let rest: u32 = beyond[REASONS..].iter().map(|(_, n)| n).sum();
        let why = format!("for {} more reasons, in the report", beyond.len() - REASONS);
        out.push_str(&said(Verdict::OutOfScope, rest, &why));
    }
    out
}

/// The command that plays what was unexpected once more, for each host.
fn once_more(record: &Record) -> String {
    let mut hosts: Vec<String> = Vec::new();
    for column in &record.header.columns {
        let mut own = record.results.iter().filter(|r| r.column == column.name);
        let host = host_named(column, &record.header.command);
        if own.any(|r| r.gate.unexpected()) && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let adapter = record.header.command.contains(" -- ");
    if hosts.is_empty() || adapter {
        return String::new();
    }
    let hosts: String = hosts.iter().map(|h| format!(" --host {h}")).collect();
    let label = Paint::Cyan.text("again   ");
    format!("{label}pwspec run last:unexpected{}\n", safe(&hosts))
}

fn micros(result: &ResultLine) -> u64 {
    result.attempts.iter().map(|a| a.micros).sum()
}

fn slowest(record: &Record) -> String {
    let mut all: Vec<&ResultLine> = record
        .results
        .iter()
        .filter(|r| !r.attempts.is_empty())
        .collect();
    if all.len() < 2 * SLOWEST {
        return String::new();
    }
    all.sort_by_key(|r| std::cmp::Reverse(micros(r)));
    let mut table = Table::new();
    for r in &all[..SLOWEST] {
        let time = format!("{:.1} ms", micros(r) as f64 / 1000.0);
        table.row([
            Cell::new(time).right(),
            Cell::new(&r.case),
            Cell::new(&r.column).paint(Paint::Dim),
        ]);
    }
    format!("{}\n{}", Paint::Cyan.text("slowest"), table.text(4))
}

/// So much of what changed is named.
const CHANGED: usize = 20;

/// What is not as it was in the run before; what was not played has not changed.
fn changed(before: &Verdicts, now: &Record) -> String {
    let was = |r: &ResultLine| before.get(&(r.column.clone(), r.case.clone())).copied();
    let played = now
        .results
        .iter()
        .filter(|r| r.judgement.verdict != Verdict::NotRun || !r.attempts.is_empty());
    let all = played.filter_map(|r| Some((was(r)?, r)));
    let all: Vec<_> = all.filter(|(was, r)| *was != r.judgement.verdict).collect();
    let mut table = Table::new();
    for (was, r) in all.iter().take(CHANGED) {
        let is = r.judgement.verdict;
        table.row([
            Cell::new(was.word()).paint(mark(*was).paint),
            Cell::new("→").paint(Paint::Dim),
            Cell::new(is.word()).paint(mark(is).paint),
            Cell::new(&r.case),
            Cell::new(&r.column).paint(Paint::Dim),
        ]);
    }
    let head = Paint::Cyan.text("changed since the last run");
    match all.len().checked_sub(CHANGED) {
        _ if all.is_empty() => String::new(),
        Some(more) if more > 0 => {
            format!(
                "{head}\n{}    … and {more} more; `pwspec diff` shows all\n",
                table.text(4)
            )
        }
        _ => format!("{head}\n{}", table.text(4)),
    }
}
