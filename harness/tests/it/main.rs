//! The integration tests: one binary.

mod envoy;
mod frame_props;
mod guest_props;
mod kit;
mod mosn;
