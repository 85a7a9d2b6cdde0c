//! Jobs that between them use everything that the host does: each planted fault must show in one.

use crate::abi::{Type, encode_pairs};
use crate::case::{Act, Answer, AnswerKind, ArgValue, Call, OUT_OF_BOUNDS, Operand, Play, Select};
use crate::host::Job;
use crate::host::reference::tests::aside;
use crate::host::reference::tests::grpc;
use crate::host::reference::tests::kit::*;
use crate::host::reference::tests::later::{lives, stores, timers, wait};
use crate::host::reference::tests::narrow;
use crate::host::reference::tests::odd;
use crate::host::reference::tests::tcp;

pub(super) const OUT: ArgValue = ArgValue::Out;

pub(super) fn saved(name: &str, args: Vec<ArgValue>, out: u32, slot: u32) -> Act {
    Act::Call(Call {
        hostcall: name.to_owned(),
        args,
        saves: vec![(out, slot)],
        repeat: 1,
    })
}

pub(super) fn slot(n: u32) -> ArgValue {
    ArgValue::Word(Operand::Saved(n))
}

pub(super) fn stream_context(n: u32) -> ArgValue {
    ArgValue::Word(Operand::StreamContext(n))
}

pub(super) fn pairs(of: &[(&str, &str)]) -> ArgValue {
    ArgValue::Data(encode_pairs(&fields(of)))
}

/// Arguments that are right, with one parameter's pointer or number made wrong.
pub(super) fn spoiled(version: &str, hostcall: &str, at: usize) -> Option<Act> {
    let abi = abi(version);
    let of = abi.hostcall(hostcall)?;
    let far = Operand::Const(OUT_OF_BOUNDS);
    let arg = |(index, ty): (usize, &Type)| {
        let wrong = index == at;
        Some(match ty {
            Type::Enum(_) if wrong => n(99),
            Type::Bytes | Type::Pairs | Type::Iovec | Type::Fill if wrong => ArgValue::Pointer {
                ptr: far,
                len: Operand::Const(4),
            },
            ty if ty.is_out() && wrong => ArgValue::OutAt(vec![Some(far); ty.words().len()]),
            _ if wrong => return None,
            Type::Enum(name) if name == "wasi_fd_id_t" => n(1),
            Type::Bytes => b(b"main"),
            Type::Pairs => pairs(&[(":method", "GET"), (":path", "/"), (":authority", "a")]),
            Type::Iovec => ArgValue::Iovec(vec![b"v".to_vec()]),
            Type::Fill => ArgValue::Buffer(8),
            ty if ty.is_out() => OUT,
            _ => n(0),
        })
    };
    let args: Option<Vec<ArgValue>> = of
        .params
        .iter()
        .map(|p| &p.ty)
        .enumerate()
        .map(arg)
        .collect();
    Some(call(hostcall, args?))
}

/// Every pointer and every enum number of every hostcall made wrong, one after the other.
pub(super) fn all_wrong(version: &str) -> Job {
    let abi = abi(version);
    let mut acts = Vec::new();
    for hostcall in &abi.hostcalls {
        if hostcall.name == "proxy_log" {
            acts.extend(spoiled(version, "proxy_log", 0));
            acts.extend(spoiled(version, "proxy_log", 1));
            continue;
        }
        let of = 0..hostcall.params.len();
        acts.extend(of.filter_map(|at| spoiled(version, &hostcall.name, at)));
    }
    acts.push(call("proxy_close_stream", vec![n(99)]));
    if version == "0.1.0" {
        acts.pop();
    }
    // One callback takes only so many lines.
    let mut handlers = Vec::new();
    let places = [
        "proxy_on_request_body",
        "proxy_on_request_headers",
        "proxy_on_response_headers",
    ];
    let size = acts.len().div_ceil(places.len());
    let mut rest = acts.into_iter();
    for place in places {
        handlers.push(on(place, rest.by_ref().take(size).collect()));
    }
    job(version, handlers, exchange("POST", &["ab"], &[]))
}

/// Ids that nobody gave out, keys and names that are not there.
pub(super) fn unknown() -> Job {
    let acts = vec![
        call("proxy_set_effective_context", vec![n(900)]),
        call("proxy_done", vec![]),
        call(
            "proxy_get_header_map_value",
            vec![n(0), b(b"x-absent"), OUT],
        ),
        call("proxy_get_shared_data", vec![b(b"absent"), OUT, OUT]),
        call(
            "proxy_resolve_shared_queue",
            vec![b(b"vm"), b(b"absent"), OUT],
        ),
        call("proxy_enqueue_shared_queue", vec![n(900), b(b"v")]),
        call("proxy_dequeue_shared_queue", vec![n(900), OUT]),
        call("proxy_record_metric", vec![n(900), n(1)]),
        call("proxy_increment_metric", vec![n(900), n(1)]),
        call("proxy_get_metric", vec![n(900), OUT]),
        call(
            "proxy_call_foreign_function",
            vec![b(b"absent"), b(b""), OUT],
        ),
        call("proxy_get_buffer_bytes", vec![n(1), n(0), n(9), OUT]),
        call("proxy_get_buffer_status", vec![n(1), OUT, OUT]),
        call("proxy_set_buffer_bytes", vec![n(1), n(0), n(0), b(b"v")]),
        call(
            "proxy_http_call",
            vec![b(b"no"), head(), b(b""), b(b""), n(9), OUT],
        ),
        call(
            "proxy_http_call",
            vec![
                b(b"main"),
                pairs(&[(":method", "GET")]),
                b(b""),
                b(b""),
                n(9),
                OUT,
            ],
        ),
        call(
            "proxy_grpc_call",
            vec![b(b"no"), b(b"s"), b(b"m"), b(b""), b(b""), n(9), OUT],
        ),
        call(
            "proxy_grpc_stream",
            vec![b(b"no"), b(b"s"), b(b"m"), b(b""), OUT],
        ),
        call(
            "fd_write",
            vec![n(9), ArgValue::Iovec(vec![b"v".to_vec()]), OUT],
        ),
        call("proxy_log", vec![n(77), b(b"v")]),
    ];
    job("0.2.1", vec![on("proxy_on_request_headers", acts)], get())
}

pub(super) fn head() -> ArgValue {
    pairs(&[
        (":method", "GET"),
        (":path", "/"),
        (":authority", "a"),
        ("x-a", "1"),
    ])
}

/// Logging, clocks, randomness, environment.
pub(super) fn outputs() -> Job {
    let two = ArgValue::Iovec(vec![b"one".to_vec(), b"two".to_vec()]);
    let twice = |name: &str, args: Vec<ArgValue>| [call(name, args.clone()), call(name, args)];
    let mut acts = vec![
        call("proxy_log", vec![n(3), b(b"at warn")]),
        call("proxy_log", vec![n(4), b(b"at error")]),
        call("proxy_log", vec![n(2), b(b"100 %s of it")]),
        call("fd_write", vec![n(1), two.clone(), OUT]),
        call("fd_write", vec![n(2), two, OUT]),
        call("proxy_get_log_level", vec![OUT]),
        call("proxy_get_current_time_nanoseconds", vec![OUT]),
        call("clock_time_get", vec![n(0), n(0), OUT]),
        call("environ_sizes_get", vec![OUT, OUT]),
        call("args_sizes_get", vec![OUT, OUT]),
    ];
    acts.extend(twice("clock_time_get", vec![n(1), n(0), OUT]));
    acts.extend(twice("random_get", vec![ArgValue::Buffer(16)]));
    job("0.2.1", vec![on("proxy_on_request_headers", acts)], get())
}

/// Maps: changes that are forwarded and read back.
pub(super) fn maps() -> Job {
    let value = |key: &[u8]| call("proxy_get_header_map_value", vec![n(0), b(key), OUT]);
    let request = vec![
        value(b"x-here"),
        call("proxy_get_header_map_size", vec![n(0), OUT]),
        call(
            "proxy_add_header_map_value",
            vec![n(0), b(b"x-here"), b(b"second")],
        ),
        call("proxy_get_header_map_pairs", vec![n(0), OUT]),
        call(
            "proxy_replace_header_map_value",
            vec![n(0), b(b"x-new"), b(b"n")],
        ),
        call("proxy_remove_header_map_value", vec![n(0), b(b"x-absent")]),
        call("proxy_remove_header_map_value", vec![n(0), b(b"x-here")]),
        value(b"x-here"),
    ];
    let response = vec![call(
        "proxy_replace_header_map_value",
        vec![n(2), b(b"x-up"), b(b"r")],
    )];
    let handlers = vec![
        on("proxy_on_request_headers", request),
        on("proxy_on_response_headers", response),
    ];
    job("0.2.1", handlers, get())
}

/// One change and its reading back, by itself.
pub(super) fn change(act: Act) -> Job {
    let acts = vec![act, call("proxy_get_header_map_pairs", vec![n(0), OUT])];
    job("0.2.1", vec![on("proxy_on_request_headers", acts)], get())
}

/// Buffers: each way of reading and setting one.
pub(super) fn buffers() -> Job {
    let set = |start: u64, size: u64, v: &[u8]| {
        call(
            "proxy_set_buffer_bytes",
            vec![n(0), n(start), n(size), b(v)],
        )
    };
    let acts = vec![
        call("proxy_get_buffer_status", vec![n(0), OUT, OUT]),
        call("proxy_get_buffer_bytes", vec![n(0), n(1), n(2), OUT]),
        call("proxy_get_buffer_bytes", vec![n(0), n(0), n(99), OUT]),
        call(
            "proxy_get_buffer_bytes",
            vec![n(0), n(2), n(u64::from(u32::MAX)), OUT],
        ),
        set(0, 6, b"whole."),
        set(0, 0, b"<"),
        set(7, 0, b">"),
        set(99, 0, b"+"),
        set(u64::from(u32::MAX), 0, b"m"),
        set(3, 0, b"in"),
        set(3, 2, b"re"),
        set(0, 1, b"f"),
        call("proxy_get_buffer_bytes", vec![n(0), n(0), n(99), OUT]),
    ];
    let emptied = vec![set(0, 99, b"")];
    let handlers = vec![
        on_when("proxy_on_request_body", nth(1), acts),
        on_when("proxy_on_request_body", nth(2), emptied),
    ];
    let mut one = exchange("POST", &["abcdef", "ghi"], &[]);
    one.play.insert(1, Play::Chunk(1));
    job("0.2.1", handlers, one)
}

pub(super) fn nth(n: u32) -> Select {
    Select {
        nth: Some(n),
        ..Select::default()
    }
}

/// Pauses both ways; other callbacks read and write what is held; all goes on by ticks.
pub(super) fn pauses(part: &str, direction: &str) -> Job {
    let (map, buffer, body, way) = match direction {
        "request" => (0, 0, b"body", 0),
        _ => (2, 1, b"answ", 1),
    };
    let map = map + u64::from(part == "trailers");
    let acts = vec![
        call("proxy_set_effective_context", vec![stream_context(1)]),
        call("proxy_get_header_map_pairs", vec![n(map), OUT]),
        call(
            "proxy_add_header_map_value",
            vec![n(map), b(b"x-tick"), b(b"t")],
        ),
        call("proxy_get_buffer_bytes", vec![n(buffer), n(0), n(99), OUT]),
        call(
            "proxy_set_buffer_bytes",
            vec![n(buffer), n(0), n(0), b(body)],
        ),
        call("proxy_continue_stream", vec![n(way)]),
        call("proxy_set_tick_period_milliseconds", vec![n(0)]),
    ];
    let period = call("proxy_set_tick_period_milliseconds", vec![n(50)]);
    let handlers = vec![
        on("proxy_on_tick", acts),
        on(&format!("proxy_on_{direction}_{part}"), vec![period, PAUSE]),
    ];
    let mut one = exchange("POST", &["ab", "cd"], &[("x-t", "1")]);
    if part == "body" {
        // Trailers that are let through would take the body with them.
        one.streams[0].request.trailers.clear();
    } else {
        one.streams[0].answer.trailers = fields(&[("x-rt", "1")]);
    }
    job("0.2.1", handlers, one)
}

/// Local responses from each callback that can send one, and trailers added at the end of bodies.
pub(super) fn local(callback: &str) -> Job {
    let act = call(
        "proxy_send_local_response",
        vec![n(418), b(b"d"), b(b"own"), pairs(&[("x-own", "o")]), n(0)],
    );
    let one = exchange("POST", &["ab"], &[("x-t", "1")]);
    job("0.2.1", vec![on(callback, vec![act])], one)
}

pub(super) fn added_trailers() -> Job {
    let last = Select {
        end_of_stream: Some(true),
        ..Select::default()
    };
    let add = |map| {
        vec![call(
            "proxy_add_header_map_value",
            vec![n(map), b(b"x-t"), b(b"1")],
        )]
    };
    let handlers = vec![
        on_when("proxy_on_request_body", last.clone(), add(1)),
        on_when("proxy_on_response_body", last, add(3)),
    ];
    job("0.2.1", handlers, exchange("POST", &["ab"], &[]))
}

pub(super) fn close(direction: u64, callback: &str) -> Job {
    let act = call("proxy_close_stream", vec![n(direction)]);
    job("0.2.1", vec![on(callback, vec![act])], get())
}

/// Maps and bodies in `proxy_on_log`.
pub(super) fn log() -> Job {
    let read = |map| call("proxy_get_header_map_pairs", vec![n(map), OUT]);
    let mut one = exchange("POST", &["ab"], &[("x-t", "1")]);
    one.streams[0].answer.trailers = fields(&[("x-rt", "1")]);
    job(
        "0.2.1",
        vec![on("proxy_on_log", (0..4).map(read).collect())],
        one,
    )
}

/// Calls to upstreams: answered, closed, never answered.
pub(super) fn calls() -> Job {
    let to = |name: &[u8]| {
        let trailers = pairs(&[("x-ct", "1")]);
        call(
            "proxy_http_call",
            vec![b(name), head(), b(b"asked"), trailers, n(30), OUT],
        )
    };
    let answer = vec![
        call("proxy_get_header_map_pairs", vec![n(6), OUT]),
        call("proxy_get_header_map_pairs", vec![n(7), OUT]),
        call("proxy_get_buffer_bytes", vec![n(4), n(0), n(99), OUT]),
        call("proxy_get_status", vec![OUT, OUT]),
    ];
    let handlers = vec![
        on(
            "proxy_on_request_headers",
            vec![to(b"a"), to(b"closes"), to(b"hangs")],
        ),
        on("proxy_on_http_call_response", answer),
    ];
    let mut one = get();
    let kind = |kind| {
        vec![Answer {
            kind,
            ..Answer::default()
        }]
    };
    let answer = Answer {
        headers: fields(&[("x-answer", "1")]),
        body: vec![b"answered"[..].into()],
        trailers: fields(&[("x-at", "1")]),
        ..Answer::default()
    };
    one.upstreams.insert("a".to_owned(), vec![answer]);
    one.upstreams
        .insert("closes".to_owned(), kind(AnswerKind::Close));
    one.upstreams
        .insert("hangs".to_owned(), kind(AnswerKind::Hang));
    one.play.push(wait("proxy_on_http_call_response", 9, 100));
    job("0.2.1", handlers, one)
}

/// All of them.
pub(super) fn all() -> Vec<Job> {
    let mut all = vec![
        all_wrong("0.2.1"),
        all_wrong("0.1.0"),
        unknown(),
        outputs(),
        maps(),
        change(call("proxy_set_header_map_pairs", vec![n(0), head()])),
        change(call(
            "proxy_add_header_map_value",
            vec![n(0), b(b"x-n"), b(b"1")],
        )),
        change(call(
            "proxy_replace_header_map_value",
            vec![n(0), b(b"x-here"), b(b"r")],
        )),
        change(call(
            "proxy_remove_header_map_value",
            vec![n(0), b(b"x-here")],
        )),
        buffers(),
        added_trailers(),
        close(0, "proxy_on_request_headers"),
        close(1, "proxy_on_response_headers"),
        log(),
        calls(),
    ];
    for direction in ["request", "response"] {
        for part in ["headers", "body", "trailers"] {
            all.push(pauses(part, direction));
            if (direction, part) != ("response", "body")
                && (direction, part) != ("response", "trailers")
            {
                all.push(local(&format!("proxy_on_{direction}_{part}")));
            }
        }
    }
    all.extend(stores());
    all.extend(timers());
    all.extend(lives());
    all.extend(narrow::all());
    all.extend(odd::all());
    all.extend(aside::all());
    all.extend(grpc::scenes());
    all.extend(tcp::scenes());
    all
}
