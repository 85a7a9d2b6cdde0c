//! The engine against a library made up here.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::abi::{Abi, PluginType};
use crate::case::{Answer as Answered, Connection, Exchange, Play, Request as Asked, Stream};
use crate::host::stdio::engine::{Abilities, Engine};
use crate::host::stdio::link::{Peer, Silence};
use crate::host::stdio::protocol::{
    Action, Answer, Ask, Bytes, Caused, Done, Effect, Event, Hello, Library, Line, PROTOCOL, Reply,
    State, StreamType,
};
use crate::host::{Job, PluginJob, VmJob};
use crate::trace::{Attempt, Blame, End, Load};

/// Answers as it was told and remembers what it was asked.
#[derive(Default)]
struct Fake {
    asked: Vec<String>,
    events: Vec<Event>,
    /// The trailers of the response with which it was called.
    trailers: Vec<(String, usize)>,
    load: Option<Answer>,
    /// Answers to this callback, one after the other; then it continues.
    answers: VecDeque<(&'static str, Result<Reply, Silence>)>,
}

fn reply(answer: Answer, effects: Vec<Effect>) -> Reply {
    let caused = |effect| Caused {
        vm: "vm 1.1".to_owned(),
        context: 7,
        effect,
    };
    Reply {
        id: 0,
        answer,
        logs: Vec::new(),
        effects: effects.into_iter().map(caused).collect(),
    }
}

fn acts(action: Action) -> Answer {
    Answer::Done(Done {
        action: Some(action),
        ..Done::default()
    })
}

impl Peer for Fake {
    fn ask(&mut self, ask: Ask, _: Instant) -> Result<Reply, Silence> {
        let (name, context) = match &ask {
            Ask::Hello(_) => ("hello", None),
            Ask::Load(_) => ("load", None),
            Ask::Start(_) => ("start", Some(1)),
            Ask::Open(_) => ("open", Some(7)),
            Ask::Call(call) => {
                self.events.push(call.event.clone());
                let told = &call.state.response_trailers;
                let told = told.iter().map(|t| (call.event.name().to_owned(), t.len()));
                self.trailers.extend(told);
                (call.event.name().trim_start_matches("proxy_on_"), None)
            }
            Ask::Finish(f) if f.context == 7 => ("finish stream", None),
            Ask::Finish(_) => ("finish plugin", None),
            Ask::Forget(_) => ("forget", None),
            Ask::Reset(_) => ("reset", None),
        };
        self.asked.push(name.to_owned());
        if let ("load", Some(load)) = (name, &self.load) {
            return Ok(reply(load.clone(), Vec::new()));
        }
        if self.answers.front().is_some_and(|(due, _)| *due == name) {
            return self.answers.pop_front().unwrap().1;
        }
        let done = Done {
            context,
            ..Done::default()
        };
        Ok(reply(Answer::Done(done), Vec::new()))
    }
}

pub(super) fn job() -> Job {
    let pairs = |all: &[(&str, &str)]| -> Vec<(Vec<u8>, Vec<u8>)> {
        let all = all.iter();
        all.map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
            .collect()
    };
    let stream = Stream {
        request: Asked {
            http2: false,
            method: "POST".to_owned(),
            path: "/here".to_owned(),
            authority: "pwspec.test".to_owned(),
            headers: pairs(&[("x-one", "1")]),
            body: vec![b"abc".as_slice().into(), b"de".as_slice().into()],
            trailers: pairs(&[("x-end", "1")]),
        },
        answer: Answered {
            status: 201,
            body: vec![b"xyz".as_slice().into()],
            ..Answered::default()
        },
    };
    Job {
        index: 0,
        case_id: "a/b/c".to_owned(),
        token: "abcdefgh".to_owned(),
        abi: Arc::new(abi()),
        vms: vec![VmJob {
            vm_id: "main".to_owned(),
            wasm: Arc::new(vec![0, 0x61, 0x73, 0x6d]),
            code_key: None,
            legend: None,
            config: Vec::new(),
            environment: Vec::new(),
            plugins: vec![PluginJob {
                name: "main".to_owned(),
                root_id: "main".to_owned(),
                config: Vec::new(),
            }],
        }],
        plugin_type: PluginType::Http,
        exchange: Exchange {
            streams: vec![stream],
            upstreams: [("a".to_owned(), vec![Answered::default()])].into(),
            play: vec![Play::Head(1), Play::Rest(1), Play::Finish(1)],
            ..Exchange::default()
        }
        .into(),
        deadline: Duration::from_secs(5),
        alone: false,
    }
}

fn abi() -> Abi {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/abi");
    let text = std::fs::read_to_string(dir.join("v0_2_1.yaml")).unwrap();
    let all = crate::abi::load(&[("abi/v0_2_1.yaml".to_owned(), text)]).unwrap();
    all.into_iter().next().unwrap()
}

fn play_job(fake: &mut Fake, job: &Job) -> (Attempt, bool) {
    let all = |event: &&str| format!("proxy_on_{event}");
    let callbacks = [
        "tick",
        "http_call_response",
        "queue_ready",
        "request_headers",
        "request_body",
        "request_trailers",
        "response_headers",
        "response_body",
        "new_connection",
        "downstream_data",
        "upstream_data",
        "downstream_connection_close",
        "upstream_connection_close",
    ];
    let hello = Hello {
        protocol: PROTOCOL,
        library: Library {
            name: "made-up".to_owned(),
            version: "1".to_owned(),
        },
        abi: vec!["0.2.1".to_owned()],
        callbacks: callbacks.iter().map(all).collect(),
        answers: Default::default(),
        lacks: Default::default(),
        unlinked: Vec::new(),
    };
    let unlinked = |words: &str| words.strip_prefix("lacks ").map(str::to_owned);
    let abilities = Abilities {
        hello: &hello,
        unlinked: &unlinked,
    };
    Engine::new(fake, job, abilities).play()
}

fn play(fake: &mut Fake) -> (Attempt, bool) {
    play_job(fake, &job())
}

/// A library that answers one callback so.
fn answering(callback: &'static str, answer: Result<Reply, Silence>) -> Fake {
    Fake {
        answers: [(callback, answer)].into(),
        ..Fake::default()
    }
}

#[test]
fn a_stream_goes_piece_by_piece_and_what_the_library_changed_is_forwarded() {
    let changed = Answer::Done(Done {
        action: Some(Action::Continue),
        state: State {
            request_body: Some(Bytes::of(b"ABC")),
            ..State::default()
        },
        ..Done::default()
    });
    let mut fake = answering("request_body", Ok(reply(changed, Vec::new())));
    let (attempt, answers) = play(&mut fake);
    assert!(answers && attempt.faults.is_empty(), "{attempt:?}");
    assert_eq!(attempt.load, Load::Loaded);
    assert_eq!(
        fake.asked,
        [
            "load",
            "start",
            "open",
            "request_headers",
            "request_body",
            "request_body",
            "request_trailers",
            "response_headers",
            "response_body",
            "response_body",
            "finish stream",
        ]
    );
    let request = &attempt.seen.upstream[0].request;
    assert!(request.complete && request.body.is(b"ABCde"));
    assert_eq!(request.method.as_deref(), Some("POST"));
    assert_eq!(request.headers.len(), 2);
    assert_eq!(request.trailers.len(), 1);
    let response = attempt.seen.client[0].response.as_ref().unwrap();
    assert_eq!(response.status, Some(201));
    assert!(response.complete && response.body.is(b"xyz"));
}

#[test]
fn a_message_that_ends_with_its_body_can_be_given_trailers() {
    let added = Answer::Done(Done {
        action: Some(Action::Continue),
        state: State {
            response_trailers: Some(vec![(Bytes::of(b"x-added"), Bytes::of(b"1"))]),
            ..State::default()
        },
        ..Done::default()
    });
    let on = Answer::Done(Done::default());
    let mut fake = Fake {
        answers: [
            ("response_body", Ok(reply(on, Vec::new()))),
            ("response_body", Ok(reply(added, Vec::new()))),
        ]
        .into(),
        ..Fake::default()
    };
    let (attempt, _) = play(&mut fake);
    assert_eq!(
        fake.trailers,
        [("proxy_on_response_body".to_owned(), 0)],
        "in the last body callback, and empty"
    );
    let response = attempt.seen.client[0].response.as_ref().unwrap();
    assert!(response.complete && response.body.is(b"xyz"));
    assert_eq!(response.trailers.len(), 1);
}

#[test]
fn a_paused_request_goes_on_when_the_plugin_says_so() {
    let pause = || Ok(reply(acts(Action::Pause), Vec::new()));
    let (attempt, _) = play(&mut answering("request_headers", pause()));
    assert_eq!(attempt.seen.upstream, []);
    assert_eq!(attempt.seen.client[0].trouble.as_deref(), Some("timed out"));
    let goes_on = Effect::ContinueStream {
        stream: StreamType::HttpRequest,
    };
    // In a callback of the request what it returns decides; in another one the request goes on.
    let own = Ok(reply(acts(Action::Pause), vec![goes_on.clone()]));
    let (attempt, _) = play(&mut answering("request_trailers", own));
    assert!(!attempt.seen.upstream[0].request.complete);
    let mut job = job();
    let tick = Play::Wait {
        callback: "proxy_on_tick".to_owned(),
        times: 1,
        within: Duration::from_millis(15),
    };
    Arc::make_mut(&mut job.exchange).play.insert(2, tick);
    let period = Effect::TickPeriod { ms: 10 };
    let mut fake = Fake {
        answers: [
            (
                "request_headers",
                Ok(reply(acts(Action::Pause), vec![period])),
            ),
            (
                "tick",
                Ok(reply(Answer::Done(Done::default()), vec![goes_on])),
            ),
        ]
        .into(),
        ..Fake::default()
    };
    let (attempt, _) = play_job(&mut fake, &job);
    let request = &attempt.seen.upstream[0].request;
    assert!(request.complete && request.body.is(b"abcde"));
}

#[test]
fn a_response_of_the_plugins_own_ends_the_request() {
    let local = Effect::LocalResponse {
        status: 403,
        details: Bytes::default(),
        headers: Vec::new(),
        body: Bytes::of(b"no"),
        grpc_status: None,
    };
    let sent = Ok(reply(acts(Action::Pause), vec![local]));
    let mut fake = answering("request_headers", sent);
    let (attempt, _) = play(&mut fake);
    assert_eq!(attempt.seen.upstream, []);
    let response = attempt.seen.client[0].response.as_ref().unwrap();
    assert_eq!(response.status, Some(403));
    assert_eq!(fake.asked.last().unwrap(), "finish stream");
    assert!(fake.asked.iter().all(|a| !a.contains("body")));
}

#[test]
fn a_callout_is_answered_after_the_callback_that_made_it() {
    let call = |upstream: &str| Effect::HttpCall {
        call_id: 40,
        upstream: Bytes::of(upstream),
        headers: vec![(Bytes::of(b":path"), Bytes::of(b"/ask"))],
        body: Bytes::of(b"?"),
        trailers: Vec::new(),
        timeout_ms: 100,
    };
    for (upstream, answered) in [("a", true), ("nobody", false)] {
        let made = Ok(reply(acts(Action::Continue), vec![call(upstream)]));
        let mut fake = answering("request_headers", made);
        let (attempt, _) = play(&mut fake);
        let came = fake.events.iter().find_map(|e| match e {
            Event::ProxyOnHttpCallResponse {
                call_id, headers, ..
            } => Some((*call_id, headers.is_some())),
            _ => None,
        });
        assert_eq!(came, Some((40, answered)));
        let asked = attempt.seen.upstream.iter().filter(|u| u.upstream == "a");
        assert_eq!(asked.count(), usize::from(answered));
    }
}

#[test]
fn time_is_virtual_and_a_timer_ticks_until_it_is_stopped() {
    let mut job = job();
    Arc::make_mut(&mut job.exchange).play = vec![Play::Wait {
        callback: "proxy_on_tick".to_owned(),
        times: 100,
        within: Duration::from_secs(3600),
    }];
    let period = |ms| vec![Effect::TickPeriod { ms }];
    let mut fake = Fake::default();
    let started = Answer::Done(Done {
        context: Some(7),
        ..Done::default()
    });
    let done = || Answer::Done(Done::default());
    fake.answers = [
        ("start", Ok(reply(started, period(10)))),
        ("tick", Ok(reply(done(), Vec::new()))),
        ("tick", Ok(reply(done(), period(20)))),
        ("tick", Ok(reply(done(), period(0)))),
    ]
    .into();
    let began = Instant::now();
    play_job(&mut fake, &job);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(fake.asked.iter().filter(|a| *a == "tick").count(), 3);
}

#[test]
fn bytes_of_a_tcp_stream_pass_both_ways_and_its_end_is_told() {
    let mut job = job();
    Arc::make_mut(&mut job.exchange).streams.clear();
    Arc::make_mut(&mut job.exchange).connections = vec![Connection {
        downstream: vec![b"ping".as_slice().into()],
        upstream: vec![b"pong".as_slice().into()],
        refused: false,
    }];
    let (down, up) = (crate::case::Peer::Downstream, crate::case::Peer::Upstream);
    Arc::make_mut(&mut job.exchange).play = vec![
        Play::Open(1),
        Play::Send(1, down),
        Play::Send(1, up),
        Play::End(1, up),
        Play::Finish(1),
    ];
    let changed = Answer::Done(Done {
        action: Some(Action::Continue),
        state: State {
            downstream_data: Some(Bytes::of(b"PING")),
            ..State::default()
        },
        ..Done::default()
    });
    let mut fake = answering("downstream_data", Ok(reply(changed, Vec::new())));
    let (attempt, _) = play_job(&mut fake, &job);
    assert!(attempt.seen.upstream[0].request.body.is(b"PING"));
    let client = attempt.seen.client[0].response.as_ref().unwrap();
    assert!(client.body.is(b"pong") && client.complete);
    assert_eq!(
        fake.asked[2..],
        [
            "open",
            "new_connection",
            "downstream_data",
            "upstream_data",
            "upstream_data",
            "downstream_data",
            "upstream_connection_close",
            "downstream_connection_close",
            "finish stream",
        ]
    );
}

#[test]
fn refusals_name_what_is_lacking() {
    for (words, given, import) in [
        ("lacks proxy_x", None, Some("proxy_x")),
        ("no such thing", Some("proxy_y"), Some("proxy_y")),
        ("bad magic", None, None),
    ] {
        let mut fake = Fake {
            load: Some(Answer::Refused {
                words: words.to_owned(),
                import: given.map(str::to_owned),
            }),
            ..Fake::default()
        };
        let (attempt, answers) = play(&mut fake);
        assert!(answers);
        match attempt.load {
            Load::Unlinked { import: name, .. } => assert_eq!(Some(name.as_str()), import),
            Load::Refused { .. } => assert_eq!(import, None),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn ends_of_the_library_are_told_from_those_of_the_adapter() {
    let trapped = Answer::Trapped {
        words: "unreachable".to_owned(),
    };
    let mut trapped = reply(trapped, Vec::new());
    trapped.logs.push(Line {
        vm: "vm 1.1".to_owned(),
        level: "info".to_owned(),
        text: Bytes::of(b"before"),
    });
    let (attempt, answers) = play(&mut answering("request_headers", Ok(trapped)));
    assert!(answers);
    assert!(matches!(&attempt.end, End::Trap(text) if text.is(b"unreachable")));
    assert_eq!(attempt.logs[0].level.as_deref(), Some("INFO"));

    let gone = |entered, killed| Silence::Gone {
        entered,
        killed,
        story: "exit 1".to_owned(),
    };
    let silent = |silence| {
        let (attempt, answers) = play(&mut answering("request_headers", Err(silence)));
        assert!(!answers);
        let blame = attempt.faults.first().map(|f| f.blame);
        (attempt.end, blame)
    };
    let (end, blame) = silent(Silence::Late { entered: true });
    assert!(matches!(end, End::Timeout(_)) && blame.is_none());
    let (end, blame) = silent(gone(true, false));
    assert!(matches!(end, End::Crash(_)) && blame.is_none());
    for silence in [
        Silence::Late { entered: false },
        gone(false, false),
        Silence::Nonsense("what".to_owned()),
    ] {
        assert_eq!(silent(silence), (End::Normal, Some(Blame::Adapter)));
    }
    let killed = silent(gone(true, true));
    assert_eq!(killed, (End::Normal, Some(Blame::Environment)));
    let unable = Answer::Unsupported {
        reason: "no".to_owned(),
    };
    let (attempt, _) = play(&mut answering(
        "request_headers",
        Ok(reply(unable, Vec::new())),
    ));
    assert_eq!(attempt.faults[0].blame, Blame::Adapter);
}
