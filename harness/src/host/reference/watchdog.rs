//! Limits for runaway guests: one thread interrupts every store whose time is up, again and again
//! until the guest has returned.
//!
//! Does not know what runs in a store.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use wasmer::Store;

/// An interrupt can be missed, so it is repeated this often.
const AGAIN: Duration = Duration::from_millis(5);

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
    ending: bool,
    running: bool,
    /// By number: when its guest must have returned, while one runs.
    stores: BTreeMap<u64, (Option<Instant>, Interrupt)>,
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
    /// A guest begins to run: it is interrupted from `limit` on.
    pub(super) fn begins(&self, limit: Instant) {
        let mut watched = lock(&self.of);
        // Only an earlier limit than all others changes when the thread must wake.
        let earliest = watched
            .stores
            .values()
            .filter_map(|(at, _)| *at)
            .all(|at| limit < at);
        if let Some((at, _)) = watched.stores.get_mut(&self.id) {
            *at = Some(limit);
        }
        if earliest {
            self.of.changed.notify_one();
        }
    }

    /// The guest has returned.
    pub(super) fn returned(&self) {
        if let Some((at, _)) = lock(&self.of).stores.get_mut(&self.id) {
            *at = None;
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
        for (at, interrupt) in watched.stores.values() {
            if at.is_some_and(|at| at <= now) {
                interrupt();
            }
        }
        let next = watched
            .stores
            .values()
            .filter_map(|(at, _)| at.map(|at| at.saturating_duration_since(now)))
            .min();
        let wait = next.map_or(Duration::from_secs(60), |d| d.max(AGAIN));
        watched = match shared.changed.wait_timeout(watched, wait) {
            Ok((guard, _)) => guard,
            Err(broken) => broken.into_inner().0,
        };
    }
}
