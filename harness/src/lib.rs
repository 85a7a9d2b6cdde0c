//! pwspec: a conformance test harness for Proxy-Wasm hosts.

pub mod abi;
