//! The driver: one adapter process for case after case, a new one after each that was lost.
//!
//! Does not know how a case is played: see the engine.

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

/// A library host behind its adapter.
pub struct Stdio {
    program: Program,
    identity: Identity,
    unlinked: Vec<Regex>,
    link: Option<Link>,
    spoiled: u32,
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
            link: None,
            spoiled: 0,
        })
    }

    fn one(&mut self, job: &Job) -> Result<Attempt, Trouble> {
        if job.alone {
            self.link = None;
        }
        let mut link = match self.link.take() {
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
            self.link = Some(link);
        }
        Ok(attempt)
    }
}

/// SHA-256 of a program, its arguments and the files that they name, in hexadecimal; where the program is
/// one word, that is looked up on the `PATH`.
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
        hash.update(std::fs::read(arg).unwrap_or_default());
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
        for job in jobs {
            if stop.asked() {
                break;
            }
            let attempt = self.one(&job)?;
            let fault = attempt.faults.iter().find(|f| f.blame == Blame::Adapter);
            self.spoiled = if fault.is_some() { self.spoiled + 1 } else { 0 };
            let over = fault.filter(|_| self.spoiled >= SPOILED).map(|fault| {
                let what = format!(
                    "the adapter spoiled {SPOILED} cases in a row: {}",
                    fault.what
                );
                Trouble::new(TroubleKind::Protocol, what)
                    .help(format!("pwspec doctor {}", self.identity.name))
            });
            done(job.index, attempt);
            if let Some(trouble) = over {
                return Err(trouble);
            }
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
