//! gRPC calls and streams: what upstreams see, when they go on, what the plugin is told.

use super::kit::*;
use super::scenes;
use crate::case::{
    Act, ArgValue, Call, Exchange, GrpcAfter, GrpcEnd, GrpcTurn, Operand, Play, Step,
};
use crate::host::Job;
use crate::trace::{Attempt, Blob, GrpcSaw};

const HEADERS: &str = "proxy_on_request_headers";
const RECEIVE: &str = "proxy_on_grpc_receive";

fn turn(after: GrpcAfter, messages: &[&str], end: Option<GrpcEnd>) -> GrpcTurn {
    GrpcTurn {
        after,
        initial_metadata: None,
        messages: messages.iter().map(|m| m.as_bytes().to_vec()).collect(),
        end,
    }
}

fn status(code: u32, message: &str) -> Option<GrpcEnd> {
    Some(GrpcEnd::Status {
        code,
        message: message.to_owned(),
        trailing_metadata: fields(&[("x-last", "1")]),
    })
}

fn with(turns: Vec<GrpcTurn>, play: Vec<Play>) -> Exchange {
    let mut exchange = get();
    exchange.grpc.insert("grpc_a".to_owned(), vec![turns]);
    exchange.play = play;
    exchange
}

/// `proxy_grpc_call` or, without a message, `proxy_grpc_stream`; its id goes to slot 0.
fn begin(message: Option<(&str, u64)>) -> Act {
    let mut args = vec![b(b"grpc_a"), b(b"pkg.Test"), b(b"Do"), b(b"")];
    args.extend(
        message
            .into_iter()
            .flat_map(|(m, ms)| [b(m.as_bytes()), n(ms)]),
    );
    args.push(ArgValue::Out);
    let hostcall = match message {
        Some(_) => "proxy_grpc_call",
        None => "proxy_grpc_stream",
    };
    Act::Call(Call {
        hostcall: hostcall.to_owned(),
        saves: vec![(args.len() as u32 - 1, 0)],
        args,
        repeat: 1,
    })
}

fn id() -> ArgValue {
    ArgValue::Word(Operand::Saved(0))
}

fn send(message: &str, end: bool) -> Act {
    let end = n(u64::from(end));
    call("proxy_grpc_send", vec![id(), b(message.as_bytes()), end])
}

fn told(attempt: &Attempt) -> Vec<String> {
    let all = callbacks(attempt).into_iter();
    all.filter(|c| c.starts_with("grpc")).collect()
}

fn saw(attempt: &Attempt) -> &GrpcSaw {
    let [one] = attempt.seen.grpc.as_slice() else {
        panic!("one call: {:?}", attempt.seen.grpc)
    };
    one
}

/// Jobs in which every fault of gRPC shows.
pub(super) fn scenes() -> Vec<Job> {
    let id = |at| ArgValue::Word(Operand::Saved(at));
    let open = |message: Option<(&str, u64)>, at: u32| {
        let metadata = scenes::pairs(&[("x-one", "1"), ("x-two", "2")]);
        let mut args = vec![b(b"grpc_a"), b(b"pkg.Test"), b(b"Do"), metadata];
        args.extend(
            message
                .into_iter()
                .flat_map(|(m, ms)| [b(m.as_bytes()), n(ms)]),
        );
        let name = match message {
            Some(_) => "proxy_grpc_call",
            None => "proxy_grpc_stream",
        };
        let out = args.len() as u32;
        args.push(ArgValue::Out);
        scenes::saved(name, args, out, at)
    };
    let one = |hostcall: &str, at| call(hostcall, vec![id(at)]);
    let read = |map| call("proxy_get_header_map_pairs", vec![n(map), ArgValue::Out]);
    let buffer = vec![n(5), n(0), n(100), ArgValue::Out];
    let handlers = vec![
        on(
            HEADERS,
            vec![
                open(Some(("hello", 1000)), 0),
                open(Some(("hello", 50)), 1),
                open(None, 2),
                open(None, 3),
                open(None, 4),
                call("proxy_grpc_send", vec![id(2), b(b"one"), n(1)]),
                one("proxy_grpc_cancel", 3),
                one("proxy_grpc_close", 4),
            ],
        ),
        on(RECEIVE, vec![call("proxy_get_buffer_bytes", buffer)]),
        on("proxy_on_grpc_receive_initial_metadata", vec![read(4)]),
        on("proxy_on_grpc_receive_trailing_metadata", vec![read(5)]),
        on(
            "proxy_on_grpc_close",
            vec![call("proxy_get_status", vec![ArgValue::Out, ArgValue::Out])],
        ),
        on(
            "proxy_on_log",
            vec![
                one("proxy_grpc_cancel", 0),
                one("proxy_grpc_close", 0),
                call("proxy_grpc_send", vec![id(2), b(b"late"), n(0)]),
            ],
        ),
    ];
    let mut whole = turn(GrpcAfter::End, &["a", "bb"], status(7, "no"));
    whole.initial_metadata = Some(fields(&[("x-a", "1"), ("x-b", "2")]));
    let mut exchange = get();
    let spoken = vec![turn(GrpcAfter::Go, &["late"], None)];
    let scripts = vec![vec![whole.clone()], Vec::new(), vec![whole], spoken];
    exchange.grpc.insert("grpc_a".to_owned(), scripts);
    let wait = Play::Wait {
        callback: "proxy_on_grpc_close".to_owned(),
        times: 3,
        within: std::time::Duration::from_millis(100),
    };
    exchange.play = vec![
        Play::Head(1),
        Play::Go("grpc_a".to_owned()),
        wait,
        Play::Finish(1),
    ];
    vec![job("0.2.1", handlers, exchange)]
}

const ALL: [Play; 3] = [Play::Head(1), Play::Rest(1), Play::Finish(1)];

#[test]
fn a_call_has_one_message_each_way() {
    let mut answer = turn(GrpcAfter::End, &["world"], status(0, ""));
    answer.initial_metadata = Some(fields(&[("x-a", "1"), ("x-b", "2")]));
    let steps = vec![begin(Some(("hello", 1000)))];
    let read = vec![call(
        "proxy_get_buffer_bytes",
        vec![n(5), n(0), n(100), ArgValue::Out],
    )];
    let handlers = vec![on(HEADERS, steps), on(RECEIVE, read)];
    let attempt = play(&job("0.2.1", handlers, with(vec![answer], ALL.to_vec())));
    assert_eq!(
        told(&attempt),
        [
            "grpc_receive_initial_metadata #1 2",
            "grpc_receive #1 5",
            "grpc_receive_trailing_metadata #1 1",
            "grpc_close #1 0",
        ]
    );
    assert_eq!(
        super::kit::status(&attempt, "proxy_get_buffer_bytes", 0),
        "OK"
    );
    let saw = saw(&attempt);
    assert_eq!(
        (saw.service.as_str(), saw.method.as_str()),
        ("pkg.Test", "Do")
    );
    assert_eq!(saw.messages, [Blob::new(b"hello")]);
    assert_eq!((saw.ended, saw.cancelled), (true, false));
}

#[test]
fn turns_wait_for_messages_for_the_end_and_for_the_exchange() {
    let turns = vec![
        turn(GrpcAfter::Messages(2), &["a"], None),
        turn(GrpcAfter::Go, &["bb"], None),
        turn(GrpcAfter::End, &["ccc"], status(3, "enough")),
    ];
    let first = vec![begin(None), send("one", false), PAUSE];
    let second = vec![send("two", false)];
    let handlers = vec![
        on(HEADERS, first),
        on("proxy_on_request_body", second),
        on("proxy_on_log", vec![send("three", true)]),
    ];
    let mut exchange = exchange("POST", &["x"], &[]);
    exchange.grpc.insert("grpc_a".to_owned(), vec![turns]);
    let wait = |times| Play::Wait {
        callback: RECEIVE.to_owned(),
        times,
        within: std::time::Duration::from_millis(50),
    };
    let go = || Play::Go("grpc_a".to_owned());
    exchange.play = vec![Play::Head(1), wait(1)];
    let none = play(&job("0.2.1", handlers.clone(), exchange.clone()));
    assert_eq!(told(&none), [] as [&str; 0]);
    exchange.play.extend([Play::Chunk(1), wait(2)]);
    let one = play(&job("0.2.1", handlers.clone(), exchange.clone()));
    assert_eq!(
        told(&one),
        ["grpc_receive_initial_metadata #1 0", "grpc_receive #1 1"]
    );
    exchange.play.extend([go(), wait(2)]);
    let two = play(&job("0.2.1", handlers.clone(), exchange.clone()));
    assert_eq!(told(&two)[2..], ["grpc_receive #1 2"]);
    exchange.play.extend([Play::Abort(1), wait(3)]);
    let three = play(&job("0.2.1", handlers, exchange));
    assert_eq!(
        told(&three)[3..],
        [
            "grpc_receive #1 3",
            "grpc_receive_trailing_metadata #1 1",
            "grpc_close #1 3"
        ]
    );
    assert_eq!(saw(&three).messages.len(), 3);
}

#[test]
fn a_call_that_is_late_is_closed_and_cut_off() {
    let steps = vec![begin(Some(("hello", 50))), PAUSE];
    let exchange = with(Vec::new(), vec![Play::Head(1), Play::Finish(1)]);
    let attempt = play(&job("0.2.1", vec![on(HEADERS, steps)], exchange));
    assert_eq!(told(&attempt), ["grpc_close #1 4"]);
    assert!(saw(&attempt).cancelled);
}

#[test]
fn a_stream_ends_by_reset_close_or_nobody() {
    for (end, code) in [(GrpcEnd::Reset, 13), (GrpcEnd::Close, 14)] {
        let turns = vec![turn(GrpcAfter::Open, &["x"], Some(end))];
        let exchange = with(turns, ALL.to_vec());
        let attempt = play(&job(
            "0.2.1",
            vec![on(HEADERS, vec![begin(None)])],
            exchange,
        ));
        assert_eq!(
            told(&attempt).last(),
            Some(&format!("grpc_close #1 {code}"))
        );
        assert!(!saw(&attempt).cancelled);
    }
    let mut exchange = get();
    exchange.upstreams.insert("grpc_a".to_owned(), Vec::new());
    let attempt = play(&job(
        "0.2.1",
        vec![on(HEADERS, vec![begin(None)])],
        exchange,
    ));
    assert_eq!(told(&attempt), ["grpc_close #1 14"]);
    assert_eq!(attempt.seen.grpc, []);
}

#[test]
fn what_the_plugin_ends_is_not_told_and_its_id_is_gone() {
    let late = || turn(GrpcAfter::Go, &["late"], status(0, ""));
    for (hostcall, ended, cancelled) in [
        ("proxy_grpc_close", true, false),
        ("proxy_grpc_cancel", false, true),
    ] {
        let end = || call(hostcall, vec![id()]);
        let steps = vec![begin(None), end(), end(), send("more", false)];
        let play_all = [
            Play::Head(1),
            Play::Go("grpc_a".to_owned()),
            Play::Finish(1),
        ];
        let exchange = with(vec![late()], play_all.to_vec());
        let attempt = play(&job("0.2.1", vec![on(HEADERS, steps)], exchange));
        assert_eq!(told(&attempt), [] as [&str; 0]);
        assert_eq!(super::kit::status(&attempt, hostcall, 0), "OK");
        assert_eq!(super::kit::status(&attempt, hostcall, 1), "NOT_FOUND");
        assert_eq!(
            super::kit::status(&attempt, "proxy_grpc_send", 0),
            "NOT_FOUND"
        );
        assert_eq!(
            (saw(&attempt).ended, saw(&attempt).cancelled),
            (ended, cancelled)
        );
    }
}

#[test]
fn no_message_goes_where_none_can_go() {
    let call_id = vec![begin(Some(("hello", 1000))), send("more", false)];
    let ended = vec![begin(None), send("last", true), send("more", false)];
    for (steps, nth) in [(call_id, 0), (ended, 1)] {
        let exchange = with(Vec::new(), ALL.to_vec());
        let attempt = play(&job("0.2.1", vec![on(HEADERS, steps)], exchange));
        let status = super::kit::status(&attempt, "proxy_grpc_send", nth);
        assert_eq!(status, "BAD_ARGUMENT");
        assert_eq!(saw(&attempt).messages.len(), 1);
    }
}

#[test]
fn status_and_message_can_be_asked_for_at_the_end() {
    let turns = vec![turn(GrpcAfter::Open, &[], status(7, "no"))];
    let ask = || Step {
        when: None,
        act: call("proxy_get_status", vec![ArgValue::Out, ArgValue::Out]),
    };
    let mut close = on("proxy_on_grpc_close", Vec::new());
    close.steps = vec![ask()];
    let handlers = vec![on(HEADERS, vec![begin(None)]), close];
    let attempt = play(&job("0.1.0", handlers, with(turns, ALL.to_vec())));
    let number = out(&attempt, "proxy_get_status", 0, "status_code");
    assert_eq!(*number, crate::trace::Value::Number(7));
    let text = out(&attempt, "proxy_get_status", 0, "status_message");
    assert_eq!(*text, crate::trace::Value::Bytes(Blob::new(b"no")));
    let told = told(&attempt);
    assert_eq!(
        told,
        ["grpc_receive_trailing_metadata #1 1", "grpc_close #1 7"]
    );
}
