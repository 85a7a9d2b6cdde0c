//! The canonical text, line by line.

mod wire;

use crate::abi::IdKind;
use crate::trace::*;

fn whole(t: &str) -> Blob {
    Blob::Whole(t.as_bytes().to_vec())
}

fn bytes(t: &str) -> Value {
    Value::Bytes(whole(t))
}

fn id(n: u64) -> Value {
    Value::Id(IdKind::Context, n)
}

fn fields(all: &[(&str, Value)]) -> Vec<Field> {
    let one = |(n, v): &(&str, Value)| Field {
        name: (*n).into(),
        value: v.clone(),
        volatile: false,
    };
    all.iter().map(one).collect()
}

fn event(kind: EventKind, name: &str, args: &[(&str, Value)], end: Returned) -> Event {
    Event {
        kind,
        name: name.into(),
        step: None,
        args: fields(args),
        outs: Vec::new(),
        end,
        repeat: None,
        inner: Vec::new(),
    }
}

fn cb(name: &str, args: &[(&str, Value)], end: Returned) -> Event {
    event(EventKind::Callback, name, args, end)
}

fn is(name: &str, n: u64) -> Returned {
    Returned::Value(Value::Enum(Some(name.into()), n))
}

fn call(name: &str, args: &[(&str, Value)], end: Returned, outs: &[(&str, Value)]) -> Event {
    Event {
        outs: fields(outs),
        ..event(EventKind::Hostcall, name, args, end)
    }
}

fn holds(mut e: Event, inner: Vec<Event>) -> Event {
    e.inner = inner;
    e
}

fn of(events: Vec<Event>) -> Instance {
    Instance {
        vm: 0,
        label: "t".to_owned(),
        events,
    }
}

fn text_of(instances: Vec<Instance>) -> String {
    canonical(
        &Trace { instances },
        &Seen::default(),
        &CanonOptions::default(),
    )
}

fn text(events: Vec<Event>) -> String {
    text_of(vec![of(events)])
}

fn create(id_: u64, parent: u64) -> Event {
    let args = [("context_id", id(id_)), ("parent_context_id", id(parent))];
    cb("proxy_on_context_create", &args, Returned::Nothing)
}

fn map(key: &str, end: Returned, outs: &[(&str, Value)]) -> Event {
    let args = [
        (
            "map_id",
            Value::Enum(Some("HTTP_REQUEST_HEADERS".into()), 0),
        ),
        ("key", bytes(key)),
    ];
    call("proxy_get_header_map_value", &args, end, outs)
}

fn alloc(at: u64) -> Event {
    let end = Returned::Value(Value::Pointer(at));
    event(
        EventKind::Entry,
        "proxy_on_memory_allocate",
        &[("size", Value::Number(1))],
        end,
    )
}

fn headers(ctx: u64, inner: Vec<Event>) -> Event {
    let args = [
        ("context_id", id(ctx)),
        ("num_headers", Value::Number(4)),
        ("end_of_stream", Value::Bool(true)),
    ];
    holds(
        cb("proxy_on_request_headers", &args, is("CONTINUE", 0)),
        inner,
    )
}

#[test]
fn the_form_that_people_read() {
    let here = holds(
        map("x-here", is("OK", 0), &[("value", bytes("1"))]),
        vec![alloc(4096)],
    );
    let absent = map(
        "x-absent",
        is("NOT_FOUND", 1),
        &[("value", Value::Untouched)],
    );
    let trace = Trace {
        instances: vec![of(vec![
            create(7, 0),
            create(9, 7),
            headers(9, vec![here, absent]),
        ])],
    };
    let c = canon(&trace, &Seen::default(), &CanonOptions::default());
    let want = "\
> proxy_on_context_create ctx#1 parent_context_id=0
> proxy_on_context_create ctx#2 parent_context_id=ctx#1
> proxy_on_request_headers ctx#2 num_headers=4 end_of_stream=true
    proxy_get_header_map_value HTTP_REQUEST_HEADERS \"x-here\"   = OK \"1\"
      < proxy_on_memory_allocate 1                             = ptr#1
    proxy_get_header_map_value HTTP_REQUEST_HEADERS \"x-absent\" = NOT_FOUND
  = CONTINUE
";
    assert_eq!(c.text, want);
    let lines: Vec<u32> = (0..6).map(|o| c.lines[&(0, o)]).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6]);
    assert_eq!(c.lines.len(), 6);
}

#[test]
fn results_do_not_line_up_behind_long_lines() {
    let long = "x".repeat(40);
    let e = headers(
        2,
        vec![map("a", is("OK", 0), &[]), map(&long, is("OK", 0), &[])],
    );
    let text = text(vec![e]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[1],
        "    proxy_get_header_map_value HTTP_REQUEST_HEADERS \"a\" = OK"
    );
    assert!(lines[2].ends_with("x\" = OK"));
    let edge = |n: usize| {
        let name = "n".repeat(n);
        let e = headers(
            2,
            vec![
                call(&name, &[], is("OK", 0), &[]),
                call("a", &[], is("OK", 0), &[]),
            ],
        );
        text_of(vec![of(vec![e])]).lines().nth(2).unwrap().len()
    };
    assert_eq!(edge(72), 76 + " = OK".len());
    assert_eq!(edge(73), 5 + " = OK".len());
}

#[test]
fn names_by_type_and_first_appearance() {
    let ids = |n: u64| {
        [IdKind::Call, IdKind::Queue, IdKind::Metric, IdKind::Context]
            .map(|k| ("id", Value::Id(k, n)))
    };
    let calls = [5, 3, 5, 0].map(|n| call("f", &ids(n), Returned::Nothing, &[]));
    let lines = text(vec![headers(5, calls.to_vec())]);
    let own: Vec<&str> = lines
        .lines()
        .filter_map(|l| l.strip_prefix("    f "))
        .collect();
    assert_eq!(
        own,
        [
            "call#1 queue#1 metric#1 ctx#1",
            "call#2 queue#2 metric#2 ctx#2",
            "call#1 queue#1 metric#1 ctx#1",
            "call#3 queue#3 metric#3 0",
        ]
    );
    let at = |n| ("p", Value::Pointer(n));
    let e = call(
        "f",
        &[at(64), at(0), at(32), at(64)],
        Returned::Nothing,
        &[],
    );
    assert_eq!(text(vec![e]), "> f ptr#1 0 ptr#2 ptr#1\n");
}

#[test]
fn contexts_and_addresses_are_an_instances_own() {
    let e = |ctx, queue| {
        let args = [
            ("q", Value::Id(IdKind::Queue, queue)),
            ("p", Value::Pointer(ctx)),
        ];
        vec![
            create(ctx, 0),
            create(ctx + 1, ctx),
            headers(ctx + 1, vec![call("f", &args, Returned::Nothing, &[])]),
        ]
    };
    let mut second = of(e(5, 8));
    second.vm = 1;
    let text = text_of(vec![of(e(1, 9)), second]);
    let calls: Vec<&str> = text.lines().filter(|l| l.contains("    f")).collect();
    assert_eq!(calls, ["    f queue#1 ptr#1", "    f queue#2 ptr#1"]);
    assert_eq!(text.matches("> proxy_on_request_headers ctx#2").count(), 2);
    assert!(text.starts_with("instance 1\n> ") && text.contains("\ninstance 2 (VM 2)\n> "));
}

#[test]
fn outputs() {
    let line = |end: Returned, outs: &[(&str, Value)]| {
        text(vec![call("f", &[], end, outs)]).trim_end().to_owned()
    };
    let untouched = || ("a", Value::Untouched);
    assert_eq!(line(is("OK", 0), &[untouched()]), "> f = OK untouched");
    assert_eq!(line(is("BAD", 2), &[untouched()]), "> f = BAD");
    assert_eq!(line(is("BAD", 2), &[("a", bytes(""))]), "> f = BAD \"\"");
    assert_eq!(
        line(is("BAD", 2), &[untouched(), ("b", Value::Number(1))]),
        "> f = BAD b=1"
    );
    let two = [("a", bytes("x")), ("b", Value::Signed(-1))];
    assert_eq!(line(is("OK", 0), &two), "> f = OK a=\"x\" b=-1");
    assert_eq!(line(Returned::Nothing, &[untouched()]), "> f = untouched");
    assert_eq!(line(Returned::Nothing, &[]), "> f");
    assert_eq!(
        line(Returned::Never, &[untouched()]),
        "> f = never returned"
    );
    let odd = Returned::Value(Value::Enum(None, 77));
    assert_eq!(line(odd, &[untouched()]), "> f = 77");
    let bad = Value::Unreadable("past the end".into());
    assert_eq!(
        line(is("OK", 0), &[("a", bad)]),
        "> f = OK unreadable (past the end)"
    );
    let pairs = Value::Pairs(vec![(whole("a"), whole("1")), (whole("b"), whole("2"))]);
    assert_eq!(
        line(is("OK", 0), &[("a", pairs)]),
        "> f = OK {\"a\": \"1\", \"b\": \"2\"}"
    );
    assert_eq!(
        line(is("OK", 0), &[("a", Value::Bool(true))]),
        "> f = OK true"
    );
}

#[test]
fn what_varies_by_nature() {
    let volatile = |v: Value| {
        let mut e = call("f", &[("x", v.clone())], is("OK", 0), &[("a", v)]);
        e.outs[0].volatile = true;
        e.args[0].volatile = true;
        text(vec![e])
    };
    assert_eq!(volatile(Value::Number(5)), "> f ‹varies› = OK ‹varies›\n");
    assert_eq!(volatile(Value::Untouched), "> f untouched = OK untouched\n");
    assert_eq!(
        volatile(Value::Unreadable("x".into())),
        "> f unreadable (x) = OK unreadable (x)\n"
    );
}

#[test]
fn repeats() {
    let repeat = |times, same| {
        let mut e = call("f", &[("a", Value::Number(1))], is("OK", 0), &[]);
        e.repeat = Some(Repeat { times, same });
        text(vec![e])
    };
    assert_eq!(repeat(5, 5), "> f 1 ×5 = OK\n");
    assert_eq!(repeat(5, 3), "> f 1 ×5 = OK (3 of 5)\n");
}

#[test]
fn callbacks_within_hostcalls() {
    let args = [("context_id", id(2)), ("n", Value::Number(1))];
    let deep = call("g", &[], is("OK", 0), &[]);
    let nested = holds(
        cb("proxy_on_x", &args, Returned::Value(Value::Bool(true))),
        vec![deep],
    );
    let quiet = cb("proxy_on_y", &args, Returned::Nothing);
    let e = headers(
        2,
        vec![holds(call("f", &[], is("OK", 0), &[]), vec![nested, quiet])],
    );
    let want = "\
> proxy_on_request_headers ctx#1 num_headers=4 end_of_stream=true
    f       = OK
      < proxy_on_x ctx#1 n=1
          g = OK
        = true
      < proxy_on_y ctx#1 n=1
  = CONTINUE
";
    let trace = Trace {
        instances: vec![of(vec![e])],
    };
    let c = canon(&trace, &Seen::default(), &CanonOptions::default());
    assert_eq!(c.text, want);
    let lines: Vec<u32> = (0..5).map(|o| c.lines[&(0, o)]).collect();
    assert_eq!(lines, [1, 2, 3, 4, 6]);
}

#[test]
fn entry_points_and_callbacks_that_never_returned() {
    let init = event(EventKind::Entry, "_initialize", &[], Returned::Nothing);
    let main = event(
        EventKind::Entry,
        "main",
        &[("argc", Value::Number(0))],
        Returned::Value(Value::Number(0)),
    );
    let never = cb("proxy_on_tick", &[("context_id", id(1))], Returned::Never);
    let want = "> _initialize\n> main 0\n  = 0\n> proxy_on_tick ctx#1\n  = never returned\n";
    assert_eq!(text(vec![init, main, never]), want);
}

fn body(name: &str, ctx: u64, size: u64, end: Returned) -> Event {
    let args = [
        ("context_id", id(ctx)),
        ("body_size", Value::Number(size)),
        ("end_of_stream", Value::Bool(false)),
    ];
    cb(name, &args, end)
}

#[test]
fn body_chunks_that_touch_are_joined() {
    let b = |ctx, size| body("proxy_on_request_body", ctx, size, is("CONTINUE", 0));
    let trace = Trace {
        instances: vec![of(vec![
            b(2, 4),
            b(2, 6),
            b(3, 1),
            headers(2, vec![]),
            b(2, 5),
        ])],
    };
    let c = canon(&trace, &Seen::default(), &CanonOptions::default());
    let want = "\
> proxy_on_request_body ctx#1 body_size=10 (joined)
  = CONTINUE
> proxy_on_request_body ctx#2 body_size=1 (joined)
  = CONTINUE
> proxy_on_request_headers ctx#1 num_headers=4 end_of_stream=true
  = CONTINUE
> proxy_on_request_body ctx#1 body_size=5 (joined)
  = CONTINUE
";
    assert_eq!(c.text, want);
    let lines: Vec<u32> = (0..5).map(|o| c.lines[&(0, o)]).collect();
    assert_eq!(lines, [1, 1, 3, 5, 7]);
}

#[test]
fn what_is_not_joined() {
    let joined = |e: Event| text(vec![e]).contains("(joined)");
    for name in [
        "proxy_on_request_body",
        "proxy_on_response_body",
        "proxy_on_downstream_data",
        "proxy_on_upstream_data",
    ] {
        assert!(joined(body(name, 2, 4, is("CONTINUE", 0))));
        assert!(!joined(body(name, 2, 4, is("PAUSE", 1))));
        let looked = body(name, 2, 4, is("CONTINUE", 0));
        assert!(!joined(holds(
            looked,
            vec![call("f", &[], is("OK", 0), &[])]
        )));
    }
    assert!(!joined(body(
        "proxy_on_request_headers",
        2,
        4,
        is("CONTINUE", 0)
    )));
    let mut entry = body("proxy_on_request_body", 2, 4, is("CONTINUE", 0));
    entry.kind = EventKind::Entry;
    assert!(!joined(entry));
    let two = vec![
        body("proxy_on_request_body", 2, 4, is("CONTINUE", 0)),
        body("proxy_on_response_body", 2, 4, is("CONTINUE", 0)),
    ];
    assert_eq!(text(two).matches("(joined)").count(), 2);
    let mut data = body("proxy_on_upstream_data", 2, 4, is("CONTINUE", 0));
    data.args[1].name = "data_size".into();
    assert!(text(vec![data]).contains("data_size=4 (joined)"));
}

fn ticks() -> Instance {
    let tick = cb("proxy_on_tick", &[("context_id", id(1))], Returned::Nothing);
    of(vec![create(1, 0), tick])
}

fn streams() -> Instance {
    of(vec![create(1, 0), create(2, 1), headers(2, vec![])])
}

#[test]
fn other_instances_are_folded() {
    let idle = || of(vec![create(1, 0)]);
    let trace = Trace {
        instances: vec![idle(), streams(), ticks()],
    };
    let c = canon(&trace, &Seen::default(), &CanonOptions::default());
    let want = "\
instance 1 (start-up only): 1 callback
instance 2
> proxy_on_context_create ctx#1 parent_context_id=0
> proxy_on_context_create ctx#2 parent_context_id=ctx#1
> proxy_on_request_headers ctx#2 num_headers=4 end_of_stream=true
  = CONTINUE
instance 3 (no stream): 2 callbacks
";
    assert_eq!(c.text, want);
    assert_eq!(
        (c.lines[&(0, 0)], c.lines[&(1, 0)], c.lines[&(2, 1)]),
        (1, 3, 7)
    );
    let only = CanonOptions {
        only_full: true,
        ..CanonOptions::default()
    };
    let own = canonical(&trace, &Seen::default(), &only);
    assert_eq!(own, text_of(vec![streams()]));
    let both = Trace {
        instances: vec![streams(), idle(), streams()],
    };
    let both = canonical(&both, &Seen::default(), &only);
    assert!(both.starts_with("instance 1\n>") && both.contains("\ninstance 2\n>"));
    assert!(!both.contains("instance 3"));
}
