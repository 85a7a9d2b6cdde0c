//! Hosts: one door ([`Driver`]) for the reference host, deliberately wrong hosts, library adapters
//! and real proxies.
//!
//! Does not know what is expected of a host: it gets bytes and an exchange, never YAML.

mod driver;
mod find;
mod grpc;
mod guard;
mod hold;
pub mod network;
mod pieces;
pub mod reference;
pub mod stdio;
mod wire;

pub use driver::*;
pub use find::{Found, find, how_to_get, version_numbers, version_of};
pub use hold::Held;
