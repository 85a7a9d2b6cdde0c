//! `adapter new`: an adapter to begin with, in a folder of its own.

mod skeleton;
mod verb;

pub(crate) use verb::run;
