//! Two records of the same hosts side by side: what a change did to them.
//!
//! Records in, a [`Diff`] out, and the diff as text, Markdown or JSON. Does not know which of the
//! two is the better one beyond what the cases say.

mod compare;
mod markdown;
mod model;
mod text;

#[cfg(test)]
mod tests;

pub use compare::compare;
pub use markdown::markdown;
pub use model::*;
pub use text::text;
