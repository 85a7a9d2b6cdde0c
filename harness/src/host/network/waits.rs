//! How long a callback is waited for that a host may never call.
//!
//! A case waits for its callback as long as it says. Where one has waited in vain, and no case of the
//! same ABI has seen that callback yet, the others wait a short time only. What was cut short is no
//! answer before the end: if the callback then did come to some case, those are played again and wait as
//! long as they say. Does not know what the callbacks are for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::host::Job;

/// A wait that is cut short lasts this long.
const SHORT: Duration = Duration::from_millis(250);

/// What one call of `play` has learnt about callbacks.
#[derive(Debug, Default)]
pub struct Waits(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// By ABI and callback.
    of: BTreeMap<(String, String), Seen>,
    /// Cases whose wait was cut short in vain, by the numbers of their jobs, and for what.
    cut: BTreeMap<usize, BTreeSet<(String, String)>>,
}

#[derive(Debug, Default)]
struct Seen {
    came: bool,
    in_vain: bool,
}

impl Waits {
    /// Forgets everything: the numbers of jobs begin anew.
    pub fn begin(&self) {
        *self.known() = Known::default();
    }

    /// How long `job` waits for `callback` where it asks for `within`.
    pub fn within(&self, job: &Job, callback: &str, within: Duration) -> Duration {
        let known = self.known();
        let seen = known.of.get(&key(job, callback));
        let hopeless = seen.is_some_and(|s| s.in_vain && !s.came);
        if hopeless { within.min(SHORT) } else { within }
    }

    /// A wait is over: how long it lasted at most, how long it should have, whether it came at all,
    /// and whether as often as was asked for.
    pub fn over(&self, job: &Job, callback: &str, lasted: Waited, came: bool, enough: bool) {
        let mut known = self.known();
        let key = key(job, callback);
        let seen = known.of.entry(key.clone()).or_default();
        seen.came |= came;
        if enough {
            return;
        }
        if lasted == Waited::Whole {
            seen.in_vain = true;
        } else {
            known.cut.entry(job.index).or_default().insert(key);
        }
    }

    /// Whether an attempt at this job is no answer yet.
    pub fn was_cut(&self, index: usize) -> bool {
        self.known().cut.contains_key(&index)
    }

    /// Whether a callback that this job did not wait for long enough came elsewhere.
    pub fn too_early(&self, index: usize) -> bool {
        let known = self.known();
        let Some(keys) = known.cut.get(&index) else {
            return false;
        };
        keys.iter().any(|k| known.of.get(k).is_some_and(|s| s.came))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a wait had all its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// As long as the case says.
    Whole,
    /// It was cut short.
    Short,
}

fn key(job: &Job, callback: &str) -> (String, String) {
    (job.abi.id.clone(), callback.to_owned())
}
