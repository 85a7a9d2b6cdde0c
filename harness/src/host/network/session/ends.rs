//! How a session ends: in the orderly way, with the traces of what was played, or because the host is lost.
//!
//! Does not know how a case is played.

use std::time::Instant;

use crate::host::network::session::{
    Answer, Finished, GRACE, Lost, Open, QUIET, QUIET_WITHIN, Session, when_late,
};
use crate::host::{Trouble, TroubleKind};
use crate::trace::{Attempt, Blob, End, Load};

impl Session {
    /// What was heard of a case that lost the host, and what its clients saw until then.
    pub fn remains(&mut self) -> Attempt {
        let partial = self.partial.take();
        let mut attempt = partial.unwrap_or_else(|| Attempt::empty(self.isolation));
        self.process.kill();
        let only = {
            let heard = self.ear.heard();
            let mut cases = heard.cases.iter();
            cases
                .next()
                .map(|(name, c)| (name.clone(), c.answer.clone()))
        };
        if let Some((name, answer)) = only {
            if answer == Some(Answer::Added) {
                attempt.load = Load::Loaded;
            }
            if let Some(hearing) = self.ear.forget(&name) {
                hearing.put_into(&mut attempt);
            }
        }
        self.upstreams.end(&mut attempt.seen);
        attempt.wire = Some(Blob::Whole(self.wire.take().into_bytes()));
        attempt
    }

    /// Whether the case that was played last has used up its deadline.
    pub fn was_late(&self) -> bool {
        let last = self.open.last();
        last.is_some_and(|open| matches!(open.attempt.end, End::Timeout(_)))
    }

    /// Ends the host, so that its log is whole, and reads the traces of the cases that were played.
    /// Where it did not end and was killed, the log may lack lines.
    pub fn finish(mut self) -> Finished {
        let until = Instant::now() + QUIET_WITHIN;
        let mut lines = self.ear.heard().lines;
        while self.ear.wait(QUIET, |h| h.lines > lines) && Instant::now() < until {
            lines = self.ear.heard().lines;
        }
        let late = |open: &Open| matches!(open.attempt.end, End::Timeout(_));
        let grace = if self.open.iter().any(late) {
            when_late(self.isolation)
        } else {
            GRACE
        };
        let orderly = self.process.stop(grace);
        let mut out = Vec::new();
        for mut open in std::mem::take(&mut self.open) {
            if let Some(hearing) = self.ear.forget(&open.name) {
                hearing.put_into(&mut open.attempt);
            }
            out.push((open.index, open.attempt));
        }
        if orderly {
            return (out, None);
        }
        let lost = Lost {
            what: "the host does not end when it is asked to".to_owned(),
            died: false,
            outside: false,
            suspect: None,
            dealt_with: None,
        };
        (out, Some(lost))
    }

    /// Ends the host in the orderly way.
    ///
    /// # Errors
    /// What was left behind.
    pub fn stop(mut self) -> Result<(), Trouble> {
        let orderly = self.process.stop(GRACE);
        let Session { dir, upstreams, .. } = self;
        drop(upstreams);
        let path = dir.path().to_owned();
        let gone = dir.close();
        if !orderly {
            return Err(Trouble::new(
                TroubleKind::Died,
                format!(
                    "it did not end within {} s of SIGTERM and was killed",
                    GRACE.as_secs()
                ),
            ));
        }
        gone.map_err(|e| {
            let what = format!("{} can't be removed: {e}", path.display());
            Trouble::new(TroubleKind::Died, what)
        })
    }
}
