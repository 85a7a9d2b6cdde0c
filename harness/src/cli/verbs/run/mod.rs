//! `run`: select, play, record, judge, report.

mod empty;
mod files;
mod folder;
mod limit;
mod own;
mod repeat;
mod setup;
mod shown;
mod verb;
mod watch;

pub(crate) use verb::run;
