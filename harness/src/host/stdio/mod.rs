//! Library hosts: an adapter program around the library, one JSON object a line in each direction.
//!
//! The stream engine plays the exchange; the adapter calls the library. State goes over with each
//! operation and comes back after it: nobody asks the harness in the middle of a callback. Does not
//! know what is expected, nor any library.

mod driver;
mod engine;
mod examine;
mod link;
pub mod protocol;
#[cfg(test)]
mod tests;

pub use driver::Stdio;
pub use link::{Link, Peer, Program, Silence};
