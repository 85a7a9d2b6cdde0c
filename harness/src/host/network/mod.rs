//! Real proxies: a binary, templates for its configuration, sockets and a log.
//!
//! One process serves many cases: a listener and a VM each, put in by batches, played one by one,
//! each followed by a fence. A host that dies or hangs costs the case that it was busy with. Where
//! listeners do not change while the host runs, each batch has a process of its own, and its traces
//! are read when the log is whole.
//!
//! Does not know any proxy: all that is particular stands in the profile, but for the ways in which
//! listeners change and in which a case is known to be over.

mod backend;
mod boot;
mod client;
mod driver;
mod ear;
mod fence;
mod folder;
mod h2;
mod http1;
mod line;
mod lines;
mod loopback;
mod placed;
mod play;
mod play_tcp;
mod process;
mod raw;
pub mod repro;
mod session;
mod settle;
mod template;
#[cfg(test)]
mod tests;
mod turns;
mod upstream;
mod waits;
mod wirelog;
mod work;

pub use driver::{Network, Options};
