//! gRPC calls and streams to scripted upstreams, message by message.
//!
//! `state` is what is open, `hostcalls` what plugins ask for, `upstream` what an upstream does by its
//! script, `deliver` what comes back to the plugin. Knows no frames and no HTTP: messages are bare.

mod deliver;
mod hostcalls;
mod state;
mod upstream;

pub(super) use hostcalls::{call, cancel, close, send, stream};
pub(super) use state::Grpc;
