//! How long a thread has worked, and how long a plugin may: a machine that is busy with other things
//! takes nothing from a guest.
//!
//! Known on Linux only. Does not know what a thread works at.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A plugin may work this long in one callback; in the whole suite only the case that loops does.
const WORK: Duration = Duration::from_millis(60);
/// Nearly all callbacks have returned by then, and nobody looks at them.
const UNSEEN: Duration = Duration::from_millis(20);
/// How often to look at one that has taken what it may, until it is stopped.
const AGAIN: Duration = Duration::from_millis(5);

/// A thread of this process.
#[derive(Debug, Clone)]
pub(super) struct Task(Arc<Path>);

impl Task {
    /// This thread; `None` where the system does not tell.
    pub(super) fn current() -> Option<Task> {
        thread_local! {
            static OWN: OnceCell<Option<Task>> = const { OnceCell::new() };
        }
        let find = || {
            let own = std::fs::read_link("/proc/thread-self").ok()?;
            let file = PathBuf::from("/proc").join(own).join("schedstat");
            Some(Task(file.into())).filter(|task| task.worked().is_some())
        };
        OWN.with(|own| own.get_or_init(find).clone())
    }

    /// Time on a processor since the thread began.
    fn worked(&self) -> Option<Duration> {
        let text = std::fs::read_to_string(&self.0).ok()?;
        let first = text.split_whitespace().next()?;
        first.parse().ok().map(Duration::from_nanos)
    }
}

/// The work of one callback, looked at from another thread.
pub(super) struct Budget {
    task: Task,
    look: Instant,
    /// What the thread had worked when it was first looked at.
    before: Option<Duration>,
}

impl Budget {
    /// A callback begins on `task` `now`.
    pub(super) fn new(task: Task, now: Instant) -> Budget {
        Budget {
            task,
            look: now + UNSEEN,
            before: None,
        }
    }

    /// When to look.
    pub(super) fn look(&self) -> Instant {
        self.look
    }

    /// Looks, if it is time to: whether the callback has worked for longer than it may.
    pub(super) fn spent(&mut self, now: Instant) -> bool {
        if now < self.look {
            return false;
        }
        // A thread that has ended works no more.
        let worked = self.task.worked().unwrap_or_default();
        let before = *self.before.get_or_insert(worked);
        let left = WORK.saturating_sub(worked.saturating_sub(before));
        self.look = now + left.max(AGAIN);
        left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spin(until: Instant) {
        while Instant::now() < until {
            std::hint::black_box(0);
        }
    }

    #[test]
    fn a_thread_that_sleeps_spends_nothing_and_one_that_spins_does() {
        let Some(task) = Task::current() else {
            return eprintln!("skipped: the system does not tell what a thread works");
        };
        let later = |n: u32| Instant::now() + WORK * n;
        let mut budget = Budget::new(task.clone(), Instant::now());
        assert!(!budget.spent(later(1)), "the first look only notes");
        std::thread::sleep(WORK * 2);
        assert!(!budget.spent(later(9)), "it slept");
        // On a busy machine it takes longer until the thread has had its time.
        let spent = (0..100).any(|n| {
            spin(Instant::now() + WORK);
            budget.spent(later(20 + n))
        });
        assert!(spent, "it span");
    }
}
