//! Hosts: one door ([`Driver`]) for the reference host, deliberately wrong hosts, library adapters
//! and real proxies.
//!
//! Does not know what is expected of a host: it gets bytes and an exchange, never YAML.

mod driver;
pub mod reference;

pub use driver::*;
