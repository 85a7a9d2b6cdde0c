//! What the world does in a case as the scripts read it: `scene.json`. Bytes are base64.
//!
//! Does not know who reads it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use crate::case::{Answer, AnswerKind, Chunk, Exchange, Fields, Peer, Play};

/// The whole scene.
#[derive(Debug, Serialize)]
pub struct Scene {
    /// Where the client connects.
    socket: String,
    /// The upstreams: sockets, and ports where they have one.
    upstreams: Vec<Upstream>,
    streams: Vec<Stream>,
    connections: Vec<Connection>,
    /// What named upstreams answer, in order of arrival; the last answer repeats.
    answers: BTreeMap<String, Vec<Reply>>,
    /// What happens, in order.
    play: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Upstream {
    name: String,
    socket: String,
    port: u16,
}

#[derive(Debug, Serialize)]
struct Stream {
    method: String,
    path: String,
    authority: String,
    headers: Vec<(String, String)>,
    body: Vec<String>,
    trailers: Vec<(String, String)>,
    answer: Reply,
}

#[derive(Debug, Serialize)]
struct Reply {
    /// `reply`, `early`, `hang`, `close`.
    kind: &'static str,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<String>,
    trailers: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct Connection {
    downstream: Vec<String>,
    upstream: Vec<String>,
    refused: bool,
}

/// One step: `what`, and what it is about.
#[derive(Debug, Serialize)]
struct Step {
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<u64>,
}

impl Scene {
    /// The scene of an exchange. `upstreams` are names and ports; 0: none.
    pub fn new(exchange: &Exchange, socket: &str, upstreams: &[(String, u16)]) -> Scene {
        let upstreams = upstreams.iter().map(|(name, port)| Upstream {
            name: name.clone(),
            socket: format!("{name}.sock"),
            port: *port,
        });
        let streams = exchange.streams.iter().map(|s| Stream {
            method: s.request.method.clone(),
            path: s.request.path.clone(),
            authority: s.request.authority.clone(),
            headers: fields(&s.request.headers),
            body: chunks(&s.request.body),
            trailers: fields(&s.request.trailers),
            answer: reply(&s.answer),
        });
        let connections = exchange.connections.iter().map(|c| Connection {
            downstream: chunks(&c.downstream),
            upstream: chunks(&c.upstream),
            refused: c.refused,
        });
        let answers = exchange.upstreams.iter();
        let answers = answers.map(|(name, all)| (name.clone(), all.iter().map(reply).collect()));
        Scene {
            socket: socket.to_owned(),
            upstreams: upstreams.collect(),
            streams: streams.collect(),
            connections: connections.collect(),
            answers: answers.collect(),
            play: exchange.play.iter().map(step).collect(),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

fn fields(all: &Fields) -> Vec<(String, String)> {
    all.iter().map(|(k, v)| (text(k), text(v))).collect()
}

fn chunks(all: &[Chunk]) -> Vec<String> {
    all.iter().map(|c| text(c)).collect()
}

fn reply(a: &Answer) -> Reply {
    Reply {
        kind: match a.kind {
            AnswerKind::Reply if a.early => "early",
            AnswerKind::Reply => "reply",
            AnswerKind::Hang => "hang",
            AnswerKind::Close => "close",
        },
        status: a.status,
        headers: fields(&a.headers),
        body: chunks(&a.body),
        trailers: fields(&a.trailers),
    }
}

fn step(play: &Play) -> Step {
    let plain = |what, stream, peer: Option<&Peer>| Step {
        what,
        stream,
        peer: peer.map(|p| match p {
            Peer::Downstream => "client",
            Peer::Upstream => "upstream",
        }),
        callback: None,
        milliseconds: None,
    };
    match play {
        Play::Head(n) => plain("head", Some(*n), None),
        Play::Chunk(n) => plain("chunk", Some(*n), None),
        Play::Rest(n) => plain("rest", Some(*n), None),
        Play::Finish(n) => plain("finish", Some(*n), None),
        Play::Abort(n) => plain("abort", Some(*n), None),
        Play::Go(name) => Step {
            callback: Some(name.clone()),
            ..plain("go", None, None)
        },
        Play::Open(n) => plain("open", Some(*n), None),
        Play::Send(n, peer) => plain("send", Some(*n), Some(peer)),
        Play::End(n, peer) => plain("end", Some(*n), Some(peer)),
        Play::Close(n, peer) => plain("close", Some(*n), Some(peer)),
        Play::Ended(n, peer) => plain("ended", Some(*n), Some(peer)),
        Play::Wait {
            callback, within, ..
        } => Step {
            callback: Some(callback.clone()),
            milliseconds: Some(u64::try_from(within.as_millis()).unwrap_or(u64::MAX)),
            ..plain("wait", None, None)
        },
        // No profile of a proxy offers foreign callbacks: such a case does not get here.
        Play::Foreign { .. } => plain("foreign", None, None),
        Play::Reload => plain("reload", None, None),
        Play::Remove => plain("remove", None, None),
        Play::Shutdown => plain("shutdown", None, None),
    }
}
