//! pwspec: a conformance test harness for Proxy-Wasm hosts.

pub mod abi;
pub mod case;
pub mod cli;
pub mod fuzz;
pub mod guest;
pub mod host;
pub mod judge;
pub mod record;
pub mod report;
pub mod runner;
pub mod trace;
