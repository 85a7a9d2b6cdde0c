//! The work list of a developer who adapts a host to the text: what is missing, what has only another
//! name or number, what behaves otherwise; what unlocks most cases comes first.
//!
//! Records and ABI tables in, bytes out. Where a record has a column in a dialect of the same host, each
//! case is held against it: what passes there needs names and numbers only. Does not know the host.

mod build;
mod html;
mod markdown;
mod model;
mod own;
mod roots;
mod steps;
mod text;

#[cfg(test)]
mod tests;

pub use build::adaptation;
pub use html::html;
pub use markdown::markdown;
pub use model::*;
pub use text::text;
