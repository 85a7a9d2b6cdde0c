//! Words for people.

use super::build::*;
use crate::case::*;
use crate::judge::words::{expected, matcher, value};
use crate::trace::*;

#[test]
fn values() {
    let words = [
        (Value::Number(5), "5"),
        (Value::Signed(-5), "-5"),
        (Value::Bool(true), "true"),
        (status(1), "NOT_FOUND"),
        (Value::Enum(None, 77), "77 (not in the text)"),
        (ctx(3), "3"),
        (Value::Pointer(255), "0xff"),
        (bytes("a\n"), "\"a\\n\""),
        (
            Value::Pairs(fields(&[("a", "1"), ("b", "2")])),
            "[\"a\": \"1\", \"b\": \"2\"]",
        ),
        (Value::Untouched, "untouched"),
        (Value::Unreadable("why".into()), "unreadable (why)"),
    ];
    for (v, w) in words {
        assert_eq!(value(&v), w);
    }
}

#[test]
fn matchers() {
    let pairs = vec![
        (b"a".to_vec(), b"1".to_vec()),
        (b"b".to_vec(), b"2".to_vec()),
    ];
    let saved = Matcher::Saved {
        step: step(1, HEADERS),
        out: "value".into(),
    };
    let words = [
        (Matcher::Number(5), "5"),
        (Matcher::Signed(-5), "-5"),
        (Matcher::Bool(false), "false"),
        (Matcher::Enum("OK".into(), 0), "OK"),
        (is("x"), "\"x\""),
        (
            Matcher::Fill {
                pattern: b"ab".to_vec(),
                len: 9,
            },
            "9 bytes of \"ab\"",
        ),
        (
            Matcher::Pairs(pairs.clone()),
            "[\"a\": \"1\", \"b\": \"2\"]",
        ),
        (
            Matcher::HasPairs(pairs),
            "a map with [\"a\": \"1\", \"b\": \"2\"]",
        ),
        (saved, "value of call 2"),
        (Matcher::PluginContext(1), "plugin context 1"),
        (Matcher::StreamContext(2), "stream context 2"),
        (Matcher::AnyOf(vec![is("a"), is("b")]), "\"a\" or \"b\""),
        (Matcher::Not(Box::new(is("a"))), "not \"a\""),
        (Matcher::Absent, "absent"),
        (Matcher::Present, "present"),
        (Matcher::Prefix(b"a".to_vec()), "begins with \"a\""),
        (Matcher::Contains(b"a".to_vec()), "contains \"a\""),
        (Matcher::Between(1, 2), "1 to 2"),
        (Matcher::Untouched, "untouched"),
    ];
    for (m, w) in words {
        assert_eq!(matcher(&m), w);
    }
    assert_eq!(
        matcher(&Matcher::Bytes(vec![b'x'; 80])),
        format!("\"{}\"", "x".repeat(80))
    );
    let long = matcher(&Matcher::Bytes(vec![b'x'; 81]));
    assert_eq!(long, format!("\"{}\" … (81 bytes)", "x".repeat(40)));
}

#[test]
fn expectations() {
    let message = |f: &dyn Fn(&mut MessageExpect)| {
        let mut e = MessageExpect::default();
        f(&mut e);
        expected(&CheckKind::Client {
            stream: 1,
            expect: e,
        })
    };
    assert_eq!(message(&|_| {}), "a response");
    assert_eq!(message(&|e| e.present = Some(true)), "a response");
    assert_eq!(message(&|e| e.present = Some(false)), "no response");
    let all = message(&|e| {
        e.method = Some(is("GET"));
        e.path = Some(is("/"));
        e.status = Some(Matcher::Number(200));
        e.headers = vec![("a".into(), FieldExpect::Value(Matcher::Absent))];
        e.body = Some(is("b"));
        e.trailers = vec![("t".into(), FieldExpect::List(vec!["1".into(), "2".into()]))];
        e.complete = Some(true);
    });
    let want = "method \"GET\", path \"/\", status 200, header a absent, body \"b\", \
                trailer t [\"1\", \"2\"], complete";
    assert_eq!(all, want);
    assert_eq!(message(&|e| e.complete = Some(false)), "incomplete");
    let body = |expect| {
        expected(&CheckKind::Body {
            who: STREAM,
            callback: "b".into(),
            expect,
        })
    };
    assert_eq!(body(BodyExpect::Bytes(b"x".to_vec())), "the bytes \"x\"");
    assert_eq!(body(BodyExpect::Total(3)), "3 bytes in all");
    assert_eq!(body(BodyExpect::GrowsTo(3)), "a size that grows to 3");
    assert_eq!(body(BodyExpect::EndsOnce), "end_of_stream once, at the end");
    let two = CallbackPattern {
        args: vec![
            ("x".into(), Matcher::Number(1)),
            ("y".into(), Matcher::Absent),
        ],
        ..plus(pattern("a"))
    };
    let order = CheckKind::Callbacks {
        who: PLUGIN,
        order: vec![two, pattern("b")],
    };
    assert_eq!(expected(&order), "plugin 1: a[x=1, y=absent]+, b");
    let never = |after| {
        expected(&CheckKind::Never {
            who: VM,
            pattern: pattern("a"),
            after,
        })
    };
    assert_eq!(never(None), "the VM: never a");
    assert_eq!(never(Some(pattern("b"))), "the VM: never a after b");
    let upstream = CheckKind::Upstream {
        upstream: "main".into(),
        nth: 1,
        expect: MessageExpect::default(),
    };
    assert_eq!(expected(&upstream), "a request");
    let count = CheckKind::UpstreamCount {
        upstream: "main".into(),
        expect: Matcher::Number(2),
    };
    assert_eq!(expected(&count), "2 requests");
    let log = CheckKind::Log {
        text: is("a"),
        log_level: vec!["WARN".into()],
        times: Some(2),
    };
    assert_eq!(expected(&log), "a log line \"a\" at WARN, 2 times");
    assert_eq!(expected(&CheckKind::Load { loaded: true }), "loaded");
    assert_eq!(expected(&CheckKind::Load { loaded: false }), "not loaded");
    let ends = CheckKind::Ends {
        any_of: vec!["trap".into(), "timeout".into()],
    };
    assert_eq!(expected(&ends), "trap or timeout");
}

#[test]
fn what_is_expected_of_calls_and_connections() {
    let grpc = |expect: GrpcExpect| {
        expected(&CheckKind::Grpc {
            upstream: "grpc_a".to_owned(),
            nth: 1,
            expect,
        })
    };
    assert_eq!(grpc(GrpcExpect::default()), "a call");
    let none = GrpcExpect {
        present: Some(false),
        method: Some(is("Do")),
        ..GrpcExpect::default()
    };
    assert_eq!(grpc(none), "no call");
    let all = GrpcExpect {
        present: Some(true),
        service: Some(is("pkg.Test")),
        messages: Some(Vec::new()),
        ended: Some(true),
        cancelled: Some(false),
        ..GrpcExpect::default()
    };
    assert_eq!(
        grpc(all),
        "service \"pkg.Test\", no message, ended, not cancelled"
    );
    let connection = |closed| {
        expected(&CheckKind::Client {
            stream: 1,
            expect: MessageExpect {
                closed: Some(closed),
                ..MessageExpect::default()
            },
        })
    };
    assert_eq!(connection(true), "closed");
    assert_eq!(connection(false), "open");
}
