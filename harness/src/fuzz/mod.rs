//! Fuzzing: random valid programs, the model that keeps them valid, and the oracle that says whether two
//! hosts differed in something that the text asks for.
//!
//! The only room that names proptest. Starts nothing and reads nothing: programs go out as YAML, and what
//! hosts did with them comes in as attempts.

mod model;
mod oracle;
mod plan;
mod program;
mod shrink;
mod strategy;
#[cfg(test)]
mod tests;
mod write;

pub use model::{Limits, realise};
pub use oracle::{Compared, Difference, Rank, Side, compare};
pub use plan::{Data, Plan};
pub use program::Program;
pub use shrink::{Cut, cut_by, cuts};
pub use strategy::{plan, plans};
pub use write::{CASE, Heading, Watched, suite};
