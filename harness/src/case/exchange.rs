//! What the world does in a case: HTTP traffic, TCP traffic, upstream answers, time, reload. gRPC is in
//! `grpc`.
//!
//! Does not know what the guest does, nor what is expected. Drivers get this, never YAML.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::case::{Chunk, GrpcScript};

/// Field names and values, in order.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The script of a case's outside world.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// HTTP streams, numbered from 1 in this order.
    pub streams: Vec<Stream>,
    /// TCP streams, numbered from 1 in this order. An exchange has streams of one kind only.
    pub connections: Vec<Connection>,
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

/// One TCP stream: the connection from a client, and the one to the upstream that belongs to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// What the client sends, in the chunks in which it is written.
    pub downstream: Vec<Chunk>,
    /// What the upstream sends, in the chunks in which it is written.
    pub upstream: Vec<Chunk>,
    /// Nobody listens at the upstream. All connections of an exchange agree on this.
    pub refused: bool,
}

/// One end of a TCP stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// The client.
    Downstream,
    /// The backend.
    Upstream,
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Over HTTP/2; else over HTTP/1.1.
    pub http2: bool,
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
    /// The head goes out when the head of the request has come, the rest when the request has ended. An
    /// answer that is early has a body.
    pub early: bool,
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

impl Request {
    /// Whether nothing follows its head.
    pub fn is_whole(&self) -> bool {
        self.body.is_empty() && self.trailers.is_empty()
    }
}

impl Default for Answer {
    fn default() -> Self {
        Answer {
            kind: AnswerKind::Reply,
            early: false,
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
    /// HTTP: wait until stream n's response has ended, then close the client's connection. TCP: wait
    /// until the host has ended or closed both connections of stream n (it need not have made the one
    /// to the upstream), then close what is left.
    Finish(u32),
    /// The client of HTTP stream n closes its connection at once.
    Abort(u32),
    /// Something outside the plugin calls this foreign callback of its, with these arguments.
    Foreign {
        /// Its number.
        function: u32,
        /// What it is called with.
        arguments: Vec<u8>,
    },
    /// The gRPC upstream of this name may go on where it waits for [`crate::case::GrpcAfter::Go`], once.
    Go(String),
    /// The client of TCP stream n connects. The next step follows only after the first callback of this
    /// stream was seen.
    Open(u32),
    /// A peer of TCP stream n writes its next chunk; the next step follows when the plugin was shown it,
    /// or does not come to see it. An upstream that is not connected yet writes when it is.
    Send(u32, Peer),
    /// A peer of TCP stream n ends its side: it sends no more, and still reads.
    End(u32, Peer),
    /// A peer of TCP stream n closes its connection at once, both ways.
    Close(u32, Peer),
    /// Wait until the host has ended or closed this connection of TCP stream n, where it has made it; no
    /// longer than a second.
    Ended(u32, Peer),
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
