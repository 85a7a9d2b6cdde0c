//! The driver: adapter processes beside each other, each for case after case, a new one after each that
//! was lost.
//!
//! Does not know how a case is played: see the engine.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use regex::bytes::Regex;
use sha2::{Digest, Sha256};

use crate::case::{Profile, log_pattern};
use crate::host::stdio::engine::{Abilities, Engine};
use crate::host::stdio::examine::examine;
use crate::host::stdio::link::{Link, Peer, Program};
use crate::host::stdio::protocol::{Answer, Ask, Reset};
use crate::host::{Driver, Finding, Identity, Job, Stop, Trouble, TroubleKind};
use crate::trace::{Attempt, Blame, Isolation};

/// After this many attempts in a row that an adapter spoiled, nothing more is tried.
const SPOILED: u32 = 5;
/// At most so many processes work beside each other.
const LANES: usize = 4;
/// Another process is worth its start for so many cases.
const WORTH: usize = 16;

/// A library host behind its adapter.
pub struct Stdio {
    program: Program,
    identity: Identity,
    unlinked: Vec<Regex>,
    /// Processes that are free.
    idle: Mutex<Vec<Link>>,
    spoiled: AtomicU32,
    lanes: usize,
}

/// The cases of one call, and who hears of them.
struct Work<'w> {
    queue: Mutex<VecDeque<Job>>,
    stop: &'w Stop,
    done: &'w (dyn Fn(usize, Attempt) + Sync),
    given_up: AtomicBool,
}

impl Work<'_> {
    /// The next case, unless nothing more is to be tried.
    fn next(&self) -> Option<Job> {
        if self.stop.asked() || self.given_up.load(Ordering::SeqCst) {
            return None;
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    }
}

impl Stdio {
    /// A driver for the host that `profile` describes and whose adapter is `program`. Nothing is
    /// started yet.
    ///
    /// # Errors
    /// There is no such program, or an expression of the profile is none.
    pub fn new(profile: &Profile, program: Program, version: String) -> Result<Stdio, Trouble> {
        let digest = digest(&program)?;
        let unlinked = profile.says.unlinked.iter().map(|r| log_pattern(r));
        let unlinked = unlinked
            .collect::<Result<_, _>>()
            .map_err(|e| Trouble::new(TroubleKind::DidNotStart, e.to_string()))?;
        Ok(Stdio {
            program: Program {
                // One word is looked up on the `PATH`, whatever the working folder.
                path: match program.path.exists() {
                    true => std::path::absolute(&program.path).unwrap_or(program.path),
                    false => program.path,
                },
                args: program.args,
            },
            identity: Identity {
                name: profile.name.clone(),
                version,
                digest,
            },
            unlinked,
            idle: Mutex::default(),
            spoiled: AtomicU32::new(0),
            lanes: std::thread::available_parallelism().map_or(1, |n| n.get().min(LANES)),
        })
    }

    /// Plays what nobody plays yet, until nothing is left.
    fn lane(&self, work: &Work<'_>) -> Result<(), Trouble> {
        let mut link = self.idle().pop();
        while let Some(job) = work.next() {
            let attempt = self.one(&job, &mut link)?;
            let fault = attempt.faults.iter().find(|f| f.blame == Blame::Adapter);
            let spoiled = match fault {
                Some(_) => self.spoiled.fetch_add(1, Ordering::SeqCst) + 1,
                None => {
                    self.spoiled.store(0, Ordering::SeqCst);
                    0
                }
            };
            let over = fault.filter(|_| spoiled >= SPOILED).map(|fault| {
                let what = format!(
                    "the adapter spoiled {SPOILED} cases in a row: {}",
                    fault.what
                );
                Trouble::new(TroubleKind::Protocol, what)
                    .help(format!("pwspec doctor {}", self.identity.name))
            });
            (work.done)(job.index, attempt);
            if let Some(trouble) = over {
                return Err(trouble);
            }
        }
        self.idle().extend(link);
        Ok(())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays one case in the process that is there, or in a new one, which takes its place.
    fn one(&self, job: &Job, process: &mut Option<Link>) -> Result<Attempt, Trouble> {
        if job.alone {
            *process = None;
        }
        let mut link = match process.take() {
            Some(link) => link,
            None => Link::start(&self.program)?,
        };
        let hello = link.hello().clone();
        let own = hello.unlinked.iter().filter_map(|r| log_pattern(r).ok());
        let own: Vec<Regex> = own.collect();
        let unlinked = |words: &str| {
            let mut all = self.unlinked.iter().chain(&own);
            all.find_map(|r| {
                let found = r.captures(words.as_bytes())?;
                let import = found.name("import")?.as_bytes();
                Some(String::from_utf8_lossy(import).into_owned())
            })
        };
        let abilities = Abilities {
            hello: &hello,
            unlinked: &unlinked,
        };
        let (mut attempt, answers) = Engine::new(&mut link, job, abilities).play();
        if job.alone {
            attempt.isolation = Isolation::Alone;
        }
        // As after its start before the next case comes; a process that cannot do that is not used again.
        let until = Instant::now() + job.deadline;
        let reset = Ask::Reset(Reset {});
        if answers
            && !job.alone
            && link
                .ask(reset, until)
                .is_ok_and(|r| matches!(r.answer, Answer::Done(_)))
        {
            *process = Some(link);
        }
        Ok(attempt)
    }
}

/// SHA-256 of a program, its arguments and the files that they name (in lists of paths too), in
/// hexadecimal; where the program is one word, that is looked up on the `PATH`.
fn digest(program: &Program) -> Result<String, Trouble> {
    let path = program.path.as_path();
    let found = if path.components().count() == 1 && !path.exists() {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        let mut all = std::env::split_paths(&paths).map(|p| p.join(path));
        all.find(|p| p.is_file())
    } else {
        None
    };
    let path = found.as_deref().unwrap_or(path);
    let bytes = std::fs::read(path)
        .map_err(|e| Trouble::new(TroubleKind::Missing, format!("{}: {e}", path.display())))?;
    let mut hash = Sha256::new();
    hash.update(&bytes);
    for arg in &program.args {
        hash.update([0]);
        hash.update(arg);
        for path in std::env::split_paths(arg) {
            hash.update(std::fs::read(path).unwrap_or_default());
        }
    }
    let digest = hash.finalize();
    Ok(digest.iter().map(|b| format!("{b:02x}")).collect())
}

impl Driver for Stdio {
    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn examine(&mut self) -> Result<Vec<Finding>, Trouble> {
        examine(&self.program)
    }

    /// Modules are built as they are needed.
    fn batch(&self) -> usize {
        64
    }

    fn play(
        &mut self,
        jobs: Vec<Job>,
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
    ) -> Result<(), Trouble> {
        let lanes = self.lanes.clamp(1, 1 + jobs.len() / WORTH);
        let work = Work {
            queue: Mutex::new(jobs.into()),
            stop,
            done,
            given_up: AtomicBool::new(false),
        };
        let lane = || {
            let ended = self.lane(&work);
            if ended.is_err() {
                work.given_up.store(true, Ordering::SeqCst);
            }
            ended
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
            let ended = all.into_iter().map(|one| match one.join() {
                Ok(ended) => ended,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            ended.fold(Ok(()), Result::and)
        })
    }

    fn close(&mut self) -> Result<(), Trouble> {
        let idle = std::mem::take(&mut *self.idle());
        match idle
            .into_iter()
            .map(Link::stop)
            .fold(true, |all, one| all & one)
        {
            false => Err(Trouble::new(
                TroubleKind::Died,
                "the adapter did not end with its input and was killed",
            )),
            true => Ok(()),
        }
    }
}
