//! HTTP streams: order of callbacks, pause, what client and upstream see.

use crate::abi::encode_pairs;
use crate::case::{Answer, ArgValue};
use crate::host::reference::tests::kit::*;
use crate::trace::{Blob, Load, Message, Value};

fn body(message: &Message) -> &[u8] {
    message.body.whole().expect("short")
}

#[test]
fn a_get_passes_every_callback() {
    let attempt = play(&job("0.2.1", vec![], get()));
    assert_eq!(attempt.load, Load::Loaded);
    assert_eq!(
        callbacks(&attempt),
        [
            "context_create #0",
            "vm_start 9",
            "configure 13",
            "context_create #1",
            "request_headers 5 true",
            "response_headers 2 false",
            "response_body 2 false",
            "response_body 4 false",
            "response_body 0 true",
            "done",
            "log",
            "delete",
        ]
    );
    let client = attempt.seen.client[0]
        .response
        .as_ref()
        .expect("a response");
    assert_eq!(
        (client.status, body(client), client.complete),
        (Some(200), &b"answer"[..], true)
    );
    let upstream = &attempt.seen.upstream[0].request;
    assert_eq!(upstream.path.as_deref(), Some("/p"));
    assert_eq!(
        Message::values(&upstream.headers, "x-here"),
        [&Blob::new(b"1")]
    );
}

#[test]
fn version_0_1_0_has_two_parameters() {
    let attempt = play(&job("0.1.0", vec![], get()));
    assert!(
        callbacks(&attempt).contains(&"request_headers 5".to_owned()),
        "{attempt:#?}"
    );
}

#[test]
fn headers_are_read_and_changed() {
    let h = n(0);
    let steps = vec![
        call(
            "proxy_get_header_map_value",
            vec![h.clone(), b(b"X-Here"), ArgValue::Out],
        ),
        call(
            "proxy_get_header_map_value",
            vec![h.clone(), b(b"x-absent"), ArgValue::Out],
        ),
        call(
            "proxy_add_header_map_value",
            vec![h.clone(), b(b"x-new"), b(b"n")],
        ),
        call(
            "proxy_replace_header_map_value",
            vec![h.clone(), b(b"x-here"), b(b"r")],
        ),
        call("proxy_get_header_map_pairs", vec![h.clone(), ArgValue::Out]),
        call("proxy_get_header_map_size", vec![n(99), ArgValue::Out]),
        call("proxy_log", vec![n(3), b(b"hello")]),
    ];
    let attempt = play(&job(
        "0.2.1",
        vec![on("proxy_on_request_headers", steps)],
        get(),
    ));
    let get = "proxy_get_header_map_value";
    assert_eq!(status(&attempt, get, 0), "OK");
    assert_eq!(
        out(&attempt, get, 0, "value"),
        &Value::Bytes(Blob::new(b"1"))
    );
    assert_eq!(status(&attempt, get, 1), "NOT_FOUND");
    assert_eq!(out(&attempt, get, 1, "value"), &Value::Untouched);
    assert_eq!(
        status(&attempt, "proxy_get_header_map_size", 0),
        "BAD_ARGUMENT"
    );
    let upstream = &attempt.seen.upstream[0].request;
    assert_eq!(
        Message::values(&upstream.headers, "x-here"),
        [&Blob::new(b"r")]
    );
    assert_eq!(
        Message::values(&upstream.headers, "x-new"),
        [&Blob::new(b"n")]
    );
    assert_eq!(attempt.logs.len(), 1);
    assert_eq!(attempt.logs[0].level.as_deref(), Some("WARN"));
}

#[test]
fn a_paused_body_grows_and_goes_on_with_the_end() {
    let select = crate::case::Select {
        end_of_stream: Some(false),
        ..Default::default()
    };
    let handlers = vec![on_when("proxy_on_request_body", select, vec![PAUSE])];
    let attempt = play(&job(
        "0.2.1",
        handlers,
        exchange("POST", &["ab", "cde"], &[]),
    ));
    let seen = callbacks(&attempt);
    for line in [
        "request_body 2 false",
        "request_body 5 false",
        "request_body 5 true",
    ] {
        assert!(seen.contains(&line.to_owned()), "{seen:?}");
    }
    assert_eq!(body(&attempt.seen.upstream[0].request), b"abcde");
}

#[test]
fn a_call_resumes_the_request() {
    let headers = encode_pairs(&fields(&[
        (":method", "GET"),
        (":path", "/c"),
        (":authority", "x"),
    ]));
    let handlers = vec![
        on(
            "proxy_on_request_headers",
            vec![
                call(
                    "proxy_http_call",
                    vec![
                        b(b"a"),
                        ArgValue::Data(headers),
                        b(b""),
                        b(b""),
                        n(100),
                        ArgValue::Out,
                    ],
                ),
                PAUSE,
            ],
        ),
        on(
            "proxy_on_http_call_response",
            vec![
                call(
                    "proxy_get_header_map_value",
                    vec![n(6), b(b":status"), ArgValue::Out],
                ),
                call(
                    "proxy_set_effective_context",
                    vec![ArgValue::Word(crate::case::Operand::StreamContext(1))],
                ),
                call("proxy_continue_stream", vec![n(0)]),
            ],
        ),
    ];
    let mut exchange = get();
    exchange
        .upstreams
        .insert("a".to_owned(), vec![Answer::default()]);
    let attempt = play(&job("0.2.1", handlers, exchange));
    assert_eq!(status(&attempt, "proxy_http_call", 0), "OK");
    assert_eq!(
        out(&attempt, "proxy_get_header_map_value", 0, "value"),
        &Value::Bytes(Blob::new(b"200"))
    );
    let names: Vec<&str> = attempt
        .seen
        .upstream
        .iter()
        .map(|u| u.upstream.as_str())
        .collect();
    assert_eq!(names, ["a", "main"]);
    assert!(
        attempt.seen.client[0]
            .response
            .as_ref()
            .is_some_and(|r| r.complete)
    );
}

#[test]
fn a_local_response_replaces_the_upstream() {
    let headers = encode_pairs(&fields(&[("x-own", "o")]));
    let steps = vec![call(
        "proxy_send_local_response",
        vec![n(403), b(b""), b(b"no"), ArgValue::Data(headers), n(0)],
    )];
    let attempt = play(&job(
        "0.2.1",
        vec![on("proxy_on_request_headers", steps)],
        get(),
    ));
    let client = attempt.seen.client[0]
        .response
        .as_ref()
        .expect("a response");
    assert_eq!((client.status, body(client)), (Some(403), &b"no"[..]));
    assert!(attempt.seen.upstream.is_empty());
    assert!(
        !callbacks(&attempt)
            .iter()
            .any(|c| c.starts_with("response"))
    );
}

#[test]
fn trailers_pass_both_ways_and_can_be_added() {
    let select = crate::case::Select {
        end_of_stream: Some(true),
        ..Default::default()
    };
    let add = call(
        "proxy_add_header_map_value",
        vec![n(3), b(b"x-t"), b(b"added")],
    );
    let handlers = vec![on_when("proxy_on_response_body", select, vec![add])];
    let attempt = play(&job(
        "0.2.1",
        handlers,
        exchange("POST", &["ab"], &[("x-rt", "1")]),
    ));
    assert!(callbacks(&attempt).contains(&"request_trailers 1".to_owned()));
    assert_eq!(attempt.seen.upstream[0].request.trailers.len(), 1);
    let client = attempt.seen.client[0]
        .response
        .as_ref()
        .expect("a response");
    assert_eq!(
        Message::values(&client.trailers, "x-t"),
        [&Blob::new(b"added")]
    );
}

#[test]
fn a_fault_is_planted_for_one_play() {
    let steps = vec![call(
        "proxy_get_header_map_value",
        vec![n(0), b(b"x-absent"), ArgValue::Out],
    )];
    let job = job("0.2.1", vec![on("proxy_on_request_headers", steps)], get());
    let wrong = play_wrong(&job, "get_header_absent_is_ok");
    assert_eq!(status(&wrong, "proxy_get_header_map_value", 0), "OK");
    assert_eq!(
        status(&play(&job), "proxy_get_header_map_value", 0),
        "NOT_FOUND"
    );
}
