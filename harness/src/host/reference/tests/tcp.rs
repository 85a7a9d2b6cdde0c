//! TCP streams: bytes both ways, pauses, closes; and jobs in which their faults show.

use crate::abi::PluginType;
use crate::case::{Act, ArgValue, Connection, Exchange, Exports, Handler, Operand, Peer, Play};
use crate::host::Job;
use crate::host::reference::tests::kit::*;
use crate::trace::{Attempt, Value};

const OUT: ArgValue = ArgValue::Out;
const DOWN: Peer = Peer::Downstream;
const UP: Peer = Peer::Upstream;
/// `proxy_buffer_type_t`, `proxy_stream_type_t`.
const DOWNSTREAM: u64 = 2;
const UPSTREAM: u64 = 3;

fn connection(downstream: &[&str], upstream: &[&str]) -> Connection {
    let chunks = |all: &[&str]| all.iter().map(|c| c.as_bytes().into()).collect();
    Connection {
        downstream: chunks(downstream),
        upstream: chunks(upstream),
        refused: false,
    }
}

fn tcp(handlers: Vec<Handler>, connections: Vec<Connection>, play: Vec<Play>) -> Job {
    let exchange = Exchange {
        connections,
        play,
        ..Exchange::default()
    };
    job_of(
        PluginType::Tcp,
        "0.2.1",
        handlers,
        Exports::default(),
        exchange,
    )
}

/// Opens stream 1, sends everything, ends both sides.
fn whole(down: usize, up: usize) -> Vec<Play> {
    let mut play = vec![Play::Open(1)];
    play.extend(vec![Play::Send(1, DOWN); down]);
    play.extend(vec![Play::Send(1, UP); up]);
    play.extend([Play::End(1, DOWN), Play::End(1, UP), Play::Finish(1)]);
    play
}

/// What came to the client and to the upstream, and whether the host was the first to end it.
fn wire(attempt: &Attempt) -> [(String, bool); 2] {
    let client = attempt.seen.client[0].response.as_ref().expect("a client");
    let upstream = &attempt.seen.upstream[0].request;
    [client, upstream].map(|m| {
        let bytes = m.body.whole().expect("short");
        (String::from_utf8_lossy(bytes).into_owned(), m.complete)
    })
}

fn saw(
    client: &str,
    client_closed: bool,
    upstream: &str,
    upstream_closed: bool,
) -> [(String, bool); 2] {
    [
        (client.to_owned(), client_closed),
        (upstream.to_owned(), upstream_closed),
    ]
}

fn at_stream() -> Vec<Act> {
    let stream = ArgValue::Word(Operand::StreamContext(1));
    vec![call("proxy_set_effective_context", vec![stream])]
}

/// Ticks every 50 ms from now on.
fn ticks() -> Vec<Act> {
    let plugin = ArgValue::Word(Operand::PluginContext(1));
    vec![
        call("proxy_set_effective_context", vec![plugin]),
        call("proxy_set_tick_period_milliseconds", vec![n(50)]),
    ]
}

fn tick(times: u32) -> Play {
    Play::Wait {
        callback: "proxy_on_tick".to_owned(),
        times,
        within: std::time::Duration::from_secs(1),
    }
}

fn with(mut acts: Vec<Act>, last: Act) -> Vec<Act> {
    acts.push(last);
    acts
}

/// Data of both directions is held back, and a tick does something with it.
fn held(act: Act) -> Job {
    held_then(vec![act])
}

fn held_then(acts: Vec<Act>) -> Job {
    let mut all = at_stream();
    all.extend(acts);
    let handlers = vec![
        on("proxy_on_downstream_data", with(ticks(), PAUSE)),
        on("proxy_on_upstream_data", vec![PAUSE]),
        on("proxy_on_tick", all),
    ];
    let play = vec![
        Play::Open(1),
        Play::Send(1, UP),
        Play::Send(1, UP),
        Play::Send(1, DOWN),
        Play::Send(1, DOWN),
        tick(2),
    ];
    tcp(handlers, vec![connection(&["ab", "c"], &["de", "f"])], play)
}

fn read(buffer: u64) -> Act {
    call("proxy_get_buffer_bytes", vec![n(buffer), n(0), n(99), OUT])
}

fn set(buffer: u64, size: u64, value: &str) -> Act {
    let value = b(value.as_bytes());
    call(
        "proxy_set_buffer_bytes",
        vec![n(buffer), n(0), n(size), value],
    )
}

fn of_each(act: impl Fn(u64) -> Vec<Act>) -> Vec<Handler> {
    vec![
        on("proxy_on_downstream_data", act(DOWNSTREAM)),
        on("proxy_on_upstream_data", act(UPSTREAM)),
    ]
}

/// Jobs in which each fault of TCP streams shows.
pub(super) fn scenes() -> Vec<Job> {
    let two = || vec![connection(&["ab", "c"], &["de", "f"])];
    let first = |acts: Vec<Act>, callback: &str| {
        let select = crate::case::Select {
            nth: Some(1),
            ..crate::case::Select::default()
        };
        on_when(callback, select, acts)
    };
    let mut all = vec![
        tcp(of_each(|buffer| vec![read(buffer)]), two(), whole(2, 2)),
        tcp(
            of_each(|buffer| vec![set(buffer, 9, "xy")]),
            two(),
            whole(1, 1),
        ),
        tcp(
            vec![
                first(vec![PAUSE], "proxy_on_downstream_data"),
                first(vec![PAUSE], "proxy_on_upstream_data"),
            ],
            two(),
            whole(2, 2),
        ),
        tcp(
            vec![on("proxy_on_new_connection", vec![PAUSE])],
            two(),
            whole(2, 0),
        ),
        tcp(vec![], two(), vec![Play::Open(1), Play::Send(1, UP)]),
        tcp(
            vec![],
            vec![connection(&["a"], &["b"]), connection(&["c"], &["d"])],
            vec![
                Play::Open(1),
                Play::Open(2),
                Play::Send(1, UP),
                Play::Close(1, DOWN),
                Play::Close(2, UP),
            ],
        ),
    ];
    for buffer in [DOWNSTREAM, UPSTREAM] {
        all.push(held(read(buffer)));
        let resume = call("proxy_continue_stream", vec![n(buffer)]);
        all.push(held_then(vec![set(buffer, 0, "new"), resume]));
        all.push(held(call("proxy_continue_stream", vec![n(buffer)])));
        all.push(held(call("proxy_close_stream", vec![n(buffer)])));
    }
    all
}

#[test]
fn bytes_pass_both_ways_and_both_connections_end() {
    let job = tcp(
        vec![],
        vec![connection(&["ab", "c"], &["de", "f"])],
        whole(2, 2),
    );
    let attempt = play(&job);
    assert_eq!(wire(&attempt), saw("def", true, "abc", true));
    let came = callbacks(&attempt);
    let of_stream: Vec<&str> = came.iter().skip(4).map(String::as_str).collect();
    assert_eq!(
        of_stream[..7],
        [
            "new_connection",
            "downstream_data 2 false",
            "downstream_data 1 false",
            "upstream_data 2 false",
            "upstream_data 1 false",
            "downstream_data 0 true",
            "upstream_data 0 true",
        ]
    );
    assert_eq!(of_stream[9..], ["done", "log", "delete"]);
}

#[test]
fn what_is_held_back_goes_on_whole_or_not_at_all() {
    assert_eq!(
        wire(&play(&held(read(DOWNSTREAM)))),
        saw("", false, "", false)
    );
    let resume = |stream: u64| play(&held(call("proxy_continue_stream", vec![n(stream)])));
    assert_eq!(wire(&resume(DOWNSTREAM)), saw("", false, "abc", false));
    assert_eq!(wire(&resume(UPSTREAM)), saw("def", false, "", false));
    let unasked = resume(0);
    assert_eq!(wire(&unasked), saw("", false, "", false));
    assert_eq!(
        status(&unasked, "proxy_continue_stream", 0),
        "UNIMPLEMENTED"
    );
}

#[test]
fn a_plugin_closes_either_connection_and_both_go() {
    for (stream, first, second) in [
        (DOWNSTREAM, "downstream", "upstream"),
        (UPSTREAM, "upstream", "downstream"),
    ] {
        let attempt = play(&held(call("proxy_close_stream", vec![n(stream)])));
        assert_eq!(wire(&attempt), saw("", true, "", true));
        let closes: Vec<String> = callbacks(&attempt)
            .into_iter()
            .filter(|c| c.contains("connection_close"))
            .collect();
        assert!(
            closes[0].starts_with(first) && closes[1].starts_with(second),
            "{closes:?}"
        );
        assert!(closes.iter().all(|c| c.contains("LOCAL")), "{closes:?}");
    }
}

#[test]
fn data_is_there_in_its_own_callback_and_while_it_is_paused() {
    let both = |own: u64, other: u64| vec![read(own), read(other)];
    let handlers = vec![
        on("proxy_on_new_connection", both(DOWNSTREAM, UPSTREAM)),
        on("proxy_on_downstream_data", both(DOWNSTREAM, UPSTREAM)),
    ];
    let attempt = play(&tcp(handlers, vec![connection(&["ab"], &[])], whole(1, 0)));
    let get = |nth| status(&attempt, "proxy_get_buffer_bytes", nth);
    let statuses: Vec<String> = (0..4).map(get).collect();
    assert_eq!(statuses, ["NOT_FOUND", "NOT_FOUND", "OK", "NOT_FOUND"]);
    let paused = play(&held(read(UPSTREAM)));
    let value = out(&paused, "proxy_get_buffer_bytes", 0, "value");
    assert!(
        matches!(value, Value::Bytes(bytes) if bytes.is(b"def")),
        "{value:?}"
    );
}

#[test]
fn a_paused_connection_reaches_no_upstream_until_it_is_continued() {
    let pause = with(ticks(), PAUSE);
    let wait = vec![
        Play::Open(1),
        Play::Send(1, DOWN),
        Play::Send(1, UP),
        tick(2),
    ];
    let handlers = |act: Vec<Act>| {
        vec![
            on("proxy_on_new_connection", pause.clone()),
            on("proxy_on_tick", act),
        ]
    };
    let talk = || vec![connection(&["ab"], &["cd"])];
    let kept = play(&tcp(handlers(vec![]), talk(), wait.clone()));
    assert!(kept.seen.upstream.is_empty());
    let resume = with(
        at_stream(),
        call("proxy_continue_stream", vec![n(DOWNSTREAM)]),
    );
    let went = play(&tcp(handlers(resume), talk(), wait.clone()));
    assert_eq!(wire(&went), saw("cd", false, "ab", false));
}

#[test]
fn a_connection_that_nobody_takes_upstream_is_closed() {
    let mut refused = connection(&["ab"], &[]);
    refused.refused = true;
    let play_ = vec![Play::Open(1), Play::Send(1, DOWN), Play::Ended(1, DOWN)];
    let attempt = play(&tcp(vec![], vec![refused], play_));
    assert!(attempt.seen.upstream.is_empty());
    let client = attempt.seen.client[0].response.as_ref().expect("a client");
    assert!(client.complete);
}

#[test]
fn http_is_not_there_on_a_tcp_stream() {
    let handlers = vec![on(
        "proxy_on_downstream_data",
        vec![
            call("proxy_get_header_map_value", vec![n(0), b(b"x"), OUT]),
            read(0),
            call(
                "proxy_send_local_response",
                vec![n(403), b(b""), b(b""), b(b""), n(0)],
            ),
        ],
    )];
    let attempt = play(&tcp(handlers, vec![connection(&["ab"], &[])], whole(1, 0)));
    assert_eq!(
        status(&attempt, "proxy_get_header_map_value", 0),
        "NOT_FOUND"
    );
    assert_eq!(status(&attempt, "proxy_get_buffer_bytes", 0), "NOT_FOUND");
    assert_eq!(
        status(&attempt, "proxy_send_local_response", 0),
        "BAD_ARGUMENT"
    );
    assert_eq!(wire(&attempt), saw("", true, "ab", true));
}

#[test]
fn a_service_lives_without_streams() {
    let handlers = vec![on("proxy_on_configure", ticks())];
    let exchange = Exchange {
        play: vec![tick(2), Play::Remove],
        ..Exchange::default()
    };
    let service = PluginType::Service;
    let attempt = play(&job_of(
        service,
        "0.2.1",
        handlers,
        Exports::default(),
        exchange,
    ));
    let came = callbacks(&attempt);
    assert_eq!(came[3..], ["tick", "tick", "done", "log", "delete"]);
}
