//! One process of a host, with its folder, upstreams and log: cases are put in and played.
//!
//! Does not know which cases come when, nor what is done about a host that dies: see
//! [`crate::host::network::Network`].

mod ends;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::abi::PluginType;
use crate::case::{Change, GRPC_UPSTREAMS, Profile};
use crate::host::network::backend::BACKEND;
use crate::host::network::ear::{self, Answer, Ear, Heard, Hearing, Phrases};
use crate::host::network::fence::{self, Gate};
use crate::host::network::folder::folder;
use crate::host::network::placed::{Guest, Placed};
use crate::host::network::play::Player;
use crate::host::network::process::Process;
use crate::host::network::settle::Settle;
use crate::host::network::template::{FenceVars, Templates, UpstreamVars, Vars};
use crate::host::network::turns::{Turns, publish};
use crate::host::network::upstream::{NAMES, NOWHERE, Upstreams};
use crate::host::network::waits::Waits;
use crate::host::network::wirelog::WireLog;
use crate::host::{Job, Trouble, TroubleKind};
use crate::trace::{Attempt, Blob, End, Isolation, Load};

/// A host that serves many cases may be silent this long while it loads, and at the fence: of the
/// processor's time, for on a busy machine one that waits for its turn does not hang.
const SILENT: Duration = Duration::from_secs(4);
/// So long on the clock is silence even where the machine has not let the host work.
const UNSERVED: Duration = Duration::from_secs(30);
/// The same, when a case has used up its deadline already: it is probably the host that hangs.
const SILENT_AGAIN: Duration = Duration::from_secs(1);
/// The same for a case that has the host to itself: there is nobody for whose sake the host is asked once
/// more, and one that loops takes a whole core meanwhile.
const SILENT_ALONE: Duration = Duration::from_millis(200);
/// Before TERM no line comes for this long.
const QUIET: Duration = Duration::from_millis(15);
/// That is waited for at most this long.
const QUIET_WITHIN: Duration = Duration::from_millis(300);
/// After TERM.
const GRACE: Duration = Duration::from_secs(5);

/// What every session of a profile shares.
pub struct Plan {
    /// The profile.
    pub profile: Profile,
    /// The binary.
    pub binary: PathBuf,
    /// Its templates.
    pub templates: Templates,
    /// Its expressions.
    pub phrases: Arc<Phrases>,
    /// Which callbacks are worth waiting for.
    pub waits: Waits,
    /// The host has got ready before: what keeps it from it now are its cases.
    pub started: AtomicBool,
}

/// What was read at the end of a process: the attempts by the numbers of their jobs, and how it was
/// lost, if it was.
pub type Finished = (Vec<(usize, Attempt)>, Option<Lost>);

impl Plan {
    /// Whether cases come in only with a new process.
    pub fn boots(&self) -> bool {
        let listeners = self.profile.listeners.as_ref();
        listeners.is_some_and(|l| l.change == Change::Boot)
    }
}

/// The host is lost: nothing more can be learnt from this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// In words.
    pub what: String,
    /// It ended (else it hangs).
    pub died: bool,
    /// Somebody else killed it.
    pub outside: bool,
    /// While loading: the case that it was busy with.
    pub suspect: Option<usize>,
    /// While it was started: how many cases from the first on it had dealt with.
    pub dealt_with: Option<usize>,
}

/// A case that was played and whose trace was not read yet.
struct Open {
    index: usize,
    name: String,
    attempt: Attempt,
}

/// One process of a host.
pub struct Session {
    plan: Arc<Plan>,
    process: Process,
    upstreams: Upstreams,
    ear: Arc<Ear>,
    wire: WireLog,
    vars: Vars,
    placed: Placed,
    fence: Arc<Gate>,
    settle: Settle,
    /// Cases that were played and whose traces are read when the log is whole.
    open: Vec<Open>,
    isolation: Isolation,
    /// Of a case that lost the host: what was seen until then.
    partial: Option<Attempt>,
    // Last, so that it goes when nobody uses it any more.
    dir: TempDir,
}

/// How long the host may be silent when a case has used up its deadline.
fn when_late(isolation: Isolation) -> Duration {
    match isolation {
        Isolation::Alone => SILENT_ALONE,
        Isolation::Shared => SILENT_AGAIN,
    }
}

impl Session {
    /// Starts the host without a case in it and waits until it is ready.
    ///
    /// # Errors
    /// It did not start: its last words are in the trouble.
    pub fn boot(plan: &Arc<Plan>, isolation: Isolation) -> Result<Session, Trouble> {
        let mut session = Session::start(plan, isolation, &[])?;
        let within = plan.profile.start.as_ref().map_or(20, |s| s.ready.within);
        match session.ready(Duration::from_secs(u64::from(within))) {
            Ok(()) => Ok(session),
            Err(lost) => Err(Trouble::new(TroubleKind::DidNotStart, lost.what)),
        }
    }

    /// Starts the host with these cases in it; whether it gets ready is not known yet.
    ///
    /// # Errors
    /// Nothing was learnt of the cases: a file could not be written, the program not be started.
    pub fn start(plan: &Arc<Plan>, isolation: Isolation, jobs: &[Job]) -> Result<Session, Trouble> {
        let io = |what: &str, e: std::io::Error| {
            Trouble::new(TroubleKind::DidNotStart, format!("{what}: {e}"))
        };
        let in_memory = plan.profile.start.as_ref().is_some_and(|s| s.in_memory);
        let dir = folder(in_memory).map_err(|e| io("making a working folder", e))?;
        std::fs::write(dir.path().join("fence.wasm"), fence::module())
            .map_err(|e| io("writing the fence's module", e))?;
        let ear = Arc::new(Ear::new(plan.phrases.clone()));
        let wire = WireLog::default();
        let ports = plan.profile.upstreams_have_ports();
        let fence = Arc::new(Gate::new(dir.path().join("fence.sock")));
        let settle = Settle::new(fence.clone(), ear.clone(), !plan.boots());
        let upstreams = Upstreams::start(dir.path(), ports, settle.clone(), wire.clone())
            .map_err(|e| io("listening as upstream", e))?;
        let named = |name: &str| UpstreamVars {
            name: name.to_owned(),
            socket: format!("{name}.sock"),
            port: upstreams.port(name),
        };
        let mut vars = Vars {
            dir: dir.path().to_string_lossy().into_owned(),
            version: 1,
            fence: FenceVars {
                socket: "fence.sock".to_owned(),
                vm_id: fence::VM.to_owned(),
                module: "fence.wasm".to_owned(),
            },
            upstreams: NAMES.map(named).to_vec(),
            grpc: GRPC_UPSTREAMS.map(named).to_vec(),
            nowhere: vec![named(NOWHERE)],
            backend: named(BACKEND),
            cases: Vec::new(),
        };
        let mut placed = Placed::default();
        for job in jobs {
            let job = upstreams.known_to(job, &plan.profile);
            placed
                .add(&job, dir.path(), &ear, &mut vars)
                .map_err(|e| io("writing a module", e))?;
        }
        let service = jobs
            .iter()
            .find(|job| job.plugin_type == PluginType::Service);
        if let Some((job, guest)) = service.zip(placed.guests.values().next()) {
            upstreams.begin(&guest.vars.name, &job.exchange);
        }
        plan.templates.write_all(dir.path(), &vars)?;
        let args = plan.templates.args(&vars)?;
        let process = Process::start(&plan.binary, &args, dir.path(), {
            let ear = ear.clone();
            move |line| ear.line(line)
        })
        .map_err(|e| io(&format!("starting {}", plan.binary.display()), e))?;
        Ok(Session {
            plan: plan.clone(),
            process,
            upstreams,
            ear,
            wire,
            vars,
            placed,
            fence,
            settle,
            open: Vec::new(),
            isolation,
            partial: None,
            dir,
        })
    }

    /// Waits until the host is ready, and so has said of each of its cases whether it takes it.
    ///
    /// # Errors
    /// It does not get ready: its last words are in the loss.
    pub fn ready(&mut self, within: Duration) -> Result<(), Lost> {
        let ready = self.ear.wait(within, |h| h.ready || h.ended)
            && !self.ear.heard().ended
            && self.fence(within).is_ok();
        if ready {
            self.plan.started.store(true, Ordering::SeqCst);
            self.ear.hear_all();
            return Ok(());
        }
        let (story, outside) = self.end_of_process();
        let (last, dealt_with) = {
            let heard = self.ear.heard();
            let lines = heard.last.iter();
            let last: Vec<String> = lines
                .map(|l| String::from_utf8_lossy(l).into_owned())
                .collect();
            (last, self.dealt_with(&heard))
        };
        Err(Lost {
            what: format!(
                "{} did not get ready ({story}); {}",
                self.plan.binary.display(),
                match last.is_empty() {
                    true => "it said nothing".to_owned(),
                    false => format!("its last words:\n{}", last.join("\n")),
                }
            ),
            died: self.process.ended().is_some(),
            outside,
            suspect: None,
            dealt_with: Some(dealt_with),
        })
    }

    /// How many cases, from the first on, the host has dealt with in the stage of its start in which it
    /// ended: it takes the modules of all, then the listeners of all.
    fn dealt_with(&self, heard: &Heard) -> usize {
        let leading = |of: &dyn Fn(&Hearing) -> bool| {
            let all = self.placed.guests.values();
            let heard = all.map_while(|g| heard.cases.get(&g.vars.name));
            heard.take_while(|case| of(case)).count()
        };
        match leading(&Hearing::dealt_with) {
            all if all == self.placed.guests.len() => leading(&|case| case.added > 0),
            some => some,
        }
    }

    /// The host's process number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Puts a batch in, in place of the one before, and waits until the host has said of each
    /// whether it takes it, and until the worker has started all that were taken.
    ///
    /// # Errors
    /// The host is lost.
    pub fn load(&mut self, jobs: &[Job]) -> Result<(), Lost> {
        self.clear();
        let patience = match (self.isolation, jobs) {
            (Isolation::Alone, [job]) => job.deadline,
            _ => SILENT,
        };
        for job in jobs {
            let job = self.upstreams.known_to(job, &self.plan.profile);
            let added = self
                .placed
                .add(&job, self.dir.path(), &self.ear, &mut self.vars);
            if let Err(error) = added {
                return Err(Lost {
                    what: format!("writing a module: {error}"),
                    died: false,
                    outside: true,
                    suspect: None,
                    dealt_with: None,
                });
            }
        }
        self.ear.attend(None);
        self.publish().map_err(|what| self.lost_because(what))?;
        let mut open = usize::MAX;
        loop {
            let moves = |h: &mut Heard| {
                let now = ear::unanswered(h).len();
                h.ended || now == 0 || now < open
            };
            let began = self.began();
            let mut progress = false;
            while !progress && !self.hangs(began, patience) {
                progress = self.ear.wait(patience.min(SILENT_AGAIN), moves);
            }
            let (left, ended) = {
                let heard = self.ear.heard();
                (ear::unanswered(&heard), heard.ended)
            };
            if left.is_empty() {
                break;
            }
            if ended || !progress {
                let stuck = jobs.iter().map(|j| j.index);
                let stuck = stuck.into_iter().find(|index| {
                    let guest = self.placed.guests.get(index);
                    guest.is_some_and(|g| left.contains(&g.vars.name))
                });
                let mut lost = self.lost("while loading");
                lost.suspect = stuck;
                return Err(lost);
            }
            open = left.len();
        }
        // Listeners reach the worker in the order in which they were taken; a fence that is sent
        // only now is answered after all of them were started there.
        self.fence(patience)?;
        let refused: Vec<String> = {
            let heard = self.ear.heard();
            let all = heard.cases.iter();
            let refused = all.filter(|(_, c)| c.answer != Some(Answer::Added));
            refused.map(|(name, _)| name.clone()).collect()
        };
        // A rejected listener would be tried again with each change of the file.
        self.vars.cases.retain(|c| !refused.contains(&c.name));
        Ok(())
    }

    /// Whether it is not to be told why the host did not take a case, in this company.
    pub fn is_unclear(&self, job: &Job) -> bool {
        let heard = self.ear.heard();
        let guest = self.placed.guests.get(&job.index);
        let case = guest.and_then(|g| heard.cases.get(&g.vars.name));
        case.is_some_and(|c| c.answer == Some(Answer::Unclear))
    }

    /// Plays one case of the batch and reads its trace.
    ///
    /// # Errors
    /// The host is lost; what was heard until then: [`Session::remains`].
    pub fn play(&mut self, job: &Job) -> Result<Attempt, Lost> {
        let (name, mut attempt) = self.drive(job)?;
        if let Some(hearing) = self.ear.forget(&name) {
            hearing.put_into(&mut attempt);
        }
        Ok(attempt)
    }

    /// Plays one case of the batch; its trace is read by [`Session::finish`].
    ///
    /// # Errors
    /// The host is lost; what was heard until then is lost with it.
    pub fn play_open(&mut self, job: &Job) -> Result<(), Lost> {
        let (name, attempt) = self.drive(job)?;
        let index = job.index;
        self.open.push(Open {
            index,
            name,
            attempt,
        });
        Ok(())
    }

    fn drive(&mut self, job: &Job) -> Result<(String, Attempt), Lost> {
        let began = Instant::now();
        let mut attempt = Attempt::empty(self.isolation);
        let Some(guest) = self.placed.guests.remove(&job.index) else {
            return Ok((String::new(), attempt));
        };
        let name = guest.vars.name.clone();
        let taken = self
            .ear
            .heard()
            .cases
            .get(&name)
            .and_then(|c| c.answer.clone());
        // A background plugin has no listener: the host got ready with it.
        let service = job.plugin_type == PluginType::Service;
        let taken = taken.or(service.then_some(Answer::Added));
        match &taken {
            Some(Answer::Added) => attempt.load = Load::Loaded,
            Some(Answer::Unlinked(import, text)) => {
                attempt.load = Load::Unlinked {
                    import: import.clone(),
                    text: Blob::Whole(text.clone().into_bytes()),
                };
            }
            Some(Answer::Refused(text)) => {
                attempt.load = Load::Refused {
                    text: Blob::Whole(text.clone().into_bytes()),
                };
            }
            Some(Answer::Unclear) | None => {}
        }
        if taken == Some(Answer::Added) {
            let played = self.exchange(job, &guest, &mut attempt);
            if let Err(lost) = played {
                attempt.micros = began.elapsed().as_micros() as u64;
                self.partial = Some(attempt);
                return Err(lost);
            }
        }
        self.ear.attend(None);
        let wire = self.wire.take();
        if !wire.is_empty() {
            attempt.wire = Some(Blob::Whole(wire.into_bytes()));
        }
        attempt.micros = began.elapsed().as_micros() as u64;
        Ok((name, attempt))
    }

    fn exchange(&mut self, job: &Job, guest: &Guest, attempt: &mut Attempt) -> Result<(), Lost> {
        let name = &guest.vars.name;
        self.ear.attend(Some(name));
        // A background plugin has been at work since the host was started.
        if job.plugin_type != PluginType::Service {
            self.wire.take();
            self.upstreams.begin(name, &job.exchange);
        }
        let mut player = Player::new(
            name,
            &job.exchange,
            guest.socket.clone(),
            self.ear.clone(),
            &self.upstreams,
            (self.wire.clone(), self.settle.clone()),
            job.deadline,
        )
        .whole(self.plan.profile.offers("chunked_delivery").is_err());
        if self.isolation == Isolation::Shared {
            player = player.waits(&self.plan.waits, job);
        }
        let mut turns = Turns {
            plan: &self.plan,
            ear: &self.ear,
            fence: &self.fence,
            settle: &self.settle,
            vars: &mut self.vars,
            dir: self.dir.path(),
            guest: &guest.vars,
            lost: None,
        };
        // Where listeners come only with a new process, only its end can be asked for, and that comes
        // anyway before the log is read.
        let boots = self.plan.boots() || job.plugin_type == PluginType::Service;
        let played = player.play(&mut |turn| {
            if !boots {
                turns.turn(turn);
            }
        });
        attempt.seen.client = played.clients;
        let lost = turns.lost.take();
        if let Some(what) = lost {
            return Err(self.lost_because(what));
        }
        // The host may still be busy with what the exchange began: an upstream's answer that it has
        // not read, a callout that this answer sets off. A fence shows that the worker has done all
        // that lay before it; if requests came meanwhile there is more to wait for.
        let patience = match (&played.late, self.isolation) {
            (Some(_), of) => when_late(of),
            (None, Isolation::Alone) => job.deadline,
            (None, Isolation::Shared) => SILENT,
        };
        for _ in 0..8 {
            let until = Instant::now() + Duration::from_millis(200);
            while self.upstreams.traffic().1 > 0 && Instant::now() < until {
                std::thread::sleep(Duration::from_micros(200));
            }
            let before = self.upstreams.traffic();
            self.fence(patience)?;
            if self.upstreams.traffic() == before {
                break;
            }
        }
        self.upstreams.end(&mut attempt.seen);
        if let Some(late) = played.late {
            attempt.end = End::Timeout(late);
        }
        Ok(())
    }

    /// See [`Gate::pass`].
    fn fence(&mut self, within: Duration) -> Result<(), Lost> {
        let began = self.began();
        while !self.fence.pass(&self.ear, within) {
            if self.hangs(began, within) || self.ear.heard().ended {
                return Err(self.lost("at the fence"));
            }
        }
        Ok(())
    }

    /// Now, on the clock and by the host's own work.
    fn began(&self) -> (Instant, Option<Duration>) {
        (Instant::now(), self.process.cpu())
    }

    /// Whether the host has had `patience` since then, or the machine is so busy that nobody waits longer.
    fn hangs(&self, (began, before): (Instant, Option<Duration>), patience: Duration) -> bool {
        let passed = began.elapsed();
        let worked = self.process.cpu().zip(before);
        let worked = worked.map(|(now, before)| now.saturating_sub(before));
        passed >= patience && worked.is_none_or(|w| w >= patience || passed >= UNSERVED)
    }

    /// Forgets the batch before.
    fn clear(&mut self) {
        for guest in std::mem::take(&mut self.placed.guests).into_values() {
            self.ear.forget(&guest.vars.name);
        }
        for module in self.placed.modules.drain(..) {
            std::fs::remove_file(module).ok();
        }
        self.vars.cases.clear();
    }

    fn publish(&mut self) -> Result<(), String> {
        publish(&self.plan, self.dir.path(), &mut self.vars)
    }

    fn end_of_process(&mut self) -> (String, bool) {
        // A host that has closed its log is about to end: how is known a moment later.
        if self.ear.heard().ended {
            self.process.wait(Duration::from_secs(2));
        }
        self.process.story()
    }

    fn lost(&mut self, when: &str) -> Lost {
        let (story, outside) = self.end_of_process();
        let died = self.process.ended().is_some();
        Lost {
            what: if died {
                format!("the host died {when}: {story}")
            } else {
                format!("the host does not answer {when}")
            },
            died,
            outside,
            suspect: None,
            dealt_with: None,
        }
    }

    fn lost_because(&mut self, what: String) -> Lost {
        let mut lost = self.lost("while its listeners changed");
        lost.what = format!("{}; {what}", lost.what);
        lost
    }
}
