//! The abstract model: from a plan to a valid program.
//!
//! It goes through the callbacks in the order of time and knows what exists when: which maps and buffers
//! are within reach, which fields they hold, how long a body is, what is in the stores, which ids live.
//! A wish whose outcome the text leaves free is left out, so that what remains has one right answer. Does
//! not know hosts, but for the limits that it is given.

mod bodies;
mod fields;
mod plain;
mod realise;
mod stores;
mod world;

pub use realise::{Limits, realise};
pub(super) use world::map_name;
