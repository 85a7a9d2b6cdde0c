//! Checks on the callbacks that came: their order, those that must not come, bodies.
//!
//! Does not know what the guest did in them, but for the body bytes that it read.

use crate::case::{BodyExpect, CallbackPattern, Who};
use crate::judge::found::Found;
use crate::judge::matching::{Answer, Got, Scope};
use crate::judge::view::{Place, View, vm_of};
use crate::judge::words;
use crate::trace::{Blob, CONTEXT_CREATE, Event, Value};

fn matches(view: &View<'_>, place: Place, p: &CallbackPattern) -> Answer {
    let e = view.event(place);
    if e.name != p.name {
        return Answer::No;
    }
    let scope = Scope {
        view,
        at: Some(place),
    };
    let mut all = Answer::Yes;
    for (name, m) in &p.args {
        match scope.matches(m, e.arg(name).map_or(Got::Missing, Got::Value)) {
            Answer::Yes => {}
            Answer::No => return Answer::No,
            Answer::Unknown => all = Answer::Unknown,
        }
    }
    all
}

/// Whether a pattern can only be meant for start-up.
fn is_start_up(p: &CallbackPattern, who: Who) -> bool {
    let plugin = !matches!(who, Who::Stream { .. });
    match p.name.as_str() {
        "proxy_on_vm_start" | "proxy_on_configure" => true,
        CONTEXT_CREATE => plugin,
        name => !name.starts_with("proxy_on_") || name == "proxy_on_memory_allocate",
    }
}

/// The instances in which a list of callbacks is looked for.
fn instances(view: &View<'_>, who: Who, order: &[CallbackPattern]) -> Vec<usize> {
    let vm = vm_of(who);
    let all = view.of_vm(vm);
    if order.iter().all(|p| is_start_up(p, who)) {
        return all;
    }
    let streamed = view.streamed(vm);
    if !streamed.is_empty() {
        return streamed;
    }
    let late = |p: &&CallbackPattern| !is_start_up(p, who);
    let names: Vec<&str> = order.iter().filter(late).map(|p| p.name.as_str()).collect();
    let has = |n: &usize| {
        let events = &view.instances[*n].events;
        events
            .iter()
            .any(|f| names.contains(&f.event.name.as_str()))
    };
    let last = all.iter().copied().rfind(has).or(all.last().copied());
    last.into_iter().collect()
}

/// Callbacks in this order, others allowed between.
pub(super) fn in_order(view: &View<'_>, who: Who, order: &[CallbackPattern]) -> Found {
    let instances = instances(view, who, order);
    if instances.is_empty() {
        return Found::unreached(None, "no guest spoke");
    }
    let contexts = view.contexts(who, &instances);
    if contexts.is_empty() {
        return Found::fail(None, format!("no {} was created", words::who(who)));
    }
    let mut first = None;
    for (instance, context) in contexts {
        let found = one_order(view, &view.callbacks(instance, context), order);
        match found {
            Ok(event) => first = first.or(event),
            Err(found) => return found,
        }
    }
    Found::pass(first)
}

/// How far one reading of a list of callbacks has come.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Reading {
    /// The next pattern.
    next: usize,
    /// Within the row of a `+` pattern: the one before `next`.
    row: bool,
    /// The last callback that was consumed.
    last: Option<Place>,
    /// Consuming rested on a comparison that cannot be made.
    unsure: bool,
}

/// Follows all readings at once. A row of a `+` pattern holds every callback of its name until the
/// next pattern begins.
fn one_order(
    view: &View<'_>,
    came: &[Place],
    order: &[CallbackPattern],
) -> Result<Option<Place>, Found> {
    let mut readings = vec![Reading {
        next: 0,
        row: false,
        last: None,
        unsure: false,
    }];
    let mut furthest = readings[0];
    for place in came.iter().copied() {
        let mut then: Vec<Reading> = Vec::new();
        let mut keep = |r: Reading, all: &mut Vec<Reading>| {
            let known = |o: &Reading| o.next == r.next && o.row == r.row && o.unsure == r.unsure;
            if !all.iter().any(known) {
                all.push(r);
            }
            if r.next > furthest.next {
                furthest = r;
            }
        };
        for r in &readings {
            let mut begins = false;
            if let Some(p) = order.get(r.next) {
                let answer = matches(view, place, p);
                begins = p.plus && answer == Answer::Yes;
                if answer != Answer::No {
                    let unsure = r.unsure || answer == Answer::Unknown;
                    let next = Reading {
                        next: r.next + 1,
                        row: p.plus,
                        last: Some(place),
                        unsure,
                    };
                    keep(next, &mut then);
                }
            }
            let in_row = r.next.checked_sub(1).filter(|_| r.row).map(|n| &order[n]);
            match in_row {
                Some(p) if view.event(place).name == p.name => {
                    let answer = matches(view, place, p);
                    if answer != Answer::No {
                        let unsure = r.unsure || answer == Answer::Unknown;
                        keep(Reading { unsure, ..*r }, &mut then);
                    }
                }
                // A row begins with the first callback that can begin it.
                _ if begins => {}
                _ => keep(*r, &mut then),
            }
        }
        readings = then;
    }
    let done: Vec<&Reading> = readings.iter().filter(|r| r.next == order.len()).collect();
    if let Some(r) = done.iter().find(|r| !r.unsure) {
        return Ok(r.last);
    }
    if let Some(r) = done.first() {
        return Err(Found::unreached(r.last, "an argument cannot be compared"));
    }
    let names: Vec<&str> = came.iter().map(|p| view.event(*p).name.as_str()).collect();
    let missing = match order.get(furthest.next) {
        Some(p) => format!("{} did not come", words::pattern(p)),
        None => "a row was broken".to_owned(),
    };
    let got = format!("{missing}; came: {}", list(&names));
    Err(Found::fail(furthest.last, got))
}

/// Names in order, repeated ones counted: `a, b ×3`.
pub(super) fn list(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let rows = names.chunk_by(|a, b| a == b).map(|row| match row.len() {
        1 => row[0].to_owned(),
        n => format!("{} ×{n}", row[0]),
    });
    rows.collect::<Vec<_>>().join(", ")
}

/// No callback matches.
pub(super) fn never(
    view: &View<'_>,
    who: Who,
    pattern: &CallbackPattern,
    after: Option<&CallbackPattern>,
) -> Found {
    let vm = vm_of(who);
    let streamed = view.streamed(vm);
    let start_up = is_start_up(pattern, who);
    let instances = if streamed.is_empty() || start_up {
        view.of_vm(vm)
    } else {
        streamed
    };
    if instances.is_empty() {
        return Found::unreached(None, "no guest spoke");
    }
    let contexts = view.contexts(who, &instances);
    if contexts.is_empty() {
        return Found::lacking(CONTEXT_CREATE);
    }
    let mut began = None;
    let mut looked = false;
    for (instance, context) in contexts {
        let came = view.callbacks(instance, context);
        let mut rest = came.as_slice();
        if let Some(a) = after {
            let at = came
                .iter()
                .position(|p| matches(view, *p, a) == Answer::Yes);
            let Some(at) = at else { continue };
            began = Some(came[at]);
            rest = &came[at + 1..];
        }
        looked = true;
        for place in rest.iter().copied() {
            match matches(view, place, pattern) {
                Answer::Yes => {
                    let got = format!("{} came", call(view.event(place)));
                    return Found::fail(Some(place), got);
                }
                Answer::Unknown => {
                    return Found::unreached(Some(place), "an argument cannot be compared");
                }
                Answer::No => {}
            }
        }
    }
    match after {
        Some(a) if !looked && !view.came(vm, &a.name) => Found::lacking(&a.name),
        Some(a) if !looked => Found::unreached(None, format!("{} did not come", words::pattern(a))),
        _ => Found::pass(began),
    }
}

/// A callback with its arguments, in words.
fn call(e: &Event) -> String {
    let args = e
        .args
        .iter()
        .map(|f| format!(" {}={}", f.name, words::value(&f.value)));
    format!("{}{}", e.name, args.collect::<String>())
}

/// The body as the guest was given it.
pub(super) fn body(view: &View<'_>, who: Who, callback: &str, expect: &BodyExpect) -> Found {
    let vm = vm_of(who);
    let mut instances = view.streamed(vm);
    if instances.is_empty() {
        let all = view.of_vm(vm);
        let has = |n: &usize| {
            let events = &view.instances[*n].events;
            events.iter().any(|f| f.event.name == callback)
        };
        instances.extend(all.iter().copied().rfind(has));
    }
    let contexts = view.contexts(who, &instances);
    let mut came: Vec<Place> = Vec::new();
    for (instance, context) in contexts {
        came.extend(view.callbacks(instance, context));
    }
    came.retain(|p| view.event(*p).name == callback);
    let Some(last) = came.last().copied() else {
        return Found::lacking(callback);
    };
    let events: Vec<&Event> = came.iter().map(|p| view.event(*p)).collect();
    match expect {
        BodyExpect::Bytes(want) => bytes(&events, want, last),
        BodyExpect::Total(want) => {
            let total: u64 = sizes(&events).iter().sum();
            verdict(total == *want, last, || {
                format!("{total} bytes in all: {:?}", sizes(&events))
            })
        }
        BodyExpect::GrowsTo(want) => {
            let all = sizes(&events);
            let grows = all.is_sorted() && all.last() == Some(want);
            verdict(grows, last, || format!("the sizes {all:?}"))
        }
        BodyExpect::EndsOnce => {
            let ends: Vec<bool> = events.iter().map(|e| ends(e)).collect();
            let count = ends.iter().filter(|b| **b).count();
            let once = count == 1 && ends.last() == Some(&true);
            verdict(once, last, || match count {
                1 => "end_of_stream before the last callback".to_owned(),
                n => format!("end_of_stream {n} times"),
            })
        }
    }
}

fn verdict(ok: bool, last: Place, got: impl FnOnce() -> String) -> Found {
    if ok {
        Found::pass(Some(last))
    } else {
        Found::fail(Some(last), got())
    }
}

fn sizes(events: &[&Event]) -> Vec<u64> {
    let size = |e: &&Event| match e.arg("body_size").or_else(|| e.arg("data_size")) {
        Some(Value::Number(n)) => *n,
        _ => 0,
    };
    events.iter().map(size).collect()
}

fn ends(e: &Event) -> bool {
    e.arg("end_of_stream") == Some(&Value::Bool(true))
}

/// Joins what was read chunk by chunk; cut chunks are held against their part of `want`.
fn bytes(events: &[&Event], want: &[u8], last: Place) -> Found {
    let mut chunks: Vec<&Blob> = Vec::new();
    for e in events.iter().flat_map(|e| e.walk()) {
        if e.name == "proxy_get_buffer_bytes"
            && let Some(Value::Bytes(b)) = e.out("value")
        {
            chunks.push(b);
        }
    }
    if !events
        .iter()
        .flat_map(|e| e.walk())
        .any(|e| e.name == "proxy_get_buffer_bytes")
    {
        return Found::unreached(Some(last), "the body was never read");
    }
    let total: u64 = chunks.iter().map(|b| b.len()).sum();
    let mut rest = want;
    let same = total == want.len() as u64
        && chunks.iter().all(|b| {
            let (part, left) = rest.split_at(b.len() as usize);
            rest = left;
            b.is(part)
        });
    verdict(same, last, || {
        let all: Vec<String> = chunks.iter().map(|b| b.display()).collect();
        format!(
            "{total} bytes: {}",
            if all.is_empty() {
                "none".to_owned()
            } else {
                all.join(" + ")
            }
        )
    })
}
