//! `--max-time`: ends a run when its time is over.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::host::{Early, Stop};

/// A clock beside a run; it stops when this is dropped.
pub(super) struct Limit {
    _ends: Option<Sender<()>>,
}

impl Limit {
    /// Asks the run to end after `time`, if there is one.
    pub(super) fn start(time: Option<Duration>, stop: &Stop) -> Limit {
        let Some(time) = time else {
            return Limit { _ends: None };
        };
        let (ends, ended) = channel::<()>();
        let stop = stop.clone();
        std::thread::spawn(move || {
            if ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                stop.ask_for(Early::Time);
            }
        });
        Limit { _ends: Some(ends) }
    }
}
