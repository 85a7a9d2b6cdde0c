//! A comparison on the terminal.
//!
//! Writes colours; does not know whether there is a terminal.

use crate::judge::Verdict;
use crate::report::diff::{Change, Diff, DiffVerdict, Kind};
use crate::report::{Cell, Paint, Table, mark, safe, safe_lines};

/// The columns, every changed case by kind, the traces of what drifted, and the verdict last.
pub fn text(diff: &Diff) -> String {
    let mut out = String::new();
    for c in &diff.columns {
        let name = match c.column == c.base_column {
            true => safe(&c.column),
            false => format!("{} → {}", safe(&c.base_column), safe(&c.column)),
        };
        out.push_str(&format!("{}\n", Paint::Bold.text(name)));
        let mut table = Table::new();
        let (was, is) = c.lines();
        table.row([Cell::new("was").paint(Paint::Dim), Cell::new(was)]);
        table.row([Cell::new("is").paint(Paint::Dim), Cell::new(is)]);
        out.push_str(&table.text(4));
    }
    for (what, columns) in [
        ("only in the base", &diff.only_base),
        ("only in the head", &diff.only_head),
    ] {
        for c in columns {
            out.push_str(&format!("{}  {}\n", Paint::Yellow.text(what), safe(c)));
        }
    }
    out.push_str(&suites(diff));
    for kind in Kind::ALL {
        let all: Vec<&Change> = diff.changes.iter().filter(|c| c.kind == kind).collect();
        if all.is_empty() {
            continue;
        }
        let head = format!("{} {}", all.len(), kind.words());
        out.push_str(&format!("\n{}\n", paint(kind).text(head)));
        out.push_str(&rows(&all, diff.columns.len() > 1));
    }
    let verdict = match diff.verdict {
        DiffVerdict::Worse => Paint::Red,
        DiffVerdict::Incomplete | DiffVerdict::Changed => Paint::Yellow,
        DiffVerdict::Better => Paint::Green,
        DiffVerdict::Same => Paint::Plain,
    };
    out.push_str(&format!("\n{}\n", verdict.text(diff.line())));
    out
}

/// A word where the two were not asked the same.
fn suites(diff: &Diff) -> String {
    let mut out = String::new();
    let mut note = |text: String| {
        out.push_str(&format!(
            "{}  {}\n",
            Paint::Yellow.text("note"),
            safe(&text)
        ));
    };
    let (base, head) = (&diff.base, &diff.head);
    if base.suite_digest != head.suite_digest {
        note(match base.suite == head.suite {
            true => format!("the cases of suite {} are not the same in both", head.suite),
            false => format!("suite {} is compared with suite {}", head.suite, base.suite),
        });
    }
    if base.filters != head.filters {
        note("the two runs selected by other filters".to_owned());
    }
    for (name, side) in [("base", base), ("head", head)] {
        if side.interrupted {
            note(format!("the {name} was interrupted"));
        }
    }
    out
}

fn paint(kind: Kind) -> Paint {
    match kind {
        Kind::Broken => Paint::Red,
        Kind::Fixed => Paint::Green,
        Kind::Unjudged | Kind::Warns | Kind::OtherReason => Paint::Yellow,
        Kind::Drifted => Paint::Blue,
        Kind::Added | Kind::Removed => Paint::Cyan,
    }
}

fn rows(changes: &[&Change], columns: bool) -> String {
    let mut out = String::new();
    let mut table = Table::new();
    let verdict = |v: Option<Verdict>| match v {
        Some(v) => Cell::new(v.word()).paint(mark(v).paint),
        None => Cell::new("–").paint(Paint::Dim),
    };
    for c in changes {
        let mut why = c.why.clone();
        if c.known {
            why.push_str(" (known)");
        }
        if c.program_changed {
            why.push_str(" (its program changed)");
        }
        let mut row = vec![
            verdict(c.was),
            Cell::new("→").paint(Paint::Dim),
            verdict(c.is),
            Cell::new(&c.case),
        ];
        if columns {
            row.push(Cell::new(&c.column).paint(Paint::Dim));
        }
        row.push(Cell::new(why.trim()));
        table.row(row);
    }
    out.push_str(&table.text(4));
    for c in changes {
        if let Some(trace) = &c.trace {
            out.push_str(&format!("    {}\n", Paint::Dim.text(safe(&c.case))));
            for line in trace.lines() {
                let paint = match line.as_bytes().first() {
                    Some(b'+') => Paint::Green,
                    Some(b'-') => Paint::Red,
                    _ => Paint::Plain,
                };
                out.push_str(&format!("      {}\n", paint.text(safe_lines(line))));
            }
        }
    }
    out
}
