//! The cases of one call that nobody has played yet, shared by the lanes that play them.
//!
//! Does not know how a case is played, nor what a process is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::host::network::session::Lost;
use crate::host::network::waits::Waits;
use crate::host::{Job, Stop, Trouble, TroubleKind};
use crate::trace::Attempt;

/// A host that is lost this often with nothing learnt between, cases apart that are alone, is given up.
const LOSSES: u32 = 25;

/// Near the end of a queue lanes take fewer cases at once, but not fewer than this: each batch may cost a
/// start of the host.
const LEAST: usize = 20;

/// What all lanes of one call share.
pub struct Call<'c> {
    /// Cases that are to be played alone.
    pub alone: Mutex<VecDeque<Again>>,
    /// Attempts that are no answer before the end: a wait was cut short.
    pub held: Mutex<Vec<(Job, Attempt)>>,
    /// What was learnt about callbacks.
    pub waits: &'c Waits,
    /// Set from outside to end the run early.
    pub stop: &'c Stop,
    /// Takes an attempt.
    pub done: &'c (dyn Fn(usize, Attempt) + Sync),
    losses: AtomicU32,
    /// A lane has given up: the others need not go on.
    given_up: AtomicBool,
}

/// A queue, and the lanes that play it.
pub struct Work<'w> {
    /// What nobody plays yet.
    queue: Mutex<VecDeque<Job>>,
    /// How many cases go in at once.
    pub batch: usize,
    /// How many lanes play it.
    lanes: usize,
    /// What it shares with other queues.
    pub call: &'w Call<'w>,
}

/// A case that is to be played in a process of its own.
pub struct Again {
    /// The case.
    pub job: Job,
    /// How the host was lost when it ran in company.
    pub first: Option<Lost>,
}

impl Again {
    /// A case that was not tried in company.
    pub fn plain(job: Job) -> Again {
        Again { job, first: None }
    }
}

impl<'c> Call<'c> {
    /// A call in which these cases are played alone from the first.
    pub fn new(
        alone: Vec<Job>,
        waits: &'c Waits,
        stop: &'c Stop,
        done: &'c (dyn Fn(usize, Attempt) + Sync),
    ) -> Call<'c> {
        Call {
            alone: Mutex::new(alone.into_iter().map(Again::plain).collect()),
            held: Mutex::default(),
            waits,
            stop,
            done,
            losses: AtomicU32::new(0),
            given_up: AtomicBool::new(false),
        }
    }

    /// The lanes need not go on.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
    }

    /// An attempt has ended in company.
    pub fn ended(&self, job: Job, attempt: Attempt) {
        if self.waits.was_cut(job.index) {
            locked(&self.held).push((job, attempt));
        } else {
            (self.done)(job.index, attempt);
        }
    }

    /// A case that lost the host is played again, alone.
    pub fn aside(&self, job: Job, loss: &Lost) {
        let first = Some(loss.clone());
        locked(&self.alone).push_back(Again { job, first });
    }
}

impl<'w> Work<'w> {
    /// These cases, `batch` at once, for so many lanes.
    pub fn new(jobs: Vec<Job>, batch: usize, lanes: usize, call: &'w Call<'w>) -> Work<'w> {
        Work {
            queue: Mutex::new(jobs.into()),
            batch,
            lanes,
            call,
        }
    }

    /// How many cases a lane may take of what is left, so that all lanes have something to do until the
    /// end.
    pub fn share(&self) -> usize {
        let left = locked(&self.queue).len();
        left.div_ceil(2 * self.lanes.max(1)).max(LEAST)
    }

    /// The next batch of at most `size`; empty: nothing is left, or the run ends early.
    pub fn next(&self, size: usize) -> VecDeque<Job> {
        let over = self.call.stop.asked() || self.call.given_up.load(Ordering::SeqCst);
        let mut queue = locked(&self.queue);
        let size = if over { 0 } else { size.min(queue.len()) };
        queue.drain(..size).collect()
    }

    /// What was not played is played before all else.
    pub fn put_back(&self, jobs: VecDeque<Job>) {
        let mut queue = locked(&self.queue);
        for job in jobs.into_iter().rev() {
            queue.push_front(job);
        }
    }

    /// A batch was played to its end; the size of the next one.
    pub fn went_well(&self) -> usize {
        self.call.losses.store(0, Ordering::SeqCst);
        self.batch
    }

    /// The host was lost while a batch was loaded. Sets aside the case that it died of; where nothing
    /// tells which one it was, the next batch is smaller, so that it is found. Returns the size of
    /// the next batch.
    ///
    /// # Errors
    /// It was lost too often.
    pub fn lost(&self, jobs: &mut VecDeque<Job>, loss: &Lost) -> Result<usize, Trouble> {
        let known = loss.suspect.or((jobs.len() == 1).then(|| jobs[0].index));
        let at = known.and_then(|index| jobs.iter().position(|j| j.index == index));
        if let Some(job) = at.and_then(|at| jobs.remove(at)) {
            let id = job.case_id.clone();
            self.call.aside(job, loss);
            // The same case in other columns would cost the next batches the same.
            self.set_aside(jobs, &id);
            self.set_aside(&mut locked(&self.queue), &id);
            return Ok(self.batch);
        }
        self.count(loss)?;
        Ok(match loss.dealt_with {
            _ if loss.outside => self.batch,
            Some(0) => 1,
            // The host had dealt with these: they go first, and what it died of leads the next batch.
            Some(n) if n < jobs.len() => n,
            _ => (jobs.len() / 2).max(1),
        })
    }

    /// The host was lost once more.
    ///
    /// # Errors
    /// It was lost too often.
    pub fn count(&self, loss: &Lost) -> Result<(), Trouble> {
        let losses = 1 + self.call.losses.fetch_add(1, Ordering::SeqCst);
        if losses > LOSSES {
            let what = format!("it was lost {losses} times in a row; at last {}", loss.what);
            return Err(Trouble::new(TroubleKind::Died, what));
        }
        Ok(())
    }

    /// All jobs of this case are played alone.
    fn set_aside(&self, jobs: &mut VecDeque<Job>, case_id: &str) {
        let all = std::mem::take(jobs).into_iter();
        let (own, left) = all.partition(|job| job.case_id == case_id);
        *jobs = left;
        let own: VecDeque<Job> = own;
        locked(&self.call.alone).extend(own.into_iter().map(Again::plain));
    }
}

/// What is behind a mutex, whoever panicked with it.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
