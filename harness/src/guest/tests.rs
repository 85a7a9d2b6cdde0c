//! Specialised modules in an engine: what they do and what their frames say.

pub(crate) mod host;
pub(crate) mod table;

mod built;
mod fixed;
mod odd;
mod parts;
mod run;
mod select;
mod taken;
