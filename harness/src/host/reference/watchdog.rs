//! Limits for runaway guests: one thread interrupts every store whose time is up, again and again
//! until the guest has returned.
//!
//! Does not know what runs in a store.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmer::Store;

use crate::host::reference::work::{Budget, Task};

/// An interrupt can be missed, so it is repeated this often.
const AGAIN: Duration = Duration::from_millis(5);

/// How long the thread sleeps at most while there are stores.
const DOZE: Duration = Duration::from_millis(20);
/// The same while there are none.
const SLEEP: Duration = Duration::from_secs(60);

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
    /// It sleeps for long: there was no store.
    asleep: bool,
    ending: bool,
    running: bool,
    /// By number.
    stores: BTreeMap<u64, (Arc<Slot>, Interrupt)>,
}

/// What the guest of a store may take, while one runs.
type Slot = Mutex<Option<Limit>>;

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
    slot: Arc<Slot>,
    id: u64,
}

impl Watchdog {
    /// A watchdog whose thread starts with the first store.
    pub(super) fn new() -> Watchdog {
        Watchdog(Arc::default())
    }

    /// Takes `store` under watch; no guest of it runs yet.
    pub(super) fn watch(&self, store: &Store) -> Watch {
        let mut watched = lock(&self.0.watched);
        let id = watched.next;
        watched.next += 1;
        let interrupter = store.interrupter();
        let interrupt: Interrupt = Box::new(move || interrupter.interrupt());
        let slot = Arc::<Slot>::default();
        watched.stores.insert(id, (Arc::clone(&slot), interrupt));
        if !watched.running {
            watched.running = true;
            let shared = Arc::clone(&self.0);
            std::thread::spawn(move || bark(&shared));
        }
        if std::mem::take(&mut watched.asleep) {
            self.0.changed.notify_one();
        }
        Watch {
            of: Arc::clone(&self.0),
            slot,
            id,
        }
    }
}

impl Watch {
    /// A guest begins to run on this thread `now`: it is interrupted from `most` on, and, where the system
    /// tells what a thread works, when it has worked for as long as a plugin may (`worker`). The thread
    /// is not woken for it: it dozes no longer than a callback may work unseen.
    pub(super) fn begins(&self, now: Instant, most: Instant, worker: bool) {
        let task = worker.then(Task::current).flatten();
        let budget = task.map(|task| Budget::new(task, now));
        *lock(&self.slot) = Some(Limit { most, budget });
    }

    /// The guest has returned.
    pub(super) fn returned(&self) {
        *lock(&self.slot) = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.of.watched).stores.remove(&self.id);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        lock(&self.0.watched).ending = true;
        self.0.changed.notify_one();
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bark(shared: &Shared) {
    let mut watched = lock(&shared.watched);
    while !watched.ending {
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        for (slot, interrupt) in watched.stores.values() {
            if let Some(limit) = lock(slot).as_mut() {
                if limit.over(now) {
                    interrupt();
                }
                let look = limit.next();
                next = Some(next.map_or(look, |next| next.min(look)));
            }
        }
        watched.asleep = watched.stores.is_empty();
        let idle = if watched.asleep { SLEEP } else { DOZE };
        let next = next.map(|at| at.saturating_duration_since(now).max(AGAIN));
        let wait = next.map_or(idle, |next| next.min(idle));
        watched = match shared.changed.wait_timeout(watched, wait) {
            Ok((guard, _)) => guard,
            Err(broken) => broken.into_inner().0,
        };
    }
}
