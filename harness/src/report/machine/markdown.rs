//! A summary in Markdown, for the step summary of a CI job or a comment.
//!
//! Text of hosts stands in code spans or is escaped, so that it can neither be markup nor mention
//! anybody. Does not know who shows it.

use std::collections::BTreeMap;

use crate::judge::{Gate, Verdict};
use crate::record::{Record, ResultLine};
use crate::report::machine::counted::rows;
use crate::report::terminal::{Failure, Unplayed, is_news};
use crate::report::{ColumnView, befell, host_mark, mark, plain, safe, safe_short, speaker, words};

/// So many results of one kind are listed; a step summary may hold 1 MiB.
const LISTED: usize = 50;
/// So many are shown in full.
const BLOCKS: usize = 10;

/// One text for all records.
pub fn markdown(records: &[Record]) -> String {
    let mut out = String::from("## Proxy-Wasm conformance\n\n");
    for (_, text) in records.iter().flat_map(befell) {
        out.push_str(&format!("> **Trouble.** {}\n\n", escape(&text)));
    }
    let views: Vec<ColumnView<'_>> = records.iter().flat_map(ColumnView::all).collect();
    if !views.is_empty() {
        columns(&mut out, &views);
    }
    for record in records {
        let rows = rows(record);
        news(&mut out, &rows);
        known(&mut out, &rows);
        left_out(&mut out, record);
    }
    for record in records {
        out.push_str(&format!(
            "{} · suite {} · pwspec {} · exit code {}\n\n",
            code(&record.header.command),
            escape(&record.header.suite),
            escape(&record.header.pwspec),
            record.footer.exit_code
        ));
    }
    format!("{}\n", out.trim_end())
}

fn columns(out: &mut String, views: &[ColumnView<'_>]) {
    out.push_str("| | host | ABI | verdict by the text | gate | must | should | surveys |\n");
    out.push_str("|---|---|---|---|---|---:|---:|---:|\n");
    for v in views {
        let verdict = v.tally.verdict().filter(|_| !v.column.dialect);
        let (words, gate) = v.line.rsplit_once(" · ").unwrap_or((&v.line, ""));
        let passed = |by: &crate::judge::ByVerdict| {
            let all: u32 = by.iter().sum();
            format!("{} of {all}", by[Verdict::Pass as usize])
        };
        out.push_str(&format!(
            "| {} | {} {} | {} | {} | {} | {} | {} | {} |\n",
            host_mark(verdict).glyph,
            escape(&v.column.host),
            escape(&v.column.host_version),
            escape(&v.column.abi),
            escape(words),
            if gate == "unexpected" {
                "**unexpected**"
            } else {
                gate
            },
            passed(&v.tally.must),
            passed(&v.tally.should),
            v.tally.survey.iter().sum::<u32>()
        ));
    }
    out.push('\n');
}

/// What was unexpected or not run: a list, the first of them in full.
fn news(out: &mut String, rows: &[Failure<'_>]) {
    let news: Vec<&Failure<'_>> = rows.iter().filter(|r| is_news(r.result)).collect();
    if news.is_empty() {
        return;
    }
    out.push_str(&format!("### Unexpected, or not run ({})\n\n", news.len()));
    let mut unplayed = Unplayed::default();
    let shown = news.into_iter();
    let news: Vec<&Failure<'_>> = shown.filter(|r| !unplayed.only_counts(r.result)).collect();
    for (n, row) in news.iter().take(LISTED).enumerate() {
        let head = format!(
            "{} <b>{}</b> {} on {}",
            mark(row.result.judgement.verdict).glyph,
            row.result.judgement.verdict,
            code(&row.result.case),
            code(&row.column.name)
        );
        if n >= BLOCKS {
            out.push_str(&format!("- {head}: {}\n", code(&why(row.result))));
            continue;
        }
        out.push_str(&format!(
            "<details{}><summary>{head}: {}</summary>\n\n{}\n</details>\n\n",
            if n == 0 { " open" } else { "" },
            code(&why(row.result)),
            fenced(&plain(&row.block()))
        ));
    }
    if news.len() > LISTED {
        out.push_str(&format!("- … and {} more\n", news.len() - LISTED));
    }
    for (column, why, n) in unplayed.rest() {
        out.push_str(&format!(
            "- {} <b>not-run</b> {n} more cases on {}: {}\n",
            mark(Verdict::NotRun).glyph,
            code(column),
            code(&safe_short(why, 200))
        ));
    }
    out.push('\n');
}

/// What failed as announced.
fn known(out: &mut String, rows: &[Failure<'_>]) {
    let mut reasons: BTreeMap<(&str, &str), Vec<&Failure<'_>>> = BTreeMap::new();
    for row in rows {
        if let Gate::Known { why, .. } = &row.result.gate {
            reasons
                .entry((&row.column.name, why))
                .or_default()
                .push(row);
        }
    }
    if reasons.is_empty() {
        return;
    }
    let n: usize = reasons.values().map(Vec::len).sum();
    out.push_str(&format!(
        "<details><summary>Known failures ({n})</summary>\n\n"
    ));
    out.push_str("| host | cases | why |\n|---|---|---|\n");
    for ((column, why), rows) in reasons.iter().take(LISTED) {
        let cases: Vec<String> = rows.iter().map(|r| code(&r.result.case)).collect();
        out.push_str(&format!(
            "| {} | {} | {} |\n",
            escape(column),
            cases.join(" "),
            escape(why)
        ));
    }
    if reasons.len() > LISTED {
        out.push_str(&format!(
            "\n… and {} more reasons\n",
            reasons.len() - LISTED
        ));
    }
    out.push_str("\n</details>\n\n");
}

/// What has no verdict of its own, by reason.
fn left_out(out: &mut String, record: &Record) {
    let mut reasons: BTreeMap<(&str, Verdict, String), u32> = BTreeMap::new();
    for r in record.results.iter().filter(|r| !r.added) {
        let why = match r.judgement.verdict {
            Verdict::Blocked => r.judgement.blocked_by.clone(),
            Verdict::NotRun | Verdict::OutOfScope => words(r).first().cloned(),
            _ => continue,
        };
        let key = (&*r.column, r.judgement.verdict, why.unwrap_or_default());
        *reasons.entry(key).or_default() += 1;
    }
    if reasons.is_empty() {
        return;
    }
    let n: u32 = reasons.values().sum();
    out.push_str(&format!(
        "<details><summary>Without a verdict ({n})</summary>\n\n"
    ));
    out.push_str("| host | verdict | reason | cases |\n|---|---|---|---:|\n");
    for ((column, verdict, why), n) in reasons.iter().take(LISTED) {
        let why = escape(&safe_short(why, 300));
        out.push_str(&format!(
            "| {} | {verdict} | {why} | {n} |\n",
            escape(column)
        ));
    }
    out.push_str("\n</details>\n\n");
}

fn why(r: &ResultLine) -> String {
    let got = speaker(r).filter(|c| !c.got.is_empty());
    let said = match (got, words(r).first()) {
        (Some(c), _) => format!("{}: got {}", c.name, c.got),
        (None, Some(w)) => w.clone(),
        (None, None) => r.judgement.verdict.to_string(),
    };
    safe_short(&said, 200)
}

/// Text that is no markup, cannot end a table's cell, and mentions nobody.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in safe(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Text as code: every character that could be markup is a reference, so nothing can end it.
fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in safe(text).chars() {
        match c {
            '&' | '<' | '>' | '@' | '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$'
            | '#' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push_str("</code>");
    out
}

/// Text in a block whose fence is longer than any in the text.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}
