//! Messages as they stand on the line, and the engine against a library made up here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::abi::{Abi, PluginType};
use crate::case::{Answer, Exchange, Play, Request as Asked, Stream};
use crate::host::stdio::engine::Engine;
use crate::host::stdio::link::{Link, Peer, Silence};
use crate::host::stdio::protocol::{Bytes, Call, Done, Line, Local, Reply, Request};
use crate::host::{Job, VmJob};
use crate::trace::{Attempt, End, Load};

/// Answers as it was told and remembers what it was asked.
#[derive(Default)]
struct Fake {
    asked: Vec<Call>,
    load: Option<Reply>,
    /// The first answer to this callback.
    answer: Option<(&'static str, Result<Reply, Silence>)>,
}

fn done(value: Option<u32>) -> Reply {
    reply(Done {
        value,
        context: Some(7),
        ..Done::default()
    })
}

fn reply(done: Done) -> Reply {
    Reply {
        hello: None,
        done: Some(done),
        unsupported: None,
        refused: None,
        trapped: None,
        logs: Vec::new(),
    }
}

impl Peer for Fake {
    fn ask(&mut self, request: &Request, _: Instant) -> Result<Reply, Silence> {
        let Request::Call(call) = request else {
            return Ok(self.load.clone().unwrap_or_else(|| done(None)));
        };
        self.asked.push(call.clone());
        match self.answer.take_if(|(name, _)| *name == call.callback) {
            Some((_, answer)) => answer,
            None if call.callback.contains("start") || call.callback.contains("configure") => {
                Ok(done(Some(1)))
            }
            None => Ok(done(Some(0))),
        }
    }
}

fn job() -> Job {
    let pairs = |all: &[(&str, &str)]| -> Vec<(Vec<u8>, Vec<u8>)> {
        let all = all.iter();
        all.map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
            .collect()
    };
    let stream = Stream {
        request: Asked {
            method: "POST".to_owned(),
            path: "/here".to_owned(),
            authority: "pwspec.test".to_owned(),
            headers: pairs(&[("x-one", "1")]),
            body: vec![b"abc"[..].into(), b"de"[..].into()],
            trailers: pairs(&[("x-end", "1")]),
        },
        answer: Answer {
            status: 201,
            body: vec![b"xyz"[..].into()],
            ..Answer::default()
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
            plugins: Vec::new(),
        }],
        plugin_type: PluginType::Http,
        exchange: Exchange {
            streams: vec![stream],
            play: vec![Play::Head(1), Play::Rest(1), Play::Finish(1)],
            ..Exchange::default()
        },
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

fn play(fake: &mut Fake) -> (Attempt, bool) {
    let import = |words: &str| words.strip_prefix("lacks ").map(str::to_owned);
    Engine::new(fake, &job()).play(&import)
}

#[test]
fn a_request_is_one_object_with_base64() {
    let call = Request::Call(Call {
        callback: "proxy_on_request_body".to_owned(),
        context: 2,
        end_of_stream: true,
        fields: vec![(Bytes(b"k".to_vec()), Bytes(vec![0xff]))],
        body: Bytes(b"hi".to_vec()),
    });
    let text = serde_json::to_string(&call).unwrap();
    assert_eq!(
        text,
        r#"{"op":"call","callback":"proxy_on_request_body","context":2,"end_of_stream":true,"fields":[["aw==","/w=="]],"body":"aGk="}"#
    );
    assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), call);
    assert_eq!(
        serde_json::to_string(&Request::Unload {}).unwrap(),
        r#"{"op":"unload"}"#
    );
}

#[test]
fn a_reply_with_an_unknown_key_or_two_answers_is_none() {
    assert!(serde_json::from_str::<Reply>(r#"{"done":{},"logs":[],"more":1}"#).is_err());
    let two: Reply = serde_json::from_str(r#"{"done":{},"trapped":"x","logs":[]}"#).unwrap();
    assert_eq!(two.answers(), 2);
}

#[test]
fn a_stream_goes_piece_by_piece_and_what_the_library_changed_is_forwarded() {
    let changed = Done {
        value: Some(0),
        body: Some(Bytes(b"ABC".to_vec())),
        ..Done::default()
    };
    let mut fake = Fake {
        answer: Some(("proxy_on_request_body", Ok(reply(changed)))),
        ..Fake::default()
    };
    let (attempt, alive) = play(&mut fake);
    assert!(alive);
    let names: Vec<_> = fake
        .asked
        .iter()
        .map(|c| (c.callback.trim_start_matches("proxy_on_"), c.end_of_stream))
        .collect();
    assert_eq!(
        names,
        [
            ("vm_start", false),
            ("configure", false),
            ("context_create", false),
            ("request_headers", false),
            ("request_body", false),
            ("request_body", false),
            ("request_trailers", true),
            ("response_headers", false),
            ("response_body", true),
            ("log", false),
        ]
    );
    assert!(fake.asked[3..].iter().all(|c| c.context == 7));
    let request = &attempt.seen.upstream[0].request;
    assert!(request.complete && request.body.is(b"ABCde"));
    assert_eq!(request.method.as_deref(), Some("POST"));
    assert_eq!(request.headers.len(), 2);
    let response = attempt.seen.client[0].response.as_ref().unwrap();
    assert_eq!(response.status, Some(201));
    assert!(response.complete && response.body.is(b"xyz"));
}

#[test]
fn a_paused_request_reaches_no_upstream() {
    let mut fake = Fake {
        answer: Some(("proxy_on_request_trailers", Ok(done(Some(1))))),
        ..Fake::default()
    };
    let (attempt, _) = play(&mut fake);
    assert_eq!(attempt.seen.upstream, []);
    assert_eq!(
        attempt.seen.client[0].trouble.as_deref(),
        Some("the request stays paused")
    );
    assert_eq!(fake.asked.last().unwrap().callback, "proxy_on_log");
}

#[test]
fn a_response_of_the_plugins_own_ends_the_request() {
    let local = Local {
        status: 403,
        fields: None,
        body: Some(Bytes(b"no".to_vec())),
    };
    let sent = Done {
        value: Some(1),
        local_response: Some(local),
        ..Done::default()
    };
    let mut fake = Fake {
        answer: Some(("proxy_on_request_headers", Ok(reply(sent)))),
        ..Fake::default()
    };
    let (attempt, _) = play(&mut fake);
    assert_eq!(attempt.seen.upstream, []);
    let response = attempt.seen.client[0].response.as_ref().unwrap();
    assert_eq!(response.status, Some(403));
    assert!(fake.asked.iter().all(|c| !c.callback.contains("body")));
}

#[test]
fn refusals_traps_and_silence_are_told_apart() {
    let refused = |words: &str| Reply {
        done: None,
        refused: Some(words.to_owned()),
        ..done(None)
    };
    for (words, import) in [("lacks proxy_x", true), ("bad magic", false)] {
        let mut fake = Fake {
            load: Some(refused(words)),
            ..Fake::default()
        };
        let (attempt, alive) = play(&mut fake);
        assert!(alive);
        match attempt.load {
            Load::Unlinked { import: name, .. } => assert!(import && name == "proxy_x"),
            Load::Refused { .. } => assert!(!import),
            other => panic!("{other:?}"),
        }
    }
    let trapped = Reply {
        done: None,
        trapped: Some("unreachable".to_owned()),
        logs: vec![Line {
            level: "info".to_owned(),
            text: Bytes(b"before".to_vec()),
        }],
        ..done(None)
    };
    for (answer, alive) in [
        (Ok(trapped), true),
        (Err(Silence::Late), false),
        (Err(Silence::Gone("exit".to_owned())), false),
    ] {
        let mut fake = Fake {
            answer: Some(("proxy_on_request_headers", answer)),
            ..Fake::default()
        };
        let (attempt, still) = play(&mut fake);
        assert_eq!(still, alive);
        match attempt.end {
            End::Trap(text) => {
                assert!(text.is(b"unreachable"));
                assert_eq!(attempt.logs[0].level.as_deref(), Some("INFO"));
            }
            End::Timeout(_) | End::Crash(_) => assert!(!alive),
            End::Normal => panic!("it ended normally"),
        }
    }
}

#[test]
fn a_program_that_is_no_adapter_is_trouble() {
    assert!(Link::start(std::path::Path::new("/bin/false")).is_err());
    assert!(Link::start(std::path::Path::new("/bin/cat")).is_err());
}
