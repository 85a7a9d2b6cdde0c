//! The driver: which cases come when, and what is done about a host that dies or hangs.
//!
//! Does not know how a case is played: see the session.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::abi::PluginType;
use crate::case::{Change, Over, Profile};
use crate::host::network::ear::Phrases;
use crate::host::network::session::{Lost, Plan, Session};
use crate::host::network::template::Templates;
use crate::host::{Driver, Identity, Job, Stop, Trouble, TroubleKind, version_of};
use crate::trace::{Attempt, Blame, End, Fault, Isolation};

/// A host that is lost this often in one call, cases apart that are alone, is given up.
const LOSSES: u32 = 25;

/// What is not in the profile.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The binary's version, where it is known already.
    pub version: Option<String>,
}

/// A real proxy.
pub struct Network {
    plan: Arc<Plan>,
    identity: Identity,
    /// The digest of a large binary takes a while: it is made beside the first cases.
    digest: Mutex<Option<JoinHandle<String>>>,
    shared: Option<Session>,
}

/// A case that is to be played in a process of its own.
struct Again {
    job: Job,
    /// How the host was lost when it ran in company.
    first: Option<Lost>,
}

impl Network {
    /// A driver for the host that `profile` describes and whose program is `binary`. Nothing is
    /// started yet.
    ///
    /// # Errors
    /// There is no such program, or the profile is not one of a host that can be driven.
    pub fn new(profile: Profile, binary: PathBuf, options: Options) -> Result<Network, Trouble> {
        let name = profile.name.clone();
        let get = profile.binary.as_ref().and_then(|b| b.get.clone());
        if !binary.is_file() {
            let trouble = Trouble::new(
                TroubleKind::Missing,
                format!("there is no file {}", binary.display()),
            );
            return Err(match get {
                Some(command) => trouble.help(command),
                None => trouble,
            });
        }
        let binary = std::path::absolute(&binary).unwrap_or(binary);
        let (Some(start), Some(listeners)) = (&profile.start, &profile.listeners) else {
            return Err(Trouble::new(
                TroubleKind::DidNotStart,
                format!("the profile {name} does not say how it is started"),
            ));
        };
        if listeners.change != Change::Rename || profile.over != Some(Over::Fence) {
            return Err(Trouble::new(
                TroubleKind::DidNotStart,
                format!("the profile {name} asks for a way that is not `rename` with `fence`"),
            ));
        }
        let plan = Plan {
            templates: Templates::new(start)?,
            phrases: Arc::new(Phrases::new(&profile)?),
            binary: binary.clone(),
            profile,
        };
        let version = options
            .version
            .or_else(|| version_of(&plan.profile, &binary));
        let digest = std::thread::spawn(move || match std::fs::read(&binary) {
            Ok(bytes) => Sha256::digest(&bytes)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect(),
            Err(_) => String::new(),
        });
        Ok(Network {
            plan: Arc::new(plan),
            identity: Identity {
                name,
                version: version.unwrap_or_else(|| "local".to_owned()),
                digest: String::new(),
            },
            digest: Mutex::new(Some(digest)),
            shared: None,
        })
    }

    /// The number of the process that serves many cases, while there is one.
    pub fn process(&self) -> Option<u32> {
        self.shared.as_ref().map(Session::id)
    }

    /// Plays batches until all are done; what lost the host goes to `alone`.
    fn company(
        &mut self,
        mut queue: VecDeque<Job>,
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
        alone: &Mutex<VecDeque<Again>>,
    ) -> Result<(), Trouble> {
        let batch = self
            .plan
            .profile
            .listeners
            .as_ref()
            .map_or(1, |l| l.batch as usize);
        let mut size = batch;
        let mut losses = 0;
        let aside = |job: Job, lost: Lost| {
            let mut alone = alone.lock().unwrap_or_else(PoisonError::into_inner);
            alone.push_back(Again {
                job,
                first: Some(lost),
            });
        };
        while !queue.is_empty() && !stop.asked() {
            let mut session = match self.shared.take() {
                Some(session) => session,
                None => Session::boot(&self.plan, Isolation::Shared)?,
            };
            let mut jobs: VecDeque<Job> = queue.drain(..size.min(queue.len())).collect();
            let mut lost = session.load(jobs.make_contiguous()).err();
            if let Some(loss) = &mut lost {
                // Which case it was is known where the log shows how far loading came; else smaller
                // batches find it.
                let known = loss.suspect.or((jobs.len() == 1).then(|| jobs[0].index));
                match known.and_then(|index| jobs.iter().position(|j| j.index == index)) {
                    Some(at) => {
                        let job = jobs.remove(at);
                        job.into_iter().for_each(|job| aside(job, loss.clone()));
                    }
                    None if loss.outside => {}
                    None => size = (jobs.len() / 2).max(1),
                }
            } else {
                size = batch;
                while let Some(job) = jobs.pop_front() {
                    if stop.asked() {
                        break;
                    }
                    match session.play(&job) {
                        Ok(attempt) => done(job.index, attempt),
                        Err(loss) => {
                            lost = Some(loss.clone());
                            aside(job, loss);
                            break;
                        }
                    }
                }
            }
            for job in jobs.into_iter().rev() {
                queue.push_front(job);
            }
            match lost {
                None => self.shared = Some(session),
                Some(loss) => {
                    losses += 1;
                    drop(session);
                    if losses > LOSSES {
                        return Err(Trouble::new(
                            TroubleKind::Died,
                            format!("it was lost {losses} times; at last {}", loss.what),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

impl Driver for Network {
    fn identity(&self) -> Identity {
        let mut identity = self.identity.clone();
        let mut digest = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = digest.take() {
            let made = thread.join().unwrap_or_default();
            identity.digest.clone_from(&made);
            *digest = Some(std::thread::spawn(move || made));
        }
        identity
    }

    fn play(
        &mut self,
        jobs: Vec<Job>,
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
    ) -> Result<(), Trouble> {
        let own = |job: &Job| job.alone || job.plugin_type == PluginType::Service;
        let (own, company): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(own);
        let queue = own.into_iter().map(|job| Again { job, first: None });
        let alone = Mutex::new(queue.collect::<VecDeque<Again>>());
        let all_known = AtomicBool::new(false);
        let plan = self.plan.clone();
        std::thread::scope(|scope| {
            let beside = scope.spawn(|| {
                loop {
                    let last = all_known.load(Ordering::SeqCst);
                    let next = alone
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    match next {
                        _ if stop.asked() => return Ok(()),
                        Some(again) => {
                            let index = again.job.index;
                            done(index, play_alone(&plan, &again.job, again.first)?);
                        }
                        None if last => return Ok(()),
                        None => std::thread::sleep(Duration::from_millis(2)),
                    }
                }
            });
            let company = self.company(company.into(), stop, done, &alone);
            all_known.store(true, Ordering::SeqCst);
            let beside = beside.join().unwrap_or_else(|_| {
                let what = "the thread that plays cases alone panicked";
                Err(Trouble::new(TroubleKind::Died, what))
            });
            company.and(beside)
        })
    }

    fn close(&mut self) -> Result<(), Trouble> {
        match self.shared.take() {
            Some(session) => session.stop(),
            None => Ok(()),
        }
    }
}

/// Plays one case in a process of its own. `first`: how the host was lost when it ran in company.
///
/// If the host is lost again, that is the answer: crash or time-out. If not, what happened in
/// company is nobody's answer, and the attempt carries it as a fault.
fn play_alone(plan: &Arc<Plan>, job: &Job, first: Option<Lost>) -> Result<Attempt, Trouble> {
    let (mut attempt, lost) = one(plan, job)?;
    match (lost, first) {
        (None, None) => {}
        (None, Some(first)) => attempt.faults.push(Fault::new(
            if first.outside {
                Blame::Environment
            } else {
                Blame::Harness
            },
            format!("{} among other cases; alone it goes well", first.what),
        )),
        // Somebody killed the first process of this case: that is no answer yet.
        (Some(lost), None) if lost.outside => return play_alone(plan, job, Some(lost)),
        (Some(lost), _) => {
            attempt.end = if lost.died {
                End::Crash(lost.what)
            } else {
                End::Timeout(lost.what)
            };
        }
    }
    Ok(attempt)
}

/// One case in one fresh process.
fn one(plan: &Arc<Plan>, job: &Job) -> Result<(Attempt, Option<Lost>), Trouble> {
    let mut session = Session::boot(plan, Isolation::Alone)?;
    if let Err(lost) = session.load(std::slice::from_ref(job)) {
        return Ok((session.remains(job), Some(lost)));
    }
    let played = session.play(job);
    match played {
        Ok(attempt) => {
            session.stop().ok();
            Ok((attempt, None))
        }
        Err(lost) => Ok((session.remains(job), Some(lost))),
    }
}
