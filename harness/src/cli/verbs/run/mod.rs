//! `run`: select, play, record, judge, report.

mod empty;
mod files;
mod folder;
mod last;
mod shown;
mod verb;

pub(crate) use verb::run;
