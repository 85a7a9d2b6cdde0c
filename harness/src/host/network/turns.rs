//! Taking one case out of a running host and putting it back.
//!
//! Does not know why: the exchange asks for it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::host::network::ear::{Ear, Heard};
use crate::host::network::fence::Gate;
use crate::host::network::play::Turn;
use crate::host::network::session::Plan;
use crate::host::network::settle::Settle;
use crate::host::network::template::{CaseVars, Vars};

/// The callback with which a plugin's end begins.
const DONE: &str = "proxy_on_done";
/// The callback of a plugin's timer.
const TICK: &str = "proxy_on_tick";
/// A plugin that was taken out is given this long to end.
const GONE: Duration = Duration::from_millis(1500);
/// Nothing was heard for this long: a listener's end is over.
const QUIET: Duration = Duration::from_millis(60);
/// The fence is given this long.
const FENCE: Duration = Duration::from_secs(4);

/// Writes the file of listeners as a new version.
///
/// # Errors
/// A template names something that there is not, or the file can't be written.
pub fn publish(plan: &Plan, dir: &Path, vars: &mut Vars) -> Result<(), String> {
    vars.version += 1;
    let file = plan.profile.listeners.as_ref().and_then(|l| l.file.clone());
    let file = file.ok_or("the profile names no file of listeners")?;
    let written = plan.templates.write(dir, &file, vars);
    written.map_err(|trouble| trouble.what)
}

/// Takes one case out and puts it back.
pub struct Turns<'s> {
    /// The profile and its templates.
    pub plan: &'s Plan,
    /// What is heard.
    pub ear: &'s Ear,
    /// The fence.
    pub fence: &'s Gate,
    /// When a step is over.
    pub settle: &'s Settle,
    /// The cases that are in.
    pub vars: &'s mut Vars,
    /// The working folder.
    pub dir: &'s Path,
    /// The case.
    pub guest: &'s CaseVars,
    /// Why it could not be done.
    pub lost: Option<String>,
}

impl Turns<'_> {
    /// Does it and waits until it is done; whatever went wrong is in `lost`.
    pub fn turn(&mut self, turn: Turn) {
        // What the streams left is over first, so that it is not taken for the plugin's end.
        self.fence.pass(self.ear, FENCE);
        let name = &self.guest.name;
        let case = |h: &Heard| match h.cases.get(name) {
            Some(c) => (c.entered(DONE), c.added, c.entered_but(TICK)),
            None => (0, 0, 0),
        };
        let before = case(&self.ear.heard());
        self.vars.cases.retain(|c| c.name != *name);
        if turn == Turn::In {
            self.vars.cases.push(self.guest.clone());
        }
        if let Err(what) = publish(self.plan, self.dir, self.vars) {
            self.lost = Some(what);
            return;
        }
        let until = Instant::now() + GONE;
        match turn {
            // The end of a plugin comes on several threads. Where its streams were is over when that
            // thread has let fences pass with nothing new; of the others no line says that it was
            // the last one, so nothing more may come for a while. A timer may tick on in between.
            Turn::Out => {
                let mut more = self.ear.wait(GONE, |h| h.ended || case(h).0 > before.0);
                if more {
                    let left = until.saturating_duration_since(Instant::now());
                    let news = || u64::from(case(&self.ear.heard()).2);
                    self.settle.over(left, &news);
                }
                while more && Instant::now() < until {
                    let now = case(&self.ear.heard()).2;
                    more = self.ear.wait(QUIET, |h| case(h).2 > now);
                }
            }
            Turn::In => {
                self.ear.wait(GONE, |h| h.ended || case(h).1 > before.1);
                self.fence.pass(self.ear, FENCE);
            }
        }
    }
}
