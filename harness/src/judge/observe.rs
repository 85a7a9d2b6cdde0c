//! Surveys: what was observed, in words that group hosts.
//!
//! Does not judge it.

use std::cmp::Ordering;

use crate::abi::{Abi, ExportKind};
use crate::case::{Observe, StepRef};
use crate::judge::callbacks::list;
use crate::judge::found::Found;
use crate::judge::grpc;
use crate::judge::steps::never_executed;
use crate::judge::view::{Place, View, vm_of};
use crate::judge::wire;
use crate::judge::words;
use crate::trace::{Blob, EventKind, Field, LogLine, Message, Returned, Value};

/// The answer to one question of a survey; `Err`: it was never reached.
pub(super) fn observe(view: &View<'_>, abi: &Abi, what: &Observe) -> Result<String, Found> {
    let attempt = view.attempt;
    let first = |name: &str| wire::requests(attempt, name).first().map(|u| &u.request);
    let response = |stream: u32| match wire::client_of(attempt, stream) {
        None => Err(Found::unreached(
            None,
            format!("stream {stream} was never opened"),
        )),
        Some(saw) => Ok(saw.response.as_ref()),
    };
    Ok(match what {
        Observe::Status(step) => executions(view, step, &|p| match &view.event(p).end {
            Returned::Value(v) => words::value(v),
            _ => "no result".to_owned(),
        })?,
        Observe::Out(step, out) => executions(view, step, &|p| {
            let e = view.event(p);
            match e.outs.iter().find(|f| f.name == *out) {
                None => "absent".to_owned(),
                Some(f) => plain(f),
            }
        })?,
        Observe::Against(step, other, out) => against(view, step, other, out)?,
        Observe::Log(text) => lines(&attempt.logs, text),
        Observe::Callbacks(who) => {
            let vm = vm_of(*who);
            let streamed = view.streamed(vm);
            let instances = match view.of_vm(vm).last() {
                None => return Err(Found::unreached(None, "no guest spoke")),
                Some(last) if streamed.is_empty() => vec![*last],
                Some(_) => streamed,
            };
            let mut came: Vec<Place> = Vec::new();
            for (instance, context) in view.contexts(*who, &instances) {
                came.extend(view.callbacks(instance, context));
            }
            let allocator = |name: &str| {
                let row = abi.callback(name);
                row.is_some_and(|c| c.kind == ExportKind::Allocator)
            };
            let events = came.iter().map(|p| view.event(*p));
            let names = events
                .filter(|e| e.kind == EventKind::Callback || !allocator(&e.name))
                .map(|e| e.name.as_str());
            list(&names.collect::<Vec<_>>())
        }
        Observe::ClientStatus(s) => match response(*s)?.and_then(|m| m.status) {
            None => "no response".to_owned(),
            Some(n) => n.to_string(),
        },
        Observe::ClientBody(s) => match response(*s)? {
            None => "no response".to_owned(),
            Some(m) => m.body.display(),
        },
        Observe::ClientClosed(s) => match response(*s)? {
            None => "no connection".to_owned(),
            Some(m) => words::openness(m.complete).to_owned(),
        },
        Observe::ClientHeader(s, name) => match response(*s)? {
            None => "no response".to_owned(),
            Some(m) => field(&m.headers, name),
        },
        Observe::ClientTrailer(s, name) => match response(*s)? {
            None => "no response".to_owned(),
            Some(m) => field(&m.trailers, name),
        },
        Observe::UpstreamTrailer(up, name) => match first(up) {
            None => "no request".to_owned(),
            Some(m) => field(&m.trailers, name),
        },
        Observe::UpstreamHeader(up, name) => match first(up) {
            None => "no request".to_owned(),
            Some(m) => field(&m.headers, name),
        },
        Observe::UpstreamBody(up) => match first(up) {
            None => "no request".to_owned(),
            Some(m) => m.body.display(),
        },
        Observe::UpstreamClosed(up) => match first(up) {
            None => "no connection".to_owned(),
            Some(m) => words::openness(m.complete).to_owned(),
        },
        Observe::UpstreamCount(up) => wire::requests(attempt, up).len().to_string(),
        Observe::GrpcCount(up) => grpc::observe_count(attempt, up),
        Observe::GrpcMetadata(up, key) => grpc::observe_metadata(attempt, up, key),
        Observe::GrpcMessages(up) => grpc::observe_messages(attempt, up),
        Observe::GrpcOver(up) => grpc::observe_over(attempt, up),
        Observe::Load => match wire::loaded(attempt) {
            None => return Err(Found::unreached(None, "neither a frame nor a refusal")),
            Some(true) => "loaded".to_owned(),
            Some(false) => words::load(&attempt.load).replace("unknown", "refused"),
        },
        Observe::End => words::end(&attempt.end).to_owned(),
    })
}

/// An output in words that do not differ from run to run.
fn plain(f: &Field) -> String {
    match &f.value {
        Value::Untouched | Value::Unreadable(_) => words::value(&f.value),
        _ if f.volatile => "a value".to_owned(),
        Value::Pointer(n) if *n != 0 => "a pointer".to_owned(),
        Value::Id(_, n) if *n != 0 => "an id".to_owned(),
        v => words::value(v),
    }
}

/// What the executions of a step gave; different answers are listed once each, in order.
fn executions(
    view: &View<'_>,
    step: &StepRef,
    word: &dyn Fn(Place) -> String,
) -> Result<String, Found> {
    let all = view.executions(step);
    if all.is_empty() {
        return Err(never_executed(view, step));
    }
    let back = all
        .iter()
        .filter(|p| view.event(**p).end != Returned::Never);
    let mut answers: Vec<String> = Vec::new();
    for place in back {
        let answer = word(*place);
        if !answers.contains(&answer) {
            answers.push(answer);
        }
    }
    if answers.is_empty() {
        return Err(Found::unreached(Some(all[0]), "the call never returned"));
    }
    Ok(answers.join(", then "))
}

/// A minute in the nanoseconds of the clocks: numbers further apart are far.
const FAR: u64 = 60_000_000_000;

/// How the output of a step lies to that of another, which may be a little or far.
fn against(view: &View<'_>, step: &StepRef, other: &StepRef, out: &str) -> Result<String, Found> {
    let number = |step: &StepRef| {
        let all = view.executions(step);
        let Some(place) = all.first() else {
            return Err(never_executed(view, step));
        };
        match view.event(*place).out(out) {
            Some(Value::Number(n)) => Ok(*n),
            _ => Err(Found::unreached(Some(*place), "no number was written")),
        }
    };
    let (one, two) = (number(step)?, number(other)?);
    let far = if one.abs_diff(two) > FAR { "far " } else { "" };
    Ok(match one.cmp(&two) {
        Ordering::Equal => "the same".to_owned(),
        Ordering::Greater => format!("{far}after"),
        Ordering::Less => format!("{far}before"),
    })
}

/// The lines of the log in which a text stands, with their levels.
fn lines(logs: &[LogLine], text: &str) -> String {
    let has = |l: &&LogLine| {
        let whole = l.text.whole().unwrap_or_default();
        let mut at = whole.windows(text.len().max(1));
        at.any(|part| part == text.as_bytes())
    };
    let shown = |l: &LogLine| {
        let level = l.level.as_deref().unwrap_or("no level");
        format!("{level} {}", l.text.display())
    };
    let found: Vec<String> = logs.iter().filter(has).map(shown).collect();
    match found.is_empty() {
        true => "no line".to_owned(),
        false => found.join(", then "),
    }
}

fn field(fields: &[(Blob, Blob)], name: &str) -> String {
    match wire::joined(fields, name) {
        Ok(None) => "absent".to_owned(),
        Ok(Some(b)) => b.display(),
        Err(()) => {
            let values = Message::values(fields, name);
            let all: Vec<String> = values.into_iter().map(Blob::display).collect();
            all.join(", ")
        }
    }
}
