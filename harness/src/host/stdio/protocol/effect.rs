//! What a plugin asked its host for and the library left to the code that embeds it.
//!
//! Does not know what is done about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::stdio::protocol::{Bytes, Fields, State};

/// An effect, and on whose behalf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caused {
    /// The VM.
    pub vm: String,
    /// The context that the library names: a stream's, or a plugin's.
    pub context: u32,
    /// What is asked for.
    pub effect: Effect,
}

/// What a plugin asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// A paused stream is to go on.
    ContinueStream {
        /// Which side of it.
        stream: StreamType,
    },
    /// A stream is to be closed.
    CloseStream {
        /// Which side of it.
        stream: StreamType,
    },
    /// The client is to get this response.
    LocalResponse {
        /// `403`.
        status: u32,
        /// For the host's log.
        #[serde(default)]
        details: Bytes,
        /// Its fields, without `:status`.
        #[serde(default)]
        headers: Fields,
        /// Its body.
        #[serde(default)]
        body: Bytes,
        /// The gRPC status, where the library passes it on.
        #[serde(default)]
        grpc_status: Option<i32>,
    },
    /// An HTTP call.
    HttpCall {
        /// What the plugin was told as its id.
        call_id: u32,
        /// To whom.
        upstream: Bytes,
        /// The request's fields.
        #[serde(default)]
        headers: Fields,
        /// Its body.
        #[serde(default)]
        body: Bytes,
        /// Its trailers.
        #[serde(default)]
        trailers: Fields,
        /// It fails after this long.
        timeout_ms: u32,
    },
    /// A gRPC call: one message, one answer.
    GrpcCall {
        /// What the plugin was told as its id.
        call_id: u32,
        /// To whom.
        upstream: Bytes,
        /// The service's name.
        service: Bytes,
        /// The method's name.
        method: Bytes,
        /// Initial metadata.
        #[serde(default)]
        metadata: Fields,
        /// The message.
        #[serde(default)]
        message: Bytes,
        /// It fails after this long.
        timeout_ms: u32,
    },
    /// A gRPC stream.
    GrpcStream {
        /// What the plugin was told as its id.
        call_id: u32,
        /// To whom.
        upstream: Bytes,
        /// The service's name.
        service: Bytes,
        /// The method's name.
        method: Bytes,
        /// Initial metadata.
        #[serde(default)]
        metadata: Fields,
    },
    /// A message on a gRPC stream.
    GrpcSend {
        /// The stream.
        call_id: u32,
        /// The message.
        message: Bytes,
        /// The plugin sends no more.
        #[serde(default)]
        end_of_stream: bool,
    },
    /// A gRPC call or stream is not wanted any more.
    GrpcCancel {
        /// The call or stream.
        call_id: u32,
    },
    /// A gRPC call or stream is closed.
    GrpcClose {
        /// The call or stream.
        call_id: u32,
    },
    /// The plugin is to be ticked.
    TickPeriod {
        /// Every so often; 0: no more.
        ms: u32,
    },
    /// An item was added to a queue that this plugin context has registered, and the library leaves it to
    /// the embedder to say so.
    QueueReady {
        /// The queue.
        queue_id: u32,
    },
    /// Maps or buffers of this stream were changed from a callback of another context.
    Changed {
        /// What of it.
        state: State,
    },
    /// This context waited for `proxy_done` and was ended now.
    Finished {},
    /// A metric that the embedder keeps has this value now.
    Metric {
        /// Its name.
        name: Bytes,
        /// Its value.
        value: u64,
    },
    /// A foreign function of the embedder's was called.
    Function {
        /// Its name.
        name: String,
        /// What it was given.
        arguments: Bytes,
    },
}

/// Which side of a stream, as the text counts them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum StreamType {
    /// HTTP_REQUEST.
    HttpRequest,
    /// HTTP_RESPONSE.
    HttpResponse,
    /// DOWNSTREAM.
    Downstream,
    /// UPSTREAM.
    Upstream,
}
