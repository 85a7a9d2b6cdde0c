//! `repro`: a case without pwspec: modules, the host's configuration, scripts for both sides of it, and
//! what happened here.

mod readme;
mod secrets;
mod verb;

pub(crate) use verb::run;
