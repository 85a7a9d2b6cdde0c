//! What differs at the ABI boundary: calls and callbacks.

use crate::fuzz::oracle::compare::{Comparing, Seen};
use crate::fuzz::oracle::words;
use crate::fuzz::plan::{Place, Way};
use crate::fuzz::program::Placed;
use crate::trace::{Attempt, Event, Value};

/// All events of the instances that count.
fn events(attempt: &Attempt) -> Vec<&Event> {
    let trace = &attempt.trace;
    let full = trace.full().into_iter();
    full.flat_map(|n| trace.instances[n].walk()).collect()
}

/// Compares every hostcall step.
pub(super) fn steps(c: &mut Comparing<'_>, sides: [&Attempt; 2]) {
    let all = sides.map(events);
    let program = c.program;
    for (at, placed) in program.calls().into_iter().enumerate() {
        let of = |events: &[&Event]| -> Option<Event> {
            let mut own = events.iter().filter(|e| e.step == Some(at as u32));
            own.next().map(|e| Event::clone(e))
        };
        step(c, at + 1, placed, [of(&all[0]), of(&all[1])]);
    }
}

fn step(c: &mut Comparing<'_>, call: usize, placed: Placed<'_>, events: [Option<Event>; 2]) {
    let callback = format!("proxy_on_{}", placed.place.callback());
    let [Some(left), Some(right)] = events else {
        let reached = |e: &Option<Event>| if e.is_some() { "made" } else { "never made" };
        let [left, right] = [reached(&events[0]), reached(&events[1])];
        if left != right {
            c.note(Seen {
                rows: &[format!("{callback}/called")],
                observe: "callbacks any".to_owned(),
                what: format!("whether the calls of {callback} are made"),
                mark: format!("{left} {right}"),
                left: left.to_owned(),
                right: right.to_owned(),
            });
        }
        return;
    };
    let name = left.name.clone();
    let mut rows: Vec<String> = placed.call.map(|c| c.rests.clone()).unwrap_or_default();
    let ends = [words::ended(&left), words::ended(&right)];
    if ends[0] != ends[1] {
        let [left, right] = ends;
        for status in [&left, &right] {
            let own = format!("{name}/{status}");
            let of_status = |id: &str| id == own || id.starts_with(&format!("{own}."));
            let more = c.abi.requirements.iter().filter(|r| of_status(&r.id));
            rows.extend(more.map(|r| r.id.clone()));
        }
        if placed.call.is_none() {
            // Before there was a status for it, nothing said what it must be.
            rows.retain(|r| r.starts_with("proxy_continue_stream/"));
        }
        c.note(Seen {
            rows: &rows,
            observe: format!("call {call} status"),
            what: format!("status of {name}"),
            mark: format!("{left} {right}"),
            left,
            right,
        });
        return;
    }
    let fine = matches!(ends[0].as_str(), "OK" | "SUCCESS");
    if !fine || placed.call.is_none_or(|c| c.blind) {
        return;
    }
    for one in &left.outs {
        let other = right.outs.iter().find(|f| f.name == one.name);
        let (Some(a), Some(b)) = (words::out(one), other.and_then(words::out)) else {
            continue;
        };
        if a != b {
            c.note(Seen {
                rows: &rows,
                observe: format!("call {call} {}", one.name),
                what: format!("{} of {name}", one.name),
                mark: String::new(),
                left: a,
                right: b,
            });
        }
    }
}

/// Callbacks through which messages pass, in their order.
const PASSING: [&str; 6] = [
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_response_body",
    "proxy_on_response_trailers",
];
/// Callbacks at the end of a stream.
const ENDING: [&str; 3] = ["proxy_on_done", "proxy_on_log", "proxy_on_delete"];

/// Compares which callbacks came for the stream, and what they said.
pub(super) fn callbacks(c: &mut Comparing<'_>, sides: [&Attempt; 2]) {
    let came = sides.map(of_stream);
    let ways = [Way::Request, Way::Response];
    // Whether an answer of the plugin's own comes by the plugin again is not said.
    let open = |way: Way| c.program.local.is_none_or(|l| way < l);
    let bodied = |way: Way| !c.program.message(way).body.is_empty();
    let counts = |name: &str| {
        let way = if name.contains("_response_") {
            Way::Response
        } else {
            Way::Request
        };
        let body = name.ends_with("_body");
        let first = name == "proxy_on_request_headers";
        // A host may end a message without a body with an empty one.
        PASSING.contains(&name) && (open(way) || first) && (!body || bodied(way))
    };
    let lists = [&came[0], &came[1]].map(|events| {
        let names = events.iter().map(|e| e.name.as_str());
        let mut names: Vec<&str> = names.filter(|n| counts(n)).collect();
        names.dedup();
        names
    });
    if lists[0] != lists[1] {
        let only = PASSING
            .iter()
            .find(|n| lists[0].contains(n) != lists[1].contains(n));
        let row = match only {
            Some(name) => format!("{name}/called"),
            None if lists[0].iter().any(|n| n.contains("_response_")) => {
                "http/response_order".to_owned()
            }
            None => "http/request_order".to_owned(),
        };
        let [left, right] = lists.map(|l| l.join(", "));
        c.note(Seen {
            rows: &[row],
            observe: "callbacks stream 1".to_owned(),
            what: "callbacks of the stream".to_owned(),
            mark: String::new(),
            left,
            right,
        });
    }
    for name in ENDING {
        let [left, right] = [&came[0], &came[1]].map(|all| all.iter().any(|e| e.name == name));
        if left != right {
            let word = |came: bool| if came { "called" } else { "not called" };
            c.note(Seen {
                rows: &[format!("{name}/called")],
                observe: "callbacks stream 1".to_owned(),
                what: format!("whether {name} comes"),
                mark: String::new(),
                left: word(left).to_owned(),
                right: word(right).to_owned(),
            });
        }
    }
    for way in ways.into_iter().filter(|w| open(*w)) {
        sizes(c, way, [&came[0], &came[1]]);
    }
}

/// The size of a body that was gathered, and the number of trailers.
fn sizes(c: &mut Comparing<'_>, way: Way, came: [&Vec<Event>; 2]) {
    let (body, trailers) = match way {
        Way::Request => (Place::RequestBody, "proxy_on_request_trailers"),
        Way::Response => (Place::ResponseBody, "proxy_on_response_trailers"),
    };
    let gathered = c.program.blocks.iter().any(|b| b.place == body);
    let body = format!("proxy_on_{}", body.callback());
    let asked = [
        (body.as_str(), "body_size", gathered),
        (trailers, "num_trailers", true),
    ];
    for (name, arg, asked) in asked {
        let last = came.map(|all| all.iter().rev().find(|e| e.name == name));
        let [Some(left), Some(right)] = last.map(|e| e.and_then(|e| e.arg(arg)).cloned()) else {
            continue;
        };
        if asked && left != right {
            let word = |v: Value| match v {
                Value::Number(n) => n.to_string(),
                other => format!("{other:?}"),
            };
            c.note(Seen {
                rows: &[format!("{name}/{arg}")],
                observe: "callbacks stream 1".to_owned(),
                what: format!("{arg} of {name}"),
                mark: String::new(),
                left: word(left),
                right: word(right),
            });
        }
    }
}

/// The callbacks of the first stream, in order.
fn of_stream(attempt: &Attempt) -> Vec<Event> {
    let trace = &attempt.trace;
    for n in trace.full() {
        let instance = &trace.instances[n];
        let (_, streams) = instance.contexts();
        if let Some(stream) = streams.first() {
            let own = instance.callbacks().into_iter();
            let own = own.filter(|e| e.context() == Some(*stream));
            return own.cloned().collect();
        }
    }
    Vec::new()
}
