//! Run events and the JSONL record: the only thing that runner and reporters share.
//!
//! Does not know how a run is made, nor how it is shown.

mod file;
mod line;

pub use file::*;
pub use line::*;
