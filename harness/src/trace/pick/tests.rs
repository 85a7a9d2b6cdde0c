//! Which instances count, and what belongs to start-up.

use crate::abi::IdKind;
use crate::trace::*;

fn event(kind: EventKind, name: &str, ids: &[u64]) -> Event {
    let args = ids.iter().map(|id| Field {
        name: "id".into(),
        value: Value::Id(IdKind::Context, *id),
        volatile: false,
    });
    Event {
        kind,
        name: name.into(),
        step: None,
        args: args.collect(),
        outs: Vec::new(),
        end: Returned::Nothing,
        repeat: None,
        inner: Vec::new(),
    }
}

fn cb(name: &str, ids: &[u64]) -> Event {
    event(EventKind::Callback, name, ids)
}

fn instance(vm: u32, events: Vec<Event>) -> Instance {
    Instance {
        vm,
        label: String::new(),
        events,
    }
}

fn started() -> Vec<Event> {
    vec![
        event(EventKind::Entry, "_initialize", &[]),
        cb(CONTEXT_CREATE, &[1, 0]),
        cb("proxy_on_vm_start", &[1]),
        cb("proxy_on_configure", &[1]),
    ]
}

fn with(more: &[Event]) -> Vec<Event> {
    [started().as_slice(), more].concat()
}

#[test]
fn start_up() {
    assert!(started().iter().all(Event::is_start_up));
    let not = [
        cb(CONTEXT_CREATE, &[2, 1]),
        cb(CONTEXT_CREATE, &[2]),
        cb("proxy_on_tick", &[1]),
        event(EventKind::Hostcall, "proxy_on_vm_start", &[]),
    ];
    assert!(!not.iter().any(Event::is_start_up));
    assert!(instance(0, started()).only_started());
    assert!(instance(0, vec![]).only_started());
    assert!(!instance(0, with(&not[..1])).only_started());
}

#[test]
fn a_stream_is_seen_when_something_comes_after_its_creation() {
    let sees = |more: &[Event]| instance(0, with(more)).saw_stream();
    let create = || cb(CONTEXT_CREATE, &[2, 1]);
    assert!(sees(&[create(), cb("proxy_on_request_headers", &[2])]));
    assert!(!sees(&[create()]));
    assert!(!sees(&[]));
    assert!(!sees(&[create(), cb("proxy_on_tick", &[1])]));
    assert!(
        !sees(&[cb("proxy_on_request_headers", &[2])]),
        "nobody created it"
    );
}

#[test]
fn the_instances_that_are_read_in_full() {
    let full = |all: Vec<Instance>| Trace { instances: all }.full();
    let idle = |vm| instance(vm, started());
    let ticks = |vm| instance(vm, with(&[cb("proxy_on_tick", &[1])]));
    let stream = |vm| {
        let more = [cb(CONTEXT_CREATE, &[2, 1]), cb("proxy_on_log", &[2])];
        instance(vm, with(&more))
    };
    assert_eq!(full(vec![]), [0; 0]);
    assert_eq!(full(vec![idle(0), idle(0)]), [1]);
    assert_eq!(full(vec![idle(0), ticks(0), ticks(0), idle(0)]), [2]);
    assert_eq!(full(vec![idle(0), stream(0), ticks(0)]), [1]);
    assert_eq!(full(vec![stream(0), idle(0), stream(0)]), [0, 2]);
    assert_eq!(full(vec![idle(1), stream(0), idle(1)]), [1, 2]);
    let t = Trace {
        instances: vec![idle(1), stream(0), idle(1)],
    };
    assert_eq!(t.of_vm(1), [0, 2]);
    assert_eq!(t.of_vm(2), [0; 0]);
}
