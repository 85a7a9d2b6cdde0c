//! Checks on what gRPC upstreams saw, and what surveys observe there.
//!
//! Does not know the boundary.

use crate::case::{GrpcExpect, Matcher};
use crate::judge::found::Found;
use crate::judge::matching::{Answer, Got, Scope};
use crate::judge::view::View;
use crate::judge::wire::{field, field_in_words, joined};
use crate::judge::words;
use crate::trace::{Attempt, Blob, GrpcSaw};

/// The calls that arrived at an upstream, in order.
fn calls<'a>(attempt: &'a Attempt, upstream: &str) -> Vec<&'a GrpcSaw> {
    let all = attempt.seen.grpc.iter();
    all.filter(|g| g.upstream == upstream).collect()
}

pub(super) fn call(view: &View<'_>, name: &str, nth: u32, want: &GrpcExpect) -> Found {
    let all = calls(view.attempt, name);
    match (nth as usize).checked_sub(1).and_then(|n| all.get(n)) {
        Some(saw) => one(view, saw, want),
        None if want.present == Some(false) => Found::pass(None),
        None => Found::fail(None, format!("{} calls at {name}", all.len())),
    }
}

fn one(view: &View<'_>, saw: &GrpcSaw, want: &GrpcExpect) -> Found {
    if want.present == Some(false) {
        return Found::fail(None, format!("{} {} was called", saw.service, saw.method));
    }
    let scope = Scope { view, at: None };
    let (mut wrong, mut unsure): (Vec<String>, Vec<String>) = Default::default();
    let mut note = |answer: Answer, words: String| match answer {
        Answer::Yes => {}
        Answer::No => wrong.push(words),
        Answer::Unknown => unsure.push(words),
    };
    let names = [
        ("service", &saw.service, &want.service),
        ("method", &saw.method, &want.method),
    ];
    for (what, have, want) in names {
        let Some(want) = want else { continue };
        let have = Blob::Whole(have.clone().into_bytes());
        let got = Got::Bytes(&have);
        note(
            scope.matches(want, got),
            format!("{what} {}", words::got(got)),
        );
    }
    for (name, want) in &want.metadata {
        let got = field_in_words(&saw.metadata, name);
        note(
            field(scope, &saw.metadata, name, want),
            format!("metadata {name} {got}"),
        );
    }
    if let Some(want) = &want.messages {
        let words = messages(saw);
        if want.len() != saw.messages.len() {
            note(Answer::No, words);
        } else {
            for (want, have) in want.iter().zip(&saw.messages) {
                note(scope.matches(want, Got::Bytes(have)), words.clone());
            }
        }
    }
    let ends = [
        (want.ended, saw.ended),
        (want.cancelled, saw.cancelled),
        (want.over, saw.ended || saw.cancelled),
    ];
    if ends
        .iter()
        .any(|(want, have)| want.is_some_and(|w| w != *have))
    {
        note(Answer::No, over(saw));
    }
    if !wrong.is_empty() {
        wrong.dedup();
        return Found::fail(None, wrong.join(", "));
    }
    if !unsure.is_empty() {
        unsure.dedup();
        return Found::unreached(None, format!("{}: cannot be compared", unsure.join(", ")));
    }
    Found::pass(None)
}

fn messages(saw: &GrpcSaw) -> String {
    let all: Vec<String> = saw.messages.iter().map(Blob::display).collect();
    match all.as_slice() {
        [] => "no message".to_owned(),
        all => format!("messages {}", all.join(", ")),
    }
}

/// How the host has ended a call.
fn over(saw: &GrpcSaw) -> String {
    let word = match (saw.ended, saw.cancelled) {
        (false, false) => "open",
        (true, false) => "ended",
        (false, true) => "cancelled",
        (true, true) => "ended, then cancelled",
    };
    word.to_owned()
}

pub(super) fn count(view: &View<'_>, name: &str, want: &Matcher) -> Found {
    let all = calls(view.attempt, name).len() as u64;
    let scope = Scope { view, at: None };
    match scope.matches(want, Got::Number(all)) {
        Answer::Yes => Found::pass(None),
        Answer::No => Found::fail(None, format!("{all} calls at {name}")),
        Answer::Unknown => Found::unreached(None, format!("{all} calls: cannot be compared")),
    }
}

pub(super) fn observe_count(attempt: &Attempt, name: &str) -> String {
    calls(attempt, name).len().to_string()
}

/// What the first call at an upstream shows.
pub(super) fn observe(attempt: &Attempt, name: &str, what: &dyn Fn(&GrpcSaw) -> String) -> String {
    match calls(attempt, name).first() {
        Some(saw) => what(saw),
        None => "no call".to_owned(),
    }
}

pub(super) fn observe_messages(attempt: &Attempt, name: &str) -> String {
    observe(attempt, name, &messages)
}

pub(super) fn observe_over(attempt: &Attempt, name: &str) -> String {
    observe(attempt, name, &over)
}

pub(super) fn observe_metadata(attempt: &Attempt, name: &str, key: &str) -> String {
    observe(attempt, name, &|saw| match joined(&saw.metadata, key) {
        Ok(Some(b)) => b.display(),
        Ok(None) | Err(()) => field_in_words(&saw.metadata, key),
    })
}
