//! Changed records: which changes there are, and which checks notice them.

use super::build::*;
use crate::case::*;
use crate::judge::other::{blobs, lists, maps, members, others, refused, refused_field, taken};
use crate::judge::*;
use crate::trace::*;

fn proves(checks: &[Check], a: &Attempt) -> Vec<Option<String>> {
    prove_checks(&Question {
        abi: &abi(),
        checks,
        observations: &[],
        attempt: a,
    })
}

fn rich() -> Attempt {
    let mut get = call(
        0,
        "proxy_get",
        0,
        &[("value", bytes("1")), ("size", Value::Untouched)],
    );
    get.inner = vec![entry("malloc")];
    let mut again = call(1, "proxy_get", 0, &[]);
    again.repeat = Some(Repeat { times: 5, same: 5 });
    let mut events = stream(vec![get, again]);
    events.push(body(2, 3, false));
    events.push(body(2, 3, true));
    let mut a = attempt(vec![instance(0, events)]);
    a.seen.client = vec![response(200, &[("x", "1"), ("y", "2")], "hello")];
    a.seen.client[0].response.as_mut().unwrap().trailers = fields(&[("t", "1")]);
    a.seen.upstream = vec![request("main", "/")];
    a.logs = vec![line(Some("INFO"), "hi")];
    a.host_log = Some(whole("long"));
    a.wire = Some(whole("long"));
    a
}

fn every_kind() -> Vec<CheckKind> {
    let wire = |f: &dyn Fn(&mut MessageExpect)| {
        let mut e = MessageExpect::default();
        f(&mut e);
        e
    };
    let client = |f: &dyn Fn(&mut MessageExpect)| CheckKind::Client {
        stream: 1,
        expect: wire(f),
    };
    let out = |name: &str, m: Matcher| CheckKind::Out {
        step: step(0, HEADERS),
        out: name.to_owned(),
        expect: m,
    };
    let status = |index, m: Matcher| CheckKind::Status {
        step: step(index, HEADERS),
        expect: m,
    };
    let body = |expect| CheckKind::Body {
        who: STREAM,
        callback: "proxy_on_request_body".to_owned(),
        expect,
    };
    let header = |name: &str, m: Matcher| {
        client(&|e| e.headers = vec![(name.to_owned(), FieldExpect::Value(m.clone()))])
    };
    let not = |m: Matcher| Matcher::Not(Box::new(m));
    let never = |who, name: &str, after: Option<&str>| CheckKind::Never {
        who,
        pattern: pattern(name),
        after: after.map(pattern),
    };
    let log = |text: Matcher, times| CheckKind::Log {
        text,
        log_level: vec!["INFO".into()],
        times,
    };
    let upstream = |upstream: &str, nth, f: &dyn Fn(&mut MessageExpect)| CheckKind::Upstream {
        upstream: upstream.to_owned(),
        nth,
        expect: wire(f),
    };
    vec![
        status(0, Matcher::Enum("OK".into(), 0)),
        status(0, not(Matcher::Enum("NOT_FOUND".into(), 1))),
        status(1, Matcher::Enum("OK".into(), 0)),
        out("value", is("1")),
        out("value", Matcher::Present),
        out("value", not(is("far away"))),
        out("value", not(Matcher::AnyOf(vec![is("p"), is("q")]))),
        out("value", Matcher::AnyOf(vec![is("1"), is("2")])),
        out("size", Matcher::Untouched),
        out("size", Matcher::Absent),
        CheckKind::Callbacks {
            who: STREAM,
            order: vec![pattern(HEADERS), plus(pattern("proxy_on_request_body"))],
        },
        never(STREAM, "proxy_on_x", None),
        never(PLUGIN, "proxy_on_x", Some("proxy_on_configure")),
        never(VM, "main", None),
        CheckKind::Never {
            who: STREAM,
            pattern: with_arg("proxy_on_x", "n", Matcher::Number(7)),
            after: Some(pattern(HEADERS)),
        },
        CheckKind::Never {
            who: VM,
            pattern: with_arg("proxy_on_x", "context_id", Matcher::StreamContext(1)),
            after: None,
        },
        CheckKind::Never {
            who: VM,
            pattern: with_arg("proxy_on_x", "parent", Matcher::PluginContext(1)),
            after: None,
        },
        body(BodyExpect::Total(6)),
        body(BodyExpect::GrowsTo(3)),
        body(BodyExpect::EndsOnce),
        client(&|e| e.status = Some(Matcher::Number(200))),
        client(&|e| e.status = Some(Matcher::Between(200, 299))),
        client(&|e| e.body = Some(is("hello"))),
        client(&|e| e.body = Some(Matcher::Contains(b"ell".to_vec()))),
        client(&|e| e.complete = Some(true)),
        client(&|_| {}),
        header("x", is("1")),
        header("X", not(is("zzz"))),
        header("absent", Matcher::Absent),
        client(&|e| e.trailers = vec![("t".into(), FieldExpect::List(vec!["1".into()]))]),
        client(&|e| e.trailers = vec![("u".into(), FieldExpect::Value(Matcher::Absent))]),
        upstream("main", 1, &|e| e.method = Some(is("GET"))),
        upstream("main", 1, &|e| e.path = Some(is("/"))),
        upstream("main", 1, &|e| {
            e.headers = vec![("h".into(), FieldExpect::Value(Matcher::Absent))]
        }),
        upstream("main", 1, &|e| {
            e.trailers = vec![("h".into(), FieldExpect::Value(Matcher::Absent))]
        }),
        upstream("main", 2, &|e| e.present = Some(false)),
        upstream("other", 1, &|e| e.present = Some(false)),
        CheckKind::UpstreamCount {
            upstream: "main".into(),
            expect: Matcher::Number(1),
        },
        CheckKind::UpstreamCount {
            upstream: "other".into(),
            expect: Matcher::Number(0),
        },
        log(is("hi"), None),
        log(is("hi"), Some(1)),
        log(is("no"), Some(0)),
        CheckKind::Load { loaded: true },
        CheckKind::Ends {
            any_of: vec!["normal".into()],
        },
    ]
}

#[test]
fn every_kind_of_check_is_killed_by_some_change() {
    let checks: Vec<Check> = every_kind().into_iter().map(check).collect();
    let a = rich();
    for (c, killed) in checks.iter().zip(proves(&checks, &a)) {
        assert!(passes(c.kind.clone(), &a), "{:?}", c.kind);
        assert!(killed.is_some(), "nothing kills {:?}", c.kind);
    }
}

#[test]
fn a_check_is_killed_alone_as_among_others() {
    let a = rich();
    for kind in every_kind() {
        let killed = proves(&[check(kind.clone())], &a).remove(0);
        assert!(killed.is_some_and(|k| !k.is_empty()), "{kind:?}");
    }
}

#[test]
fn what_does_not_pass_is_not_proved() {
    let no = || check(wants_status(1));
    let yes = || check(wants_status(0));
    let killed = proves(&[no(), yes(), no()], &rich());
    assert!(killed[0].is_none() && killed[2].is_none());
    let how = killed[1].as_deref();
    assert_eq!(
        how,
        Some("instance 1 event 6 proxy_get: the result is Enum(Some(\"NOT_FOUND\"), 1)")
    );
    let nothing = check(CheckKind::Callbacks {
        who: STREAM,
        order: Vec::new(),
    });
    let mut a = rich();
    a.trace.instances[0].events.truncate(4);
    let idle = check(CheckKind::Callbacks {
        who: VM,
        order: Vec::new(),
    });
    assert!(
        proves(&[idle], &a)[0].is_none(),
        "an order of nothing asks nothing"
    );
    assert!(proves(&[nothing], &rich()).len() == 1);
}

#[test]
fn every_change_changes_something_and_says_what() {
    let a = rich();
    let checks: Vec<Check> = every_kind().into_iter().map(check).collect();
    let abi = abi();
    let q = Question {
        abi: &abi,
        checks: &checks,
        observations: &[],
        attempt: &a,
    };
    let base = Attempt {
        host_log: None,
        wire: None,
        ..a.clone()
    };
    let all: Vec<(String, Attempt)> = changes(&q).collect();
    assert!(all.len() > 150, "{}", all.len());
    let twins = |says: &str| says.contains("comes after the next one");
    for (says, changed) in &all {
        assert!(!says.is_empty());
        assert!(*changed != base || twins(says), "{says} changes nothing");
        assert_eq!((&changed.host_log, &changed.wire), (&None, &None));
    }
    let has = |part: &str| all.iter().any(|(s, _)| s.contains(part));
    for part in [
        "proxy_get: the result is Enum(Some(\"BAD_ARGUMENT\"), 2)",
        "proxy_get: value is Untouched",
        "proxy_get: size is Number(0)",
        "proxy_on_request_body: end_of_stream is Bool(true)",
        "one call ends otherwise",
        "instance 1 proxy_on_request_headers (number 5) does not come",
        "instance 1 proxy_on_request_headers (number 5) comes twice",
        "instance 1 proxy_on_request_headers (number 5) comes after the next one",
        "instance 1: proxy_on_x comes as well",
        "client 1: Status(599)",
        "upstream main: Method",
        "client 1: no response",
        "request 1 does not arrive",
        "request 1 arrives twice",
        "a request arrives at other as well",
        "log line 1 is missing",
        "log line 1 is there twice",
        "log line 1 is LogLine { level: Some(\"ERROR\")",
        "a log line \"no\" as well",
        "load is Refused",
        "load is Unlinked",
        "end is Trap",
        "end is Crash",
        "end is Timeout",
    ] {
        assert!(has(part), "no change {part}");
    }
    assert!(!has("load is Loaded") && !has("end is Normal"));
    assert!(
        !has("(number 7) comes after the next one"),
        "the last one has no next"
    );
}

#[test]
fn each_change_touches_one_place() {
    let a = rich();
    let abi = abi();
    let q = Question {
        abi: &abi,
        checks: &[],
        observations: &[],
        attempt: &a,
    };
    let find = |part: &str| {
        let found = changes(&q).find(|(s, _)| s.contains(part));
        found.unwrap_or_else(|| panic!("no change {part}")).1
    };
    let names = |a: &Attempt| {
        let events = &a.trace.instances[0].events;
        events
            .iter()
            .map(|e| e.name.replace("proxy_on_", ""))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let before = "context_create vm_start configure context_create request_headers request_body request_body";
    assert_eq!(names(&a), before);
    let gone = find("proxy_on_configure (number 3) does not come");
    assert_eq!(names(&gone), before.replace("configure ", ""));
    let twice = find("proxy_on_configure (number 3) comes twice");
    assert_eq!(
        names(&twice),
        before.replace("configure", "configure configure")
    );
    let swapped = find("vm_start (number 2) comes after");
    assert_eq!(
        names(&swapped),
        before.replace("vm_start configure", "configure vm_start")
    );
    let event = |a: &Attempt, n: usize| a.trace.instances[0].walk()[n].clone();
    let result = find("event 6 proxy_get: the result is");
    assert_ne!(event(&result, 5), event(&a, 5));
    assert_eq!(event(&result, 7), event(&a, 7));
    let repeat = find("event 8 proxy_get: one call");
    assert_eq!(event(&repeat, 7).repeat, Some(Repeat { times: 5, same: 4 }));
    assert_eq!(find("request 1 arrives twice").seen.upstream.len(), 2);
    assert_eq!(find("request 1 does not").seen.upstream.len(), 0);
    assert_eq!(find("log line 1 is missing").logs.len(), 0);
    assert_eq!(find("log line 1 is there twice").logs.len(), 2);
    let none = find("client 1: no response");
    assert!(none.seen.client[0].response.is_none() && none.seen.client[0].trouble.is_some());
    let message = |part: &str| find(part).seen.client[0].response.clone().unwrap();
    assert_eq!(message("client 1: Status(201)").status, Some(201));
    assert!(!message("client 1: Complete").complete);
    assert_eq!(message("client 1: Headers").headers.len(), 1);
    assert_eq!(message("client 1: Trailers").trailers.len(), 0);
    assert_eq!(message("client 1: Body").body, whole("iello"));
    let up = |part: &str| find(part).seen.upstream[0].request.clone();
    assert_eq!(
        up("upstream main: Method").method.as_deref(),
        Some("CHANGED")
    );
    assert_eq!(
        up("upstream main: Path").path.as_deref(),
        Some("/pwspec-changed")
    );
}

#[test]
fn each_change_of_a_grpc_call_touches_one_part() {
    let mut a = rich();
    let saw = GrpcSaw {
        upstream: "grpc_a".to_owned(),
        service: "pkg.Test".to_owned(),
        method: "Do".to_owned(),
        metadata: fields(&[("x-one", "1")]),
        messages: vec![whole("first")],
        ended: true,
        cancelled: false,
    };
    a.seen.grpc = vec![saw.clone()];
    let abi = abi();
    let q = Question {
        abi: &abi,
        checks: &[],
        observations: &[],
        attempt: &a,
    };
    let changed = |part: &str| {
        let found = changes(&q).find(|(s, _)| s == &format!("grpc_a call 1: {part}"));
        let mut all = found
            .unwrap_or_else(|| panic!("no change {part}"))
            .1
            .seen
            .grpc;
        assert_eq!(all.len(), 1);
        all.remove(0)
    };
    let with = |change: &dyn Fn(&mut GrpcSaw)| {
        let mut changed = saw.clone();
        change(&mut changed);
        changed
    };
    assert_eq!(
        changed("Service"),
        with(&|g| g.service = "pkg.Test.Changed".into())
    );
    assert_eq!(changed("Method"), with(&|g| g.method = "DoChanged".into()));
    assert_eq!(changed("Ended"), with(&|g| g.ended = false));
    assert_eq!(changed("Cancelled"), with(&|g| g.cancelled = true));
    assert_eq!(changed("Over"), with(&|g| g.ended = false));
    let mut open = a.clone();
    open.seen.grpc[0].ended = false;
    let q = Question {
        attempt: &open,
        ..q
    };
    let over = changes(&q)
        .find(|(s, _)| s.ends_with("call 1: Over"))
        .unwrap()
        .1;
    let over = &over.seen.grpc[0];
    assert!(over.ended && over.cancelled, "an open call is over");
}

#[test]
fn a_response_can_come_where_none_came() {
    let mut a = rich();
    a.seen.client[0].response = None;
    a.logs[0].level = Some("WARN".into());
    let want = CheckKind::Client {
        stream: 1,
        expect: MessageExpect {
            present: Some(false),
            ..MessageExpect::default()
        },
    };
    let killed = proves(&[check(want)], &a).remove(0);
    assert_eq!(killed.as_deref(), Some("client 1: a response"));
    let log = CheckKind::Log {
        text: is("hi"),
        log_level: vec!["WARN".into()],
        times: None,
    };
    assert!(proves(&[check(log)], &a)[0].is_some());
}

#[test]
fn surveys_are_moved_by_a_change() {
    let observing = |what| Observation {
        req: "proxy_get/silent".into(),
        name: "it".into(),
        what,
    };
    let moved = |what: Observe, checks: &[Check], a: &Attempt| {
        prove_survey(&Question {
            abi: &abi(),
            checks,
            observations: &[observing(what)],
            attempt: a,
        })
    };
    let a = rich();
    let all = [
        Observe::Status(step(0, HEADERS)),
        Observe::Out(step(0, HEADERS), "value".into()),
        Observe::Callbacks(STREAM),
        Observe::ClientStatus(1),
        Observe::ClientBody(1),
        Observe::ClientHeader(1, "x".into()),
        Observe::UpstreamBody("main".into()),
        Observe::UpstreamCount("main".into()),
        Observe::Load,
        Observe::End,
    ];
    for what in all {
        assert!(moved(what.clone(), &[], &a).is_some(), "{what:?}");
    }
    let how = moved(Observe::Status(step(0, HEADERS)), &[], &a).unwrap();
    assert!(
        how.contains("event 6 proxy_get: the result is Enum(Some(\"NOT_FOUND\")"),
        "{how}"
    );
    assert_eq!(
        moved(Observe::Load, &[check(wants_status(0))], &a),
        None,
        "no survey"
    );
}

#[test]
fn other_values() {
    assert_eq!(
        others(&Value::Number(5), None),
        [6, 4, 0, u64::MAX >> 1].map(Value::Number)
    );
    assert_eq!(others(&Value::Number(0), None).len(), 3);
    assert_eq!(others(&Value::Bool(true), None), [Value::Bool(false)]);
    assert_eq!(others(&Value::Pointer(8), None), [Value::Pointer(9)]);
    assert_eq!(others(&ctx(1), None)[0], ctx(2));
    assert_eq!(
        others(&Value::Signed(-1), None),
        [Value::Signed(0), Value::Signed(i64::MIN)]
    );
    let all = others(&status(1), Some(&status_enum()));
    assert_eq!(all, [status(0), status(2), Value::Enum(None, 1001)]);
    let e = call(
        0,
        "proxy_mode",
        0,
        &[("mode", Value::Enum(Some("A".into()), 0))],
    );
    let abi = abi();
    let name = |e: &Event, f: Option<&str>| members(&abi, e, f).map(|d| d.name.clone());
    assert_eq!(name(&e, None).as_deref(), Some("proxy_status_t"));
    assert_eq!(name(&e, Some("mode")).as_deref(), Some("mode_t"));
    assert_eq!(name(&e, Some("x")), None);
    assert_eq!(name(&call(0, "proxy_get", 0, &[]), Some("value")), None);
    assert_eq!(
        name(&cb(HEADERS, 1, &[]), Some("mode")).as_deref(),
        Some("mode_t")
    );
    assert_eq!(name(&cb(HEADERS, 1, &[]), None), None);
    assert_eq!(name(&cb("proxy_on_unknown", 1, &[]), None), None);
    for v in [Value::Untouched, Value::Unreadable("x".into())] {
        assert_eq!(others(&v, None).len(), 3);
    }
}

#[test]
fn other_bytes_and_maps() {
    let strange = whole("pwspec-changed");
    let want = [
        whole("`b"),
        whole("a"),
        whole("abx"),
        whole(""),
        strange.clone(),
    ];
    assert_eq!(blobs(&whole("ab")), want);
    assert_eq!(blobs(&whole("")), [whole("x"), strange.clone()]);
    let long = Blob::new(&[b'x'; 300]);
    let all = blobs(&long);
    assert_eq!(all.len(), 4);
    assert_eq!((all[0].len(), all[1].len()), (300, 301));
    assert!(!all.contains(&long));
    let digests = |b: &Blob| match b {
        Blob::Cut { digest, .. } => *digest,
        Blob::Whole(_) => 0,
    };
    assert_eq!(digests(&all[0]), digests(&long) ^ 1);
    let two = fields(&[("a", "1"), ("b", "2")]);
    let all = maps(&two);
    assert_eq!(all.len(), 8);
    assert_eq!(all[0], fields(&[("b", "2")]));
    assert_eq!(all[1], fields(&[("a", "pwspec-changed"), ("b", "2")]));
    assert_eq!(all[2], fields(&[("pwspec-changed", "1"), ("b", "2")]));
    assert_eq!(all[6], fields(&[("b", "2"), ("a", "1")]));
    assert_eq!(all[7].len(), 3);
    assert_eq!(maps(&fields(&[("a", "1")])).len(), 4);
}

#[test]
fn other_lists() {
    let (a, b, strange) = (whole("a"), whole("b"), whole("pwspec-changed"));
    assert_eq!(lists(&[]), [vec![strange.clone()]]);
    let one = lists(std::slice::from_ref(&a));
    assert_eq!(one[0], []);
    assert_eq!(one.len(), 1 + blobs(&a).len() + 1, "nothing to swap");
    assert_eq!(one.last(), Some(&vec![a.clone(), strange.clone()]));
    let two = lists(&[a.clone(), b.clone()]);
    assert_eq!(two[0], std::slice::from_ref(&b));
    assert_eq!(two[1], [blobs(&a)[0].clone(), b.clone()]);
    assert!(two.contains(&vec![b.clone(), a.clone()]), "swapped");
    assert_eq!(two.last(), Some(&vec![a, b, strange]));
}

#[test]
fn values_that_a_matcher_takes_or_refuses() {
    let a = attempt(vec![]);
    let view = super::super::view::View::new(&a);
    let scope = super::super::matching::Scope {
        view: &view,
        at: None,
    };
    let not = |m: Matcher| Matcher::Not(Box::new(m));
    let pairs = vec![(b"a".to_vec(), b"1".to_vec())];
    let all = [
        Matcher::Number(5),
        Matcher::Signed(-5),
        Matcher::Bool(true),
        Matcher::Enum("OK".into(), 0),
        is("x"),
        Matcher::Prefix(b"x".to_vec()),
        Matcher::Contains(b"x".to_vec()),
        Matcher::Pairs(pairs.clone()),
        Matcher::HasPairs(pairs),
        Matcher::Present,
        Matcher::Absent,
        Matcher::Untouched,
        Matcher::Between(4, 5),
        Matcher::AnyOf(vec![is("x"), is("y")]),
        not(Matcher::Number(5)),
        not(is("x")),
        not(Matcher::Enum("OK".into(), 0)),
    ];
    use super::super::matching::{Answer, Got};
    for m in all {
        let v = taken(&m).unwrap_or_else(|| panic!("{m:?}"));
        assert_eq!(scope.matches(&m, Got::Value(&v)), Answer::Yes, "{m:?}");
        for v in refused(&m) {
            assert_eq!(scope.matches(&m, Got::Value(&v)), Answer::No, "{m:?}");
        }
    }
    assert_eq!(taken(&Matcher::StreamContext(1)), None);
    assert_eq!(refused(&not(is("x"))), [bytes("x")]);
    assert_eq!(refused(&Matcher::AnyOf(vec![not(is("x"))])), [bytes("x")]);
    assert_eq!(
        refused(&not(Matcher::AnyOf(vec![is("x"), is("y")]))),
        [bytes("x"), bytes("y")]
    );
    assert_eq!(refused(&is("x")), []);
    assert_eq!(
        refused_field(&FieldExpect::Value(not(is("x")))),
        [whole("x")]
    );
    assert_eq!(
        refused_field(&FieldExpect::Value(not(Matcher::Number(1)))),
        []
    );
    assert_eq!(refused_field(&FieldExpect::List(vec![])), []);
}
