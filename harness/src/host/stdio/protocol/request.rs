//! What the harness asks for.
//!
//! Does not know what comes of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::stdio::protocol::{Bytes, Fields, State};

/// One line from the harness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Its number; every line that answers it carries the same.
    pub id: u64,
    /// What is asked for. An adapter answers an operation that it does not know with `unsupported`.
    pub ask: Ask,
}

/// An operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// Who is there? The first line. Answer: `hello`.
    Hello(Greeting),
    /// Make a VM of this module, as far as the library does that before a plugin starts. Answer: `done`,
    /// or `refused` with the library's words.
    Load(Load),
    /// Start a plugin in it: `proxy_on_context_create`, and as the library has it `proxy_on_vm_start` and
    /// `proxy_on_configure`. Answer: `done` with its context and whether it was `accepted`, or `refused`.
    Start(Start),
    /// A stream begins: make its context. Answer: `done` with the context.
    Open(Open),
    /// Have the library call the plugin. Answer: `done`, with the action where the callback has one.
    Call(Call),
    /// The world is done with a stream, or with a plugin: have the library end its context. Answer:
    /// `done`, with what `proxy_on_done` gave as `accepted` where the library tells.
    Finish(Finish),
    /// The VM is not needed any more: release it without another callback. Answer: `done`.
    Forget(Forget),
    /// Be as after the start. Answer: `done`.
    Reset(Reset),
}

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Greeting {
    /// The version that the harness speaks.
    pub protocol: u32,
}

/// A VM to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The name by which messages speak of it.
    pub vm: String,
    /// The VM id of its configuration: VMs of one id share data, queues and metrics.
    pub vm_id: String,
    /// The ABI version or dialect of the module: `0.2.1`.
    pub abi: String,
    /// The module.
    pub module: Bytes,
    /// VM configuration.
    #[serde(default)]
    pub vm_config: Bytes,
    /// Its plugins, in the order in which they will be started.
    pub plugins: Vec<Plugin>,
    /// The upstreams that there are, by the names that plugins use.
    #[serde(default)]
    pub upstreams: Vec<String>,
    /// The foreign functions that the embedder is to register.
    #[serde(default)]
    pub functions: Vec<Function>,
}

/// One plugin of a VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// Its name.
    pub name: String,
    /// Its root id.
    pub root_id: String,
    /// Plugin configuration.
    #[serde(default)]
    pub config: Bytes,
}

/// A foreign function that the embedder is to register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it gives back; nothing here: its arguments.
    #[serde(default)]
    pub gives: Option<Bytes>,
}

/// A plugin to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The VM.
    pub vm: String,
    /// Which of its plugins, from 0.
    pub plugin: u32,
}

/// A stream that begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// The VM.
    pub vm: String,
    /// The plugin's context.
    pub plugin: u32,
    /// What kind of stream.
    pub kind: Kind,
}

/// What kind of stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// HTTP.
    Http,
    /// TCP.
    Tcp,
}

/// One callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The VM.
    pub vm: String,
    /// The context: the plugin's or the stream's, as the adapter named it.
    pub context: u32,
    /// What of the stream has changed since the last answer that was about it.
    #[serde(default)]
    pub state: State,
    /// What happened.
    pub event: Event,
}

/// What happened: the text's callback, and what comes with it beside the state. Counts and sizes follow
/// from what is there; who passes them to the plugin is the library's or the embedder's affair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A timer is due.
    ProxyOnTick {},
    /// There is an item in a queue.
    ProxyOnQueueReady {
        /// The queue, as the library or adapter named it.
        queue_id: u32,
    },
    /// A callout has ended.
    ProxyOnHttpCallResponse {
        /// The call, as the library or adapter named it.
        call_id: u32,
        /// The answer's fields, `:status` first; nothing here: the call failed.
        #[serde(default)]
        headers: Option<Fields>,
        /// Its body.
        #[serde(default)]
        body: Bytes,
        /// Its trailers.
        #[serde(default)]
        trailers: Fields,
    },
    /// Initial metadata of a gRPC call or stream.
    ProxyOnGrpcReceiveInitialMetadata {
        /// The call or stream.
        call_id: u32,
        /// The metadata.
        metadata: Fields,
    },
    /// A message of a gRPC call or stream.
    ProxyOnGrpcReceive {
        /// The call or stream.
        call_id: u32,
        /// The message.
        message: Bytes,
    },
    /// Trailing metadata of a gRPC call or stream.
    ProxyOnGrpcReceiveTrailingMetadata {
        /// The call or stream.
        call_id: u32,
        /// The metadata.
        metadata: Fields,
    },
    /// A gRPC call or stream has ended.
    ProxyOnGrpcClose {
        /// The call or stream.
        call_id: u32,
        /// The gRPC status.
        status_code: u32,
        /// Its message.
        #[serde(default)]
        message: String,
    },
    /// A foreign callback.
    ProxyOnForeignFunction {
        /// Its number.
        function_id: u32,
        /// Its arguments.
        arguments: Bytes,
    },
    /// A client has connected.
    ProxyOnNewConnection {},
    /// Bytes from the client.
    ProxyOnDownstreamData {
        /// They come behind what `downstream_data` holds.
        piece: Bytes,
        /// Nothing follows.
        end_of_stream: bool,
    },
    /// The client's connection was closed.
    ProxyOnDownstreamConnectionClose {
        /// By whom.
        peer: Peer,
    },
    /// Bytes from the upstream.
    ProxyOnUpstreamData {
        /// They come behind what `upstream_data` holds.
        piece: Bytes,
        /// Nothing follows.
        end_of_stream: bool,
    },
    /// The upstream's connection was closed.
    ProxyOnUpstreamConnectionClose {
        /// By whom.
        peer: Peer,
    },
    /// A request's head is in `request_headers`.
    ProxyOnRequestHeaders {
        /// Nothing follows.
        end_of_stream: bool,
    },
    /// A piece of a request's body.
    ProxyOnRequestBody {
        /// It comes behind what `request_body` holds.
        piece: Bytes,
        /// Nothing follows.
        end_of_stream: bool,
    },
    /// A request's trailers are in `request_trailers`.
    ProxyOnRequestTrailers {},
    /// A response's head is in `response_headers`.
    ProxyOnResponseHeaders {
        /// Nothing follows.
        end_of_stream: bool,
    },
    /// A piece of a response's body.
    ProxyOnResponseBody {
        /// It comes behind what `response_body` holds.
        piece: Bytes,
        /// Nothing follows.
        end_of_stream: bool,
    },
    /// A response's trailers are in `response_trailers`.
    ProxyOnResponseTrailers {},
}

/// Who closed a connection, as the text counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// Nobody knows.
    Unknown,
    /// The host.
    Local,
    /// The other side.
    Remote,
}

/// A context to be ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// The VM.
    pub vm: String,
    /// The context: a stream's or a plugin's.
    pub context: u32,
    /// What of the stream has changed since the last answer that was about it.
    #[serde(default)]
    pub state: State,
}

/// A VM that is not needed any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forget {
    /// The VM.
    pub vm: String,
}

/// Nothing is needed any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reset {}

impl Event {
    /// The text's name of the callback.
    pub fn name(&self) -> &'static str {
        match self {
            Event::ProxyOnTick {} => "proxy_on_tick",
            Event::ProxyOnQueueReady { .. } => "proxy_on_queue_ready",
            Event::ProxyOnHttpCallResponse { .. } => "proxy_on_http_call_response",
            Event::ProxyOnGrpcReceiveInitialMetadata { .. } => {
                "proxy_on_grpc_receive_initial_metadata"
            }
            Event::ProxyOnGrpcReceive { .. } => "proxy_on_grpc_receive",
            Event::ProxyOnGrpcReceiveTrailingMetadata { .. } => {
                "proxy_on_grpc_receive_trailing_metadata"
            }
            Event::ProxyOnGrpcClose { .. } => "proxy_on_grpc_close",
            Event::ProxyOnForeignFunction { .. } => "proxy_on_foreign_function",
            Event::ProxyOnNewConnection {} => "proxy_on_new_connection",
            Event::ProxyOnDownstreamData { .. } => "proxy_on_downstream_data",
            Event::ProxyOnDownstreamConnectionClose { .. } => {
                "proxy_on_downstream_connection_close"
            }
            Event::ProxyOnUpstreamData { .. } => "proxy_on_upstream_data",
            Event::ProxyOnUpstreamConnectionClose { .. } => "proxy_on_upstream_connection_close",
            Event::ProxyOnRequestHeaders { .. } => "proxy_on_request_headers",
            Event::ProxyOnRequestBody { .. } => "proxy_on_request_body",
            Event::ProxyOnRequestTrailers {} => "proxy_on_request_trailers",
            Event::ProxyOnResponseHeaders { .. } => "proxy_on_response_headers",
            Event::ProxyOnResponseBody { .. } => "proxy_on_response_body",
            Event::ProxyOnResponseTrailers {} => "proxy_on_response_trailers",
        }
    }
}
