//! From a trace and its checks to verdicts; known failures, gate, tally.
//!
//! Does not know which host ran, nor how it was reached.

mod callbacks;
mod edit;
mod found;
mod gate;
mod grpc;
mod known;
mod matching;
mod observe;
mod other;
mod prove;
mod question;
mod settle;
mod steps;
mod tally;
mod verdict;
mod view;
mod wire;
mod words;

pub use gate::{EntryState, Expectation, Gated, Gating, LACKED, Ledger, gate, lacking};
pub use known::{Known, KnownError, Lacks, VersionRange, case_glob};
pub use prove::{changes, prove_checks, prove_survey};
pub use question::{Question, judge};
pub use settle::{Settling, failed, forms, settle};
pub use tally::{ByVerdict, Counted, Manner, Tally, tally};
pub use verdict::*;

#[cfg(test)]
mod tests;
