//! Outputs that other programs take: JUnit, SARIF, a summary in Markdown, a badge.
//!
//! Does not know where they go. Every text of a host goes through [`crate::report::safe`] and then
//! through the escapes of its format.

mod badge;
mod counted;
mod junit;
mod markdown;
mod sarif;
#[cfg(test)]
mod tests;
mod xml;

pub use badge::{Badge, badge};
pub use junit::junit;
pub use markdown::markdown;
pub use sarif::sarif;
