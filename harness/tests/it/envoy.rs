//! The network driver against a real Envoy. Without one these tests say so and pass: a test binary
//! has no better word for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pwspec::abi::encode_pairs;
use pwspec::case::{Act, Answer, AnswerKind, ArgValue, Exchange, Operand, Play, Stream};
use pwspec::host::network::{Network, Options};
use pwspec::host::{Driver, Job, Stop, find, how_to_get};
use pwspec::trace::{Attempt, Blame, Blob, End, Isolation, Load, Message, Value};

use crate::kit::{abi, call, get, job, log, number, on, profile, root, text_arg, whole};

/// A driver for the newest Envoy that is here.
fn envoy() -> Option<Network> {
    let profile = profile("envoy");
    let Some(found) = find(&profile, &root().join("target")).into_iter().next() else {
        let get = how_to_get(&profile).unwrap_or_default();
        eprintln!("SKIPPED: no Envoy here; to get one: {get}");
        return None;
    };
    let options = Options {
        version: Some(found.version),
        lanes: None,
    };
    Some(Network::new(profile, found.path, options).unwrap())
}

/// Plays jobs and leaves nothing behind.
fn play(driver: &mut Network, jobs: Vec<Job>) -> BTreeMap<usize, Attempt> {
    let all = Mutex::new(BTreeMap::new());
    let done = |index, attempt| {
        let twice = all.lock().unwrap().insert(index, attempt);
        assert!(twice.is_none(), "job {index} ended twice");
    };
    driver.play(jobs, &Stop::default(), &done).unwrap();
    all.into_inner().unwrap()
}

#[test]
fn a_guest_that_logs_is_loaded_played_and_heard() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let handlers = vec![on(
        "proxy_on_request_headers",
        vec![log("hello '\n' %s {}")],
    )];
    let jobs = vec![job(0, &abi, handlers, whole(vec![get("/")]))];
    let attempt = play(&mut driver, jobs).remove(&0).unwrap();
    driver.close().unwrap();
    show(&attempt);
    assert_eq!(attempt.load, Load::Loaded);
    assert_eq!(attempt.end, End::Normal);
    assert_eq!(attempt.faults, []);
    assert_eq!(attempt.trace.instances.len(), 3);
}

/// For whoever runs a test by itself with `--nocapture`.
fn show(attempt: &Attempt) {
    println!("{}", serde_json::to_string_pretty(&attempt.trace).unwrap());
    println!(
        "{:?} {:?} {:?} {} µs",
        attempt.load, attempt.end, attempt.faults, attempt.micros
    );
    println!("{:?}\n{:?}", attempt.seen, attempt.logs);
    for blob in [&attempt.host_log, &attempt.wire].into_iter().flatten() {
        println!(
            "{}",
            String::from_utf8_lossy(blob.whole().unwrap_or_default())
        );
    }
}

/// The callbacks of the instance that saw the stream.
fn callbacks(attempt: &Attempt) -> Vec<String> {
    let worker = attempt
        .trace
        .instances
        .iter()
        .find(|i| !i.contexts().1.is_empty());
    let events = worker.map(|i| i.callbacks()).unwrap_or_default();
    let words = events.iter().map(|e| {
        let args: Vec<String> = e
            .args
            .iter()
            .map(|f| match &f.value {
                Value::Number(n) | Value::Id(_, n) => n.to_string(),
                Value::Bool(b) => u8::from(*b).to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        format!(
            "{} {}",
            e.name.trim_start_matches("proxy_on_"),
            args.join(" ")
        )
    });
    words.collect()
}

fn response(attempt: &Attempt, stream: u32) -> &Message {
    let saw = attempt.seen.client.iter().find(|c| c.stream == stream);
    saw.and_then(|s| s.response.as_ref()).expect("a response")
}

#[test]
fn a_hundred_cases_in_one_process() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let jobs: Vec<Job> = (0..100)
        .map(|n| {
            let handlers = vec![on(
                "proxy_on_request_headers",
                vec![log(&format!("case {n}"))],
            )];
            job(n, &abi, handlers, whole(vec![get(&format!("/{n}"))]))
        })
        .collect();
    let began = Instant::now();
    let all = play(&mut driver, jobs);
    println!("100 cases: {:?}", began.elapsed());
    let began = Instant::now();
    driver.close().unwrap();
    println!("close: {:?}", began.elapsed());
    assert_eq!(all.len(), 100);
    for (n, attempt) in &all {
        assert_eq!(attempt.faults, [], "{n}");
        assert_eq!(attempt.load, Load::Loaded);
        assert_eq!(attempt.trace.instances.len(), 3, "{n}");
        assert_eq!(
            attempt.logs[0].text,
            Blob::new(format!("case {n}").as_bytes())
        );
        assert_eq!(
            attempt.seen.upstream[0].request.path.as_deref(),
            Some(&*format!("/{n}"))
        );
        assert_eq!(callbacks(attempt).last().unwrap(), "delete 2", "{n}");
    }
    let mut times: Vec<u64> = all.values().map(|a| a.micros).collect();
    times.sort_unstable();
    println!("median {} µs, most {} µs", times[50], times[99]);
}

#[test]
fn modules_that_a_host_does_not_take_cost_nobody_else() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let plain = || whole(vec![get("/")]);
    let mut jobs: Vec<Job> = (0..6).map(|n| job(n, &abi, vec![], plain())).collect();
    jobs[1].vms[0].wasm = Arc::new(b"not wasm".to_vec());
    let missing = wat_with_import();
    jobs[2].vms[0].wasm = Arc::new(missing);
    let no = vec![on(
        "proxy_on_vm_start",
        vec![Act::Return(Operand::Const(0))],
    )];
    jobs[3] = job(3, &abi, no, plain());
    let trap = vec![on("proxy_on_vm_start", vec![Act::Trap])];
    jobs[4] = job(4, &abi, trap, plain());
    let all = play(&mut driver, jobs);
    driver.close().unwrap();
    for n in [0, 5] {
        assert_eq!(all[&n].load, Load::Loaded, "{n}");
        assert_eq!(response(&all[&n], 1).status, Some(200));
    }
    for n in 1..5 {
        println!(
            "{n}: {:?} {:?} {:?}",
            all[&n].load, all[&n].end, all[&n].faults
        );
        println!(
            "{}",
            String::from_utf8_lossy(all[&n].host_log.as_ref().unwrap().whole().unwrap())
        );
    }
    assert!(
        matches!(&all[&1].load, Load::Refused { text } if text.display().contains("corrupted"))
    );
    assert!(matches!(&all[&2].load, Load::Unlinked { import, .. } if import == "proxy_nope"));
    assert!(matches!(&all[&3].load, Load::Refused { .. }));
    assert!(matches!(&all[&4].load, Load::Refused { .. }));
    assert!(matches!(&all[&4].end, End::Trap(_)));
    assert_eq!(callbacks(&all[&3]), [] as [&str; 0]);
    assert!(!all[&3].trace.instances.is_empty());
}

/// A module that imports what no host has.
fn wat_with_import() -> Vec<u8> {
    use wasm_encoder::*;
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import("env", "proxy_nope", EntityType::Function(0));
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("proxy_abi_version_0_2_1", ExportKind::Func, 1);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().end();
    code.function(&body);
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

#[test]
fn a_trap_is_told_in_the_hosts_words() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let trap = vec![on("proxy_on_request_headers", vec![Act::Trap])];
    let jobs = vec![
        job(0, &abi, trap, whole(vec![get("/")])),
        job(1, &abi, vec![], whole(vec![get("/")])),
    ];
    let all = play(&mut driver, jobs);
    driver.close().unwrap();
    println!("{:?}", all[&0].end);
    assert!(
        matches!(&all[&0].end, End::Trap(text) if text.display().contains("proxy_on_request_headers failed"))
    );
    assert_eq!(response(&all[&0], 1).status, Some(503));
    assert_eq!(all[&0].faults, []);
    assert_eq!(all[&1].end, End::Normal);
}

#[test]
fn a_guest_that_loops_costs_its_case_and_its_deadline() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let spin = |callback: &str| vec![on(callback, vec![Act::Spin])];
    let mut jobs: Vec<Job> = (0..10)
        .map(|n| job(n, &abi, vec![], whole(vec![get("/")])))
        .collect();
    jobs[3] = job(
        3,
        &abi,
        spin("proxy_on_request_headers"),
        whole(vec![get("/")]),
    );
    jobs[6] = job(6, &abi, spin("proxy_on_vm_start"), whole(vec![get("/")]));
    for n in [3, 6] {
        jobs[n].alone = true;
        jobs[n].deadline = Duration::from_secs(1);
    }
    let began = Instant::now();
    let all = play(&mut driver, jobs);
    println!("looping alone: {:?}", began.elapsed());
    driver.close().unwrap();
    assert_eq!(all.len(), 10);
    for (n, attempt) in &all {
        println!(
            "{n} {:?} {:?} {:?} {:?}",
            attempt.isolation, attempt.load, attempt.end, attempt.faults
        );
        if [3, 6].contains(n) {
            assert!(matches!(attempt.end, End::Timeout(_)));
        } else {
            assert_eq!(response(attempt, 1).status, Some(200));
        }
    }
}

#[test]
fn a_guest_that_loops_in_company_is_found_and_played_alone() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let spin = |callback: &str| vec![on(callback, vec![Act::Spin])];
    let mut jobs: Vec<Job> = (0..10)
        .map(|n| job(n, &abi, vec![], whole(vec![get("/")])))
        .collect();
    jobs[3] = job(
        3,
        &abi,
        spin("proxy_on_request_headers"),
        whole(vec![get("/")]),
    );
    jobs[6] = job(6, &abi, spin("proxy_on_vm_start"), whole(vec![get("/")]));
    for n in [3, 6] {
        jobs[n].deadline = Duration::from_secs(1);
    }
    let began = Instant::now();
    let all = play(&mut driver, jobs);
    println!("looping in company: {:?}", began.elapsed());
    driver.close().unwrap();
    assert_eq!(all.len(), 10);
    for (n, attempt) in &all {
        println!(
            "{n} {:?} {:?} {:?} {:?}",
            attempt.isolation, attempt.load, attempt.end, attempt.faults
        );
        if [3, 6].contains(n) {
            assert!(matches!(attempt.end, End::Timeout(_)));
            assert_eq!(attempt.isolation, Isolation::Alone);
        } else {
            assert_eq!(response(attempt, 1).status, Some(200));
            assert_eq!(attempt.faults, []);
        }
    }
}

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

#[test]
fn a_killed_host_costs_the_case_a_second_run() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let jobs: Vec<Job> = (0..20)
        .map(|n| job(n, &abi, vec![], whole(vec![get("/")])))
        .collect();
    let all = Mutex::new(BTreeMap::new());
    let first = Mutex::new(None);
    let done = |index: usize, attempt: Attempt| {
        if index == 4 {
            // The folder of the host that runs tells its process.
            let pid = children().into_iter().next().unwrap();
            *first.lock().unwrap() = Some(pid);
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
        all.lock().unwrap().insert(index, attempt);
    };
    driver.play(jobs, &Stop::default(), &done).unwrap();
    driver.close().unwrap();
    let all = all.into_inner().unwrap();
    assert_eq!(all.len(), 20);
    let hit: Vec<_> = all.iter().filter(|(_, a)| !a.faults.is_empty()).collect();
    for (n, attempt) in &hit {
        println!(
            "{n} {:?} {:?} {:?}",
            attempt.isolation, attempt.end, attempt.faults
        );
    }
    assert_eq!(hit.len(), 1);
    assert_eq!(hit[0].1.faults[0].blame, Blame::Environment);
    assert!(all.values().all(|a| a.end == End::Normal));
}

/// Hosts that this process has started.
fn children() -> Vec<i32> {
    let me = std::process::id();
    let mut out = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for pid in text.split_whitespace() {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.trim() == "envoy" {
                out.push(pid.parse().unwrap());
            }
        }
    }
    println!("{me}: {out:?}");
    out
}

#[test]
fn nothing_is_left_behind() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    play(
        &mut driver,
        vec![job(0, &abi, vec![], whole(vec![get("/")]))],
    );
    let pid = driver.processes()[0];
    let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
    assert!(cwd.is_dir());
    drop(driver);
    assert!(!cwd.exists());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}
