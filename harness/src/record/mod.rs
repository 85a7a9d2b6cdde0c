//! Run events and the JSONL record: the only thing that runner and reporters share.
//!
//! Does not know how a run is made, nor how it is shown.

mod line;

pub use line::*;
