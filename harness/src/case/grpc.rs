//! gRPC upstreams: what they do, and what is expected that they saw.
//!
//! Messages are bare: the five bytes in front of each on the wire are the driver's.

use crate::case::{FieldExpect, Fields, Matcher};

/// The names of the gRPC upstreams that an exchange may script.
///
/// Their first letter matters: some hosts try the name as a serialised message first, and no message
/// begins with it.
pub const GRPC_UPSTREAMS: [&str; 2] = ["grpc_a", "grpc_b"];

/// What an upstream does with one call or stream, in order. When it is at its end and has not ended
/// the call, nothing more comes.
pub type GrpcScript = Vec<GrpcTurn>;

/// What an upstream does at one point of a call: initial metadata, then messages, then the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcTurn {
    /// What it waits for before.
    pub after: GrpcAfter,
    /// Initial metadata; a call without any gets it empty in front of the first message.
    pub initial_metadata: Option<Fields>,
    /// Messages, in order.
    pub messages: Vec<Vec<u8>>,
    /// How it ends the call.
    pub end: Option<GrpcEnd>,
}

/// What an upstream waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrpcAfter {
    /// Nothing: the call has come.
    Open,
    /// So many messages have come in all.
    Messages(u32),
    /// The other side has ended.
    End,
    /// The exchange says so ([`crate::case::Play::Go`]).
    Go,
}

/// How an upstream ends a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrpcEnd {
    /// In good order.
    Status {
        /// The gRPC status; 0 is OK.
        code: u32,
        /// The status message; empty: none is sent.
        message: String,
        /// Trailing metadata.
        trailing_metadata: Fields,
    },
    /// It resets the stream.
    Reset,
    /// It closes the connection.
    Close,
}

/// What must hold of a call at an upstream. `None` and empty: not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrpcExpect {
    /// The service that was asked for.
    pub service: Option<Matcher>,
    /// The method that was asked for.
    pub method: Option<Matcher>,
    /// Initial metadata by name.
    pub metadata: Vec<(String, FieldExpect)>,
    /// All messages, in order.
    pub messages: Option<Vec<Matcher>>,
    /// Whether the host has ended its side in good order.
    pub ended: Option<bool>,
    /// Whether the host has cut the call off.
    pub cancelled: Option<bool>,
    /// Whether it has done one of both.
    pub over: Option<bool>,
    /// Whether there is such a call at all (`Some(false)`: none may have come).
    pub present: Option<bool>,
}
