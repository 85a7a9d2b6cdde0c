//! The matrix in Markdown: what the text asks, in the order of the records, across columns. Its lines
//! change only where a result does, so that a difference of two versions of it can be read.
//!
//! Does not know the ABI tables.

use crate::judge::Verdict;
use crate::record::Record;
use crate::report::html::matrix_rows;
use crate::report::machine::markdown::escape;
use crate::report::{ColumnView, befell, host_mark, mark};

/// A folder's name as part of a link.
fn encoded(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._+".contains(&b);
    let bytes = name.bytes().map(|b| match plain(b) {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    });
    bytes.collect()
}

/// The matrix of all columns of some records.
pub fn matrix(records: &[Record], abis: &[&crate::abi::Abi]) -> String {
    let views = ColumnView::matrix(records);
    let views: Vec<ColumnView<'_>> = views.into_iter().map(|(_, v)| v).collect();
    let mut out = String::from("# Matrix\n\n");
    out.push_str("Made by pwspec from records; not edited by hand. Rows are what the text asks, columns are hosts. There is no\n");
    out.push_str("score.\n\n");
    for (_, text) in records.iter().flat_map(befell) {
        out.push_str(&format!("> **Trouble.** {}\n\n", escape(&text)));
    }
    out.push_str("| | column | verdict by the text |\n|---|---|---|\n");
    for (n, v) in views.iter().enumerate() {
        let verdict = v.tally.verdict().filter(|_| !v.column.dialect);
        let words = v
            .line
            .rsplit_once(" · ")
            .map_or(v.line.as_str(), |(w, _)| w);
        let (glyph, name) = (host_mark(verdict).glyph, &v.column.name);
        out.push_str(&format!(
            "| {} | {glyph} [{}]({}/README.md) | {} |\n",
            n + 1,
            escape(name),
            encoded(name),
            escape(words)
        ));
    }
    let legend = Verdict::ALL.map(|v| format!("{}{} {v}", mark(v).glyph, mark(v).letter));
    out.push_str(&format!("\n{}\n", legend.join(" · ")));
    let mut section = String::new();
    for row in matrix_rows(records, abis) {
        if row.section != section {
            section.clone_from(&row.section);
            out.push_str(&format!("\n## {}\n\n| | |", escape(&section)));
            (1..=views.len()).for_each(|n| out.push_str(&format!(" {n} |")));
            out.push_str("\n|---|---|");
            views.iter().for_each(|_| out.push_str("---|"));
            out.push('\n');
        }
        out.push_str(&format!("| {} | {} |", escape(&row.id), row.level));
        for fate in row.fates {
            match fate {
                Some(v) => out.push_str(&format!(" {}{} |", mark(v).glyph, mark(v).letter)),
                None => out.push_str("  |"),
            }
        }
        out.push('\n');
    }
    out
}
