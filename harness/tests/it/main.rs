//! The integration tests: one binary.

mod any;
mod cli;
mod data_props;
mod docs;
mod envoy;
mod frame_props;
mod guest_props;
mod kit;
mod mosn;
mod plugins;
mod second;
mod tidy;
