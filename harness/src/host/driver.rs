//! The door through which every host is driven.
//!
//! Does not know any host.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use crate::abi::{Abi, PluginType};
use crate::case::Exchange;
use crate::trace::{Attempt, Legend};

/// One attempt at one case, ready to be played.
#[derive(Debug, Clone)]
pub struct Job {
    /// The caller's number; comes back with the attempt.
    pub index: usize,
    /// The case's id, for file names and the host's own log.
    pub case_id: String,
    /// The token that the guests' frames carry; unique per case, column and attempt.
    pub token: String,
    /// The ABI or dialect of the column.
    pub abi: Arc<Abi>,
    /// The VMs, in order of loading.
    pub vms: Vec<VmJob>,
    /// Where in the host the plugins sit.
    pub plugin_type: PluginType,
    /// What the world does.
    pub exchange: Arc<Exchange>,
    /// The attempt ends as a time-out after this long.
    pub deadline: Duration,
    /// The case is expected to loop, crash or spoil its process: play it in a process of its own.
    pub alone: bool,
}

impl Job {
    /// Whether one of its modules is none that an engine takes: hosts that load their modules at their
    /// start may die of it.
    pub fn is_broken(&self) -> bool {
        let mut fixed = self.vms.iter().filter(|vm| vm.legend.is_none());
        fixed.any(|vm| wasmparser::validate(&vm.wasm).is_err())
    }
}

/// One VM: one module, one or more plugins.
#[derive(Debug, Clone)]
pub struct VmJob {
    /// The VM id of the configuration; unique per case and attempt.
    pub vm_id: String,
    /// The module.
    pub wasm: Arc<Vec<u8>>,
    /// Two modules with the same code key differ only in their data segments; `None`: not a
    /// specialised guest.
    pub code_key: Option<String>,
    /// The key to the module's frames; `None`: the module is no scripted guest.
    pub legend: Option<Arc<Legend>>,
    /// VM configuration.
    pub config: Vec<u8>,
    /// Environment variables: name and value.
    pub environment: Vec<(String, String)>,
    /// Plugins, in order of their root contexts.
    pub plugins: Vec<PluginJob>,
}

/// One plugin of a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginJob {
    /// Its name in the case.
    pub name: String,
    /// Its root id.
    pub root_id: String,
    /// Plugin configuration.
    pub config: Vec<u8>,
}

/// Who answers: what a record's header says of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The profile's name.
    pub name: String,
    /// The host's version, or `local`.
    pub version: String,
    /// SHA-256 of the host's binary, in hexadecimal; the harness's version for the embedded host.
    pub digest: String,
}

/// Set from outside to end a run early.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicU8>);

/// Why a run ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Early {
    /// The user asked (Ctrl-C).
    User = 1,
    /// Enough has failed.
    Failures = 2,
    /// The time for it is over.
    Time = 3,
}

impl Stop {
    /// Asks everybody who holds a clone to end, because the user wants it.
    pub fn ask(&self) {
        self.ask_for(Early::User);
    }

    /// Asks everybody who holds a clone to end. The first reason stays.
    pub fn ask_for(&self, why: Early) {
        let _ = self
            .0
            .compare_exchange(0, why as u8, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.why().is_some()
    }

    /// Why, if somebody asked.
    pub fn why(&self) -> Option<Early> {
        let all = [Early::User, Early::Failures, Early::Time];
        let now = self.0.load(Ordering::SeqCst);
        all.into_iter().find(|w| *w as u8 == now)
    }
}

/// A way to reach a host.
pub trait Driver: Send {
    /// Who answers.
    fn identity(&self) -> Identity;

    /// Examines the way to the host itself, as far as no case shows it.
    ///
    /// # Errors
    /// The host did not start.
    fn examine(&mut self) -> Result<Vec<Finding>, Trouble> {
        Ok(Vec::new())
    }

    /// How many jobs are handed over at once. Drivers that start a process for each hand-over want all.
    fn batch(&self) -> usize {
        usize::MAX
    }

    /// Plays every job and calls `done(job.index, attempt)` as each one ends, in any order and from
    /// any thread, exactly once a job. Returns early, with jobs left over, when `stop` is asked.
    ///
    /// # Errors
    /// The host did not start, or died so often that going on is pointless. Jobs for which `done`
    /// was not called have no attempt.
    fn play(
        &mut self,
        jobs: Vec<Job>,
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
    ) -> Result<(), Trouble>;

    /// Whether cases are played one by one: then each is best made when its turn comes, the long ones first.
    fn one_by_one(&self) -> bool {
        false
    }

    /// [`Driver::play`] for the jobs that `make` gives for 0 to `count`; `None`: there is nothing to play.
    ///
    /// # Errors
    /// As [`Driver::play`].
    fn play_made(
        &mut self,
        count: usize,
        make: &(dyn Fn(usize) -> Option<Job> + Sync),
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
    ) -> Result<(), Trouble> {
        let jobs: Vec<Job> = (0..count).into_par_iter().filter_map(make).collect();
        match jobs.is_empty() {
            true => Ok(()),
            false => self.play(jobs, stop, done),
        }
    }

    /// Ends the host in the orderly way and leaves no process and no file behind. Called once; a
    /// driver that is dropped without it cleans up as well as it can.
    ///
    /// # Errors
    /// Something was left behind: what.
    fn close(&mut self) -> Result<(), Trouble>;
}

/// What an examination of the way to a host has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub name: String,
    /// What is wrong with it, if anything.
    pub wrong: Option<String>,
    /// What is right with it, for people.
    pub what: String,
}

/// The host or adapter could not be driven at all (exit code 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What kind.
    pub kind: TroubleKind,
    /// A lowercase fragment that fits after "failed to drive HOST: ".
    pub what: String,
    /// What the user can do: a command or a sentence.
    pub help: Option<String>,
}

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// No such binary.
    Missing,
    /// It did not start.
    DidNotStart,
    /// It died for good.
    Died,
    /// The adapter broke the protocol.
    Protocol,
    /// A canary gave the wrong answer.
    Canary,
}

impl Trouble {
    /// Trouble without advice.
    pub fn new(kind: TroubleKind, what: impl Into<String>) -> Trouble {
        Trouble {
            kind,
            what: what.into(),
            help: None,
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Trouble {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Trouble {}
