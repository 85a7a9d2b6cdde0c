//! Run events and the JSONL record: the only thing that runner and reporters share.
//!
//! Does not know how a run is made, nor how it is shown.

mod error;
mod event;
mod line;
mod merge;
mod pack;
mod places;
mod reader;
mod redact;
mod slim;
mod summary;
#[cfg(test)]
mod tests;
mod verdicts;
mod writer;

pub use error::*;
pub use event::*;
pub use line::*;
pub use merge::*;
pub use pack::{command, published};
pub use reader::*;
pub use redact::*;
pub use slim::*;
pub use summary::*;
pub use verdicts::*;
pub use writer::*;
