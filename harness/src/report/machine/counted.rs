//! How results count for programs that know no more than passed, failed, error and skipped.
//!
//! Does not know their formats.

use crate::abi::Level;
use crate::judge::{Gate, Outcome, Verdict};
use crate::record::{Record, ResultLine};
use crate::report::terminal::Failure;
use crate::report::{safe, safe_short, speaker, words};

/// What a result counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Counts {
    /// Passed; with a word where the verdict is another than pass.
    Passed(Option<String>),
    /// Not counted: why.
    Skipped(String),
    /// The host departs from the text, or a known failure passed: the kind.
    Failed(&'static str),
    /// There is no answer: the kind.
    Error(&'static str),
}

/// What a result counts as.
pub(super) fn counts(r: &ResultLine) -> Counts {
    let verdict = r.judgement.verdict;
    match &r.gate {
        Gate::UnexpectedPass { .. } => return Counts::Failed("unexpected-pass"),
        Gate::Known { why, link, .. } => {
            let link = link.as_deref().map(|l| format!(" {}", safe(l)));
            return Counts::Skipped(format!("known: {}{}", safe(why), link.unwrap_or_default()));
        }
        Gate::Expected | Gate::UnexpectedFailure | Gate::ChangedReason { .. } => {}
    }
    // A survey has no wrong answer, and a should case fails only where warnings count.
    let binds = r.judgement.level == Level::Must || r.gate.unexpected();
    match verdict {
        Verdict::NotRun => Counts::Error(verdict.word()),
        Verdict::OutOfScope | Verdict::Blocked => {
            let why = words(r).join("; ");
            Counts::Skipped(format!("{verdict}: {}", safe_short(&why, 300)))
        }
        Verdict::Trap | Verdict::Crash | Verdict::Timeout if binds => Counts::Error(verdict.word()),
        Verdict::Fail | Verdict::Unlinked | Verdict::Refused if binds => {
            Counts::Failed(verdict.word())
        }
        Verdict::Warn if r.gate.unexpected() => Counts::Failed(verdict.word()),
        Verdict::Pass => Counts::Passed(None),
        _ => Counts::Passed(Some(note(r))),
    }
}

fn note(r: &ResultLine) -> String {
    let j = &r.judgement;
    let seen = j
        .observed
        .iter()
        .map(|(what, got)| format!("{what}: {got}"));
    let failed = speaker(r).filter(|c| c.outcome == Outcome::Fail);
    let failed = failed.map(|c| format!("{}: got {}", c.name, c.got));
    let all: Vec<String> = failed.into_iter().chain(seen).chain(words(r)).collect();
    match all.is_empty() {
        true => j.verdict.word().to_owned(),
        false => format!("{}: {}", j.verdict, safe_short(&all.join("; "), 500)),
    }
}

/// Every result that counts, with its column and the reading of its case, in the record's order.
pub(super) fn rows(record: &Record) -> Vec<Failure<'_>> {
    let mut out = Vec::new();
    for result in record.results.iter().filter(|r| !r.added) {
        let mut columns = record.header.columns.iter();
        let column = columns.find(|c| c.name == result.column);
        if let (Some(column), Some(case)) = (column, record.case_of(result)) {
            out.push(Failure {
                column,
                case,
                result,
                traces: "",
                command: &record.header.command,
            });
        }
    }
    out
}
