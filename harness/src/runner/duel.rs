//! Two hosts side by side: the same programs are written as cases, loaded as any case is, and played on
//! both.
//!
//! Does not know what a difference means.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::abi::Abi;
use crate::case::{Answers, DriverKind, Profile, Suite};
use crate::fuzz::{self, CASE, Heading, Limits, Program, Watched};
use crate::host::{Driver, Identity, Job, Stop, Trouble, TroubleKind};
use crate::runner::plan::{Deadlines, Planned, prepare, scope, token};
use crate::trace::{self, Attempt, CanonOptions};

/// One of the two hosts.
pub struct Opponent {
    /// Its description.
    pub profile: Profile,
    /// The way to it.
    pub driver: Box<dyn Driver>,
    /// Stands behind its name, where it is not as its profile says.
    pub mark: String,
}

/// What both hosts did with one program; `None`: it could not be played there.
pub type Pair = [Option<Attempt>; 2];

/// Two hosts and what is played on them.
pub struct Duel {
    /// The version of the text.
    pub abi: Arc<Abi>,
    /// All tables.
    pub abis: Vec<Arc<Abi>>,
    /// Seed of the attempts' tokens.
    pub seed: u64,
    /// The hosts.
    pub hosts: [Opponent; 2],
    /// How many hand-overs there were.
    batches: u64,
}

/// A program's case looks at this while it is only tried.
fn any() -> Watched {
    Watched {
        req: "functions/linked".to_owned(),
        what: "end".to_owned(),
    }
}

impl Duel {
    /// Two hosts; nothing is started yet.
    pub fn new(abi: Arc<Abi>, abis: Vec<Arc<Abi>>, seed: u64, hosts: [Opponent; 2]) -> Duel {
        Duel {
            abi,
            abis,
            seed,
            hosts,
            batches: 0,
        }
    }

    /// How they are called, with their versions.
    pub fn names(&self) -> [String; 2] {
        [0, 1].map(|n| {
            let Identity { name, version, .. } = self.hosts[n].driver.identity();
            let mark = &self.hosts[n].mark;
            format!("{name} {version}{mark}")
        })
    }

    /// Which of them are libraries.
    pub fn libraries(&self) -> [bool; 2] {
        [0, 1].map(|n| self.hosts[n].profile.driver == DriverKind::Stdio)
    }

    /// What these two can't be asked, because one of them is known not to have it.
    pub fn limits(&self) -> Limits {
        let mut out = Limits::default();
        for host in &self.hosts {
            let version = host.driver.identity().version;
            let profile = &host.profile;
            let known = profile.known.iter();
            for entry in known.filter(|k| k.applies(&self.abi.id, &version)) {
                out.rows.extend(entry.checks.iter().cloned());
            }
            let lacks = profile.lacks.within(&self.abi.id);
            out.hostcalls.extend(lacks.hostcalls);
            out.callbacks.extend(lacks.callbacks);
            out.no_configurations |= ["vm_configuration", "plugin_configuration"]
                .iter()
                .any(|need| profile.offers(need).is_err());
            out.no_request_trailers |= profile.offers("request_trailers").is_err();
            out.no_response_trailers |= profile.offers("response_trailers").is_err();
            if profile.driver != DriverKind::Stdio {
                continue;
            }
            let answers = |name: &str| profile.answered_by(name, &self.abi.id);
            let hostcalls = self.abi.hostcalls.iter().map(|h| &h.name);
            let others = hostcalls.filter(|h| answers(h) != Answers::Library);
            out.hostcalls.extend(others.cloned());
            let callbacks = self.abi.callbacks.iter().map(|c| &c.name);
            let never = callbacks.filter(|c| answers(c) == Answers::None);
            out.callbacks.extend(never.cloned());
            let rows = self.abi.requirements.iter().map(|r| &r.id);
            let others = rows.filter(|r| answers(r) != Answers::Library);
            out.rows.extend(others.cloned());
        }
        out
    }

    /// Plays programs on both hosts at once, in company or each in a fresh process.
    ///
    /// # Errors
    /// A host cannot be driven, or a program is no valid case: that is a bug of the model.
    pub fn play(
        &mut self,
        programs: &[Program],
        alone: bool,
        stop: &Stop,
    ) -> Result<Vec<Pair>, Trouble> {
        self.batches += 1;
        let texts = programs.iter().enumerate().map(|(n, program)| {
            let name = format!("fuzz/p{n}");
            let heading = Heading {
                suite: &name,
                about: "a random program",
                comment: "",
                watched: &any(),
            };
            (format!("cases/{name}.yaml"), fuzz::suite(program, &heading))
        });
        let files: Vec<(String, String)> = texts.collect();
        let suite = Suite::load(&files, self.abis.clone(), Arc::new([])).map_err(|problems| {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let what = format!(
                "a program of the fuzzer is no valid case: {}",
                all.join("; ")
            );
            Trouble::new(TroubleKind::Protocol, what)
        })?;
        let (abi, seed) = (self.abi.clone(), format!("{} {}", self.seed, self.batches));
        let [left, right] = &mut self.hosts;
        let n = programs.len();
        let run = |host| on_host(host, &suite, &abi, &seed, n, alone, stop);
        let (left, right) = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(right));
            let left = run(left);
            let died = || Trouble::new(TroubleKind::Died, "a driver panicked");
            (left, other.join().unwrap_or_else(|_| Err(died())))
        });
        let pairs = left?.into_iter().zip(right?);
        Ok(pairs.map(|(left, right)| [left, right]).collect())
    }

    /// What an attempt shows to people: the same text on every host that does the same.
    pub fn text(&self, host: usize, attempt: &Attempt) -> String {
        let adds = &self.hosts[host].profile.adds;
        let options = CanonOptions {
            client_adds: &adds.client,
            upstream_adds: &adds.upstream,
            aliases: &[],
            only_full: true,
        };
        trace::canonical(&attempt.trace, &attempt.seen, &options)
    }

    /// Ends both hosts.
    ///
    /// # Errors
    /// One of them left something behind.
    pub fn close(&mut self) -> Result<(), Trouble> {
        let [left, right] = &mut self.hosts;
        left.driver.close().and(right.driver.close())
    }
}

/// Every program on one host, by its number.
fn on_host(
    host: &mut Opponent,
    suite: &Suite,
    abi: &Arc<Abi>,
    seed: &str,
    programs: usize,
    alone: bool,
    stop: &Stop,
) -> Result<Vec<Option<Attempt>>, Trouble> {
    let deadlines = Deadlines {
        shared: Duration::from_secs(5),
        alone: Duration::from_secs(2),
    };
    let mut jobs: Vec<Job> = Vec::new();
    for n in 0..programs {
        let id = format!("fuzz/p{n}/{CASE}");
        let Some(case) = suite.case(&id) else {
            continue;
        };
        let Some(program @ Ok(_)) = scope(suite, case, abi, &host.profile) else {
            continue;
        };
        let planned = Planned {
            case: Arc::new(case.clone()),
            program,
        };
        // The same on both hosts, so that names in their traces are the same.
        let token = token(0, seed, &id, 1);
        let profile = &host.profile;
        let prepared = prepare(suite, &planned, abi, profile, &token, n, &deadlines);
        let prepared = prepared.map_err(|why| {
            let what = format!("a program of the fuzzer cannot be built: {why}");
            Trouble::new(TroubleKind::Protocol, what)
        })?;
        let mut job = prepared.job;
        job.alone |= alone;
        jobs.push(job);
    }
    let done: Mutex<BTreeMap<usize, Attempt>> = Mutex::default();
    let took = |n: usize, attempt: Attempt| {
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.insert(n, attempt);
    };
    let size = host.driver.batch().max(1);
    let mut rest = jobs.into_iter().peekable();
    while rest.peek().is_some() {
        let batch = rest.by_ref().take(size).collect();
        host.driver.play(batch, stop, &took)?;
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((0..programs).map(|n| done.remove(&n)).collect())
}
