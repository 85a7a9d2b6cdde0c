//! Order of callbacks, callbacks that must not come, bodies.

use super::build::*;
use crate::case::*;
use crate::judge::Outcome;
use crate::judge::callbacks::list;
use crate::trace::*;

use Outcome::{Fail, Pass, Unreached};

fn order(who: Who, all: Vec<CallbackPattern>) -> CheckKind {
    CheckKind::Callbacks { who, order: all }
}

/// A stream 2 with these callbacks (`name`, end of stream).
fn came_on_stream(all: &[(&str, bool)]) -> Attempt {
    let mut events = start(vec![]);
    events.push(create(2, 1));
    for (name, end) in all {
        events.push(cb(name, 2, &[("end_of_stream", Value::Bool(*end))]));
    }
    attempt(vec![instance(0, events)])
}

fn ends(name: &str, end: bool) -> CallbackPattern {
    with_arg(name, "end_of_stream", Matcher::Bool(end))
}

#[test]
fn in_order_with_others_between() {
    let a = came_on_stream(&[("a", false), ("x", false), ("b", false)]);
    let ab = || vec![pattern("a"), pattern("b")];
    assert!(passes(order(STREAM, ab()), &a));
    assert_eq!(one(order(STREAM, ab()), &a).event, Some((0, 6)));
    assert!(passes(
        order(
            STREAM,
            vec![pattern("proxy_on_context_create"), pattern("b")]
        ),
        &a
    ));
    assert!(passes(order(STREAM, vec![]), &a));
    let (outcome, got) = came(order(STREAM, vec![pattern("b"), pattern("a")]), &a);
    assert_eq!(outcome, Fail);
    assert_eq!(
        got,
        "a did not come; came: proxy_on_context_create, a, x, b"
    );
    let r = one(order(STREAM, vec![pattern("a"), pattern("c")]), &a);
    assert_eq!(r.event, Some((0, 4)), "the last one that matched");
    assert_eq!(r.expected, "stream 1: a, c");
    assert!(!passes(order(STREAM, vec![pattern("a"), pattern("a")]), &a));
}

#[test]
fn only_callbacks_of_the_context_count() {
    let mut events = stream(vec![]);
    events.push(cb("other", 3, &[]));
    events.push(cb("own", 2, &[]));
    let mut nested = cb("outer", 2, &[]);
    nested.inner = vec![holds(
        call(0, "proxy_get", 0, &[]),
        vec![cb("deep", 2, &[])],
    )];
    events.push(nested);
    let a = attempt(vec![instance(0, events)]);
    assert!(!passes(order(STREAM, vec![pattern("other")]), &a));
    assert!(passes(
        order(STREAM, vec![pattern("own"), pattern("deep")]),
        &a
    ));
    assert!(passes(
        order(PLUGIN, vec![pattern("proxy_on_configure")]),
        &a
    ));
    assert!(!passes(order(PLUGIN, vec![pattern("own")]), &a));
    assert!(passes(
        order(VM, vec![pattern("other"), pattern("own")]),
        &a
    ));
    assert!(!passes(order(VM, vec![pattern("proxy_get")]), &a));
}

#[test]
fn arguments_must_match() {
    let a = came_on_stream(&[("a", false), ("a", true)]);
    assert!(passes(order(STREAM, vec![ends("a", true)]), &a));
    assert!(passes(
        order(STREAM, vec![ends("a", false), ends("a", true)]),
        &a
    ));
    assert!(!passes(
        order(STREAM, vec![ends("a", true), ends("a", false)]),
        &a
    ));
    let none = with_arg("a", "no_such", Matcher::Absent);
    assert!(passes(order(STREAM, vec![none]), &a));
    let both = CallbackPattern {
        args: vec![
            ("end_of_stream".into(), Matcher::Bool(true)),
            ("no_such".into(), Matcher::Present),
        ],
        ..pattern("a")
    };
    let (_, got) = came(order(STREAM, vec![both]), &a);
    assert!(
        got.starts_with("a[end_of_stream=true, no_such=present] did not come"),
        "{got}"
    );
}

#[test]
fn an_argument_that_cannot_be_compared_leaves_it_open() {
    let a = came_on_stream(&[("a", false)]);
    let open = with_arg("a", "end_of_stream", Matcher::StreamContext(9));
    assert_eq!(came(order(STREAM, vec![open.clone()]), &a).0, Unreached);
    assert_eq!(
        came(order(STREAM, vec![plus(open.clone())]), &a).0,
        Unreached
    );
    assert_eq!(came(order(STREAM, vec![open, pattern("b")]), &a).0, Fail);
    let two = came_on_stream(&[("a", false), ("a", false)]);
    let row = CallbackPattern {
        args: vec![("end_of_stream".into(), Matcher::StreamContext(9))],
        ..plus(pattern("a"))
    };
    assert_eq!(came(order(STREAM, vec![row]), &two).0, Unreached);
}

#[test]
fn a_row_holds_all_callbacks_of_its_name() {
    let open = || plus(ends("b", false));
    let last = || ends("b", true);
    let f = [
        ("h", false),
        ("b", false),
        ("b", false),
        ("b", true),
        ("r", false),
    ];
    let a = came_on_stream(&f);
    assert!(passes(order(STREAM, vec![open(), last()]), &a));
    assert!(passes(order(STREAM, vec![plus(pattern("b")), last()]), &a));
    assert!(passes(
        order(STREAM, vec![plus(pattern("b")), pattern("r")]),
        &a
    ));
    let (outcome, got) = came(order(STREAM, vec![open(), pattern("r")]), &a);
    assert_eq!(outcome, Fail);
    assert!(got.starts_with("r did not come"), "{got}");
    let (outcome, got) = came(order(STREAM, vec![pattern("h"), open()]), &a);
    assert_eq!(outcome, Fail);
    assert!(got.starts_with("a row was broken"), "{got}");
    let broken = came_on_stream(&[("b", false), ("b", true), ("b", false), ("r", false)]);
    assert!(!passes(order(STREAM, vec![open(), pattern("r")]), &broken));
    let none = came_on_stream(&[("h", false)]);
    assert!(!passes(order(STREAM, vec![plus(pattern("b"))]), &none));
    let between = came_on_stream(&[("b", false), ("x", false), ("b", false), ("b", true)]);
    assert!(passes(order(STREAM, vec![open(), last()]), &between));
    let early = came_on_stream(&[("b", true), ("b", false)]);
    assert!(
        passes(order(STREAM, vec![open()]), &early),
        "the row begins with the first match"
    );
}

#[test]
fn no_guest_no_context() {
    let kind = || order(STREAM, vec![pattern("a")]);
    let none = attempt(vec![]);
    assert_eq!(
        came(kind(), &none),
        (Unreached, "no guest spoke".to_owned())
    );
    let started = attempt(vec![instance(0, start(vec![]))]);
    assert_eq!(
        came(kind(), &started),
        (Fail, "no stream 1 was created".to_owned())
    );
    let second = order(Who::Plugin { vm: 0, nth: 2 }, vec![pattern("a")]);
    assert_eq!(
        came(second, &started),
        (Fail, "no plugin 2 was created".to_owned())
    );
    let zeroth = order(Who::Stream { vm: 0, nth: 0 }, vec![pattern("a")]);
    assert_eq!(came(zeroth, &came_on_stream(&[("a", false)])).0, Fail);
}

#[test]
fn streams_are_counted_through_the_instances() {
    let of = |name: &str| {
        let mut all = start(vec![]);
        all.push(create(2, 1));
        all.push(cb(name, 2, &[]));
        instance(0, all)
    };
    let a = attempt(vec![of("a"), instance(0, start(vec![])), of("b")]);
    let nth = |nth, name: &str| passes(order(Who::Stream { vm: 0, nth }, vec![pattern(name)]), &a);
    assert!(nth(1, "a") && nth(2, "b"));
    assert!(!nth(2, "a") && !nth(1, "b") && !nth(3, "b"));
}

#[test]
fn start_up_order_is_judged_in_every_instance() {
    let good = || instance(0, start(vec![]));
    let bad = || instance(0, vec![create(1, 0), cb("proxy_on_configure", 1, &[])]);
    let names = || vec![pattern("proxy_on_vm_start"), pattern("proxy_on_configure")];
    let streamed = || instance(0, stream(vec![]));
    assert!(passes(
        order(PLUGIN, names()),
        &attempt(vec![good(), streamed()])
    ));
    assert!(!passes(
        order(PLUGIN, names()),
        &attempt(vec![bad(), streamed()])
    ));
    assert!(!passes(
        order(VM, names()),
        &attempt(vec![streamed(), bad()])
    ));
    let created = || {
        vec![
            pattern("proxy_on_context_create"),
            pattern("proxy_on_vm_start"),
        ]
    };
    assert!(!passes(
        order(PLUGIN, created()),
        &attempt(vec![streamed(), bad()])
    ));
    let main = || vec![pattern("main")];
    assert!(!passes(
        order(VM, main()),
        &attempt(vec![instance(0, vec![entry("main")]), streamed()])
    ));
    let mut with_main = stream(vec![]);
    with_main.push(entry("main"));
    assert!(!passes(
        order(VM, main()),
        &attempt(vec![instance(0, vec![entry("x")]), instance(0, with_main)])
    ));
    let alloc = || vec![pattern("proxy_on_memory_allocate")];
    let a = attempt(vec![instance(0, vec![entry("x")]), streamed()]);
    assert!(!passes(order(VM, alloc()), &a));
}

#[test]
fn other_orders_are_judged_where_a_stream_was_seen() {
    let late = || vec![pattern("proxy_on_configure"), pattern(HEADERS)];
    let streamed = || instance(0, stream(vec![]));
    let a = attempt(vec![streamed(), instance(0, start(vec![]))]);
    assert!(passes(order(VM, late()), &a));
    let by_stream = vec![pattern("proxy_on_context_create")];
    assert!(passes(order(STREAM, by_stream), &a));
}

#[test]
fn without_a_stream_the_last_instance_that_had_it_counts() {
    let ticked = |name: &str| {
        let mut all = start(vec![]);
        all.push(cb("proxy_on_tick", 1, &[]));
        all.push(cb(name, 1, &[]));
        instance(0, all)
    };
    let idle = || instance(0, start(vec![]));
    let names = || order(PLUGIN, vec![pattern("proxy_on_tick"), pattern("z")]);
    assert!(passes(
        names(),
        &attempt(vec![ticked("y"), ticked("z"), idle()])
    ));
    assert!(!passes(
        names(),
        &attempt(vec![ticked("z"), ticked("y"), idle()])
    ));
    assert!(!passes(names(), &attempt(vec![idle(), idle()])));
}

fn never(who: Who, p: CallbackPattern, after: Option<CallbackPattern>) -> CheckKind {
    CheckKind::Never {
        who,
        pattern: p,
        after,
    }
}

#[test]
fn never_at_all() {
    let a = came_on_stream(&[("a", false), ("b", true)]);
    assert!(passes(never(STREAM, pattern("c"), None), &a));
    assert_eq!(one(never(STREAM, pattern("c"), None), &a).event, None);
    assert!(passes(never(STREAM, ends("a", true), None), &a));
    let r = one(never(STREAM, pattern("b"), None), &a);
    assert_eq!((r.outcome, r.event), (Fail, Some((0, 5))));
    assert_eq!(r.got, "b context_id=2 end_of_stream=true came");
    assert!(passes(never(PLUGIN, pattern("b"), None), &a));
    assert!(!passes(never(VM, pattern("b"), None), &a));
}

#[test]
fn never_after() {
    let a = came_on_stream(&[("a", false), ("b", false), ("c", false)]);
    let after = |p: &str, q: &str| came(never(STREAM, pattern(p), Some(pattern(q))), &a);
    assert_eq!(after("a", "b").0, Pass);
    assert_eq!(after("b", "b").0, Pass);
    assert_eq!(after("c", "b").0, Fail);
    let r = one(never(STREAM, pattern("a"), Some(pattern("b"))), &a);
    assert_eq!(r.event, Some((0, 5)));
    assert_eq!(after("a", "z"), (Unreached, "z never came".to_owned()));
    let elsewhere = after("a", "proxy_on_configure");
    assert_eq!(
        elsewhere,
        (Unreached, "proxy_on_configure did not come".to_owned())
    );
}

#[test]
fn never_needs_somebody_to_whom_it_did_not_happen() {
    let none = attempt(vec![]);
    assert_eq!(came(never(STREAM, pattern("a"), None), &none).0, Unreached);
    let started = attempt(vec![instance(0, start(vec![]))]);
    let (outcome, got) = came(never(STREAM, pattern("a"), None), &started);
    assert_eq!(
        (outcome, got.as_str()),
        (Unreached, "proxy_on_context_create never came")
    );
    let open = with_arg("a", "end_of_stream", Matcher::StreamContext(9));
    let a = came_on_stream(&[("a", false)]);
    let r = one(never(STREAM, open, None), &a);
    assert_eq!((r.outcome, r.event), (Unreached, Some((0, 4))));
}

#[test]
fn never_looks_at_every_instance_that_counts() {
    let streamed = || instance(0, stream(vec![]));
    let ticked = || {
        let mut all = start(vec![]);
        all.push(cb("proxy_on_tick", 1, &[]));
        instance(0, all)
    };
    let tick = || never(PLUGIN, pattern("proxy_on_tick"), None);
    assert!(passes(tick(), &attempt(vec![streamed(), ticked()])));
    assert!(!passes(
        tick(),
        &attempt(vec![ticked(), instance(0, start(vec![]))])
    ));
    let configure = || never(PLUGIN, pattern("proxy_on_configure"), None);
    let quiet = || {
        let mut all = stream(vec![]);
        all.remove(2);
        instance(0, all)
    };
    assert!(!passes(
        configure(),
        &attempt(vec![quiet(), instance(0, start(vec![]))])
    ));
    assert!(passes(configure(), &attempt(vec![quiet()])));
}

fn bodies(all: Vec<Event>) -> Attempt {
    let mut events = stream(vec![]);
    events.extend(all);
    attempt(vec![instance(0, events)])
}

fn wants(expect: BodyExpect) -> CheckKind {
    CheckKind::Body {
        who: STREAM,
        callback: "proxy_on_request_body".to_owned(),
        expect,
    }
}

fn read(size: u64, v: Value) -> Event {
    holds(
        body(2, size, false),
        vec![call(0, "proxy_get_buffer_bytes", 0, &[("value", v)])],
    )
}

#[test]
fn body_sizes() {
    let a = bodies(vec![
        body(2, 3, false),
        body(9, 100, false),
        body(2, 4, true),
    ]);
    assert!(passes(wants(BodyExpect::Total(7)), &a));
    let r = one(wants(BodyExpect::Total(8)), &a);
    assert_eq!((r.outcome, r.event), (Fail, Some((0, 7))));
    assert_eq!(r.got, "7 bytes in all: [3, 4]");
    assert!(passes(wants(BodyExpect::GrowsTo(4)), &a));
    assert_eq!(
        came(wants(BodyExpect::GrowsTo(5)), &a).1,
        "the sizes [3, 4]"
    );
    let shrinks = bodies(vec![body(2, 5, false), body(2, 4, true)]);
    assert!(!passes(wants(BodyExpect::GrowsTo(4)), &shrinks));
    let same = bodies(vec![body(2, 4, false), body(2, 4, true)]);
    assert!(passes(wants(BodyExpect::GrowsTo(4)), &same));
    let odd = cb(
        "proxy_on_request_body",
        2,
        &[("body_size", Value::Signed(3))],
    );
    assert!(passes(wants(BodyExpect::Total(0)), &bodies(vec![odd])));
}

#[test]
fn end_of_stream_once_and_last() {
    let ends = |all: &[bool]| {
        came(
            wants(BodyExpect::EndsOnce),
            &bodies(all.iter().map(|e| body(2, 1, *e)).collect()),
        )
    };
    assert_eq!(ends(&[true]).0, Pass);
    assert_eq!(ends(&[false, true]).0, Pass);
    assert_eq!(ends(&[false, false]).1, "end_of_stream 0 times");
    assert_eq!(ends(&[true, true]).1, "end_of_stream 2 times");
    assert_eq!(
        ends(&[true, false]).1,
        "end_of_stream before the last callback"
    );
}

#[test]
fn body_bytes_are_joined() {
    let bytes_of = |t: &str| wants(BodyExpect::Bytes(t.as_bytes().to_vec()));
    let a = bodies(vec![
        read(2, bytes("ab")),
        read(0, Value::Untouched),
        read(1, bytes("c")),
    ]);
    assert!(passes(bytes_of("abc"), &a));
    let (outcome, got) = came(bytes_of("abd"), &a);
    assert_eq!((outcome, got.as_str()), (Fail, "3 bytes: \"ab\" + \"c\""));
    assert!(!passes(bytes_of("abcd"), &a));
    assert!(!passes(bytes_of("ab"), &a));
    let long: Vec<u8> = (0..200).map(|n| n as u8).collect();
    let cut = Value::Bytes(Blob::with_limit(&long[..100], 64));
    let rest = Value::Bytes(Blob::with_limit(&long[100..], 64));
    let a = bodies(vec![read(100, cut.clone()), read(100, rest)]);
    assert!(passes(wants(BodyExpect::Bytes(long.clone())), &a));
    let a = bodies(vec![read(100, cut.clone()), read(100, cut)]);
    assert!(!passes(wants(BodyExpect::Bytes(long)), &a));
    let none = bodies(vec![read(0, Value::Untouched)]);
    assert_eq!(came(bytes_of("a"), &none).1, "0 bytes: none");
    let other = holds(
        body(2, 1, true),
        vec![call(0, "proxy_log", 0, &[("value", bytes("a"))])],
    );
    let (outcome, got) = came(bytes_of("a"), &bodies(vec![other]));
    assert_eq!(
        (outcome, got.as_str()),
        (Unreached, "the body was never read")
    );
}

#[test]
fn a_body_that_never_came_is_unreached() {
    let (outcome, got) = came(wants(BodyExpect::Total(0)), &bodies(vec![]));
    assert_eq!(
        (outcome, got.as_str()),
        (Unreached, "proxy_on_request_body never came")
    );
    let plugin = CheckKind::Body {
        who: PLUGIN,
        callback: "proxy_on_request_body".to_owned(),
        expect: BodyExpect::Total(5),
    };
    let mut events = start(vec![]);
    events.push(body(1, 5, true));
    let none = instance(0, start(vec![]));
    let a = attempt(vec![instance(0, events), none]);
    assert!(
        passes(plugin, &a),
        "without a stream: the last instance that had it"
    );
}

#[test]
fn names_are_listed_in_rows() {
    assert_eq!(list(&[]), "none");
    assert_eq!(list(&["a", "a", "b", "a"]), "a ×2, b, a");
}
