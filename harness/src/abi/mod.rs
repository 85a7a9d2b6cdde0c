//! The ABI as data: versions, dialects, signatures, enums, requirements, and the map encoding.
//!
//! Knows the tables of `specs/abi`. Does not know cases, guests or hosts.

mod types;

pub use types::*;
