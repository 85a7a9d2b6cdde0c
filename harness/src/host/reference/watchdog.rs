//! Deadlines for runaway guests: one thread interrupts every store whose time is up, again and
//! again until the worker says that it is done.
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
    stores: BTreeMap<u64, (Instant, Interrupt)>,
}

/// A store under watch, until this is dropped.
pub(super) struct Watch<'a> {
    of: &'a Watchdog,
    id: u64,
}

impl Watchdog {
    /// A watchdog whose thread starts with the first store.
    pub(super) fn new() -> Watchdog {
        Watchdog(Arc::default())
    }

    /// Interrupts `store` from `deadline` on.
    pub(super) fn watch(&self, store: &Store, deadline: Instant) -> Watch<'_> {
        let mut watched = lock(&self.0);
        let id = watched.next;
        watched.next += 1;
        // Only an earlier deadline than all others changes when the thread must wake.
        let earliest = watched.stores.values().all(|(d, _)| deadline < *d);
        let interrupter = store.interrupter();
        let interrupt: Interrupt = Box::new(move || interrupter.interrupt());
        watched.stores.insert(id, (deadline, interrupt));
        if !watched.running {
            watched.running = true;
            let shared = Arc::clone(&self.0);
            std::thread::spawn(move || bark(&shared));
        } else if earliest {
            self.0.changed.notify_one();
        }
        Watch { of: self, id }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        lock(&self.of.0).stores.remove(&self.id);
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
        for (deadline, interrupt) in watched.stores.values() {
            if *deadline <= now {
                interrupt();
            }
        }
        let next = watched
            .stores
            .values()
            .map(|(d, _)| d.saturating_duration_since(now))
            .min();
        let wait = next.map_or(Duration::from_secs(60), |d| d.max(AGAIN));
        watched = match shared.changed.wait_timeout(watched, wait) {
            Ok((guard, _)) => guard,
            Err(broken) => broken.into_inner().0,
        };
    }
}
