//! What the world does in a case: HTTP traffic, upstream answers, time, reload. gRPC is in `grpc`.
//!
//! Does not know what the guest does, nor what is expected. Drivers get this, never YAML.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::case::GrpcScript;

/// Field names and values, in order.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A piece of a body. Large ones that are alike are kept once, however many columns play them.
pub type Chunk = Arc<[u8]>;

/// The script of a case's outside world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Streams, numbered from 1 in this order.
    pub streams: Vec<Stream>,
    /// What named upstreams (callouts) answer, in order of arrival; the last answer repeats.
    pub upstreams: BTreeMap<String, Vec<Answer>>,
    /// What gRPC upstreams do, call by call in order of arrival; the last script repeats.
    pub grpc: BTreeMap<String, Vec<GrpcScript>>,
    /// What happens, in order.
    pub play: Vec<Play>,
}

/// One HTTP stream: what the client sends and what the upstream answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// What the client sends.
    pub request: Request,
    /// What the main upstream answers when this stream's request reaches it.
    pub answer: Answer,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// `/`.
    pub path: String,
    /// The `host` field or `:authority`.
    pub authority: String,
    /// Fields beside method, path and authority, in order.
    pub headers: Fields,
    /// Body in the chunks in which it is written; empty: no body.
    pub body: Vec<Chunk>,
    /// Trailers; with trailers the body is sent chunked.
    pub trailers: Fields,
}

/// What an upstream answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How the upstream behaves.
    pub kind: AnswerKind,
    /// `200`.
    pub status: u16,
    /// Fields beside the status, in order.
    pub headers: Fields,
    /// Body in the chunks in which it is written; empty: no body.
    pub body: Vec<Chunk>,
    /// Trailers; with trailers the body is sent chunked.
    pub trailers: Fields,
}

/// How an upstream behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// It answers.
    Reply,
    /// It takes the request and never answers.
    Hang,
    /// It takes the request and closes the connection.
    Close,
}

impl Default for Answer {
    fn default() -> Self {
        Answer {
            kind: AnswerKind::Reply,
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
        }
    }
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Play {
    /// Open stream n: send its request head (the whole request where it has no body and no trailers).
    /// The next `Head` follows only after the first callback of this stream was seen.
    Head(u32),
    /// Send the next body chunk of stream n.
    Chunk(u32),
    /// Send all that is left of stream n's request.
    Rest(u32),
    /// Wait until stream n's response has ended, then close the client's connection.
    Finish(u32),
    /// The client of stream n closes its connection at once.
    Abort(u32),
    /// The gRPC upstream of this name may go on where it waits for [`GrpcAfter::Go`], once.
    Go(String),
    /// Wait until any one instance has entered `callback` this many times in all, at most this long
    /// (virtual time on the reference host).
    Wait {
        /// The text's name of the callback.
        callback: String,
        /// How often.
        times: u32,
        /// At most this long.
        within: Duration,
    },
    /// The plugin is loaded again with the same code and configuration.
    Reload,
    /// The plugin is taken out of the host's configuration.
    Remove,
    /// The host is shut down in the orderly way.
    Shutdown,
}
