//! What a run shows on a terminal and in a CI log.
//!
//! Writes colours ([`crate::report::plain`] and `anstream` take them out); does not know whether
//! there is a terminal: the caller says so.

mod annotation;
mod end;
mod excerpt;
mod failure;
mod live;
mod unplayed;

pub use end::*;
pub use excerpt::*;
pub use failure::*;
pub use live::*;
pub use unplayed::*;
