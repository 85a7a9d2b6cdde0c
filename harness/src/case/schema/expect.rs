//! The part of a case file that says what is expected beside the expectations on steps.
//!
//! Does not know what happens.

use schemars::JsonSchema;

use crate::abi::Level;
use crate::case::lenient::{List, Table, lenient};
use crate::case::yaml::Node;

/// Expectations beside those on steps.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectFile {
    /// Callbacks of one context, in order, others allowed between.
    #[serde(default, deserialize_with = "lenient")]
    pub callbacks: List<CallbacksFile>,
    /// Callbacks that must not come.
    #[serde(default, deserialize_with = "lenient")]
    pub never: List<NeverFile>,
    /// The body as the guest was given it.
    #[serde(default, deserialize_with = "lenient")]
    pub body: List<BodyFile>,
    /// What upstreams saw.
    #[serde(default, deserialize_with = "lenient")]
    pub upstream: List<MessageFile>,
    /// What gRPC upstreams saw.
    #[serde(default, deserialize_with = "lenient")]
    pub grpc: List<GrpcFile>,
    /// What clients saw.
    #[serde(default, deserialize_with = "lenient")]
    pub client: List<MessageFile>,
    /// What the host's log shows.
    #[serde(default, deserialize_with = "lenient")]
    pub log: List<LogFile>,
    /// Whether the host takes the module.
    #[serde(default, deserialize_with = "lenient")]
    pub load: List<LoadFile>,
    /// How the guest ends.
    #[serde(default, deserialize_with = "lenient")]
    pub ends: List<EndsFile>,
}

/// Callbacks in order.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbacksFile {
    /// The requirement.
    pub req: String,
    /// Lowers the level.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// A control of the set-up.
    #[serde(default, deserialize_with = "lenient")]
    pub control: bool,
    /// On this stream context; default 1.
    #[serde(default, deserialize_with = "lenient")]
    pub stream: Option<u32>,
    /// On this plugin context instead.
    #[serde(default, deserialize_with = "lenient")]
    pub plugin: Option<u32>,
    /// On any context of the VM instead, entry points too.
    #[serde(default, deserialize_with = "lenient")]
    pub any: bool,
    /// In this VM; default the first.
    #[serde(default, deserialize_with = "lenient")]
    pub vm: Option<String>,
    /// `request_headers`, `request_body+`, `{request_headers: {end_of_stream: true}}`.
    pub order: List<Node>,
}

/// A callback that must not come.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeverFile {
    /// The requirement.
    pub req: String,
    /// Lowers the level.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// On this stream context; default 1.
    #[serde(default, deserialize_with = "lenient")]
    pub stream: Option<u32>,
    /// On this plugin context instead.
    #[serde(default, deserialize_with = "lenient")]
    pub plugin: Option<u32>,
    /// On any context of the VM instead, entry points too.
    #[serde(default, deserialize_with = "lenient")]
    pub any: bool,
    /// In this VM; default the first.
    #[serde(default, deserialize_with = "lenient")]
    pub vm: Option<String>,
    /// Which.
    pub callback: Node,
    /// Only after the first callback that matches this.
    #[serde(default, deserialize_with = "lenient")]
    pub after: Option<Node>,
}

/// The body as the guest was given it: one of `bytes`, `total`, `grows_to`, `ends_once`.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BodyFile {
    /// The requirement.
    pub req: String,
    /// Lowers the level.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// On this stream context; default 1.
    #[serde(default, deserialize_with = "lenient")]
    pub stream: Option<u32>,
    /// `request`, `response`, `downstream` or `upstream`.
    pub direction: String,
    /// The bytes read in these callbacks, joined.
    #[serde(default, deserialize_with = "lenient")]
    pub bytes: Option<Node>,
    /// The sum of the sizes (nothing paused).
    #[serde(default, deserialize_with = "lenient")]
    pub total: Option<Node>,
    /// The size never shrinks (paused) and ends at this number.
    #[serde(default, deserialize_with = "lenient")]
    pub grows_to: Option<Node>,
    /// Exactly the last callback carries `end_of_stream`.
    #[serde(default, deserialize_with = "lenient")]
    pub ends_once: bool,
}

/// A message on the wire.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageFile {
    /// The requirement.
    pub req: String,
    /// Lowers the level.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// A control of the set-up.
    #[serde(default, deserialize_with = "lenient")]
    pub control: bool,
    /// Clients: of this stream; default 1.
    #[serde(default, deserialize_with = "lenient")]
    pub stream: Option<u32>,
    /// Upstreams: at this one; default `main`.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// Upstreams: the nth request there; default 1.
    #[serde(default, deserialize_with = "lenient")]
    pub nth: Option<u32>,
    /// Upstreams: how many requests came, and nothing else is looked at.
    #[serde(default, deserialize_with = "lenient")]
    pub count: Option<Node>,
    /// No such message is as good as one that fits.
    #[serde(default, deserialize_with = "lenient")]
    pub optional: bool,
    /// Whether there is such a message at all.
    #[serde(default, deserialize_with = "lenient")]
    pub present: Option<bool>,
    /// Requests.
    #[serde(default, deserialize_with = "lenient")]
    pub method: Option<Node>,
    /// Requests.
    #[serde(default, deserialize_with = "lenient")]
    pub path: Option<Node>,
    /// Responses.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<Node>,
    /// Fields by name: a value, a list of values in order, or a matcher.
    #[serde(default, deserialize_with = "lenient")]
    pub headers: Table<Node>,
    /// The whole body.
    #[serde(default, deserialize_with = "lenient")]
    pub body: Option<Node>,
    /// Trailer fields by name.
    #[serde(default, deserialize_with = "lenient")]
    pub trailers: Table<Node>,
    /// Whether it ended properly.
    #[serde(default, deserialize_with = "lenient")]
    pub complete: Option<bool>,
    /// TCP: whether the host ended or closed this connection before its peer did.
    #[serde(default, deserialize_with = "lenient")]
    pub closed: Option<bool>,
}

/// A call at a gRPC upstream.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrpcFile {
    /// The requirement.
    pub req: String,
    /// Lowers the level.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// A control of the set-up.
    #[serde(default, deserialize_with = "lenient")]
    pub control: bool,
    /// At this upstream; default `grpc_a`.
    #[serde(default, deserialize_with = "lenient")]
    pub name: Option<String>,
    /// The nth call there; default 1.
    #[serde(default, deserialize_with = "lenient")]
    pub nth: Option<u32>,
    /// How many calls came, and nothing else is looked at.
    #[serde(default, deserialize_with = "lenient")]
    pub count: Option<Node>,
    /// Whether there is such a call at all.
    #[serde(default, deserialize_with = "lenient")]
    pub present: Option<bool>,
    /// The service that was asked for.
    #[serde(default, deserialize_with = "lenient")]
    pub service: Option<Node>,
    /// The method that was asked for.
    #[serde(default, deserialize_with = "lenient")]
    pub method: Option<Node>,
    /// Initial metadata by name: a value, a list of values in order, or a matcher.
    #[serde(default, deserialize_with = "lenient")]
    pub metadata: Table<Node>,
    /// All messages, in order, each a value or a matcher.
    #[serde(default, deserialize_with = "lenient")]
    pub messages: Option<List<Node>>,
    /// Whether the host has ended its side in good order.
    #[serde(default, deserialize_with = "lenient")]
    pub ended: Option<bool>,
    /// Whether the host has cut the call off.
    #[serde(default, deserialize_with = "lenient")]
    pub cancelled: Option<bool>,
    /// Whether it has done one of both.
    #[serde(default, deserialize_with = "lenient")]
    pub over: Option<bool>,
}

/// A line in the host's log.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogFile {
    /// The requirement.
    pub req: String,
    /// Lowers the level of the check.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// The text.
    pub text: Node,
    /// The line's log level (`WARN`), or `{any_of: […]}`.
    #[serde(default, deserialize_with = "lenient")]
    pub log_level: Option<Node>,
    /// How often; default at least once.
    #[serde(default, deserialize_with = "lenient")]
    pub times: Option<u32>,
}

/// Whether the host takes the module.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadFile {
    /// The requirement.
    pub req: String,
    /// Lowers the level.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// `true`: it must load; `false`: it must be refused.
    pub loaded: bool,
}

/// How the guest ends.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndsFile {
    /// The requirement.
    pub req: String,
    /// Lowers the level.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// `normal`, `trap`, `timeout`.
    pub any_of: List<String>,
}

/// One thing that a survey looks at.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObserveFile {
    /// The survey row.
    pub req: String,
    /// `call 2 status`, `call 2 value`, `callbacks stream 1`, `callbacks plugin 1`, `callbacks any`,
    /// `client 1 status`, `client 1 body`, `client 1 header x`, `client 1 closed`,
    /// `upstream main header x`, `upstream main body`, `upstream main closed`, `upstream main count`, `grpc grpc_a count`, `grpc grpc_a metadata x`,
    /// `grpc grpc_a messages`, `grpc grpc_a over`, `load`, `end`.
    pub what: String,
}
