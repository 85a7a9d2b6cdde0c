//! The messages between harness and adapter, version 1: one JSON object a line in each direction.
//!
//! The harness asks, the adapter answers, one at a time and in order. The adapter says [`Answer::Entered`]
//! when it hands control to the library, so that a library that hangs or ends its process is told from an
//! adapter that does. State goes over with each operation and comes back after it; nobody is asked while
//! a callback runs. Does not know when which message is sent: that is the engine's.
//!
//! What is not in a message has its default; what this version does not know is an error on both sides.
//! `specs/schema/adapter.json` is made from these types.

mod bytes;
mod effect;
mod reply;
mod request;
mod schema;
mod state;

pub use bytes::{Bytes, Field, Fields};
pub use effect::{Caused, Effect, StreamType};
pub use reply::{Action, Answer, Done, Hello, Library, Line, Reply, Who};
pub use request::{
    Ask, Call, Event, Finish, Forget, Function, Greeting, Kind, Load, Open, Peer, Plugin, Request,
    Reset, Start,
};
pub use schema::schema;
pub use state::{Part, State};

/// The version that this harness speaks.
pub const PROTOCOL: u32 = 1;
