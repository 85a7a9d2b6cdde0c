//! The line map: which requirement each line of the specification's text stands behind.
//!
//! Knows the form of the text (headings, signatures, lists of statuses) and of `specs/abi/text`.
//! Does not hold the text: who calls has it from the user. Does not know which requirement has a
//! case.

mod agree;
mod file;
mod map;
mod outline;
mod read;

pub use file::{Meaning, TextMapFile};
pub(super) use map::FOLDER;
pub use map::TextMap;
pub use read::{LineMeaning, Reading, TextLine, TextProblem};

#[cfg(test)]
mod tests;
