//! The integration tests, in one binary.

mod frame_props;
mod guest_props;
