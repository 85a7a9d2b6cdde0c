//! From a trace and its checks to verdicts; known failures, gate, tally.
//!
//! Does not know which host ran, nor how it was reached.

mod callbacks;
mod found;
mod matching;
mod observe;
mod question;
mod steps;
mod verdict;
mod view;
mod wire;
mod words;

pub use question::{Question, judge};
pub use verdict::*;
