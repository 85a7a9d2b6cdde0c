//! Jobs for faults that show in one place only: responses, long trailers, late answers.

use crate::abi::encode_pairs;
use crate::case::{Act, Answer, ArgValue, Operand};
use crate::host::Job;
use crate::host::reference::tests::kit::*;

const OUT: ArgValue = ArgValue::Out;

fn pairs(of: &[(&str, &str)]) -> ArgValue {
    ArgValue::Data(encode_pairs(&fields(of)))
}

fn within(callback: &str, act: Act) -> Job {
    let one = exchange("POST", &["ab"], &[("x-t", "1")]);
    job("0.2.1", vec![on(callback, vec![act])], one)
}

/// A request with a query, answered with an error.
fn refused() -> Job {
    let mut one = get();
    one.streams[0].request.path = "/p?q=1".to_owned();
    one.streams[0].answer.status = 418;
    job("0.2.1", vec![], one)
}

/// A paused request that the plugin answers after somebody else has answered.
fn asked_first() -> Job {
    let head = pairs(&[(":method", "GET"), (":path", "/"), (":authority", "a")]);
    let ask = call(
        "proxy_http_call",
        vec![b(b"a"), head, b(b""), b(b""), n(30), OUT],
    );
    let stream = ArgValue::Word(Operand::StreamContext(1));
    let own = pairs(&[("x-own", "o")]);
    let answer = vec![
        call("proxy_set_effective_context", vec![stream]),
        call(
            "proxy_send_local_response",
            vec![n(418), b(b"d"), b(b"own"), own, n(0)],
        ),
    ];
    let handlers = vec![
        on("proxy_on_request_headers", vec![ask, PAUSE]),
        on("proxy_on_http_call_response", answer),
    ];
    let mut one = get();
    one.upstreams
        .insert("a".to_owned(), vec![Answer::default()]);
    job("0.2.1", handlers, one)
}

/// All of them.
pub(super) fn all() -> Vec<Job> {
    let response = |name, args| within("proxy_on_response_headers", call(name, args));
    vec![
        response(
            "proxy_set_header_map_pairs",
            vec![n(2), pairs(&[(":status", "200"), ("x-new", "1")])],
        ),
        response("proxy_remove_header_map_value", vec![n(2), b(b"x-up")]),
        within(
            "proxy_on_request_trailers",
            call(
                "proxy_set_header_map_pairs",
                vec![n(1), pairs(&[("x-a", "1"), ("x-b", "2"), ("x-c", "3")])],
            ),
        ),
        within(
            "proxy_on_request_body",
            call(
                "proxy_set_buffer_bytes",
                vec![n(0), n(0), n(2), b(b"longer")],
            ),
        ),
        refused(),
        asked_first(),
    ]
}
