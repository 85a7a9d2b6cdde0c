//! Limits for runaway guests: one thread interrupts every store whose time is up, again and again
//! until the guest has returned.
//!
//! Does not know what runs in a store.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use wasmer::Store;

use crate::host::reference::work::{Budget, Task};

/// An interrupt can be missed, so it is repeated this often.
const AGAIN: Duration = Duration::from_millis(5);

/// How long the thread sleeps while there are stores and none runs a guest.
const DOZE: Duration = Duration::from_millis(20);

/// Interrupts one store.
type Interrupt = Box<dyn Fn() + Send>;

/// The thread's handle. It ends when this is dropped.
pub(super) struct Watchdog(Arc<Shared>);

#[derive(Default)]
struct Shared {
    watched: Mutex<Watched>,
    changed: Condvar,
}

#[derive(Default)]
struct Watched {
    next: u64,
    /// When the thread looks again by itself.
    wakes: Option<Instant>,
    ending: bool,
    running: bool,
    /// By number: what its guest may take, while one runs.
    stores: BTreeMap<u64, (Option<Limit>, Interrupt)>,
}

/// What a guest may take: time on the clock, and work.
struct Limit {
    most: Instant,
    budget: Option<Budget>,
}

impl Limit {
    /// Whether it is used up.
    fn over(&mut self, now: Instant) -> bool {
        self.most <= now || self.budget.as_mut().is_some_and(|b| b.spent(now))
    }

    /// When to look again.
    fn next(&self) -> Instant {
        let budget = self.budget.as_ref().map(Budget::look);
        budget.map_or(self.most, |at| at.min(self.most))
    }
}

/// A store under watch, until this is dropped.
pub(super) struct Watch {
    of: Arc<Shared>,
    id: u64,
}

impl Watchdog {
    /// A watchdog whose thread starts with the first store.
    pub(super) fn new() -> Watchdog {
        Watchdog(Arc::default())
    }

    /// Takes `store` under watch; no guest of it runs yet.
    pub(super) fn watch(&self, store: &Store) -> Watch {
        let mut watched = lock(&self.0);
        let id = watched.next;
        watched.next += 1;
        let interrupter = store.interrupter();
        let interrupt: Interrupt = Box::new(move || interrupter.interrupt());
        watched.stores.insert(id, (None, interrupt));
        if !watched.running {
            watched.running = true;
            let shared = Arc::clone(&self.0);
            std::thread::spawn(move || bark(&shared));
        }
        Watch {
            of: Arc::clone(&self.0),
            id,
        }
    }
}

impl Watch {
    /// A guest begins to run on this thread `now`: it is interrupted from `most` on, and, where the system
    /// tells what a thread works, when it has worked for as long as a plugin may (`worker`).
    pub(super) fn begins(&self, now: Instant, most: Instant, worker: bool) {
        let task = worker.then(Task::current).flatten();
        let budget = task.map(|task| Budget::new(task, now));
        let limit = Limit { most, budget };
        let mut watched = lock(&self.of);
        let next = limit.next();
        if let Some((of, _)) = watched.stores.get_mut(&self.id) {
            *of = Some(limit);
        }
        if watched.wakes.is_none_or(|wakes| next < wakes) {
            self.of.changed.notify_one();
        }
    }

    /// The guest has returned.
    pub(super) fn returned(&self) {
        if let Some((limit, _)) = lock(&self.of).stores.get_mut(&self.id) {
            *limit = None;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.of).stores.remove(&self.id);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        lock(&self.0).ending = true;
        self.0.changed.notify_one();
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Watched> {
    shared
        .watched
        .lock()
        .unwrap_or_else(|broken| broken.into_inner())
}

fn bark(shared: &Shared) {
    let mut watched = lock(shared);
    while !watched.ending {
        let now = Instant::now();
        for (limit, interrupt) in watched.stores.values_mut() {
            if limit.as_mut().is_some_and(|l| l.over(now)) {
                interrupt();
            }
        }
        let limits = watched.stores.values().filter_map(|(l, _)| l.as_ref());
        let next = limits
            .map(|l| l.next().saturating_duration_since(now))
            .min();
        // Between two callbacks of a job it dozes: to be woken for each would cost more than they do.
        let idle = match watched.stores.is_empty() {
            true => Duration::from_secs(60),
            false => DOZE,
        };
        let wait = next.map_or(idle, |d| d.max(AGAIN));
        watched.wakes = Some(now + wait);
        watched = match shared.changed.wait_timeout(watched, wait) {
            Ok((guard, _)) => guard,
            Err(broken) => broken.into_inner().0,
        };
    }
}
