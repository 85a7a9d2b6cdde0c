//! From two records to what is different.
//!
//! Does not know tokens or fields that a proxy adds on its own: the caller gives the text of a trace
//! that may be compared.

use std::collections::BTreeMap;

use crate::abi::Level;
use crate::judge::{Gate, Outcome, Verdict};
use crate::record::{Column, Record, ResultLine};
use crate::report::diff::{Change, ColumnDiff, Counts, Diff, DiffVerdict, Kind, Side};
use crate::report::{ColumnView, json, speaker, words};

/// The text of a result's trace that is the same in each run of a host that does the same; `None`:
/// nothing was observed.
pub type TraceOf<'a> = dyn Fn(&Record, &ResultLine) -> Option<String> + 'a;

/// Compares `head` with `base`. Columns are partners when they have the same name, else when they
/// are the only ones left of their host and ABI. Results that a run added for another case count in
/// nothing.
pub fn compare(base: &Record, head: &Record, trace: &TraceOf<'_>) -> Diff {
    let pairs = partners(&base.header.columns, &head.header.columns);
    let mut columns = Vec::new();
    let mut changes = Vec::new();
    for (old, new) in &pairs {
        let olds = results(base, &old.name);
        let news = results(head, &new.name);
        let mut counts = Counts::default();
        let mut same = 0;
        let mut tell = |change: Option<Change>| match change {
            Some(change) => {
                *counts.of(change.kind) += 1;
                changes.push(change);
            }
            None => same += 1,
        };
        for r in head.results.iter().filter(|r| own(r, &new.name)) {
            tell(match olds.get(r.case.as_str()) {
                Some(was) => changed(base, was, head, r, trace),
                None => Some(change(Kind::Added, None, Some(r))),
            });
        }
        for r in base.results.iter().filter(|r| own(r, &old.name)) {
            if !news.contains_key(r.case.as_str()) {
                tell(Some(change(Kind::Removed, Some(r), None)));
            }
        }
        columns.push(ColumnDiff {
            column: new.name.clone(),
            base_column: old.name.clone(),
            was: line(base, &old.name),
            is: line(head, &new.name),
            same,
            counts,
        });
    }
    // Stable: within a kind the order of the head stays.
    changes.sort_by_key(|c| c.kind);
    let alone = |all: &[Column], of: &dyn Fn(&(&Column, &Column), &Column) -> bool| {
        let alone = all.iter().filter(|c| !pairs.iter().any(|p| of(p, c)));
        alone.map(|c| c.name.clone()).collect::<Vec<_>>()
    };
    Diff {
        version: json::JSON_VERSION,
        verdict: verdict(&changes),
        base: side(base),
        head: side(head),
        only_base: alone(&base.header.columns, &|(old, _), c| old.name == c.name),
        only_head: alone(&head.header.columns, &|(_, new), c| new.name == c.name),
        columns,
        changes,
    }
}

fn side(record: &Record) -> Side {
    Side {
        began: record.header.began.clone(),
        suite: record.header.suite.clone(),
        suite_digest: record.header.suite_digest.clone(),
        filters: record.header.filters.clone(),
        interrupted: record.footer.interrupted,
        exit_code: record.footer.exit_code,
    }
}

/// Columns that are compared with each other, in the head's order.
fn partners<'r>(base: &'r [Column], head: &'r [Column]) -> Vec<(&'r Column, &'r Column)> {
    let by_name = |c: &Column, all: &'r [Column]| all.iter().find(|o| o.name == c.name);
    let left = |c: &Column, all: &'r [Column], others: &[Column]| -> Option<&'r Column> {
        let mut free = all.iter().filter(|o| {
            o.host == c.host && o.abi == c.abi && !others.iter().any(|x| x.name == o.name)
        });
        let first = free.next()?;
        free.next().is_none().then_some(first)
    };
    head.iter()
        .filter_map(|new| {
            let old = by_name(new, base).or_else(|| {
                let old = left(new, base, head)?;
                // The other way round it must be the only one too.
                left(old, head, base).map(|_| old)
            })?;
            Some((old, new))
        })
        .collect()
}

fn own(r: &ResultLine, column: &str) -> bool {
    r.column == column && !r.added
}

fn results<'r>(record: &'r Record, column: &str) -> BTreeMap<&'r str, &'r ResultLine> {
    let all = record.results.iter().filter(|r| own(r, column));
    all.map(|r| (r.case.as_str(), r)).collect()
}

fn line(record: &Record, column: &str) -> String {
    let all = ColumnView::all(record).into_iter();
    let mut own = all.filter(|v| v.column.name == column).map(|v| v.line);
    own.next().unwrap_or_default()
}

/// How a result stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Good,
    Warns,
    Bad,
    Open,
}

fn standing(v: Verdict) -> Standing {
    match v {
        Verdict::Pass | Verdict::Survey => Standing::Good,
        Verdict::Warn => Standing::Warns,
        Verdict::OutOfScope | Verdict::NotRun => Standing::Open,
        v if v.fails() || v == Verdict::Blocked => Standing::Bad,
        _ => Standing::Open,
    }
}

fn changed(
    base: &Record,
    was: &ResultLine,
    head: &Record,
    is: &ResultLine,
    trace: &TraceOf<'_>,
) -> Option<Change> {
    use Standing::{Bad, Good, Open, Warns};
    let (old, new) = (was.judgement.verdict, is.judgement.verdict);
    let kind = match (standing(old), standing(new)) {
        (Open, Open) => return None,
        (Open, _) => Kind::Added,
        (_, Open) => Kind::Unjudged,
        (Good | Warns, Bad) => Kind::Broken,
        (Bad, Good | Warns) | (Warns, Good) => Kind::Fixed,
        (Good, Warns) => Kind::Warns,
        (Bad, Bad) if reason(was) != reason(is) => Kind::OtherReason,
        _ => {
            // Another program shows another trace: that is no drift of the host.
            let (then, now) = (trace(base, was)?, trace(head, is)?);
            if then == now || was.program_digest != is.program_digest {
                return None;
            }
            let mut drift = change(Kind::Drifted, Some(was), Some(is));
            drift.trace = Some(crate::trace::diff(&then, &now));
            return Some(drift);
        }
    };
    Some(change(kind, Some(was), Some(is)))
}

/// Why a result fails: its verdict, what failed, what blocks it.
fn reason(r: &ResultLine) -> (Verdict, Vec<(&str, &str)>, Option<&str>) {
    let j = &r.judgement;
    let failed = j.checks.iter().filter(|c| c.outcome == Outcome::Fail);
    (
        j.verdict,
        failed.map(|c| (c.name.as_str(), c.req.as_str())).collect(),
        j.blocked_by.as_deref(),
    )
}

fn change(kind: Kind, was: Option<&ResultLine>, is: Option<&ResultLine>) -> Change {
    let speaks = match kind {
        Kind::Fixed | Kind::Removed => was,
        _ => is,
    };
    let named = is.or(was);
    let digest = |r: &ResultLine| r.program_digest.clone();
    Change {
        kind,
        column: named.map(|r| r.column.clone()).unwrap_or_default(),
        case: named.map(|r| r.case.clone()).unwrap_or_default(),
        level: named.map_or(Level::Survey, |r| r.judgement.level),
        was: was.map(|r| r.judgement.verdict),
        is: is.map(|r| r.judgement.verdict),
        why: speaks.map(why).unwrap_or_default(),
        known: is.is_some_and(|r| matches!(r.gate, Gate::Known { .. })),
        program_changed: matches!((was, is), (Some(a), Some(b)) if digest(a) != digest(b)),
        trace: None,
    }
}

/// The check that speaks, else the words; nothing for what passes.
fn why(r: &ResultLine) -> String {
    if matches!(r.judgement.verdict, Verdict::Pass | Verdict::Survey) {
        return String::new();
    }
    let check = speaker(r).filter(|c| c.outcome == Outcome::Fail);
    let said = check.map(|c| match c.got.as_str() {
        "" => format!("{}: expected {}", c.req, c.expected),
        got => format!("{}: expected {}, got {got}", c.req, c.expected),
    });
    said.or_else(|| words(r).into_iter().next())
        .unwrap_or_default()
}

fn verdict(changes: &[Change]) -> DiffVerdict {
    let any = |kind: Kind| changes.iter().any(|c| c.kind == kind);
    let lost = |c: &Change| c.kind == Kind::Unjudged && c.level == Level::Must;
    if any(Kind::Broken) {
        DiffVerdict::Worse
    } else if changes.iter().any(lost) {
        DiffVerdict::Incomplete
    } else if any(Kind::Fixed) {
        DiffVerdict::Better
    } else if changes.is_empty() {
        DiffVerdict::Same
    } else {
        DiffVerdict::Changed
    }
}
