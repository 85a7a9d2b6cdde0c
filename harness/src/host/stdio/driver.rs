//! The driver: one adapter process for case after case, a new one after each that was lost.
//!
//! Does not know how a case is played: see the engine.

use std::path::PathBuf;
use std::time::Instant;

use regex::bytes::Regex;
use sha2::{Digest, Sha256};

use crate::case::{Profile, log_pattern};
use crate::host::stdio::engine::Engine;
use crate::host::stdio::link::{Link, Peer};
use crate::host::stdio::protocol::Request;
use crate::host::{Driver, Identity, Job, Stop, Trouble, TroubleKind};
use crate::trace::{Attempt, Isolation};

/// A library host behind its adapter.
pub struct Stdio {
    binary: PathBuf,
    identity: Identity,
    unlinked: Vec<Regex>,
    link: Option<Link>,
}

impl Stdio {
    /// A driver for the host that `profile` describes and whose adapter is `binary`. Nothing is
    /// started yet.
    ///
    /// # Errors
    /// There is no such program, or an expression of the profile is none.
    pub fn new(profile: &Profile, binary: PathBuf, version: String) -> Result<Stdio, Trouble> {
        let bytes = std::fs::read(&binary).map_err(|e| {
            Trouble::new(TroubleKind::Missing, format!("{}: {e}", binary.display()))
        })?;
        let digest = Sha256::digest(&bytes);
        let unlinked = profile.says.unlinked.iter().map(|r| log_pattern(r));
        let unlinked = unlinked
            .collect::<Result<_, _>>()
            .map_err(|e| Trouble::new(TroubleKind::DidNotStart, e.to_string()))?;
        Ok(Stdio {
            binary: std::path::absolute(&binary).unwrap_or(binary),
            identity: Identity {
                name: profile.name.clone(),
                version,
                digest: digest.iter().map(|b| format!("{b:02x}")).collect(),
            },
            unlinked,
            link: None,
        })
    }

    fn one(&mut self, job: &Job) -> Result<Attempt, Trouble> {
        if job.alone {
            self.link = None;
        }
        let mut link = match self.link.take() {
            Some(link) => link,
            None => Link::start(&self.binary)?,
        };
        let unlinked = |words: &str| {
            let mut all = self.unlinked.iter();
            all.find_map(|r| {
                let found = r.captures(words.as_bytes())?;
                let import = found.name("import")?.as_bytes();
                Some(String::from_utf8_lossy(import).into_owned())
            })
        };
        let (mut attempt, alive) = Engine::new(&mut link, job).play(&unlinked);
        if job.alone {
            attempt.isolation = Isolation::Alone;
        }
        // Forgotten before the next case comes; a process that cannot do that is not used again.
        let until = Instant::now() + job.deadline;
        if alive
            && link
                .ask(&Request::Unload {}, until)
                .is_ok_and(|r| r.done.is_some())
        {
            self.link = Some(link);
        }
        Ok(attempt)
    }
}

impl Driver for Stdio {
    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn play(
        &mut self,
        jobs: Vec<Job>,
        stop: &Stop,
        done: &(dyn Fn(usize, Attempt) + Sync),
    ) -> Result<(), Trouble> {
        for job in jobs {
            if stop.asked() {
                break;
            }
            let attempt = self.one(&job)?;
            done(job.index, attempt);
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Trouble> {
        match self.link.take().map(Link::stop) {
            Some(false) => Err(Trouble::new(
                TroubleKind::Died,
                "the adapter did not end with its input and was killed",
            )),
            _ => Ok(()),
        }
    }
}
