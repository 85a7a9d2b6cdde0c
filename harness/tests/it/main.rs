//! The integration tests: one binary.

mod envoy;
mod kit;
