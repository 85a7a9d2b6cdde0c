//! gRPC upstreams in a case file.

use std::sync::Arc;

use crate::abi::load;
use crate::case::*;

fn suite(exchange: &str, expect: &str) -> Result<Suite, Vec<String>> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../specs/abi");
    let tables = ["v0_1_0.yaml", "v0_2_0.yaml", "v0_2_1.yaml"].map(|name| {
        let text = std::fs::read_to_string(format!("{dir}/{name}")).expect("a table");
        (format!("abi/{name}"), text)
    });
    let abis = load(&tables).expect("tables").into_iter().map(Arc::new);
    let text = format!(
        "version: 1\nsuite: grpc/try\nabout: a\nsince: 0.1.0\ncases:\n  - id: a\n    about: b\n    \
         exchange: {exchange}\n    expect: {expect}\n"
    );
    let files = [("cases/grpc/try.yaml".to_owned(), text)];
    let loaded = Suite::load(&files, abis.collect(), Arc::new([]));
    loaded.map_err(|all| all.into_iter().map(|p| p.message).collect())
}

const CHECK: &str = "{grpc: [{req: proxy_grpc_call/upstream, count: 1}]}";

fn resolved(exchange: &str, expect: &str) -> (Case, Resolved) {
    let suite = suite(exchange, expect).expect("no problems");
    let env = Env {
        token: "0",
        upstream: &|name| name.to_owned(),
        function: &|name| name.to_owned(),
    };
    let case = suite.case("grpc/try/a").expect("a case");
    let abi = suite.abi("0.2.1").expect("a version");
    let resolved = suite.resolve(case, abi, &env).expect("of this version");
    (case.clone(), resolved)
}

fn problems(exchange: &str, expect: &str) -> Vec<String> {
    suite(exchange, expect).err().unwrap_or_default()
}

#[test]
fn a_script_is_a_list_of_turns() {
    let (case, resolved) = resolved(
        "{grpc: {grpc_a: [[{initial_metadata: [[x, y]]}, {after: 2, messages: [one, {hex: ff}]}, \
         {after: go, status: 7, status_message: \"no\", trailing_metadata: [[z, w]]}], []], \
         grpc_b: [[{after: end, reset: true}], [{after: open, close: true}]]}, \
         play: [{head: 1}, {go: grpc_a}, {abort: 1}]}",
        CHECK,
    );
    assert_eq!(case.needs.iter().copied().collect::<Vec<_>>(), [Need::Grpc]);
    let fields = |k: &str, v: &str| vec![(k.as_bytes().to_vec(), v.as_bytes().to_vec())];
    let turn = |after, end| GrpcTurn {
        after,
        initial_metadata: None,
        messages: Vec::new(),
        end,
    };
    let a = vec![
        GrpcTurn {
            initial_metadata: Some(fields("x", "y")),
            ..turn(GrpcAfter::Open, None)
        },
        GrpcTurn {
            messages: vec![b"one".to_vec(), vec![0xff]],
            ..turn(GrpcAfter::Messages(2), None)
        },
        turn(
            GrpcAfter::Go,
            Some(GrpcEnd::Status {
                code: 7,
                message: "no".to_owned(),
                trailing_metadata: fields("z", "w"),
            }),
        ),
    ];
    assert_eq!(resolved.exchange.grpc["grpc_a"], [a, Vec::new()]);
    let b = [
        vec![turn(GrpcAfter::End, Some(GrpcEnd::Reset))],
        vec![turn(GrpcAfter::Open, Some(GrpcEnd::Close))],
    ];
    assert_eq!(resolved.exchange.grpc["grpc_b"], b);
    assert_eq!(resolved.exchange.play[1], Play::Go("grpc_a".to_owned()));
}

#[test]
fn what_upstreams_saw_is_expected_by_name_and_number() {
    let (_, resolved) = resolved(
        "{grpc: {grpc_a: [[]], grpc_b: [[]]}}",
        "{grpc: [{req: proxy_grpc_call/upstream, name: grpc_b, count: 0}, {req: proxy_grpc_call/method, \
         nth: 2, service: S, method: {prefix: M}, metadata: {x: [a, b]}, messages: [one, {present: \
         true}], ended: true, cancelled: false, over: true, present: true}]}",
    );
    let kinds: Vec<&CheckKind> = resolved.checks.iter().map(|c| &c.kind).collect();
    let count = CheckKind::GrpcCount {
        upstream: "grpc_b".to_owned(),
        expect: Matcher::Number(0),
    };
    let call = CheckKind::Grpc {
        upstream: "grpc_a".to_owned(),
        nth: 2,
        expect: GrpcExpect {
            service: Some(Matcher::Bytes(b"S".to_vec())),
            method: Some(Matcher::Prefix(b"M".to_vec())),
            metadata: vec![(
                "x".to_owned(),
                FieldExpect::List(vec!["a".to_owned(), "b".to_owned()]),
            )],
            messages: Some(vec![Matcher::Bytes(b"one".to_vec()), Matcher::Present]),
            ended: Some(true),
            cancelled: Some(false),
            over: Some(true),
            present: Some(true),
        },
    };
    assert_eq!(kinds, [&count, &call]);
}

#[test]
fn what_makes_no_sense_is_a_problem() {
    let script = |turns: &str| problems(&format!("{{grpc: {{grpc_a: [{turns}]}}}}"), CHECK);
    assert_eq!(script("[]"), [""; 0]);
    assert_eq!(
        script("[{after: later, status: 0}]"),
        ["unknown point of a call"]
    );
    assert_eq!(
        script("[{after: 0, status: 0}]"),
        ["unknown point of a call"]
    );
    assert_eq!(script("[{after: end}]"), ["nothing is done here"]);
    let both = ["`status`, `reset` and `close` exclude each other"];
    assert_eq!(script("[{status: 0, reset: true}]"), both);
    let lone = ["`trailing_metadata` and `status_message` come with `status`"];
    assert_eq!(script("[{messages: [a], status_message: b}]"), lone);
    let late = ["the call has ended before"];
    assert_eq!(script("[{status: 0}, {messages: [a]}]"), late);
    assert_eq!(script(""), ["a gRPC upstream needs a script"]);
    let names = ["gRPC upstreams are called `grpc_a` and `grpc_b`"];
    assert_eq!(problems("{grpc: {c: [[]]}}", CHECK), names);
    assert_eq!(problems("{play: [{go: c}]}", CHECK), names);
    let nothing = problems("{}", "{grpc: [{req: proxy_grpc_call/upstream}]}");
    assert_eq!(nothing, ["nothing is expected here"]);
}

#[test]
fn a_request_over_http2_is_a_need() {
    let (case, resolved) = resolved("{request: {http2: true}}", CHECK);
    assert!(case.needs.contains(&Need::Http2));
    assert!(resolved.exchange.streams[0].request.http2);
}

#[test]
fn an_early_answer_has_a_body_and_nothing_against_it() {
    let (_, resolved) = resolved("{upstream: {early: true, body: b}}", CHECK);
    assert!(resolved.exchange.streams[0].answer.early);
    let bare = problems("{upstream: {early: true}}", CHECK);
    assert_eq!(bare, ["an early answer needs a body"]);
    let both = problems("{upstream: {early: true, hang: true, body: b}}", CHECK);
    assert_eq!(both, ["`hang`, `close` and `early` exclude each other"]);
}
