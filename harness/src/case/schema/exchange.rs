//! The part of a case file that says what the world does.
//!
//! Does not know what is expected.

use schemars::JsonSchema;

use crate::case::lenient::{List, Table, lenient};
use crate::case::yaml::Node;

/// What the world does.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeFile {
    /// Short for one stream: its request.
    #[serde(default, deserialize_with = "lenient")]
    pub request: Option<RequestFile>,
    /// Short for one stream: what its upstream answers.
    #[serde(default, deserialize_with = "lenient")]
    pub upstream: Option<AnswerFile>,
    /// Several streams, numbered from 1; an empty list: none.
    #[serde(default, deserialize_with = "lenient")]
    pub streams: Option<List<StreamFile>>,
    /// TCP streams, numbered from 1; an empty list: none. Default for TCP plugins: one on which nobody
    /// sends anything.
    #[serde(default, deserialize_with = "lenient")]
    pub connections: Option<List<ConnectionFile>>,
    /// What the upstreams of callouts answer, by name.
    #[serde(default, deserialize_with = "lenient")]
    pub upstreams: Table<List<AnswerFile>>,
    /// What the gRPC upstreams `grpc_a` and `grpc_b` do, call by call: each a list of turns.
    #[serde(default, deserialize_with = "lenient")]
    pub grpc: Table<List<List<GrpcTurnFile>>>,
    /// What happens, in order: `head: 1`, `chunk: 1`, `rest: 1`, `finish: 1`, `abort: 1`, `go: grpc_a`,
    /// `wait: {…}`, `reload`, `remove`, `shutdown`; on TCP streams `open: 1`, `downstream: 1`,
    /// `upstream: 1`, `end_downstream: 1`, `end_upstream: 1`, `close_downstream: 1`,
    /// `close_upstream: 1`, `ended_downstream: 1`, `ended_upstream: 1`, `finish: 1`. Default: each
    /// stream whole, one after the other.
    #[serde(default, deserialize_with = "lenient")]
    pub play: Option<List<Node>>,
    /// After the streams: wait for a callback.
    #[serde(default, deserialize_with = "lenient")]
    pub wait: Option<WaitFile>,
    /// After that: `reload`, `remove`, `shutdown`.
    #[serde(default, deserialize_with = "lenient")]
    pub then: List<String>,
}

/// One HTTP stream.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamFile {
    /// What the client sends.
    #[serde(default, deserialize_with = "lenient")]
    pub request: RequestFile,
    /// What the upstream answers.
    #[serde(default, deserialize_with = "lenient")]
    pub upstream: AnswerFile,
}

/// One TCP stream.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionFile {
    /// What the client sends: text, bytes, or a list of chunks.
    #[serde(default, deserialize_with = "lenient")]
    pub downstream: Option<Node>,
    /// What the upstream sends.
    #[serde(default, deserialize_with = "lenient")]
    pub upstream: Option<Node>,
    /// Nobody listens at the upstream.
    #[serde(default, deserialize_with = "lenient")]
    pub refused: bool,
}

/// What a client sends; default `GET /`.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
    /// Over HTTP/2, where the last piece of a body ends the request.
    #[serde(default, deserialize_with = "lenient")]
    pub http2: bool,
    /// Default `GET`, with a body `POST`.
    #[serde(default, deserialize_with = "lenient")]
    pub method: Option<String>,
    /// Default `/`.
    #[serde(default, deserialize_with = "lenient")]
    pub path: Option<String>,
    /// Default `pwspec.test`.
    #[serde(default, deserialize_with = "lenient")]
    pub authority: Option<String>,
    /// Pairs, in order.
    #[serde(default, deserialize_with = "lenient")]
    pub headers: List<Node>,
    /// Text, bytes, or a list of chunks.
    #[serde(default, deserialize_with = "lenient")]
    pub body: Option<Node>,
    /// Pairs, in order.
    #[serde(default, deserialize_with = "lenient")]
    pub trailers: List<Node>,
}

/// What an upstream answers; default an empty 200.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerFile {
    /// Default 200.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<u16>,
    /// Pairs, in order.
    #[serde(default, deserialize_with = "lenient")]
    pub headers: List<Node>,
    /// Text, bytes, or a list of chunks.
    #[serde(default, deserialize_with = "lenient")]
    pub body: Option<Node>,
    /// Pairs, in order.
    #[serde(default, deserialize_with = "lenient")]
    pub trailers: List<Node>,
    /// Take the request and never answer.
    #[serde(default, deserialize_with = "lenient")]
    pub hang: bool,
    /// Send the head of the answer when the head of the request has come, the rest when the request has
    /// ended. Needs a body.
    #[serde(default, deserialize_with = "lenient")]
    pub early: bool,
    /// Take the request and close the connection.
    #[serde(default, deserialize_with = "lenient")]
    pub close: bool,
}

/// What a gRPC upstream does at one point of a call: waits, then sends in the order of these keys.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrpcTurnFile {
    /// `open` (default): at once; a number: so many messages have come in all; `end`: the other side
    /// has ended; `go`: `play` says so.
    #[serde(default, deserialize_with = "lenient")]
    pub after: Option<Node>,
    /// Pairs, in order.
    #[serde(default, deserialize_with = "lenient")]
    pub initial_metadata: Option<List<Node>>,
    /// Messages, in order.
    #[serde(default, deserialize_with = "lenient")]
    pub messages: List<Node>,
    /// Pairs, in order; with `status`.
    #[serde(default, deserialize_with = "lenient")]
    pub trailing_metadata: List<Node>,
    /// Ends the call with this gRPC status.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<u32>,
    /// The status message; with `status`.
    #[serde(default, deserialize_with = "lenient")]
    pub status_message: Option<String>,
    /// Resets the stream.
    #[serde(default, deserialize_with = "lenient")]
    pub reset: bool,
    /// Closes the connection.
    #[serde(default, deserialize_with = "lenient")]
    pub close: bool,
}

/// A foreign callback of the plugin's that something calls.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignFile {
    /// Its number.
    pub function_id: u32,
    /// What it is called with.
    #[serde(default, deserialize_with = "lenient")]
    pub arguments: Option<Node>,
}

/// Waiting for a callback.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitFile {
    /// Which (`tick`).
    pub callback: String,
    /// How often; default 1.
    #[serde(default, deserialize_with = "lenient")]
    pub times: Option<u32>,
    /// At most this long (`500ms`); default 2 s.
    #[serde(default, deserialize_with = "lenient")]
    pub within: Option<String>,
}
