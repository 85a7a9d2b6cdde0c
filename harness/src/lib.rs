//! pwspec: a conformance test harness for Proxy-Wasm hosts.

pub mod abi;
pub mod case;
pub mod host;
pub mod judge;
pub mod record;
pub mod report;
pub mod trace;
