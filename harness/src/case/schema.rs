//! The case file: what people write, as `serde` types. The JSON Schema is made from these.
//!
//! Read through [`crate::case::tree`] only, which notes what does not fit; optional values that do
//! not fit are left out here. Does not know the ABI: names and values are resolved elsewhere.

use schemars::JsonSchema;

use crate::abi::{Level, PluginType};
use crate::case::lenient::{List, Table, lenient};
use crate::case::yaml::Node;

/// One suite: one file under `specs/cases`.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// The format's version: 1.
    pub version: u32,
    /// The file's path without `.yaml`: `fields/get_value`.
    pub suite: String,
    /// What its cases have in common.
    pub about: String,
    /// The suite version in which it appeared.
    pub since: String,
    /// The cases.
    pub cases: List<CaseFile>,
}

/// One case.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Unique in the suite; never renamed.
    pub id: String,
    /// The one behaviour that it is about.
    pub about: String,
    /// The suite version in which it appeared, when newer than its file's.
    #[serde(default, deserialize_with = "lenient")]
    pub since: Option<String>,
    /// Only in these ABI versions; a hostcall or requirement that one of them lacks is an error.
    #[serde(default, deserialize_with = "lenient")]
    pub abi: Option<List<String>>,
    /// Lowers the level of every check.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// Free words for selection; `crasher` keeps a case away from real hosts.
    #[serde(default, deserialize_with = "lenient")]
    pub tags: List<String>,
    /// What the host must offer; the loader adds what it can see.
    #[serde(default, deserialize_with = "lenient")]
    pub needs: List<Need>,
    /// Where the plugin sits; default `http`.
    #[serde(default, deserialize_with = "lenient")]
    pub plugin_type: Option<PluginType>,
    /// Milliseconds until the attempt counts as timed out.
    #[serde(default, deserialize_with = "lenient")]
    pub deadline_ms: Option<u64>,
    /// Short for one plugin `main`: what it does in each callback.
    #[serde(default, deserialize_with = "lenient")]
    pub program: Option<Table<List<StepFile>>>,
    /// Its plugin configuration.
    #[serde(default, deserialize_with = "lenient")]
    pub config: Option<Node>,
    /// Its VM configuration.
    #[serde(default, deserialize_with = "lenient")]
    pub vm_config: Option<Node>,
    /// Changes to what its module exports.
    #[serde(default, deserialize_with = "lenient")]
    pub exports: Option<ExportsFile>,
    /// Several plugins, by name.
    #[serde(default, deserialize_with = "lenient")]
    pub plugins: Option<Table<PluginFile>>,
    /// What the world does; default one `GET /` that the upstream answers with 200.
    #[serde(default, deserialize_with = "lenient")]
    pub exchange: Option<ExchangeFile>,
    /// What is expected beside the expectations on steps.
    #[serde(default, deserialize_with = "lenient")]
    pub expect: ExpectFile,
    /// Surveys: what is looked at.
    #[serde(default, deserialize_with = "lenient")]
    pub observe: List<ObserveFile>,
}

/// What a host may or may not offer.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// TCP plugins.
    Tcp,
    /// Background plugins.
    Service,
    /// gRPC callouts.
    Grpc,
    /// HTTP/2 from the client.
    Http2,
    /// Trailers of requests.
    RequestTrailers,
    /// Trailers of responses.
    ResponseTrailers,
    /// Body chunks reach the plugin one by one.
    ChunkedDelivery,
    /// Several plugins in one VM.
    SeveralPlugins,
    /// Several VMs.
    SeveralVms,
    /// Loading a plugin again while the host runs.
    Reload,
    /// Taking a plugin out while the host runs.
    Remove,
    /// A foreign function to call.
    ForeignFunction,
    /// A foreign callback that the host calls.
    ForeignCallback,
    /// Environment variables.
    Environment,
    /// A way to provoke a host's internal failures.
    Trigger,
}

impl Need {
    /// The word, as in YAML.
    pub fn word(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// One plugin of several.
#[derive(Debug, Clone, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginFile {
    /// The VM in which it lives; default `main`.
    #[serde(default, deserialize_with = "lenient")]
    pub vm: Option<String>,
    /// Its root id; default its name.
    #[serde(default, deserialize_with = "lenient")]
    pub root: Option<String>,
    /// Its plugin configuration.
    #[serde(default, deserialize_with = "lenient")]
    pub config: Option<Node>,
    /// The VM configuration of its VM.
    #[serde(default, deserialize_with = "lenient")]
    pub vm_config: Option<Node>,
    /// Changes to what the VM's module exports.
    #[serde(default, deserialize_with = "lenient")]
    pub exports: Option<ExportsFile>,
    /// What it does in each callback.
    #[serde(default, deserialize_with = "lenient")]
    pub program: Table<List<StepFile>>,
}

/// Changes to what a module exports.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportsFile {
    /// Only these, besides `memory` and the marker.
    #[serde(default, deserialize_with = "lenient")]
    pub only: List<String>,
    /// The default without these.
    #[serde(default, deserialize_with = "lenient")]
    pub without: List<String>,
    /// The default and these.
    #[serde(default, deserialize_with = "lenient")]
    pub also: List<String>,
    /// These markers instead of the column's own; an empty list: none.
    #[serde(default, deserialize_with = "lenient")]
    pub markers: Option<List<String>>,
}

/// One step: one of `call`, `return`, `resume`, `trap`, `spin`, `recurse`, `grow`.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// Make this hostcall.
    #[serde(default, deserialize_with = "lenient")]
    pub call: Option<String>,
    /// Its parameters by name.
    #[serde(default, deserialize_with = "lenient")]
    pub with: Table<Node>,
    /// Once more for each of these, laid over `with`.
    #[serde(default, deserialize_with = "lenient")]
    pub each: List<Table<Node>>,
    /// What must come back: `status` and outputs by name.
    #[serde(default, deserialize_with = "lenient")]
    pub expect: Table<Node>,
    /// The requirement of the expectation; default `<hostcall>/<STATUS>`.
    #[serde(default, deserialize_with = "lenient")]
    pub req: Option<String>,
    /// Is the set-up as we think? If not, the case is blocked, not failed.
    #[serde(default, deserialize_with = "lenient")]
    pub control: bool,
    /// Lowers the level of the check.
    #[serde(default, deserialize_with = "lenient")]
    pub level: Option<Level>,
    /// Keep an output under a name: `{call_id: first}`.
    #[serde(default, deserialize_with = "lenient")]
    pub save: Table<String>,
    /// Make the call this many times; announced once and summarised.
    #[serde(default, deserialize_with = "lenient")]
    pub repeat: Option<u32>,
    /// Only when this argument of the callback equals a saved value: `{call_id: first}`.
    #[serde(default, deserialize_with = "lenient")]
    pub when: Table<String>,
    /// Return this value from the callback.
    #[serde(default, rename = "return", deserialize_with = "lenient")]
    pub returns: Option<Node>,
    /// Resume `request` or `response` with the call that the ABI version has for it.
    #[serde(default, deserialize_with = "lenient")]
    pub resume: Option<String>,
    /// Execute `unreachable`.
    #[serde(default, deserialize_with = "lenient")]
    pub trap: bool,
    /// Loop for ever.
    #[serde(default, deserialize_with = "lenient")]
    pub spin: bool,
    /// Call itself for ever.
    #[serde(default, deserialize_with = "lenient")]
    pub recurse: bool,
    /// Grow memory: by this many pages, or `forever`.
    #[serde(default, deserialize_with = "lenient")]
    pub grow: Option<Node>,
    /// Other words in some ABI versions.
    #[serde(default, deserialize_with = "lenient")]
    pub per_abi: Table<StepPatch>,
}

/// What is different about a step in one ABI version.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepPatch {
    /// There is no such step.
    #[serde(default, deserialize_with = "lenient")]
    pub skip: bool,
    /// Instead of the step's.
    #[serde(default, deserialize_with = "lenient")]
    pub call: Option<String>,
    /// Instead of the step's.
    #[serde(default, deserialize_with = "lenient")]
    pub with: Option<Table<Node>>,
    /// Instead of the step's.
    #[serde(default, deserialize_with = "lenient")]
    pub expect: Option<Table<Node>>,
    /// Instead of the step's.
    #[serde(default, deserialize_with = "lenient")]
    pub req: Option<String>,
}

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
    /// What the upstreams of callouts answer, by name.
    #[serde(default, deserialize_with = "lenient")]
    pub upstreams: Table<List<AnswerFile>>,
    /// What happens, in order: `head: 1`, `chunk: 1`, `rest: 1`, `finish: 1`, `abort: 1`, `wait: {…}`,
    /// `reload`, `remove`, `shutdown`. Default: each stream whole, one after the other.
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

/// What a client sends; default `GET /`.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
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
    /// Take the request and close the connection.
    #[serde(default, deserialize_with = "lenient")]
    pub close: bool,
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
    /// `request` or `response`.
    pub direction: String,
    /// The bytes read in these callbacks, joined.
    #[serde(default, deserialize_with = "lenient")]
    pub bytes: Option<Node>,
    /// The sum of `body_size` (nothing paused).
    #[serde(default, deserialize_with = "lenient")]
    pub total: Option<Node>,
    /// `body_size` never shrinks (paused) and ends at this number.
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
    /// The line's log level (`WARN`).
    #[serde(default, deserialize_with = "lenient")]
    pub log_level: Option<String>,
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
    /// `client 1 status`, `client 1 body`, `client 1 header x`, `upstream main header x`,
    /// `upstream main body`, `upstream main count`, `load`, `end`.
    pub what: String,
}
