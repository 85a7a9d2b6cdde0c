//! The integration tests: one binary.

mod cli;
mod envoy;
mod frame_props;
mod guest_props;
mod kit;
mod tidy;
