//! The oracle: did two hosts do the same in everything that the text asks for?
//!
//! It compares call by call, callback by callback and on the wire, and leaves out what the text leaves to
//! a proxy: how a body is cut, fields of the proxy's own, ids, times, the order of fields. It says which
//! requirement a difference touches. Does not know which host is right.

mod boundary;
mod compare;
mod wire;
mod words;

pub use compare::{Compared, Difference, Rank, Side, compare};
