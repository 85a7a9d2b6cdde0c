//! A comparison as Markdown, for a comment on a pull request or a step summary.
//!
//! Text of hosts stands in code spans, which nothing in it can leave.

use crate::judge::Verdict;
use crate::report::diff::{Change, Diff, DiffVerdict, Kind};
use crate::report::{safe, safe_lines, safe_short};

/// Longer lists are folded, and cut here.
const SHOWN: usize = 200;
/// Words of a host are cut here.
const WHY: usize = 200;

/// The verdict, the columns, then what changed: what is broken open, the rest folded.
pub fn markdown(diff: &Diff) -> String {
    let mark = match diff.verdict {
        DiffVerdict::Worse => "❌",
        DiffVerdict::Incomplete => "❔",
        DiffVerdict::Better => "✅",
        DiffVerdict::Changed => "⚠️",
        DiffVerdict::Same => "✔️",
    };
    let mut out = format!("### {mark} pwspec: {}\n\n", diff.line());
    out.push_str("| column | was | is |\n|---|---|---|\n");
    for c in &diff.columns {
        let name = match c.column == c.base_column {
            true => code(&c.column),
            false => format!("{} → {}", code(&c.base_column), code(&c.column)),
        };
        let (was, is) = c.lines();
        out.push_str(&format!("| {name} | {} | {} |\n", code(&was), code(&is)));
    }
    for (what, columns) in [("base", &diff.only_base), ("head", &diff.only_head)] {
        for c in columns {
            out.push_str(&format!("\nOnly in the {what}: {}\n", code(c)));
        }
    }
    if diff.base.suite_digest != diff.head.suite_digest {
        out.push_str("\nThe cases are not the same in both records.\n");
    }
    for kind in Kind::ALL {
        let all: Vec<&Change> = diff.changes.iter().filter(|c| c.kind == kind).collect();
        if all.is_empty() {
            continue;
        }
        let open = matches!(kind, Kind::Broken | Kind::Unjudged);
        let open = if open { " open" } else { "" };
        let head = format!("{} {}", all.len(), kind.words());
        out.push_str(&format!("\n<details{open}><summary>{head}</summary>\n\n"));
        out.push_str(&rows(&all));
        out.push_str("\n</details>\n");
    }
    out
}

fn rows(changes: &[&Change]) -> String {
    let mut out = "| case | column | was | is | |\n|---|---|---|---|---|\n".to_owned();
    let word = |v: Option<Verdict>| v.map_or("–", Verdict::word);
    for c in changes.iter().take(SHOWN) {
        let mut why = match c.why.is_empty() {
            true => String::new(),
            false => code(&safe_short(&c.why, WHY)),
        };
        for (yes, note) in [
            (c.known, "known"),
            (c.program_changed, "its program changed"),
        ] {
            if yes {
                why = format!("{why} {note}").trim().to_owned();
            }
        }
        out.push_str(&format!(
            "| {} | {} | {} | {} | {why} |\n",
            code(&c.case),
            code(&c.column),
            word(c.was),
            word(c.is)
        ));
    }
    if changes.len() > SHOWN {
        out.push_str(&format!("\n… and {} more\n", changes.len() - SHOWN));
    }
    for c in changes.iter().take(SHOWN) {
        if let Some(trace) = &c.trace {
            let text = safe_lines(trace.trim_end());
            let fence = "`".repeat(longest_run(&text).max(2) + 1);
            out.push_str(&format!(
                "\n{}\n\n{fence}diff\n{text}\n{fence}\n",
                code(&c.case)
            ));
        }
    }
    out
}

/// Text as it is, in a cell of a table.
fn code(text: &str) -> String {
    let text = safe(text);
    if text.is_empty() {
        return String::new();
    }
    // A bar ends a cell even inside of a code span; a backslash keeps it.
    let text = text.replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}
