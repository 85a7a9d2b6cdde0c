//! When a host has dealt with what was done: nothing more comes of it.
//!
//! One worker does everything in turn, so a request that it answers through the fence shows that it has
//! handled all that lay before it. What one step sets off may take several turns of its loop, some of
//! which nobody hears of (a connection is made, bytes are written on, a close is passed on); so several
//! fences in succession must pass with nothing new. This holds however slow the machine is: it is a matter
//! of order, not of time. Timers and other threads of the host are not in that order: who expects
//! something of those waits for it. Does not know what a step does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::host::network::ear::Ear;
use crate::host::network::fence::Gate;

/// So many fences pass with nothing new. A fence's connection is taken in one turn and read in a later
/// one, so these are twice as many turns; no chain of turns is known that is silent for so long.
const QUIET: u32 = 2;
/// No more fences than this: a guest that ticks may have news for ever.
const MOST: u32 = 400;
/// Where fences say nothing of the order: nothing new within this time is the end of it.
pub const SILENCE: Duration = Duration::from_millis(40);
/// A fence is given this long.
const PATIENCE: Duration = Duration::from_secs(4);

/// How a wait for the end of it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// What was waited for is there.
    Enough,
    /// Nothing more comes.
    Quiet,
    /// The host is gone, or does not answer at the fence.
    Lost,
}

/// Waits for the end of it.
#[derive(Clone)]
pub struct Settle {
    gate: Arc<Gate>,
    ear: Arc<Ear>,
    /// One worker, and a fence that is in order with all that it does.
    ordered: bool,
}

impl Settle {
    /// With this fence and this log. `ordered`: one worker does everything in turn.
    pub fn new(gate: Arc<Gate>, ear: Arc<Ear>, ordered: bool) -> Settle {
        Settle { gate, ear, ordered }
    }

    /// The log.
    pub fn ear(&self) -> &Arc<Ear> {
        &self.ear
    }

    /// Whether an answer rests on order, not on time.
    pub fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// Waits until nothing more comes of what was done, at most `within`. `news` grows with all that
    /// comes; what lies in a socket has been read before it answers.
    pub fn over(&self, within: Duration, news: &dyn Fn() -> u64) -> Settled {
        self.until(within, news, &|| false)
    }

    /// The same, and not beyond the moment at which there is `enough`.
    pub fn until(
        &self,
        within: Duration,
        news: &dyn Fn() -> u64,
        enough: &dyn Fn() -> bool,
    ) -> Settled {
        let until = Instant::now() + within;
        let (mut before, mut quiet) = (news(), 0);
        for _ in 0..MOST {
            if enough() {
                return Settled::Enough;
            }
            let needed = if self.ordered { QUIET } else { 1 };
            if quiet >= needed {
                return Settled::Quiet;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.ear.heard().ended || !self.pass(left.min(PATIENCE), enough) {
                return Settled::Lost;
            }
            let now = news();
            quiet = if now == before { quiet + 1 } else { 0 };
            before = now;
        }
        Settled::Quiet
    }

    fn pass(&self, left: Duration, enough: &dyn Fn() -> bool) -> bool {
        if self.ordered {
            return self.gate.pass(&self.ear, left);
        }
        let until = Instant::now() + left.min(SILENCE);
        while !enough() && Instant::now() < until {
            let lines = self.ear.heard().lines;
            let rest = until.saturating_duration_since(Instant::now());
            self.ear.wait(rest, |h| h.lines > lines);
        }
        true
    }
}
