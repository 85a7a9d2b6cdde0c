//! pwspec: a conformance test harness for Proxy-Wasm hosts.

pub mod abi;
pub mod case;
pub mod guest;
pub mod host;
pub mod trace;
