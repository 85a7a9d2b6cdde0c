//! Outputs that other programs take: JUnit, SARIF, a summary and the matrix in Markdown, a badge.
//!
//! Does not know where they go. Every text of a host goes through [`crate::report::safe`] and then
//! through the escapes of its format.

mod badge;
mod column;
mod counted;
mod junit;
mod markdown;
mod matrix;
mod sarif;
#[cfg(test)]
mod tests;
mod xml;

pub use badge::{Badge, badge};
pub use column::column_page;
pub use junit::junit;
pub use markdown::markdown;
pub use matrix::matrix;
pub use sarif::sarif;
