//! What client and upstream saw, the log, load and end.

use super::build::*;
use crate::case::*;
use crate::judge::Outcome;
use crate::trace::*;

use Outcome::{Fail, Pass, Unreached};

fn seen(a: ClientSaw, up: Vec<UpstreamSaw>) -> Attempt {
    let mut all = attempt(vec![instance(0, stream(vec![]))]);
    all.seen.client = vec![a];
    all.seen.upstream = up;
    all
}

fn client(expect: MessageExpect) -> CheckKind {
    CheckKind::Client { stream: 1, expect }
}

fn upstream(nth: u32, expect: MessageExpect) -> CheckKind {
    CheckKind::Upstream {
        upstream: "main".to_owned(),
        nth,
        expect,
    }
}

fn header(name: &str, f: FieldExpect) -> MessageExpect {
    MessageExpect {
        headers: vec![(name.to_owned(), f)],
        ..MessageExpect::default()
    }
}

fn value(m: Matcher) -> FieldExpect {
    FieldExpect::Value(m)
}

fn listed(all: &[&str]) -> FieldExpect {
    FieldExpect::List(all.iter().map(|s| (*s).to_owned()).collect())
}

#[test]
fn status_body_and_end_of_a_response() {
    let a = seen(response(200, &[], "hello"), vec![]);
    let with = |f: &dyn Fn(&mut MessageExpect)| {
        let mut e = MessageExpect::default();
        f(&mut e);
        came(client(e), &a)
    };
    assert_eq!(with(&|_| {}).0, Pass);
    assert_eq!(with(&|e| e.present = Some(true)).0, Pass);
    assert_eq!(with(&|e| e.status = Some(Matcher::Number(200))).0, Pass);
    assert_eq!(
        with(&|e| e.status = Some(Matcher::Number(503))).1,
        "status 200"
    );
    assert_eq!(with(&|e| e.body = Some(is("hello"))).0, Pass);
    assert_eq!(with(&|e| e.body = Some(is("x"))).1, "body \"hello\"");
    assert_eq!(with(&|e| e.complete = Some(true)).0, Pass);
    assert_eq!(with(&|e| e.complete = Some(false)).1, "complete");
    assert_eq!(with(&|e| e.method = Some(is("GET"))).1, "method absent");
    assert_eq!(with(&|e| e.path = Some(Matcher::Absent)).0, Pass);
    assert_eq!(
        with(&|e| e.present = Some(false)),
        (Fail, "a response came: 200".to_owned())
    );
    let both = with(&|e| {
        e.status = Some(Matcher::Number(1));
        e.body = Some(is("x"));
    });
    assert_eq!(both.1, "status 200, body \"hello\"");
    let open = with(&|e| e.body = Some(Matcher::StreamContext(9)));
    assert_eq!(
        open,
        (Unreached, "body \"hello\": cannot be compared".to_owned())
    );
    let mut incomplete = a.clone();
    incomplete.seen.client[0]
        .response
        .as_mut()
        .unwrap()
        .complete = false;
    let want = MessageExpect {
        complete: Some(true),
        ..MessageExpect::default()
    };
    assert_eq!(came(client(want), &incomplete).1, "incomplete");
}

#[test]
fn fields_by_name_without_case_joined() {
    let a = seen(
        response(200, &[("X-A", "1"), ("x-a", "2"), ("b", "3")], ""),
        vec![],
    );
    let h = |name: &str, f: FieldExpect| came(client(header(name, f)), &a);
    assert_eq!(h("x-A", value(is("1, 2"))).0, Pass);
    assert_eq!(h("x-a", value(is("1"))).1, "header x-a \"1\" and \"2\"");
    assert_eq!(h("B", value(is("3"))).0, Pass);
    assert_eq!(h("c", value(Matcher::Absent)).0, Pass);
    assert_eq!(h("c", value(is(""))).1, "header c absent");
    assert_eq!(h("b", value(Matcher::Absent)).1, "header b \"3\"");
    assert_eq!(h("x-a", listed(&["1", "2"])).0, Pass);
    assert_eq!(h("x-a", listed(&["1, 2"])).0, Pass);
    assert_eq!(h("x-a", listed(&["2", "1"])).0, Fail);
    assert_eq!(h("x-a", listed(&["1"])).0, Fail);
    assert_eq!(h("x-a", listed(&["1", "2", "3"])).0, Fail);
    let one = seen(response(200, &[("a", "1, 2")], ""), vec![]);
    assert!(passes(client(header("a", listed(&["1", "2"]))), &one));
}

#[test]
fn long_fields_compare_alone_but_not_joined() {
    let long = vec![b'x'; 300];
    let mut a = seen(response(200, &[], ""), vec![]);
    let headers = &mut a.seen.client[0].response.as_mut().unwrap().headers;
    headers.push((whole("a"), Blob::new(&long)));
    let want = || value(Matcher::Bytes(long.clone()));
    assert!(passes(client(header("a", want())), &a));
    let headers = &mut a.seen.client[0].response.as_mut().unwrap().headers;
    headers.push((whole("a"), whole("1")));
    assert_eq!(came(client(header("a", want())), &a).0, Unreached);
    let text = String::from_utf8(long).unwrap();
    assert!(passes(client(header("a", listed(&[&text, "1"]))), &a));
}

#[test]
fn trailers_apart_from_headers() {
    let mut a = seen(response(200, &[("h", "1")], ""), vec![]);
    a.seen.client[0].response.as_mut().unwrap().trailers = fields(&[("t", "2")]);
    let want = |name: &str, m: Matcher| {
        client(MessageExpect {
            trailers: vec![(name.to_owned(), value(m))],
            ..MessageExpect::default()
        })
    };
    assert!(passes(want("t", is("2")), &a));
    assert!(passes(want("h", Matcher::Absent), &a));
    assert_eq!(came(want("t", is("3")), &a).1, "trailer t \"2\"");
}

#[test]
fn no_response() {
    let mut a = seen(response(200, &[], ""), vec![]);
    a.seen.client[0].response = None;
    let absent = || MessageExpect {
        present: Some(false),
        ..MessageExpect::default()
    };
    assert!(passes(client(absent()), &a));
    assert_eq!(came(client(MessageExpect::default()), &a).1, "no response");
    a.seen.client[0].trouble = Some("reset".to_owned());
    assert_eq!(
        came(client(MessageExpect::default()), &a).1,
        "no response: reset"
    );
    a.seen.client[0].stream = 2;
    let (outcome, got) = came(client(absent()), &a);
    assert_eq!(
        (outcome, got.as_str()),
        (Unreached, "stream 1 was never opened")
    );
}

#[test]
fn requests_are_counted_by_upstream() {
    let up = vec![
        request("main", "/1"),
        request("other", "/2"),
        request("main", "/3"),
    ];
    let a = seen(response(200, &[], ""), up);
    let path = |t: &str| MessageExpect {
        path: Some(is(t)),
        method: Some(is("GET")),
        ..MessageExpect::default()
    };
    assert!(passes(upstream(1, path("/1")), &a));
    assert!(passes(upstream(2, path("/3")), &a));
    assert_eq!(
        came(upstream(2, path("/2")), &a),
        (Fail, "path \"/3\"".to_owned())
    );
    assert_eq!(
        came(upstream(3, path("/3")), &a),
        (Fail, "2 requests at main".to_owned())
    );
    assert_eq!(came(upstream(0, path("/3")), &a).0, Fail);
    let none = || MessageExpect {
        present: Some(false),
        ..MessageExpect::default()
    };
    assert!(passes(upstream(3, none()), &a));
    assert_eq!(came(upstream(2, none()), &a).1, "a request came: GET /3");
    let count = |m: Matcher| CheckKind::UpstreamCount {
        upstream: "main".to_owned(),
        expect: m,
    };
    assert!(passes(count(Matcher::Number(2)), &a));
    assert_eq!(
        came(count(Matcher::Number(3)), &a),
        (Fail, "2 requests at main".to_owned())
    );
    assert_eq!(came(count(Matcher::StreamContext(7)), &a).0, Unreached);
}

fn log(m: Matcher, level: Option<&str>, times: Option<u32>) -> CheckKind {
    CheckKind::Log {
        text: m,
        log_level: level.map(str::to_owned).into_iter().collect(),
        times,
    }
}

#[test]
fn log_lines() {
    let mut a = attempt(vec![instance(0, stream(vec![]))]);
    a.logs = vec![
        line(Some("WARN"), "a"),
        line(Some("info"), "a"),
        line(None, "b"),
    ];
    assert!(passes(log(is("a"), None, None), &a));
    assert!(passes(log(is("a"), None, Some(2)), &a));
    assert!(passes(log(is("a"), Some("INFO"), Some(1)), &a));
    assert!(passes(log(is("a"), Some("warn"), None), &a));
    assert!(passes(log(is("c"), None, Some(0)), &a));
    let any_of = |levels: [&str; 2]| CheckKind::Log {
        text: is("a"),
        log_level: levels.map(str::to_owned).into(),
        times: None,
    };
    assert!(passes(any_of(["ERROR", "INFO"]), &a));
    assert_eq!(came(any_of(["ERROR", "CRITICAL"]), &a).0, Fail);
    let (outcome, got) = came(log(is("a"), Some("ERROR"), None), &a);
    assert_eq!(outcome, Fail);
    assert_eq!(
        got,
        "no such line; others: \"a\" at WARN, \"a\" at info, \"b\" at no level"
    );
    let (outcome, got) = came(log(Matcher::Present, None, Some(4)), &a);
    assert_eq!((outcome, got.as_str()), (Fail, "3 such lines"));
    assert_eq!(came(log(is("b"), Some("INFO"), None), &a).0, Unreached);
    assert_eq!(came(log(is("b"), Some("INFO"), Some(1)), &a).0, Unreached);
    assert_eq!(came(log(is("b"), Some("INFO"), Some(0)), &a).0, Unreached);
    a.logs.push(line(Some("INFO"), "b"));
    assert_eq!(came(log(is("b"), Some("INFO"), None), &a).0, Pass);
    assert_eq!(came(log(is("b"), Some("INFO"), Some(1)), &a).0, Unreached);
    assert_eq!(came(log(is("b"), Some("INFO"), Some(0)), &a).0, Fail);
    a.logs.clear();
    assert_eq!(came(log(is("b"), None, None), &a).1, "no such line");
}

#[test]
fn load_as_far_as_it_can_be_said() {
    let kind = |loaded| CheckKind::Load { loaded };
    let mut a = attempt(vec![]);
    assert_eq!(came(kind(true), &a).0, Pass);
    assert_eq!(came(kind(false), &a), (Fail, "loaded".to_owned()));
    a.load = Load::Refused { text: whole("no") };
    assert_eq!(came(kind(false), &a).0, Pass);
    assert_eq!(came(kind(true), &a), (Fail, "refused: \"no\"".to_owned()));
    a.load = Load::Unlinked {
        import: "f".to_owned(),
        text: whole("no"),
    };
    assert_eq!(came(kind(false), &a).0, Pass);
    assert_eq!(came(kind(true), &a).1, "unlinked f: \"no\"");
    a.load = Load::Unknown;
    assert_eq!(
        came(kind(true), &a),
        (Unreached, "neither a frame nor a refusal".to_owned())
    );
    assert_eq!(came(kind(false), &a).0, Unreached);
    a.end = End::Trap(whole("unreachable"));
    assert_eq!(came(kind(false), &a).0, Pass);
    assert_eq!(came(kind(true), &a).1, "unknown: trap: \"unreachable\"");
    a.trace.instances = vec![instance(0, vec![])];
    assert_eq!(came(kind(true), &a).0, Pass);
}

#[test]
fn ends() {
    let kind = |all: &[&str]| CheckKind::Ends {
        any_of: all.iter().map(|s| (*s).to_owned()).collect(),
    };
    let mut a = attempt(vec![instance(0, start(vec![]))]);
    let ends = [
        (End::Normal, "normal", "normal"),
        (End::Trap(whole("t")), "trap", "trap: \"t\""),
        (End::Crash("signal 11".into()), "crash", "crash: signal 11"),
        (End::Timeout("case".into()), "timeout", "timeout: case"),
    ];
    for (end, word, full) in ends {
        a.end = end;
        assert_eq!(came(kind(&["other", word]), &a).0, Pass);
        assert_eq!(came(kind(&["other"]), &a), (Fail, full.to_owned()));
    }
}

/// A TCP connection as a peer saw it.
fn connection(body: &str, closed: bool) -> Message {
    Message {
        body: whole(body),
        complete: closed,
        ..Message::default()
    }
}

#[test]
fn connections_are_open_or_closed() {
    let down = ClientSaw {
        stream: 1,
        response: Some(connection("to the client", true)),
        trouble: None,
    };
    let up = UpstreamSaw {
        upstream: "main".to_owned(),
        request: connection("to the upstream", false),
    };
    let a = seen(down, vec![up]);
    let closed = |want| MessageExpect {
        closed: Some(want),
        ..MessageExpect::default()
    };
    assert_eq!(came(client(closed(true)), &a).0, Pass);
    assert_eq!(
        came(client(closed(false)), &a),
        (Fail, "closed".to_owned()),
        "in the words of a connection"
    );
    assert_eq!(came(upstream(1, closed(false)), &a).0, Pass);
    assert_eq!(
        came(upstream(1, closed(true)), &a),
        (Fail, "open".to_owned())
    );
    let second = upstream(2, closed(true));
    assert_eq!(came(second, &a), (Fail, "1 connections at main".to_owned()));
}
