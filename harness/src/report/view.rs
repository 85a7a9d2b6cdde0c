//! What all reports ask of a record: a column's verdict line, the check that speaks for a result,
//! the trace's text.
//!
//! Does not know how anything is shown.

use crate::abi::Level;
use crate::judge::{CheckResult, Counted, Manner, Outcome, Tally, Verdict, tally};
use crate::record::{Column, ColumnSummary, NOT_PLAYED, Record, ResultLine};
use crate::report::safe;
use crate::trace::{Attempt, Canon, CanonOptions, End, Load, canon};

/// One column of a record, counted.
#[derive(Debug, Clone)]
pub struct ColumnView<'a> {
    /// Host, version, ABI.
    pub column: &'a Column,
    /// Its counts.
    pub tally: Tally,
    /// The footer's entry.
    pub summary: Option<&'a ColumnSummary>,
    /// `not conformant (212 must cases fail, 212 known) · as expected`.
    pub line: String,
}

impl<'a> ColumnView<'a> {
    /// The columns of a record, in order.
    pub fn all(record: &'a Record) -> Vec<ColumnView<'a>> {
        let columns = record.header.columns.iter();
        columns.map(|c| ColumnView::new(record, c)).collect()
    }

    /// The columns of several records as a matrix shows them, each with the number of its record:
    /// hosts in the order in which they first come, a host's texts from the oldest to the newest, its
    /// dialects behind them.
    pub fn matrix(records: &'a [Record]) -> Vec<(usize, ColumnView<'a>)> {
        let numbered = records.iter().enumerate();
        let mut all: Vec<(usize, ColumnView<'a>)> = numbered
            .flat_map(|(n, r)| ColumnView::all(r).into_iter().map(move |v| (n, v)))
            .collect();
        let host = |c: &'a Column| (c.host.as_str(), c.host_version.as_str());
        let mut hosts: Vec<(&str, &str)> = Vec::new();
        for (_, v) in &all {
            if !hosts.contains(&host(v.column)) {
                hosts.push(host(v.column));
            }
        }
        all.sort_by_key(|(_, v)| {
            let place = hosts.iter().position(|h| *h == host(v.column));
            (place, v.column.dialect, v.column.abi.as_str())
        });
        all
    }

    fn new(record: &'a Record, column: &'a Column) -> ColumnView<'a> {
        let results = record.results.iter().filter(|r| r.column == column.name);
        let tally = tally(results.map(|r| Counted {
            judgement: &r.judgement,
            gate: &r.gate,
            added: r.added,
        }));
        let summary = record
            .footer
            .columns
            .iter()
            .find(|s| s.column == column.name);
        let not_offered: Vec<&str> = column.not_offered.iter().map(|(n, _)| n.as_str()).collect();
        let line = tally.line(&Manner {
            dialect: column.dialect.then_some(column.abi.as_str()),
            library: column.driver == "stdio",
            unverified: column.unverified,
            not_offered: &not_offered,
            unexpected: summary.is_some_and(|s| s.gate == "unexpected"),
        });
        ColumnView {
            column,
            tally,
            summary,
            line,
        }
    }
}

/// The check that speaks for a result: the first failed one of the highest level, else the first
/// one that was not reached, else the first.
pub fn speaker(result: &ResultLine) -> Option<&CheckResult> {
    let checks = &result.judgement.checks;
    let rank = |c: &CheckResult| match (c.outcome, c.control) {
        (Outcome::Fail, false) if c.level == Level::Must => 0,
        (Outcome::Fail, false) => 1,
        (Outcome::Fail, true) => 2,
        (Outcome::Unreached, false) if c.level == Level::Must => 3,
        (Outcome::Unreached, _) => 4,
        (Outcome::Pass, false) => 5,
        (Outcome::Pass, true) => 6,
    };
    // `min_by_key` keeps the first of equals.
    let own = checks.iter().min_by_key(|c| rank(c));
    own.filter(|c| rank(c) < 5 || result.judgement.verdict != Verdict::Fail)
}

/// What a result has to say for itself beside its checks: the reason, the host's own words, faults.
pub fn words(result: &ResultLine) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    out.extend(result.judgement.reason.clone());
    if let Some(req) = &result.judgement.blocked_by {
        out.push(format!("blocked by {req}"));
    }
    if let Some(a) = result.attempts.last() {
        match &a.load {
            Load::Unlinked { import, text } => {
                out.push(format!("the host lacks {import}: {}", text.display()));
            }
            Load::Refused { text } => out.push(format!("the host refused: {}", text.display())),
            Load::Loaded | Load::Unknown => {}
        }
        match &a.end {
            End::Normal => {}
            End::Trap(text) => out.push(format!("trap: {}", text.display())),
            End::Crash(how) => out.push(format!("crash: {how}")),
            End::Timeout(which) => out.push(format!("timeout: {which}")),
        }
        out.extend(a.faults.iter().map(fault));
    }
    out.extend(result.faults.iter().map(fault));
    if result.company {
        out.push("failed in company, passed alone".to_owned());
    }
    out
}

fn fault(f: &crate::trace::Fault) -> String {
    let blame = match f.blame {
        crate::trace::Blame::Host => "host",
        crate::trace::Blame::Adapter => "adapter",
        crate::trace::Blame::Environment => "environment",
        crate::trace::Blame::Harness => "harness",
        crate::trace::Blame::Case => "case",
    };
    format!("fault of the {blame}: {}", f.what)
}

/// The text of an attempt's trace as reports and the copies in `traces/` show it, and where each
/// event stands in it.
pub fn trace_text(attempt: &Attempt) -> Canon {
    canon(&attempt.trace, &attempt.seen, &CanonOptions::default())
}

/// A version short enough for a narrow column: of a version made from a commit, such as
/// `0.2.1-0.20230626122511-25a9e133320e`, the release and the commit.
pub fn short_version(version: &str) -> String {
    let parts: Vec<&str> = version.split('-').collect();
    match parts.as_slice() {
        [release, _, commit] if commit.len() == 12 && commit.is_ascii() => {
            format!("{release}-{}", &commit[..7])
        }
        _ => version.to_owned(),
    }
}

/// The name of a result's copies in `traces/<column>/`, without extension.
pub fn trace_name(case: &str) -> String {
    case.replace('/', ".")
}

/// Where the text of a version stands, at the heading that a requirement rests on; of a dialect: the
/// newest text.
pub fn text_link(abi: &str, section: &str) -> String {
    let plain = abi.split('.').count() == 3 && abi.chars().all(|c| c.is_ascii_digit() || c == '.');
    let version = if plain { abi } else { "0.2.1" };
    let heading = section.rsplit(": ").next().unwrap_or(section);
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_ascii_alphanumeric() || c == '_' || c == '-' => Some(c),
        _ => None,
    });
    let slug: String = kept.collect();
    format!("https://github.com/proxy-wasm/spec/blob/main/abi-versions/v{version}/README.md#{slug}")
}

/// What befell a run as a whole: `(kind, words)`. Empty: it went through. Canaries that were not
/// played because their host was lost are part of its trouble.
pub fn befell(record: &Record) -> Vec<(&'static str, String)> {
    let footer = &record.footer;
    let mut out: Vec<(&str, String)> = Vec::new();
    for (who, what) in &footer.trouble {
        let text = format!("{}: {}", safe(who), safe(what));
        // Columns of one host share their trouble.
        let same = |(_, old): &(&str, String)| old.ends_with(&safe(what));
        if !out.iter().any(same) {
            out.push(("host", text));
        }
    }
    let lost = |column: &str| footer.trouble.iter().any(|(who, _)| who == column);
    let mut silent: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for c in footer.canaries.iter().filter(|c| !c.ok) {
        if c.what == NOT_PLAYED && lost(&c.column) {
            continue;
        }
        let same = silent
            .iter_mut()
            .find(|(column, what, _)| *column == c.column && *what == c.what);
        match same {
            Some((.., names)) => names.push(&c.canary),
            None => silent.push((&c.column, &c.what, vec![&c.canary])),
        }
    }
    for (column, what, names) in silent {
        let names: Vec<String> = names.iter().map(|n| safe(n)).collect();
        let (column, what) = (safe(column), safe(what));
        let text = format!("{column}: canary {}: {what}", names.join(", "));
        out.push(("canary", text));
    }
    if footer.interrupted {
        let text = "the run was interrupted: what was done is here, the rest is missing";
        out.push(("interrupted", text.to_owned()));
    }
    let filters = record.header.filters.join(" ");
    if record.results.is_empty() && out.is_empty() {
        let text = match filters.is_empty() {
            true => "nothing was selected".to_owned(),
            false => format!("nothing was selected by {}", safe(&filters)),
        };
        out.push(("nothing", text));
    }
    out
}
