//! From a trace and its checks to verdicts; known failures, gate, tally.
//!
//! Does not know which host ran, nor how it was reached.

mod verdict;

pub use verdict::*;
