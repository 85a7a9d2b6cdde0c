//! What the harness plays as client and upstream.

use std::time::Duration;

use pwspec::abi::encode_pairs;
use pwspec::case::{Act, Answer, AnswerKind, ArgValue, Exchange, Operand, Play, Stream};
use pwspec::host::Driver;
use pwspec::trace::{End, Load, Message};

use crate::envoy::{callbacks, envoy, play, response, show};
use crate::kit::{abi, call, get, job, number, on, text_arg, whole};

/// A POST with these pieces and trailers.
fn post(pieces: &[&str], trailers: &[(&str, &str)]) -> Stream {
    let mut stream = get("/post");
    stream.request.method = "POST".to_owned();
    stream.request.body = pieces.iter().map(|p| p.as_bytes().into()).collect();
    stream.request.trailers = pairs(trailers);
    stream
}

fn pairs(all: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    all.iter()
        .map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
        .collect()
}

#[test]
fn bodies_go_piece_by_piece_with_trailers_both_ways() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let mut stream = post(&["abc", "defg", "hijkl"], &[("x-end", "1")]);
    stream.answer.status = 201;
    stream.answer.headers = pairs(&[("x-up", "1"), ("x-up", "2")]);
    stream.answer.body = vec![b"12"[..].into(), b"345"[..].into()];
    stream.answer.trailers = pairs(&[("x-fin", "yes")]);
    let exchange = Exchange {
        streams: vec![stream],
        play: vec![
            Play::Head(1),
            Play::Chunk(1),
            Play::Chunk(1),
            Play::Rest(1),
            Play::Finish(1),
        ],
        ..Exchange::default()
    };
    let mut jobs = vec![job(0, &abi, vec![], exchange)];
    jobs.push(job(1, &abi, vec![], whole(vec![post(&["abc"], &[])])));
    let all = play(&mut driver, jobs);
    driver.close().unwrap();
    show(&all[&0]);
    println!("{:?}", callbacks(&all[&0]));
    println!("{:?}", callbacks(&all[&1]));
    let upstream = &all[&0].seen.upstream[0].request;
    assert!(upstream.complete);
    assert!(upstream.body.is(b"abcdefghijkl"));
    assert_eq!(upstream.trailers.len(), 1);
    let client = response(&all[&0], 1);
    assert_eq!(client.status, Some(201));
    assert!(client.complete && client.body.is(b"12345"));
    assert_eq!(client.trailers.len(), 1);
    assert_eq!(Message::values(&client.headers, "x-up").len(), 2);
    let seen = callbacks(&all[&0]);
    for piece in [
        "request_body 2 3 0",
        "request_body 2 4 0",
        "request_body 2 5 0",
        "request_trailers 2 1",
        "response_body 2 2 0",
        "response_body 2 3 0",
        "response_trailers 2 1",
    ] {
        assert!(seen.iter().any(|c| c == piece), "{piece}");
    }
}

#[test]
fn several_streams_get_their_own_answers() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let streams: Vec<Stream> = (1..=3)
        .map(|n| {
            let mut stream = get("/same");
            stream.answer.status = 200 + n;
            stream
        })
        .collect();
    let play_all = [
        Play::Head(1),
        Play::Head(2),
        Play::Head(3),
        Play::Finish(3),
        Play::Finish(1),
        Play::Finish(2),
    ];
    let exchange = Exchange {
        streams,
        play: play_all.to_vec(),
        ..Exchange::default()
    };
    let all = play(&mut driver, vec![job(0, &abi, vec![], exchange)]);
    driver.close().unwrap();
    println!("{:?}", callbacks(&all[&0]));
    for n in 1..=3 {
        assert_eq!(response(&all[&0], n).status, Some(200 + n as u16));
    }
    for saw in &all[&0].seen.upstream {
        assert!(Message::values(&saw.request.headers, "x-pwspec-stream").is_empty());
    }
    let streams = all[&0].trace.instances.iter().map(|i| i.contexts().1.len());
    assert_eq!(streams.max(), Some(3));
}

#[test]
fn clients_abort_and_upstreams_hang_or_close() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let mut hang = get("/hang");
    hang.answer.kind = AnswerKind::Hang;
    let mut close = get("/close");
    close.answer.kind = AnswerKind::Close;
    let abort = Exchange {
        streams: vec![hang.clone()],
        play: vec![Play::Head(1), Play::Abort(1)],
        ..Exchange::default()
    };
    let mut jobs = vec![
        job(0, &abi, vec![], abort),
        job(1, &abi, vec![], whole(vec![close])),
        job(2, &abi, vec![], whole(vec![hang])),
    ];
    jobs[2].deadline = Duration::from_millis(400);
    let all = play(&mut driver, jobs);
    driver.close().unwrap();
    for n in 0..3 {
        println!(
            "{n} {:?} {:?} {:?}",
            callbacks(&all[&n]),
            all[&n].end,
            all[&n].seen.client
        );
    }
    assert_eq!(callbacks(&all[&0]).last().unwrap(), "delete 2");
    assert_eq!(
        all[&0].seen.client[0].trouble.as_deref(),
        Some("aborted by the client")
    );
    assert_eq!(response(&all[&1], 1).status, Some(503));
    assert!(matches!(&all[&2].end, End::Timeout(_)));
    assert_eq!(callbacks(&all[&2]).last().unwrap(), "delete 2");
}

#[test]
fn callouts_reach_named_upstreams() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let callout = |upstream: &str| {
        call(
            "proxy_http_call",
            vec![
                text_arg(upstream),
                ArgValue::Data(encode_pairs(&pairs(&[
                    (":method", "GET"),
                    (":path", "/out"),
                    (":authority", "a"),
                ]))),
                text_arg(""),
                ArgValue::Data(encode_pairs(&[])),
                number(1000),
                ArgValue::Out,
            ],
        )
    };
    let handlers = vec![on(
        "proxy_on_request_headers",
        vec![callout("a"), callout("nowhere"), callout("unknown")],
    )];
    let mut exchange = whole(vec![get("/")]);
    let answer = Answer {
        status: 203,
        body: vec![b"from a"[..].into()],
        ..Answer::default()
    };
    exchange.upstreams.insert("a".to_owned(), vec![answer]);
    let all = play(&mut driver, vec![job(0, &abi, handlers, exchange)]);
    driver.close().unwrap();
    println!("{:?} {:?}", callbacks(&all[&0]), all[&0].faults);
    let seen = &all[&0].seen.upstream;
    println!("{seen:?}");
    assert!(
        seen.iter()
            .any(|s| s.upstream == "a" && s.request.path.as_deref() == Some("/out"))
    );
    assert!(
        callbacks(&all[&0])
            .iter()
            .filter(|c| c.starts_with("http_call_response"))
            .count()
            == 2
    );
}

#[test]
fn a_plugin_is_taken_out_and_put_back_and_ticks_are_waited_for() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let exchange = |last: Play| {
        let mut exchange = whole(vec![get("/")]);
        exchange.play.push(last);
        exchange
    };
    let tick = vec![on(
        "proxy_on_configure",
        vec![call("proxy_set_tick_period_milliseconds", vec![number(10)])],
    )];
    let wait = Play::Wait {
        callback: "proxy_on_tick".to_owned(),
        times: 3,
        within: Duration::from_millis(500),
    };
    let jobs = vec![
        job(0, &abi, vec![], exchange(Play::Shutdown)),
        job(1, &abi, vec![], exchange(Play::Reload)),
        job(2, &abi, tick, exchange(wait)),
        job(3, &abi, vec![], whole(vec![get("/")])),
    ];
    let all = play(&mut driver, jobs);
    driver.close().unwrap();
    for n in 0..3 {
        println!("{n} {} µs", all[&n].micros);
        for instance in &all[&n].trace.instances {
            let names: Vec<_> = instance
                .callbacks()
                .iter()
                .map(|e| {
                    format!(
                        "{}{}",
                        e.name.trim_start_matches("proxy_on_"),
                        e.context().unwrap_or(9)
                    )
                })
                .collect();
            println!("  {} {names:?}", instance.label);
        }
        assert_eq!(all[&n].faults, []);
    }
    assert!(callbacks(&all[&0]).contains(&"done 1".to_owned()));
    assert_eq!(all[&1].trace.instances.len(), 6);
}

#[test]
fn several_plugins_and_vms_sit_on_one_listener() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let mut two = job(0, &abi, vec![], whole(vec![get("/")]));
    let other = job(0, &abi, vec![], whole(vec![])).vms.remove(0);
    two.vms.push(other);
    let mut shared = job(1, &abi, vec![], whole(vec![get("/")]));
    let mut second = shared.vms[0].plugins[0].clone();
    second.name = "second".to_owned();
    second.root_id = "second".to_owned();
    second.config = b"two\xff".to_vec();
    shared.vms[0].plugins.push(second);
    let all = play(&mut driver, vec![two, shared]);
    driver.close().unwrap();
    let streams = |n: usize, vm: u32| -> usize {
        let own = all[&n].trace.instances.iter().filter(|i| i.vm == vm);
        own.map(|i| i.contexts().1.len()).sum()
    };
    assert_eq!((streams(0, 0), streams(0, 1)), (1, 1));
    assert_eq!(streams(1, 0), 2);
    let seen = callbacks(&all[&1]);
    assert!(seen.contains(&"configure 1 0".to_owned()), "{seen:?}");
    assert!(seen.contains(&"configure 2 4".to_owned()), "{seen:?}");
    for attempt in all.values() {
        assert_eq!(attempt.faults, []);
        assert_eq!(response(attempt, 1).status, Some(200));
    }
}

#[test]
fn older_versions_are_played_with_their_own_parameters() {
    let Some(mut driver) = envoy() else { return };
    let versions = ["0.1.0", "0.2.0"];
    let jobs = versions.iter().enumerate();
    let jobs = jobs.map(|(n, v)| job(n, &abi(v), vec![], whole(vec![post(&["abc"], &[])])));
    let all = play(&mut driver, jobs.collect());
    driver.close().unwrap();
    for (n, attempt) in &all {
        println!("{} {:?}", versions[*n], callbacks(attempt));
        assert_eq!(attempt.load, Load::Loaded);
        assert_eq!(attempt.faults, []);
        assert_eq!(callbacks(attempt).last().unwrap(), "delete 2");
    }
    let head = |n: usize| {
        callbacks(&all[&n])
            .into_iter()
            .find(|c| c.starts_with("request_headers"))
    };
    assert_eq!(head(0).unwrap(), "request_headers 2 7");
    assert_eq!(head(1).unwrap(), "request_headers 2 7 0");
}

#[test]
fn a_large_paused_body_comes_whole() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let large = "x".repeat(3 << 20);
    let mut stream = post(&[&large], &[]);
    stream.answer.body = vec![vec![b'y'; 2 << 20].into()];
    let mut pause = on(
        "proxy_on_request_body",
        vec![Act::Return(Operand::Const(1))],
    );
    pause.select.end_of_stream = Some(false);
    let all = play(
        &mut driver,
        vec![job(0, &abi, vec![pause], whole(vec![stream]))],
    );
    driver.close().unwrap();
    let seen = callbacks(&all[&0]);
    println!(
        "{} body callbacks",
        seen.iter().filter(|c| c.contains("_body")).count()
    );
    assert!(all[&0].seen.upstream[0].request.body.is(large.as_bytes()));
    assert_eq!(response(&all[&0], 1).body.len(), 2 << 20);
    assert_eq!(all[&0].faults, []);
    assert_eq!(all[&0].end, End::Normal);
}

#[test]
fn large_fields_pass_both_ways() {
    let Some(mut driver) = envoy() else { return };
    let large = "v".repeat(300 << 10);
    let mut stream = get("/");
    stream.request.headers = pairs(&[("x-large", &large)]);
    stream.answer.headers = pairs(&[("x-large", &large)]);
    let all = play(
        &mut driver,
        vec![job(0, &abi("0.2.1"), vec![], whole(vec![stream]))],
    );
    driver.close().unwrap();
    let values = |m: &Message| Message::values(&m.headers, "x-large")[0].is(large.as_bytes());
    assert!(values(&all[&0].seen.upstream[0].request));
    assert!(values(response(&all[&0], 1)));
}
