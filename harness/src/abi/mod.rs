//! The ABI as data: versions, dialects, signatures, enums, requirements, and the map encoding.
//!
//! Knows the tables of `specs/abi`. Does not know cases, guests or hosts.

mod build;
mod changes;
mod check;
mod dialect;
mod entries;
mod file;
mod load;
mod pairs;
mod problem;
mod text;
mod types;
mod words;

pub use changes::{Difference, Kind, differences};
pub use dialect::DialectFile;
pub use entries::Entries;
pub use file::TableFile;
pub use load::load;
pub use pairs::{PairsError, decode as decode_pairs, encode as encode_pairs};
pub use problem::Problem;
pub use text::{LineMeaning, Meaning, Reading, TextLine, TextMap, TextMapFile, TextProblem};
pub use types::*;

#[cfg(test)]
mod tests;
