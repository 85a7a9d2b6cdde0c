//! An adapter's process: asked line by line, within a deadline, ended without remains.
//!
//! Does not know what the messages mean, the greeting apart.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::host::guard::{Guard, Then};
use crate::host::stdio::protocol::{Answer, Ask, Greeting, Hello, PROTOCOL, Reply, Request};
use crate::host::{Trouble, TroubleKind};

/// An adapter answers its first message within this time.
const HELLO: Duration = Duration::from_secs(30);
/// An adapter gives the library control, or answers without it, within this time; what the library takes is
/// counted from then on. A busy machine is no hang.
const OUTSIDE: Duration = Duration::from_millis(if cfg!(test) { 500 } else { 10_000 });
/// The library has at least this much, even where the case's time went by before it was entered.
const LEAST: Duration = Duration::from_secs(1);
/// An adapter that is told that nothing follows ends within this time.
const GRACE: Duration = Duration::from_secs(2);
/// How long its last words are waited for once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// This much of what an adapter writes to its standard error is kept between two questions.
const ASIDE: usize = 64 * 1024;
/// A line of an adapter is at most this long: bodies of 10 MiB, several times, with room to spare.
const LINE: usize = 64 * 1024 * 1024;

/// Somebody who answers.
pub trait Peer {
    /// Asks and waits for the answer: what of the time until `until` the library may take counts from the
    /// moment in which it is entered.
    ///
    /// # Errors
    /// No answer came: why.
    fn ask(&mut self, ask: Ask, until: Instant) -> Result<Reply, Silence>;

    /// What it said beside its answers since it was last asked this.
    fn aside(&mut self) -> Vec<u8> {
        Vec::new()
    }
}

/// Why no answer came, and whether the library had control by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// The time is over.
    Late {
        /// The adapter had said that it enters the library.
        entered: bool,
    },
    /// The process has ended.
    Gone {
        /// The adapter had said that it enters the library.
        entered: bool,
        /// It was killed from outside.
        killed: bool,
        /// How it ended.
        story: String,
    },
    /// What came is no answer.
    Nonsense(String),
}

/// How an adapter is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// A running adapter.
pub struct Link {
    child: Child,
    guard: Guard,
    to: Option<Sender<Vec<u8>>>,
    from: Receiver<Vec<u8>>,
    aside: Arc<Mutex<Vec<u8>>>,
    /// Breaks off when nothing more can be said beside the answers.
    silent: Receiver<Infallible>,
    next: u64,
    entered: bool,
    hello: Hello,
}

impl Program {
    /// A program without arguments.
    pub fn plain(path: &Path) -> Program {
        Program {
            path: path.to_owned(),
            args: Vec::new(),
        }
    }

    fn failed(&self, what: impl std::fmt::Display) -> Trouble {
        let what = format!("{}: {what}", self.path.display());
        Trouble::new(TroubleKind::DidNotStart, what)
    }
}

impl Link {
    /// Starts the adapter and greets it.
    ///
    /// # Errors
    /// It does not start, or does not speak this protocol.
    pub fn start(program: &Program) -> Result<Link, Trouble> {
        let mut child = Command::new(&program.path)
            .args(&program.args)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| program.failed(e))?;
        let guard = Guard::over(&mut child, Then::Kill).map_err(|e| program.failed(e))?;
        let to = writer(child.stdin.take());
        let from = lines(child.stdout.take());
        let aside = Arc::new(Mutex::new(Vec::new()));
        let silent = keep(child.stderr.take(), Arc::clone(&aside));
        let mut link = Link {
            child,
            guard,
            to: Some(to),
            from,
            aside,
            silent,
            next: 1,
            entered: false,
            hello: Hello {
                protocol: PROTOCOL,
                library: crate::host::stdio::protocol::Library {
                    name: String::new(),
                    version: String::new(),
                },
                abi: Vec::new(),
                callbacks: Vec::new(),
                answers: Default::default(),
                lacks: Default::default(),
                unlinked: Vec::new(),
            },
        };
        let greeting = Ask::Hello(Greeting { protocol: PROTOCOL });
        let said = link.ask(greeting, Instant::now() + HELLO);
        let protocol = |what: String| {
            let what = format!("{}: {what}", program.path.display());
            Trouble::new(TroubleKind::Protocol, what)
        };
        match said.map(|r| r.answer) {
            Ok(Answer::Hello(hello)) if hello.protocol == PROTOCOL => {
                link.hello = hello;
                Ok(link)
            }
            Ok(Answer::Hello(hello)) => Err(protocol(format!(
                "the adapter speaks version {} of the protocol, this is {PROTOCOL}",
                hello.protocol
            ))),
            Ok(_) => Err(protocol(
                "the adapter does not answer the greeting with `hello`".into(),
            )),
            Err(Silence::Nonsense(what)) => {
                Err(protocol(format!("the greeting's answer is none: {what}")))
            }
            Err(Silence::Late { .. }) => Err(program.failed(format!(
                "no answer to the greeting within {} s",
                HELLO.as_secs()
            ))),
            Err(Silence::Gone { story, .. }) => {
                let aside = String::from_utf8_lossy(&link.aside()).trim().to_owned();
                Err(program.failed(format!("{story} before it answered the greeting\n{aside}")))
            }
        }
    }

    /// What it said of itself.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Sends a line as it is and waits for the answer: for questions that no harness asks.
    ///
    /// # Errors
    /// No answer came: why.
    pub fn ask_raw(&mut self, ask: &str, until: Instant) -> Result<Reply, Silence> {
        let id = self.next;
        self.next += 1;
        let line = format!("{{\"id\":{id},\"ask\":{ask}}}\n");
        self.send(line.into_bytes())?;
        self.answer(id, until)
    }

    /// Tells it that nothing follows and waits for its end; `false`: it had to be killed.
    pub fn stop(mut self) -> bool {
        self.to = None;
        self.ends(GRACE).is_some()
    }

    /// Whether it said that the library had control, in its last answer.
    pub fn entered(&self) -> bool {
        self.entered
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn send(&mut self, line: Vec<u8>) -> Result<(), Silence> {
        match self.to.as_ref().map(|to| to.send(line)) {
            Some(Ok(())) => Ok(()),
            _ => Err(self.gone(false)),
        }
    }

    fn answer(&mut self, id: u64, until: Instant) -> Result<Reply, Silence> {
        self.entered = false;
        let asked = Instant::now();
        let own = until.saturating_duration_since(asked);
        let mut until = until.max(asked + OUTSIDE);
        loop {
            let entered = self.entered;
            let left = until.saturating_duration_since(Instant::now());
            let line = match self.from.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => return Err(Silence::Late { entered }),
                Err(RecvTimeoutError::Disconnected) => return Err(self.gone(entered)),
            };
            if line.len() > LINE {
                let what = format!("a line of more than {LINE} bytes");
                return Err(Silence::Nonsense(what));
            }
            let reply: Reply = serde_json::from_slice(&line).map_err(|e| {
                let shown = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
                Silence::Nonsense(format!("{e}: {shown}"))
            })?;
            if reply.id != id {
                let what = format!("an answer to {} where one to {id} is due", reply.id);
                return Err(Silence::Nonsense(what));
            }
            match reply.answer {
                Answer::Entered {} if entered => {
                    return Err(Silence::Nonsense("`entered` twice".to_owned()));
                }
                Answer::Entered {} => {
                    self.entered = true;
                    until = Instant::now() + own.max(LEAST);
                }
                _ => return Ok(reply),
            }
        }
    }

    fn gone(&mut self, entered: bool) -> Silence {
        self.to = None;
        let ended = self.ends(GRACE);
        if ended.is_some() {
            // Its last words; what it has started may hold them open.
            self.silent.recv_timeout(LAST_WORDS).ok();
        }
        let signal = ended.and_then(|s| s.signal());
        // What a person or the machine sends; a library that breaks ends by another one.
        let killed = matches!(signal, Some(s) if s == Signal::KILL.as_raw()
            || s == Signal::TERM.as_raw()
            || s == Signal::INT.as_raw()
            || s == Signal::HUP.as_raw());
        let story = match ended {
            Some(status) => format!("the adapter ended: {status}"),
            None => "the adapter closed its output".to_owned(),
        };
        Silence::Gone {
            entered,
            killed,
            story,
        }
    }

    /// Waits for its end; the guard goes before that is collected.
    fn ends(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        loop {
            let gone = rustix::process::waitid(
                rustix::process::WaitId::Pid(pid(&self.child)?),
                rustix::process::WaitIdOptions::EXITED
                    | rustix::process::WaitIdOptions::NOHANG
                    | rustix::process::WaitIdOptions::NOWAIT,
            );
            match gone {
                Ok(None) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_micros(300));
                }
                Ok(None) => return None,
                Ok(Some(_)) | Err(_) => {
                    self.dismiss();
                    return self.child.wait().ok();
                }
            }
        }
    }

    fn dismiss(&mut self) {
        self.guard.dismiss();
    }
}

impl Peer for Link {
    fn ask(&mut self, ask: Ask, until: Instant) -> Result<Reply, Silence> {
        let id = self.next;
        self.next += 1;
        let mut line = serde_json::to_vec(&Request { id, ask })
            .map_err(|e| Silence::Nonsense(e.to_string()))?;
        line.push(b'\n');
        self.send(line)?;
        self.answer(id, until)
    }

    fn aside(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.aside.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.dismiss();
        // Whatever it has started goes with it.
        if let Some(pid) = pid(&self.child)
            && matches!(self.child.try_wait(), Ok(None))
        {
            kill_process_group(pid, Signal::KILL).ok();
        }
        self.child.wait().ok();
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// Writes lines from a thread, so that an adapter that does not read cannot stop the harness.
fn writer(to: Option<impl Write + Send + 'static>) -> Sender<Vec<u8>> {
    let (send, lines) = channel::<Vec<u8>>();
    std::thread::spawn(move || {
        let Some(mut to) = to else { return };
        for line in lines {
            if to.write_all(&line).and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    });
    send
}

/// The lines that come from it; the first that is too long is cut and the last.
fn lines(from: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        let Some(from) = from else { return };
        let mut from = BufReader::with_capacity(1 << 16, from);
        loop {
            let mut line = Vec::new();
            let most = LINE as u64 + 1;
            match from.by_ref().take(most).read_until(b'\n', &mut line) {
                Ok(n) if n > 0 => {}
                _ => return,
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            let cut = line.len() > LINE;
            if send.send(line).is_err() || cut {
                return;
            }
        }
    });
    lines
}

/// Keeps the newest of what comes, until nothing more does.
fn keep(
    from: Option<impl Read + Send + 'static>,
    kept: Arc<Mutex<Vec<u8>>>,
) -> Receiver<Infallible> {
    let (open, silent) = channel();
    std::thread::spawn(move || {
        let _open: Sender<Infallible> = open;
        let Some(mut from) = from else { return };
        let mut bytes = [0; 4096];
        while let Ok(n) = from.read(&mut bytes) {
            if n == 0 {
                return;
            }
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(&bytes[..n]);
            let over = kept.len().saturating_sub(ASIDE);
            kept.drain(..over);
        }
    });
    silent
}
