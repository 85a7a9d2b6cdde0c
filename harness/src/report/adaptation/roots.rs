//! What a case that does not pass is held up by: a hostcall that does not link, a callback that never
//! comes, a row of the text.
//!
//! Does not know what is to be done about it.

use crate::abi::{Abi, Returns, Type};
use crate::judge::{CheckResult, Outcome, Verdict};
use crate::record::ResultLine;
use crate::trace::{EventKind, Load, Returned, Value};

/// The row that says that a module of the version is taken at all.
pub const MARKER: &str = "abi_version/marker";

/// The function or part of the text that a row belongs to.
pub fn owner(req: &str) -> &str {
    req.split('/').next().unwrap_or(req)
}

/// What a case is about: the owner of its first must check.
pub fn about(result: &ResultLine) -> Option<&str> {
    let checks = own_checks(result);
    let first = checks.clone().find(|c| c.level == result.judgement.level);
    first.or(checks.clone().next()).map(|c| owner(&c.req))
}

/// Checks of the host, controls left out.
pub fn own_checks(result: &ResultLine) -> impl Iterator<Item = &CheckResult> + Clone {
    result.judgement.checks.iter().filter(|c| !c.control)
}

/// What holds a case up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The text's name of the hostcall or callback, or another part of the text.
    pub topic: String,
    /// The case is about it; else it only waits for it.
    pub direct: bool,
}

/// What holds this case up; `None`: it passes, or is nobody's work.
pub fn root(result: &ResultLine, text: &Abi) -> Option<Root> {
    let j = &result.judgement;
    let own = about(result);
    let at = |topic: &str| {
        Some(Root {
            topic: topic.to_owned(),
            direct: own == Some(topic),
        })
    };
    if matches!(
        j.verdict,
        Verdict::Pass | Verdict::OutOfScope | Verdict::NotRun | Verdict::Survey
    ) {
        return None;
    }
    let by_marker = j.blocked_by.as_deref() == Some(MARKER);
    if let (Some(import), false) = (lacking(result), by_marker) {
        return at(hostcall_of(import, text));
    }
    if let Some(req) = &j.blocked_by {
        return at(owner(req));
    }
    let failing = |outcome| own_checks(result).find(move |c| c.outcome == outcome);
    let failing = failing(Outcome::Fail).or_else(|| failing(Outcome::Unreached));
    at(failing.map(|c| owner(&c.req)).or(own)?)
}

/// A call of this case by whose numbers the host takes or means something else. Of use where the case
/// passes in the dialect: then this is what holds it up in the text's words.
pub fn by_numbers<'r>(result: &'r ResultLine, text: &Abi, dialect: &Abi) -> Option<&'r str> {
    let attempt = result.attempts.last()?;
    let events = attempt.trace.instances.iter().flat_map(|i| i.walk());
    let mut calls = events.filter(|e| e.kind == EventKind::Hostcall);
    let found = calls.find(|e| {
        let Some(hostcall) = text.hostcall(&e.name) else {
            return false;
        };
        let given = hostcall.params.iter().filter_map(|p| match &p.ty {
            Type::Enum(name) => Some((name, e.arg(&p.name)?)),
            _ => None,
        });
        let answer = match (&hostcall.returns, &e.end) {
            (Returns::Enum(name), Returned::Value(v)) => Some((name, v)),
            _ => None,
        };
        given.chain(answer).any(|(name, v)| other(v, name, dialect))
    });
    found.map(|e| e.name.as_str())
}

/// Whether this number has another name in the dialect, or none.
fn other(value: &Value, name: &str, dialect: &Abi) -> bool {
    let Value::Enum(member, number) = value else {
        return false;
    };
    let theirs = dialect.enumeration(name).and_then(|e| e.name_of(*number));
    theirs.is_some() && theirs != *member
}

/// The import without which the host did not take the module.
pub fn lacking(result: &ResultLine) -> Option<&str> {
    match &result.attempts.last()?.load {
        Load::Unlinked { import, .. } => Some(import),
        _ => None,
    }
}

/// The text's name of a hostcall that is imported under this name.
fn hostcall_of<'a>(import: &'a str, text: &'a Abi) -> &'a str {
    let found = text.hostcalls.iter().find(|h| h.import.1 == import);
    found.map_or(import, |h| h.name.as_str())
}

/// Whether something of this name was seen to work at the boundary: a check of it was reached in a
/// module that the host took, or it stands in a trace.
pub fn seen(results: &[&ResultLine], topic: &str) -> bool {
    results.iter().any(|r| {
        let reached = r
            .judgement
            .checks
            .iter()
            .any(|c| owner(&c.req) == topic && c.outcome != Outcome::Unreached);
        let traced = || {
            let attempts = r.attempts.last();
            let mut instances = attempts.iter().flat_map(|a| &a.trace.instances);
            instances.any(|i| i.walk().iter().any(|e| e.name == topic))
        };
        let loaded = r.attempts.last().is_some_and(|a| a.load == Load::Loaded);
        loaded && (traced() || reached && topic_is_call(topic))
    })
}

fn topic_is_call(topic: &str) -> bool {
    !topic.starts_with("proxy_on_")
}
