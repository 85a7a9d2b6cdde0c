//! The driver: a pool of workers that play jobs, and the faults that can be planted.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::host::reference::engine::Code;
use crate::host::reference::faults::{self, Faults};
use crate::host::reference::play::play;
use crate::host::reference::watchdog::Watchdog;
use crate::host::{Driver, Identity, Job, Stop, Trouble, TroubleKind};
use crate::trace::{Attempt, Blame, Fault, Isolation};

/// How the reference host is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// How many jobs are played at once; 0: as many as there are processors.
    pub workers: usize,
    /// Where compiled code is kept from run to run; `None`: in memory only. The folder must be the
    /// user's own: what stands in it is run.
    pub cache_dir: Option<PathBuf>,
    /// When so many modules have been compiled, their code is let go; 0: it is all kept. Cases that share
    /// code stand beside each other.
    pub keep: usize,
    /// The fault to plant, one of [`crate::host::reference::faults`].
    pub fault: Option<String>,
}

/// The reference host. Clones share compiled code, so a clone with another fault costs nothing.
#[derive(Clone)]
pub struct Reference {
    shared: Arc<Shared>,
    workers: usize,
    fault: Option<String>,
}

struct Shared {
    code: Code,
    watchdog: Watchdog,
}

impl Reference {
    /// A host; nothing is started or compiled yet. A fault that does not exist is trouble as soon as
    /// something is played.
    pub fn new(options: Options) -> Reference {
        let keep = match options.keep {
            0 => usize::MAX,
            n => n,
        };
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        Reference {
            shared: Arc::new(Shared {
                code: Code::new(options.cache_dir, keep),
                watchdog: Watchdog::new(),
            }),
            workers: if options.workers == 0 {
                processors()
            } else {
                options.workers
            },
            fault: options.fault,
        }
    }

    /// The same host with another fault, or with none.
    #[must_use]
    pub fn with_fault(&self, fault: Option<&str>) -> Reference {
        Reference {
            fault: fault.map(str::to_owned),
            ..self.clone()
        }
    }

    /// Plays one job on the calling thread.
    ///
    /// # Errors
    /// The fault to plant does not exist.
    pub fn play_one(&self, job: &Job) -> Result<Attempt, Trouble> {
        Ok(self.guarded(job, self.planted()?))
    }

    /// Plays one job on the calling thread with `fault` planted.
    ///
    /// # Errors
    /// The fault does not exist.
    pub fn play_with_fault(&self, job: &Job, fault: &str) -> Result<Attempt, Trouble> {
        self.with_fault(Some(fault)).play_one(job)
    }

    /// Plays one job on the calling thread, and names the faults that would have changed something if
    /// they had been planted: at most these can show in this job.
    pub fn play_and_note(&self, job: &Job) -> (Attempt, BTreeSet<String>) {
        faults::asked();
        let attempt = self.guarded(job, Faults::Noted);
        (attempt, faults::asked())
    }

    fn planted(&self) -> Result<Faults, Trouble> {
        let Some(name) = &self.fault else {
            return Ok(Faults::default());
        };
        Faults::named(name).ok_or_else(|| {
            let what = format!("the reference host has no fault {name}");
            Trouble::new(TroubleKind::DidNotStart, what)
        })
    }

    /// A bug of the host costs one job, not the run.
    fn guarded(&self, job: &Job, faults: Faults) -> Attempt {
        let Shared { code, watchdog } = &*self.shared;
        let played = catch_unwind(AssertUnwindSafe(|| play(code, watchdog, job, faults)));
        played.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let what = format!(
                "the reference host panicked: {}",
                text.unwrap_or("without a word")
            );
            let mut attempt = Attempt::empty(Isolation::Shared);
            attempt.faults.push(Fault::new(Blame::Harness, what));
            attempt
        })
    }
}

impl Driver for Reference {
    fn identity(&self) -> Identity {
        Identity {
            name: "reference".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn play(
        &mut self,
        jobs: Vec<Job>,
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
    ) -> Result<(), Trouble> {
        let make = |i: usize| jobs.get(i).cloned();
        self.play_made(jobs.len(), &make, stop, done)
    }

    fn one_by_one(&self) -> bool {
        true
    }

    fn play_made(
        &mut self,
        count: usize,
        make: &(dyn Fn(usize) -> Option<Job> + Sync),
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
    ) -> Result<(), Trouble> {
        let faults = self.planted()?;
        let next = AtomicUsize::new(0);
        let work = || {
            while !stop.asked() {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= count {
                    return;
                }
                if let Some(job) = make(i) {
                    done(job.index, self.guarded(&job, faults));
                }
            }
        };
        let workers = self.workers.min(count);
        if workers <= 1 {
            work();
            return Ok(());
        }
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Trouble> {
        Ok(())
    }
}
