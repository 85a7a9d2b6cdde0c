//! What the harness plays as client and upstream.

use std::time::Duration;

use pwspec::abi::encode_pairs;
use pwspec::case::{Answer, AnswerKind, ArgValue, Exchange, Play, Stream};
use pwspec::host::Driver;
use pwspec::trace::{End, Message};

use crate::envoy::{callbacks, envoy, play, response, show};
use crate::kit::{abi, call, get, job, number, on, text_arg, whole};

/// A POST with these pieces and trailers.
fn post(pieces: &[&str], trailers: &[(&str, &str)]) -> Stream {
    let mut stream = get("/post");
    stream.request.method = "POST".to_owned();
    stream.request.body = pieces.iter().map(|p| p.as_bytes().to_vec()).collect();
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
    stream.answer.body = vec![b"12".to_vec(), b"345".to_vec()];
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
        body: vec![b"from a".to_vec()],
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
