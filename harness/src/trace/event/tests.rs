//! Walking a trace, and finding contexts in it.

use crate::abi::IdKind;
use crate::trace::{Event, EventKind, Field, Instance, Returned, Value};

fn event(kind: EventKind, name: &str, args: &[Value], inner: Vec<Event>) -> Event {
    let names = ["a", "b", "c"];
    let args = names.iter().zip(args).map(|(n, v)| Field {
        name: (*n).into(),
        value: v.clone(),
        volatile: false,
    });
    Event {
        kind,
        name: name.into(),
        step: None,
        args: args.collect(),
        outs: vec![Field {
            name: "o".into(),
            value: Value::Bool(true),
            volatile: false,
        }],
        end: Returned::Nothing,
        repeat: None,
        inner,
    }
}

fn id(n: u64) -> Value {
    Value::Id(IdKind::Context, n)
}

use EventKind::{Callback, Entry, Hostcall};

#[test]
fn fields_by_name() {
    let e = event(Hostcall, "f", &[id(1), Value::Number(2)], vec![]);
    assert_eq!((e.arg("b"), e.arg("o")), (Some(&Value::Number(2)), None));
    assert_eq!((e.out("o"), e.out("b")), (Some(&Value::Bool(true)), None));
}

#[test]
fn the_context_of_a_callback() {
    assert_eq!(event(Callback, "f", &[id(7)], vec![]).context(), Some(7));
    assert_eq!(event(Hostcall, "f", &[id(7)], vec![]).context(), None);
    assert_eq!(
        event(Callback, "f", &[Value::Number(7)], vec![]).context(),
        None
    );
    assert_eq!(
        event(Callback, "f", &[Value::Id(IdKind::Queue, 7)], vec![]).context(),
        None
    );
    assert_eq!(event(Callback, "f", &[], vec![]).context(), None);
}

#[test]
fn depth_first_in_order_of_beginning() {
    let leaf = |kind, n: &str| event(kind, n, &[], vec![]);
    let mid = event(
        Hostcall,
        "2",
        &[],
        vec![leaf(Entry, "3"), leaf(Callback, "4")],
    );
    let i = Instance {
        vm: 0,
        label: String::new(),
        events: vec![
            event(Callback, "1", &[], vec![mid, leaf(Hostcall, "5")]),
            leaf(Entry, "6"),
        ],
    };
    let names = |all: Vec<&Event>| all.iter().map(|e| e.name.as_str()).collect::<String>();
    assert_eq!(names(i.walk()), "123456");
    assert_eq!(names(i.callbacks()), "14");
    assert_eq!(names(i.events[0].walk()), "12345");
}

#[test]
fn contexts_by_parent() {
    let create = |args: &[Value]| event(Callback, "proxy_on_context_create", args, vec![]);
    let nested = event(Callback, "x", &[id(1)], vec![create(&[id(5), id(1)])]);
    let i = Instance {
        vm: 0,
        label: String::new(),
        events: vec![
            create(&[id(1), id(0)]),
            create(&[id(2), id(0)]),
            create(&[id(3), id(2)]),
            nested,
            create(&[id(9)]),
            create(&[Value::Number(9), id(1)]),
            event(Callback, "proxy_on_tick", &[id(8), id(1)], vec![]),
        ],
    };
    assert_eq!(i.contexts(), (vec![1, 2], vec![3, 5]));
}
