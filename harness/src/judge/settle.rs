//! Blocked cases across one column: each must name a requirement that a case of the column fails.
//!
//! Does not know attempts.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi::{Abi, Level};
use crate::judge::question::function_of;
use crate::judge::{Judgement, Outcome, Verdict};

/// The requirement that a host links every hostcall.
const LINKED: &str = "functions/linked";

/// How a requirement ends that asks whether a host links a hostcall in the form that the cases take.
const FORM: &str = "/linked";

/// The hostcalls about whose form the text contradicts itself, so that whether a host links the form
/// that the cases take is a survey; by the names of those surveys.
pub fn forms(abi: &Abi) -> Vec<&str> {
    let all = abi.requirements.iter();
    let forms = all.filter(|r| r.level == Level::Survey && r.id.ends_with(FORM));
    forms.map(|r| r.id.as_str()).collect()
}

/// One result of a column while the column is settled.
#[derive(Debug)]
pub struct Settling<'a> {
    /// The case's id.
    pub case: &'a str,
    /// Whether the host loaded the module in the attempt that was judged.
    pub loaded: bool,
    /// Whether it said that it did not.
    pub refused: bool,
    /// Whether the guest trapped.
    pub trapped: bool,
    /// As judged alone; changed here.
    pub judgement: &'a mut Judgement,
}

/// What a requirement's cases came to.
enum Fate {
    /// One of them fails it.
    Fails,
    /// One of them is blocked itself, by this.
    Blocked(String),
    /// None fails it: the first of them, and how it ended.
    Else(String, Verdict),
}

/// Makes the blocked results of one column consistent. A blocked case follows its requirement to
/// one that a case of the column fails; where none fails, it becomes not-run, or, where only what a
/// survey asks was not reached, that survey. `marker` is the
/// requirement that a host takes a module of this ABI at all: where no module was loaded and the
/// marker's case is refused, all others are blocked by it. `forms` are those of the column's ABI.
/// Returns the requirements for which no case is there, in order; those stay blocked unless `last` is
/// set, when no more cases can be added.
pub fn settle(
    results: &mut [Settling<'_>],
    marker: &str,
    forms: &[&str],
    last: bool,
) -> Vec<String> {
    let mut missing = BTreeSet::new();
    if !by_marker(results, marker) {
        missing.insert(marker.to_owned());
    }
    let fates = fates(results);
    let linked_fails = matches!(fates.get(LINKED), Some(Fate::Fails));
    for r in results.iter_mut() {
        if r.judgement.verdict != Verdict::Blocked {
            continue;
        }
        let first = r.judgement.blocked_by.clone().unwrap_or_default();
        match follow(&fates, &first) {
            Root::Fails(req) => {
                r.judgement.blocked_by = Some(req);
                r.judgement.observed.clear();
            }
            // A hostcall that no case of this column asks about: that it is not linked is shown by the case
            // that links all of them.
            Root::Missing(_) if last && !r.loaded && linked_fails => {
                r.judgement.blocked_by = Some(LINKED.to_owned());
                r.judgement.observed.clear();
            }
            // No host is judged by the form of this hostcall, and it is all that stood in the way.
            Root::Missing(req) if last && !r.loaded && form(forms, &req).is_some() => {
                r.judgement.blocked_by = form(forms, &req).map(str::to_owned);
                r.judgement.observed.clear();
            }
            Root::Missing(req) => {
                if last {
                    not_run(r.judgement, &format!("no case of {req} can be run"));
                }
                missing.insert(req);
            }
            // The callback comes elsewhere: that it did not come here is what the survey saw.
            Root::Else(..) if !r.judgement.observed.is_empty() => {
                r.judgement.verdict = Verdict::Survey;
                r.judgement.blocked_by = None;
            }
            // The callback comes elsewhere: what did not happen here for want of it is a failure of its own.
            Root::Else(..) if r.loaded && fails(r.judgement) => {
                r.judgement.verdict = Verdict::Fail;
                r.judgement.blocked_by = None;
            }
            // The call works elsewhere: that the guest trapped in it here is how this case ended.
            Root::Else(..) if r.trapped => {
                r.judgement.verdict = match r.judgement.level {
                    Level::Must => Verdict::Trap,
                    _ => Verdict::Warn,
                };
                r.judgement.blocked_by = None;
            }
            Root::Else(req, how) => not_run(r.judgement, &format!("blocked by {req}, but {how}")),
        }
    }
    missing.into_iter().collect()
}

/// The survey about the form of a requirement's hostcall.
fn form<'f>(forms: &[&'f str], req: &str) -> Option<&'f str> {
    let mut all = forms.iter();
    all.find(|f| belongs(f, function_of(req))).copied()
}

/// Whether a must check of its own failed and no control did, though the case was held to be blocked.
fn fails(judgement: &Judgement) -> bool {
    let failed = || {
        judgement
            .checks
            .iter()
            .filter(|c| c.outcome == Outcome::Fail)
    };
    failed().all(|c| !c.control) && failed().any(|c| c.level == Level::Must)
}

fn not_run(judgement: &mut Judgement, why: &str) {
    judgement.verdict = Verdict::NotRun;
    judgement.blocked_by = None;
    judgement.observed.clear();
    judgement.reason = Some(match judgement.reason.take() {
        None => why.to_owned(),
        Some(before) => format!("{before}; {why}"),
    });
}

/// Applies the rule about hosts that load nothing. False: it would apply, but the marker's case is
/// not there to show it.
fn by_marker(results: &mut [Settling<'_>], marker: &str) -> bool {
    let refused = |r: &Settling<'_>| r.judgement.verdict == Verdict::Refused;
    // A survey may bring a module of several versions.
    let taken = |r: &Settling<'_>| r.loaded && r.judgement.level != Level::Survey;
    if results.iter().any(taken) || !results.iter().any(refused) {
        return true;
    }
    let about = |r: &Settling<'_>| {
        r.judgement
            .checks
            .iter()
            .any(|c| !c.control && c.req == marker)
    };
    if !results.iter().any(about) {
        return false;
    }
    // Where it asks whether the module is loaded, that it is not is its failure and no refusal.
    let lost = |r: &Settling<'_>| unable(r) || r.judgement.verdict == Verdict::Fail;
    if !results.iter().any(|r| about(r) && lost(r)) {
        return true;
    }
    for r in results.iter_mut().filter(|r| r.refused && !about(r)) {
        // A module that must not be loaded was not. Whatever else is asked of one that is never taken,
        // a survey too, has no answer.
        if !matches!(r.judgement.verdict, Verdict::Pass | Verdict::OutOfScope) {
            r.judgement.verdict = Verdict::Blocked;
            r.judgement.blocked_by = Some(marker.to_owned());
            r.judgement.observed.clear();
        }
    }
    true
}

/// The module was not taken, or a case needed one that was.
fn unable(r: &Settling<'_>) -> bool {
    matches!(
        r.judgement.verdict,
        Verdict::Refused | Verdict::Unlinked | Verdict::Blocked
    )
}

/// The requirements that a result shows to be failed.
pub fn failed(judgement: &Judgement) -> Vec<&str> {
    let own = || judgement.checks.iter().filter(|c| !c.control);
    let outright = own().any(|c| c.outcome == Outcome::Fail);
    let by = own().filter(|c| match judgement.verdict {
        Verdict::Fail => c.outcome == Outcome::Fail,
        Verdict::Warn if outright => c.outcome == Outcome::Fail,
        v => (v.fails() || v == Verdict::Warn) && c.outcome != Outcome::Pass,
    });
    by.map(|c| c.req.as_str()).collect()
}

fn fates(results: &[Settling<'_>]) -> BTreeMap<String, Fate> {
    let mut fates: BTreeMap<String, Fate> = BTreeMap::new();
    for r in results {
        let failed = failed(r.judgement);
        // A survey names its requirements only in its observations: it fails none.
        for c in r.judgement.checks.iter().filter(|c| !c.control) {
            let fate = if failed.contains(&c.req.as_str()) {
                Fate::Fails
            } else if let (Verdict::Blocked, Some(by)) =
                (r.judgement.verdict, &r.judgement.blocked_by)
            {
                Fate::Blocked(by.clone())
            } else {
                Fate::Else(r.case.to_owned(), r.judgement.verdict)
            };
            let stronger = matches!(
                (fates.get(&c.req), &fate),
                (None, _) | (_, Fate::Fails) | (Some(Fate::Else(..)), Fate::Blocked(_))
            );
            if stronger {
                fates.insert(c.req.clone(), fate);
            }
        }
    }
    fates
}

/// Where following a requirement ends.
enum Root {
    Fails(String),
    Missing(String),
    Else(String, String),
}

fn follow(fates: &BTreeMap<String, Fate>, first: &str) -> Root {
    let mut seen = BTreeSet::new();
    let mut req = first.to_owned();
    loop {
        if !seen.insert(req.clone()) {
            return Root::Else(first.to_owned(), "its cases block each other".to_owned());
        }
        match fates.get(&req) {
            None => return Root::Missing(req),
            Some(Fate::Fails) => return Root::Fails(req),
            Some(Fate::Else(case, verdict)) => {
                return Root::Else(req, format!("{case} is {verdict}"));
            }
            Some(Fate::Blocked(by)) => req.clone_from(by),
        }
    }
}

/// Whether a requirement belongs to a function.
pub(super) fn belongs(req: &str, function: &str) -> bool {
    function_of(req) == function
}
