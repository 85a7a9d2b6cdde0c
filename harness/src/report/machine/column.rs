//! The page of a published column: what it is, what came out, how to make it again.
//!
//! Does not know the other columns.

use std::collections::BTreeMap;

use crate::judge::{Gate, Verdict};
use crate::record::{Record, command};
use crate::report::machine::markdown::escape;
use crate::report::{ColumnView, mark, safe, words};

/// `README.md` of a record with one column.
pub fn column_page(record: &Record) -> String {
    let mut out = String::new();
    for v in ColumnView::all(record) {
        let c = v.column;
        out.push_str(&format!(
            "# {} {}, {}\n\n**{}**\n\n",
            escape(&c.host),
            escape(&c.host_version),
            escape(&c.abi),
            escape(&v.line)
        ));
        out.push_str("| level |");
        let used: Vec<Verdict> = Verdict::ALL
            .into_iter()
            .filter(|x| v.tally.count(*x) > 0)
            .collect();
        used.iter()
            .for_each(|x| out.push_str(&format!(" {} {x} |", mark(*x).glyph)));
        out.push_str("\n|---|");
        used.iter().for_each(|_| out.push_str("---:|"));
        for (level, by) in [
            ("must", &v.tally.must),
            ("should", &v.tally.should),
            ("survey", &v.tally.survey),
        ] {
            out.push_str(&format!("\n| {level} |"));
            used.iter()
                .for_each(|x| out.push_str(&format!(" {} |", by[*x as usize])));
        }
        out.push_str(&format!(
            "\n\nRun of {}, suite {}, pwspec {}.\n",
            escape(&record.header.began),
            escape(&record.header.suite),
            escape(&record.header.pwspec)
        ));
        for (name, why) in &c.not_offered {
            out.push_str(&format!(
                "\n- not offered: {}: {}",
                escape(name),
                escape(why)
            ));
        }
        out.push_str(&format!(
            "\n\n## Reproduce\n\n```sh\n{}{}\n```\n\n| | SHA-256 |\n|---|---|\n| host | `{}` |\n| suite | `{}` |\n",
            match c.driver.as_str() {
                "reference" => String::new(),
                _ => safe(&format!("make hosts HOSTS={}@{}", c.host, c.host_version)) + "\n",
            },
            safe(&command(c)),
            escape(&c.host_digest),
            escape(&record.header.suite_digest),
        ));
        out.push_str(&format!(
            "\nThe record is in `record.jsonl`; `pwspec report reports/{} --format md` reads it.\n",
            safe(&c.name)
        ));
    }
    known(&mut out, record);
    left_out(&mut out, record);
    out
}

fn known(out: &mut String, record: &Record) {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for r in record.results.iter().filter(|r| !r.added) {
        if let Gate::Known { why, .. } = &r.gate {
            reasons.entry(why).or_default().push(&r.case);
        }
    }
    if !reasons.is_empty() {
        out.push_str("\n## Departures from the text, and why\n\n");
    }
    for (why, cases) in reasons {
        out.push_str(&format!("- {}\n", escape(why)));
        cases
            .iter()
            .for_each(|c| out.push_str(&format!("  - {}\n", escape(c))));
    }
}

fn left_out(out: &mut String, record: &Record) {
    let mut reasons: BTreeMap<(Verdict, String), u32> = BTreeMap::new();
    for r in record.results.iter().filter(|r| !r.added) {
        let v = r.judgement.verdict;
        if matches!(v, Verdict::Blocked | Verdict::NotRun | Verdict::OutOfScope) {
            *reasons.entry((v, words(r).join("; "))).or_default() += 1;
        }
    }
    if !reasons.is_empty() {
        out.push_str("\n## Without a verdict\n\n| | reason | cases |\n|---|---|---:|\n");
    }
    for ((v, why), n) in reasons {
        out.push_str(&format!("| {v} | {} | {n} |\n", escape(&why)));
    }
}
