//! Checks on a hostcall step: its result and its outputs, at each of its executions.
//!
//! Does not know callbacks' order, nor the wire.

use crate::case::{Matcher, StepRef};
use crate::judge::found::Found;
use crate::judge::matching::{Answer, Got, Scope};
use crate::judge::view::{Place, View};
use crate::judge::words;
use crate::trace::{Event, Returned};

/// The result of a step, against `expect`.
pub(super) fn status(view: &View<'_>, step: &StepRef, expect: &Matcher) -> Found {
    each(view, step, &|scope, e| {
        let got = match &e.end {
            Returned::Value(v) => Got::Value(v),
            _ => Got::Missing,
        };
        let answer = scope.matches(expect, got);
        match &e.repeat {
            Some(r) if r.same != r.times => (
                Answer::No,
                format!(
                    "{} in {} of {} calls, then another",
                    words::result(e),
                    r.same,
                    r.times
                ),
            ),
            _ => (answer, String::new()),
        }
    })
}

/// An output of a step, against `expect`.
pub(super) fn out(view: &View<'_>, step: &StepRef, out: &str, expect: &Matcher) -> Found {
    each(view, step, &|scope, e| {
        let got = e.out(out).map_or(Got::Missing, Got::Value);
        (scope.matches(expect, got), String::new())
    })
}

type Look<'l> = &'l dyn Fn(Scope<'_, '_>, &Event) -> (Answer, String);

/// Looks at every judged execution: all must match. `look` may give its own words for a failure.
fn each(view: &View<'_>, step: &StepRef, look: Look<'_>) -> Found {
    let all = view.executions(step);
    let Some(first) = all.first().copied() else {
        return never_executed(view, step);
    };
    let mut open: Option<(Place, String)> = None;
    for (n, place) in all.iter().copied().enumerate() {
        let e = view.event(place);
        let idle = e.repeat.as_ref().is_some_and(|r| r.times == 0);
        if e.end == Returned::Never || idle {
            open.get_or_insert((place, "the call never returned".to_owned()));
            continue;
        }
        let at = Scope {
            view,
            at: Some(place),
        };
        match look(at, e) {
            (Answer::Yes, _) => {}
            (Answer::No, own) => {
                let mut got = if own.is_empty() {
                    words::result(e)
                } else {
                    own
                };
                if all.len() > 1 {
                    got.push_str(&format!(" (execution {} of {})", n + 1, all.len()));
                }
                return Found::fail(Some(place), got);
            }
            (Answer::Unknown, _) => {
                let got = format!("{}: cannot be compared", words::result(e));
                open.get_or_insert((place, got));
            }
        }
    }
    match open {
        Some((place, got)) => Found::unreached(Some(place), got),
        None => Found::pass(Some(first)),
    }
}

/// Why a step has no execution that counts.
pub(super) fn never_executed(view: &View<'_>, step: &StepRef) -> Found {
    if view.came(step.vm, &step.callback) {
        Found::unreached(None, format!("call {} was never made", step.call))
    } else {
        Found::lacking(&step.callback)
    }
}
