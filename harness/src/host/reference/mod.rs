//! The reference host: the executable reading of the text, embedded, on virtual time.
//!
//! Where the text speaks, it does exactly that; where the text is silent it does what is most natural
//! and says so in a comment (`Silent (S12)`: the line of the list of silences). Only this folder names
//! the engine.

mod buffers;
mod bytes;
mod call;
mod calls;
mod clock;
mod code;
mod contexts;
mod direct;
mod ends;
mod engine;
mod faults;
mod foreign;
mod grpc;
mod lifecycle;
mod link;
pub(super) mod links;
mod log;
mod maps;
mod metrics;
mod passage;
mod pipe;
mod play;
mod player;
mod pool;
mod props;
mod queues;
mod reply;
mod shared;
mod spoil;
mod status;
mod streams;
#[cfg(test)]
mod tests;
mod wasi;
mod watchdog;
mod work;
mod world;

pub use pool::{Options, Reference};

/// The names of all faults that can be planted.
pub fn faults() -> &'static [&'static str] {
    faults::NAMES
}
