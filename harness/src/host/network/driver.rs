//! The driver: which cases come when, and what is done about a host that dies or hangs.
//!
//! Does not know how a case is played: see the session.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::abi::PluginType;
use crate::case::{Change, Over, Play, Profile};
use crate::host::network::boot;
use crate::host::network::ear::Phrases;
use crate::host::network::session::{Lost, Plan, Session};
use crate::host::network::template::Templates;
use crate::host::network::waits::Waits;
use crate::host::network::work::{Again, Call, Work, locked};
use crate::host::{Driver, Identity, Job, Stop, Trouble, TroubleKind, version_of};
use crate::trace::{Attempt, Blame, End, Fault, Isolation};

/// More processes would wait for each other and for memory: each holds a hundred VMs.
const LANES: usize = 2;
/// A process is worth its start from this many cases on.
const WORTH: usize = 20;
/// Where each batch has a process of its own there are so many more: some of its cases wait for an answer
/// that never comes, and the cores have work meanwhile.
const SPARE: usize = 1;
/// Processes for cases that wait for a callback, where each batch has a process of its own: they hardly
/// take a core's time.
const WAITERS: usize = 16;
/// One of those is worth its start from this many cases on.
const WORTH_WAITING: usize = 4;

/// What is not in the profile.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The binary's version, where it is known already.
    pub version: Option<String>,
    /// How many processes serve cases beside each other; `None`: two where there are two cores.
    pub lanes: Option<usize>,
}

/// A real proxy.
pub struct Network {
    plan: Arc<Plan>,
    identity: Identity,
    /// The digest of a large binary takes a while: it is made beside the first cases.
    digest: Mutex<Option<JoinHandle<String>>>,
    /// Processes that serve many cases and are free now.
    idle: Mutex<Vec<Session>>,
    lanes: usize,
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
        let log = profile.log.as_ref().map_or("", |log| &log.from);
        let known = matches!(
            (listeners.change, profile.over),
            (Change::Rename, Some(Over::Fence)) | (Change::Boot, Some(Over::AtStop))
        );
        if !known || log != "stderr" {
            return Err(Trouble::new(
                TroubleKind::DidNotStart,
                format!(
                    "the profile {name} asks for a way other than `rename` with `fence` or `boot` with `at-stop`, and a log on `stderr`"
                ),
            ));
        }
        let plan = Plan {
            templates: Templates::new(start)?,
            phrases: Arc::new(Phrases::new(&profile)?),
            binary: binary.clone(),
            waits: Waits::default(),
            started: AtomicBool::new(false),
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
            idle: Mutex::default(),
            lanes: options.lanes.unwrap_or_else(|| {
                std::thread::available_parallelism().map_or(1, |n| n.get().min(LANES))
            }),
        })
    }

    /// The numbers of the processes that are free between two calls of `play`.
    pub fn processes(&self) -> Vec<u32> {
        locked(&self.idle).iter().map(Session::id).collect()
    }

    /// Plays all cases that share a process; what lost the host is left to be played alone.
    fn company(&self, jobs: Vec<Job>, call: &Call<'_>) -> Result<(), Trouble> {
        let listeners = self.plan.profile.listeners.as_ref();
        let most = listeners.map_or(1, |l| l.batch as usize);
        // A case that waits keeps its process from all others. Where a process costs little, those
        // that wait have more of them, and the quick ones do not wait with them.
        let (waiting, quick): (Vec<Job>, Vec<Job>) = match self.plan.boots() && self.lanes > 1 {
            true => jobs.into_iter().partition(waits),
            false => (Vec::new(), jobs),
        };
        let spare = if self.plan.boots() && self.lanes > 1 {
            SPARE
        } else {
            0
        };
        let lanes = (self.lanes + spare).clamp(1, 1 + quick.len() / WORTH);
        let waiters = WAITERS.min(waiting.len().div_ceil(WORTH_WAITING));
        let size = |jobs: &[Job], lanes: usize| jobs.len().div_ceil(lanes.max(1)).clamp(1, most);
        let (some, others) = (size(&quick, lanes), size(&waiting, waiters));
        let works = [
            (Work::new(quick, some, lanes, call), lanes),
            (Work::new(waiting, others, waiters, call), waiters),
        ];
        let lane = |work: &Work<'_>| {
            let ended = match self.plan.boots() {
                true => boot::lane(&self.plan, work),
                false => self.lane(work),
            };
            if ended.is_err() {
                call.give_up();
            }
            ended
        };
        std::thread::scope(|scope| {
            let all = works
                .iter()
                .flat_map(|(work, lanes)| (0..*lanes).map(move |_| work));
            let all: Vec<_> = all.map(|work| scope.spawn(move || lane(work))).collect();
            let ended = all
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|_| Err(panicked())));
            ended.fold(Ok(()), Result::and)
        })
    }

    /// Plays batches in one process, a new one after each loss, until nothing is left.
    fn lane(&self, work: &Work<'_>) -> Result<(), Trouble> {
        let mut size = work.batch;
        loop {
            let mut jobs = work.next(size);
            // Plugins that are waited for tick from the moment they are loaded: they come last and
            // are played first.
            jobs.make_contiguous().sort_by_key(waits);
            if jobs.is_empty() {
                return Ok(());
            }
            let free = locked(&self.idle).pop();
            let mut session = match free {
                Some(session) => session,
                None => Session::boot(&self.plan, Isolation::Shared)?,
            };
            let lost = match session.load(jobs.make_contiguous()) {
                Ok(()) => {
                    size = work.batch;
                    batch(&mut session, &mut jobs, work)
                }
                Err(loss) => {
                    size = work.lost(&mut jobs, &loss)?;
                    work.put_back(jobs);
                    continue;
                }
            };
            work.put_back(jobs);
            match lost {
                Some(loss) => work.count(&loss)?,
                None => {
                    work.went_well();
                    locked(&self.idle).push(session);
                }
            }
        }
    }
}

/// Whether the exchange waits for a callback.
fn waits(job: &Job) -> bool {
    let mut steps = job.exchange.play.iter();
    steps.any(|step| matches!(step, Play::Wait { .. }))
}

/// Plays the cases of a batch that is loaded, until one of them loses the host; what is not played
/// stays in `jobs`.
fn batch(session: &mut Session, jobs: &mut VecDeque<Job>, work: &Work<'_>) -> Option<Lost> {
    while !work.call.stop.asked() {
        let job = match jobs.back() {
            Some(last) if waits(last) => jobs.pop_back()?,
            _ => jobs.pop_front()?,
        };
        if session.is_unclear(&job) {
            locked(&work.call.alone).push_back(Again::plain(job));
            continue;
        }
        match session.play(&job) {
            Ok(attempt) => work.call.ended(job, attempt),
            Err(loss) => {
                work.call.aside(job, &loss);
                return Some(loss);
            }
        }
    }
    None
}

fn panicked() -> Trouble {
    Trouble::new(TroubleKind::Died, "a thread that plays cases panicked")
}

impl Driver for Network {
    fn identity(&self) -> Identity {
        let mut identity = self.identity.clone();
        let mut digest = locked(&self.digest);
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
        let boots = self.plan.boots();
        let own = |job: &Job| {
            job.alone || job.plugin_type == PluginType::Service || boots && job.is_broken()
        };
        let (mut own, company): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(own);
        // What is to use up a short deadline takes all of it: at the end all others would wait for it.
        own.sort_by_key(|job| job.deadline);
        let plan = self.plan.clone();
        plan.waits.begin();
        let call = Call::new(own, &plan.waits, stop, done);
        let all_known = AtomicBool::new(false);
        let beside = || {
            loop {
                let last = all_known.load(Ordering::SeqCst);
                let next = locked(&call.alone).pop_front();
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
        };
        std::thread::scope(|scope| {
            let besides = if boots { self.lanes } else { 1 };
            let besides: Vec<_> = (0..besides).map(|_| scope.spawn(beside)).collect();
            let company = self.company(company, &call);
            for (job, attempt) in std::mem::take(&mut *locked(&call.held)) {
                match plan.waits.too_early(job.index) {
                    true => locked(&call.alone).push_back(Again::plain(job)),
                    false => done(job.index, attempt),
                }
            }
            all_known.store(true, Ordering::SeqCst);
            let ended = besides
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|_| Err(panicked())));
            ended.fold(company, Result::and)
        })
    }

    fn close(&mut self) -> Result<(), Trouble> {
        let all = std::mem::take(&mut *locked(&self.idle));
        let ended: Vec<_> = all.into_iter().map(Session::stop).collect();
        ended.into_iter().collect()
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
    // A background plugin is started with the host.
    if plan.boots() || job.plugin_type == PluginType::Service {
        return boot::one(plan, job);
    }
    let mut session = Session::boot(plan, Isolation::Alone)?;
    if let Err(lost) = session.load(std::slice::from_ref(job)) {
        return Ok((session.remains(), Some(lost)));
    }
    let played = session.play(job);
    match played {
        Ok(attempt) => {
            session.stop().ok();
            Ok((attempt, None))
        }
        Err(lost) => Ok((session.remains(), Some(lost))),
    }
}
