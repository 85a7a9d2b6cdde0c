//! `list --abi A..B`: all that differs between two versions.

use std::fmt::Write as _;

use crate::abi::{Abi, Difference, Kind, differences};
use crate::case::Suite;
use crate::cli::args::ListFormat;
use crate::cli::exit::Exit;
use crate::cli::out::{print, println};
use crate::report::json::{ChangeKind, ChangeRow, ChangedThing};
use crate::report::{Paint, safe};

/// Prints hostcalls, callbacks, enum values, requirements and cases that one of the versions has and the
/// other has not, or has otherwise.
pub(super) fn run(a: &Abi, b: &Abi, suite: &Suite, format: ListFormat) -> anyhow::Result<Exit> {
    let mut rows: Vec<ChangeRow> = differences(a, b).into_iter().map(row).collect();
    rows.extend(cases(a, b, suite));
    match format {
        ListFormat::Json => println!("{}", serde_json::to_string_pretty(&rows)?),
        ListFormat::Names => rows.iter().for_each(|r| println!("{}", r.name)),
        ListFormat::Pretty => print!("{}", pretty(&rows, (&a.id, &b.id))),
    }
    Ok(if rows.is_empty() {
        Exit::Nothing
    } else {
        Exit::Fine
    })
}

fn row(d: Difference) -> ChangeRow {
    let what = match d.kind {
        Kind::Hostcall => ChangedThing::Hostcall,
        Kind::Callback => ChangedThing::Callback,
        Kind::EnumValue => ChangedThing::EnumValue,
        Kind::Requirement => ChangedThing::Requirement,
    };
    ChangeRow::new(what, d.name, d.before, d.after)
}

/// Cases that run in one of the two only, in the order of their ids.
fn cases(a: &Abi, b: &Abi, suite: &Suite) -> Vec<ChangeRow> {
    let mut rows = Vec::new();
    for case in &suite.cases {
        let says = |t: &Abi| {
            let runs = case.abi.iter().any(|v| v == t.text_version());
            runs.then(|| format!("{}: {}", case.level, case.about))
        };
        let (before, after) = (says(a), says(b));
        if before != after {
            let id = case.id.clone();
            rows.push(ChangeRow::new(ChangedThing::Case, id, before, after));
        }
    }
    rows.sort_by(|x, y| x.name.cmp(&y.name));
    rows
}

const THINGS: [(ChangedThing, &str); 5] = [
    (ChangedThing::Hostcall, "hostcalls"),
    (ChangedThing::Callback, "callbacks"),
    (ChangedThing::EnumValue, "enum values"),
    (ChangedThing::Requirement, "requirements"),
    (ChangedThing::Case, "cases"),
];

fn pretty(rows: &[ChangeRow], (a, b): (&str, &str)) -> String {
    let mut out = String::new();
    let mut counts = Vec::new();
    for (thing, title) in THINGS {
        let of: Vec<&ChangeRow> = rows.iter().filter(|r| r.what == thing).collect();
        let one = title.trim_end_matches('s');
        counts.push(match of.len() {
            1 => format!("1 {one}"),
            n => format!("{n} {title}"),
        });
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{}", Paint::Bold.text(title));
        for row in of {
            let (sign, paint) = match row.change {
                ChangeKind::Added => ("+", Paint::Green),
                ChangeKind::Removed => ("-", Paint::Red),
                ChangeKind::Changed => ("~", Paint::Yellow),
            };
            let _ = write!(out, "  {} {}", paint.text(sign), safe(&row.name));
            match (&row.before, &row.after) {
                (Some(before), Some(after)) => {
                    let _ = writeln!(out);
                    let wide = a.len().max(b.len());
                    for (version, text) in [(a, before), (b, after)] {
                        let text = under(text, 6 + wide + 2);
                        let _ = writeln!(out, "      {version:wide$}  {text}");
                    }
                }
                (before, after) => {
                    let text = before.as_ref().or(after.as_ref());
                    let text = text.map_or(String::new(), |t| under(t, 6));
                    let _ = writeln!(out, "{}{text}", joint(thing));
                }
            }
        }
    }
    let _ = writeln!(out, "from {a} to {b}: {}", counts.join(", "));
    out
}

/// What stands between a name and what is said of it.
fn joint(thing: ChangedThing) -> &'static str {
    match thing {
        ChangedThing::Hostcall | ChangedThing::Callback => "",
        ChangedThing::EnumValue => " = ",
        ChangedThing::Requirement | ChangedThing::Case => "  ",
    }
}

/// A text whose further lines stand under the first one.
fn under(text: &str, indent: usize) -> String {
    let lines: Vec<String> = text.lines().map(safe).collect();
    lines.join(&format!("\n{}", " ".repeat(indent)))
}
