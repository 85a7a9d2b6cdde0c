//! What is heard of the cases in a host's log: frames, guests' own lines, acceptance, refusal, traps.
//!
//! Lines are told apart by the frame's token, then by the VM's id where the host shows one, then by
//! time: the cases of one host are played one after the other. Does not know what a case expects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use regex::bytes::{Captures, Regex};

use crate::case::{Profile, log_pattern};
use crate::host::network::fence;
use crate::host::network::lines::{Grammar, Guest, Line};
use crate::host::{Job, Trouble, TroubleKind};
use crate::trace::{Attempt, Blob, End, LogLine, Reader, Taken, Trace, frame_token};

/// A case keeps this much of the host's own log; what is beyond is counted.
const HOST_LOG: usize = 64 << 10;
/// Lines that others have overtaken are waited for at most this long.
const OVERTAKEN: Duration = Duration::from_secs(2);

/// The profile's expressions, compiled.
#[derive(Debug)]
pub struct Phrases {
    grammar: Grammar,
    ready: Regex,
    loaded: Option<Regex>,
    added: Option<Regex>,
    rejected: Option<Regex>,
    rejected_together: Option<(Regex, Regex)>,
    unlinked: Vec<Regex>,
    refused: Vec<Regex>,
    trap: Vec<Regex>,
}

impl Phrases {
    /// From a profile; the loader has looked at its expressions.
    ///
    /// # Errors
    /// An expression is none.
    pub fn new(profile: &Profile) -> Result<Phrases, Trouble> {
        let bad = |what: &str| {
            let name = &profile.name;
            Trouble::new(
                TroubleKind::DidNotStart,
                format!("the profile {name} has no usable {what}"),
            )
        };
        let one = |text: &str, what: &str| log_pattern(text).map_err(|_| bad(what));
        let all = |texts: &[String], what: &str| {
            texts
                .iter()
                .map(|t| one(t, what))
                .collect::<Result<Vec<_>, _>>()
        };
        let start = profile.start.as_ref().ok_or_else(|| bad("start"))?;
        let listeners = profile.listeners.as_ref().ok_or_else(|| bad("listeners"))?;
        let says = &profile.says;
        Ok(Phrases {
            grammar: Grammar::new(profile).ok_or_else(|| bad("log"))?,
            ready: one(&start.ready.log, "start.ready")?,
            loaded: match &listeners.loaded {
                Some(text) => Some(one(text, "listeners.loaded")?),
                None => None,
            },
            added: match &listeners.added {
                Some(text) => Some(one(text, "listeners.added")?),
                None => None,
            },
            rejected: match &listeners.rejected {
                Some(text) => Some(one(text, "listeners.rejected")?),
                None => None,
            },
            rejected_together: match &listeners.rejected_together {
                Some(together) => {
                    let what = "listeners.rejected_together";
                    Some((one(&together.line, what)?, one(&together.each, what)?))
                }
                None => None,
            },
            unlinked: all(&says.unlinked, "says.unlinked")?,
            refused: all(&says.refused, "says.refused")?,
            trap: all(&says.trap, "says.trap")?,
        })
    }
}

impl Phrases {
    /// Whether a line says why a module is not taken.
    fn gives_a_reason(&self, line: &[u8]) -> bool {
        let mut all = self.unlinked.iter().chain(&self.refused);
        all.any(|r| r.is_match(line))
    }
}

/// Whether the host took a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It did.
    Added,
    /// It lacks an import: which, and its words.
    Unlinked(String, String),
    /// It did not, for another reason: its words.
    Refused(String),
    /// It did not, and which of its words are about this one is not to be told.
    Unclear,
}

/// What was heard of one case.
pub struct Hearing {
    /// By VM of the case: its id, its token, the reader of its frames.
    vms: Vec<(String, Option<Reader>)>,
    /// Lines that its guests wrote, frames left out.
    pub logs: Vec<LogLine>,
    /// The host's own lines of its time.
    pub host: Vec<u8>,
    host_left_out: usize,
    /// What the host said of a trap.
    pub trap: Option<Vec<u8>>,
    /// Whether the host took it.
    pub answer: Option<Answer>,
    /// How many lines came in all.
    pub lines: u64,
    /// How often the host has said that the listener is in.
    pub added: u32,
    /// How many of its modules the host has dealt with, one way or the other.
    pub loaded: usize,
}

impl Hearing {
    /// Of a case of which nothing was heard yet.
    pub fn new(job: &Job) -> Hearing {
        let vms = job.vms.iter().enumerate().map(|(n, vm)| {
            let reader = vm.legend.clone().map(|l| Reader::shared(l).vm(n as u32));
            (vm.vm_id.clone(), reader)
        });
        Hearing {
            vms: vms.collect(),
            logs: Vec::new(),
            host: Vec::new(),
            host_left_out: 0,
            trap: None,
            answer: None,
            lines: 0,
            added: 0,
            loaded: 0,
        }
    }

    /// Whether the host has dealt with all of its modules.
    pub fn dealt_with(&self) -> bool {
        self.loaded >= self.vms.len()
    }

    /// How often any one instance has entered this callback.
    pub fn entered(&self, callback: &str) -> u32 {
        let readers = self.vms.iter().filter_map(|(_, r)| r.as_ref());
        readers.map(|r| r.entered(callback)).max().unwrap_or(0)
    }

    /// How many calls of all instances have begun so far, but for those of this callback.
    pub fn entered_but(&self, callback: &str) -> u32 {
        let readers = self.vms.iter().filter_map(|(_, r)| r.as_ref());
        readers.map(|r| r.entered_but(callback)).sum()
    }

    /// Whether all VMs speak in frames: only then `entered` tells anything.
    pub fn speaks(&self) -> bool {
        self.vms.iter().all(|(_, r)| r.is_some())
    }

    /// The readers, for their instances and faults.
    pub fn into_readers(self) -> Vec<Reader> {
        self.vms.into_iter().filter_map(|(_, r)| r).collect()
    }

    /// The host's own lines.
    pub fn host_log(&self) -> Vec<u8> {
        let mut out = self.host.clone();
        if self.host_left_out > 0 {
            out.extend_from_slice(format!("… {} more bytes\n", self.host_left_out).as_bytes());
        }
        out
    }

    /// Writes what was heard into the attempt.
    pub fn put_into(self, attempt: &mut Attempt) {
        if let Some(trap) = &self.trap {
            attempt.end = End::Trap(Blob::Whole(trap.clone()));
        }
        let host = self.host_log();
        if !host.is_empty() {
            attempt.host_log = Some(Blob::Whole(host));
        }
        attempt.logs.clone_from(&self.logs);
        let mut trace = Trace::default();
        for reader in self.into_readers() {
            let (instances, faults) = reader.finish();
            trace.instances.extend(instances);
            attempt.faults.extend(faults);
        }
        attempt.trace = trace;
    }

    fn note(&mut self, line: &[u8]) {
        if self.host.len() + line.len() < HOST_LOG {
            self.host.extend_from_slice(line);
            self.host.push(b'\n');
        } else {
            self.host_left_out += line.len() + 1;
        }
    }

    /// Offers a line to the reader of its VM, or where the host does not name one, to all: the VMs
    /// of a case share its token.
    fn frame(&mut self, label: &str, vm: Option<&str>, text: &str) -> bool {
        let named = vm.filter(|vm| self.vms.iter().any(|(id, _)| id == vm));
        let of = self.vms.iter_mut();
        let of = of.filter(|(id, _)| named.is_none_or(|vm| id == vm));
        let mut readers = of.filter_map(|(_, r)| r.as_mut());
        readers.any(|r| r.push(label, text) == Taken::Taken)
    }
}

/// What one host's log has said so far.
pub struct Heard {
    /// Cases by the names of their listeners.
    pub cases: BTreeMap<String, Hearing>,
    /// Tokens and VM ids of those cases, and whose they are.
    owners: BTreeMap<String, String>,
    /// The case that is being played.
    active: Option<String>,
    /// Host lines while cases are loaded, by thread: what the thread said that says whether a
    /// listener is taken is about that listener; others only start what was taken.
    loading: BTreeMap<String, Vec<Vec<u8>>>,
    /// By thread: the case whose guest spoke there last.
    speaker: BTreeMap<String, String>,
    /// The host is ready.
    pub ready: bool,
    /// The highest fence that was logged.
    pub fence: u64,
    /// How many lines came in all.
    pub lines: u64,
    /// The log has ended.
    pub ended: bool,
    /// Frames and lines of cases that are over.
    pub late: u64,
    /// The last lines of the host itself.
    pub last: std::collections::VecDeque<Vec<u8>>,
}

/// Listens to one host.
pub struct Ear {
    phrases: Arc<Phrases>,
    heard: Mutex<Heard>,
    news: Condvar,
}

impl Ear {
    /// An ear that has heard nothing.
    pub fn new(phrases: Arc<Phrases>) -> Ear {
        Ear {
            phrases,
            heard: Mutex::new(Heard {
                cases: BTreeMap::new(),
                owners: BTreeMap::new(),
                active: None,
                loading: BTreeMap::new(),
                speaker: BTreeMap::new(),
                ready: false,
                fence: 0,
                lines: 0,
                ended: false,
                late: 0,
                last: std::collections::VecDeque::new(),
            }),
            news: Condvar::new(),
        }
    }

    /// What was heard so far.
    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something holds, or the time is over; whether it held.
    pub fn wait(&self, within: Duration, mut holds: impl FnMut(&mut Heard) -> bool) -> bool {
        let until = Instant::now() + within;
        let mut heard = self.heard();
        loop {
            if holds(&mut heard) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            heard = match self.news.wait_timeout(heard, left) {
                Ok((heard, _)) => heard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// Waits until the host has said of each module what became of it, where it says so at all. A host
    /// may write with several loggers, whose lines overtake each other: that it is ready can stand
    /// before what it did first.
    pub fn hear_all(&self) {
        if self.phrases.loaded.is_some() {
            self.wait(OVERTAKEN, |h| {
                h.ended || h.cases.values().all(Hearing::dealt_with)
            });
        }
    }

    /// Has everybody who waits look again: something other than the log has changed.
    pub fn nudge(&self) {
        drop(self.heard());
        self.news.notify_all();
    }

    /// From now on lines of this case are its own.
    pub fn expect(&self, name: &str, job: &Job) {
        let mut heard = self.heard();
        for vm in &job.vms {
            let token = vm.legend.as_ref().map(|l| l.token.clone());
            for key in [Some(vm.vm_id.clone()), token].into_iter().flatten() {
                heard.owners.insert(key, name.to_owned());
            }
        }
        heard.cases.insert(name.to_owned(), Hearing::new(job));
    }

    /// Which case is being played: lines that carry no name are its.
    pub fn attend(&self, name: Option<&str>) {
        let mut heard = self.heard();
        heard.active = name.map(str::to_owned);
        heard.loading.clear();
    }

    /// A case is over: what was heard of it. Later lines of it are only counted.
    pub fn forget(&self, name: &str) -> Option<Hearing> {
        let mut heard = self.heard();
        heard.owners.retain(|_, owner| owner != name);
        heard.cases.remove(name)
    }

    /// Takes one line of the log; `None` is its end.
    pub fn line(&self, raw: Option<&[u8]>) {
        let line = raw.map(|raw| self.phrases.grammar.read(raw));
        let mut heard = self.heard();
        heard.lines += 1;
        match line {
            None => heard.ended = true,
            Some(Line {
                thread,
                guest,
                whole,
            }) => {
                let taken = guest.is_some_and(|guest| heard.guest(&thread, guest));
                if !taken {
                    heard.host(&thread, &whole, &self.phrases);
                }
            }
        }
        drop(heard);
        self.news.notify_all();
    }
}

impl Heard {
    /// Takes what a guest may have written; whether it was taken.
    fn guest(&mut self, thread: &str, guest: Guest) -> bool {
        let Guest {
            level,
            vm,
            text,
            certain,
        } = guest;
        let shown = std::str::from_utf8(&text).unwrap_or_default();
        if let Some(number) = fence::number(shown) {
            self.fence = self.fence.max(number);
            return true;
        }
        let token = frame_token(shown);
        let owner = token.and_then(|t| self.owners.get(t));
        let owner = owner.or_else(|| vm.as_ref().and_then(|v| self.owners.get(v)));
        // A line without a name and without a frame is the case's that is being played.
        let nameless = || self.active.clone().filter(|_| certain && vm.is_none());
        let Some(name) = owner.cloned().or_else(nameless) else {
            self.late += u64::from(certain);
            return certain;
        };
        let Some(case) = self.cases.get_mut(&name) else {
            return certain;
        };
        case.lines += 1;
        if !(token.is_some() && case.frame(thread, vm.as_deref(), shown)) {
            case.logs.push(LogLine {
                level,
                text: Blob::new(&text),
            });
        }
        self.speaker.insert(thread.to_owned(), name);
        true
    }

    fn host(&mut self, thread: &str, text: &[u8], phrases: &Phrases) {
        if self.last.len() == 20 {
            self.last.pop_front();
        }
        self.last.push_back(text.to_vec());
        if phrases.ready.is_match(text) {
            self.ready = true;
        }
        if let Some(name) = group(phrases.loaded.as_ref(), text, "name")
            && let Some(case) = self.cases.get_mut(&name)
        {
            case.loaded += 1;
        }
        if let Some(name) = group(phrases.added.as_ref(), text, "name") {
            if self.cases.contains_key(&name) {
                self.answered(&name, thread, text, Answer::Added, phrases);
            }
            return;
        }
        if let Some(name) = group(phrases.rejected.as_ref(), text, "name") {
            if let Some(case) = self.cases.get_mut(&name) {
                case.loaded += 1;
            }
            let reason = group(phrases.rejected.as_ref(), text, "text").unwrap_or_default();
            if self.cases.contains_key(&name) {
                self.answered(&name, thread, text, Answer::Refused(reason), phrases);
            }
            return;
        }
        if let Some((line, each)) = &phrases.rejected_together
            && line.is_match(text)
        {
            let named = each.captures_iter(text);
            let named: Vec<_> = named
                .map(|found| (word(&found, "name"), word(&found, "text")))
                .collect();
            self.rejected(thread, text, named, phrases);
            return;
        }
        let trap = phrases.trap.iter().any(|r| r.is_match(text));
        let active = self.active.clone();
        // While cases are loaded, and so started on several threads, a trap is that of the case
        // whose guest spoke last on the thread.
        let owner = active.or_else(|| self.speaker.get(thread).filter(|_| trap).cloned());
        if let Some(case) = owner.and_then(|name| self.cases.get_mut(&name)) {
            if self.active.is_some() {
                case.note(text);
            }
            if trap && case.trap.is_none() {
                case.trap = Some(text.to_vec());
            }
        }
        if self.active.is_none() {
            let lines = self.loading.entry(thread.to_owned()).or_default();
            lines.push(text.to_vec());
        }
    }

    /// The host has named these listeners with its reasons, after it tried all. Those that it has
    /// spoken of before are known.
    fn rejected(
        &mut self,
        thread: &str,
        text: &[u8],
        named: Vec<(String, String)>,
        phrases: &Phrases,
    ) {
        let alone = self.cases.len() == 1;
        for (name, reason) in named {
            let open = |case: &&mut Hearing| case.answer.is_none();
            let Some(case) = self.cases.get_mut(&name).filter(open) else {
                continue;
            };
            if alone {
                self.answered(&name, thread, text, Answer::Refused(reason), phrases);
            } else {
                case.answer = Some(Answer::Unclear);
            }
        }
    }

    /// The host has said whether it takes a listener: what it said since the last one is about it.
    fn answered(
        &mut self,
        name: &str,
        thread: &str,
        text: &[u8],
        answer: Answer,
        phrases: &Phrases,
    ) {
        let mut before = self.loading.remove(thread).unwrap_or_default();
        // Where modules are taken apart from listeners, with loggers that overtake each other, why a
        // module was refused belongs to its own line.
        if answer == Answer::Added && phrases.loaded.is_some() {
            let (reasons, own): (Vec<_>, Vec<_>) = before
                .into_iter()
                .partition(|line| phrases.gives_a_reason(line));
            before = own;
            if !reasons.is_empty() {
                self.loading.insert(thread.to_owned(), reasons);
            }
        }
        // What this thread starts next is another's.
        self.speaker.remove(thread);
        let Some(case) = self.cases.get_mut(name) else {
            return;
        };
        let lines: Vec<&[u8]> = before.iter().map(Vec::as_slice).chain([text]).collect();
        for line in &lines {
            case.note(line);
        }
        case.added += u32::from(answer == Answer::Added);
        // One VM that is refused is enough; the host may put its listener in without it.
        if matches!(case.answer, Some(Answer::Unlinked(..) | Answer::Refused(_)))
            || case.answer.is_some() && answer == Answer::Added
        {
            return;
        }
        case.answer = Some(match answer {
            Answer::Refused(reason) => {
                let trap = lines
                    .iter()
                    .find(|l| phrases.trap.iter().any(|r| r.is_match(l)));
                case.trap = trap.map(|l| l.to_vec());
                refusal(&lines, reason, phrases)
            }
            other => other,
        });
    }
}

/// Why a module was not taken, from what the host said about it.
fn refusal(lines: &[&[u8]], reason: String, phrases: &Phrases) -> Answer {
    let said = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    for line in lines {
        for regex in &phrases.unlinked {
            if let Some(import) = group(Some(regex), line, "import") {
                return Answer::Unlinked(import, said(line));
            }
        }
    }
    let known = |l: &&&[u8]| phrases.refused.iter().any(|r| r.is_match(l));
    match lines.iter().find(known) {
        Some(line) => Answer::Refused(said(line)),
        None => Answer::Refused(reason),
    }
}

fn group(regex: Option<&Regex>, text: &[u8], name: &str) -> Option<String> {
    let found = regex?.captures(text)?;
    found.name(name)?;
    Some(word(&found, name))
}

fn word(found: &Captures<'_>, name: &str) -> String {
    let part = found.name(name).map_or(&[] as &[u8], |m| m.as_bytes());
    String::from_utf8_lossy(part).into_owned()
}

/// The names of cases that were not answered yet, in no order.
pub fn unanswered(heard: &Heard) -> BTreeSet<String> {
    let open = heard.cases.iter().filter(|(_, c)| c.answer.is_none());
    open.map(|(name, _)| name.clone()).collect()
}
