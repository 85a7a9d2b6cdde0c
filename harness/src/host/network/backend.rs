//! The upstream of TCP streams: a unix socket, where each connection belongs to a stream of the case.
//!
//! Connections are given to streams in the order in which the streams were opened: a host connects for
//! one before the next one is opened, or it does not connect for it until later. Does not know the
//! order of play.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::case::Chunk;
use crate::host::network::ear::Ear;
use crate::host::network::raw::Raw;
use crate::host::network::wirelog::WireLog;
use crate::trace::{Message, UpstreamSaw};

/// The upstream of TCP streams.
pub const BACKEND: &str = "backend";
/// Between two looks at who has connected.
const LOOK: Duration = Duration::from_micros(500);
/// A write may take this long.
const PATIENCE: Duration = Duration::from_secs(2);
/// What the host has sent is read out within this long.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// What the backend does on a stream.
#[derive(Debug, Clone)]
pub enum Act {
    /// It writes.
    Send(Chunk),
    /// It ends its side.
    End,
    /// It closes the connection.
    Close,
}

/// One connection that came.
struct Link {
    stream: Option<u32>,
    raw: Raw,
}

#[derive(Default)]
struct State {
    /// A case is played: connections are taken in.
    active: bool,
    /// Streams whose connection has not come yet.
    waiting: VecDeque<u32>,
    /// What is to be done on them when it comes.
    early: BTreeMap<u32, Vec<Act>>,
    links: Vec<Link>,
}

struct Shared {
    listener: UnixListener,
    state: Mutex<State>,
    over: AtomicBool,
    ear: Arc<Ear>,
    wire: WireLog,
}

/// The upstream of one host's TCP streams.
pub struct Backend {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Backend {
    /// Listens on `backend.sock` in `dir`.
    ///
    /// # Errors
    /// The socket can't be made.
    pub fn start(dir: &Path, ear: Arc<Ear>, wire: WireLog) -> io::Result<Backend> {
        let listener = UnixListener::bind(dir.join(format!("{BACKEND}.sock")))?;
        listener.set_nonblocking(true)?;
        let shared = Arc::new(Shared {
            listener,
            state: Mutex::default(),
            over: AtomicBool::new(false),
            ear,
            wire,
        });
        let thread = std::thread::spawn({
            let shared = shared.clone();
            move || {
                while !shared.over.load(Ordering::SeqCst) {
                    let active = shared.take_in().active;
                    match active {
                        true => std::thread::sleep(LOOK),
                        false => std::thread::park(),
                    }
                }
            }
        });
        Ok(Backend {
            shared,
            thread: Some(thread),
        })
    }

    /// A case begins; with TCP streams connections are taken in from now on.
    pub fn begin(&self, tcp: bool) {
        *self.shared.state() = State {
            active: tcp,
            ..State::default()
        };
        self.wake();
    }

    /// Stream `n` is opened.
    pub fn open(&self, n: u32) {
        self.shared.state().waiting.push_back(n);
    }

    /// Does something on stream `n`, now or when the host connects for it.
    pub fn act(&self, n: u32, act: Act) {
        let mut state = self.shared.take_in();
        match state.links.iter_mut().find(|l| l.stream == Some(n)) {
            Some(link) => link.act(&act),
            None => state.early.entry(n).or_default().push(act),
        }
    }

    /// Whether the host has ended or closed its connection for stream `n`; `None`: it never connected.
    pub fn ended(&self, n: u32) -> Option<bool> {
        let state = self.shared.take_in();
        let link = state.links.iter().find(|l| l.stream == Some(n))?;
        Some(link.raw.ended())
    }

    /// The exchange is over: bytes that come are still recorded, an end is not.
    pub fn past(&self) {
        for link in &self.shared.take_in().links {
            link.raw.past();
        }
    }

    /// Closes the connection of stream `n`, or all of them.
    pub fn close(&self, n: Option<u32>) {
        for link in &mut self.shared.take_in().links {
            if n.is_none() || link.stream == n {
                link.raw.close();
            }
        }
    }

    /// Whether all that has come so far has been recorded.
    pub fn is_read_out(&self) -> bool {
        let state = self.shared.take_in();
        state.links.iter().all(|l| l.raw.is_read_out())
    }

    /// Grows with everything that comes.
    pub fn news(&self) -> u64 {
        let state = self.shared.take_in();
        let all = state.links.iter().map(|l| 1 + l.raw.news());
        all.sum()
    }

    /// The case is over: what was seen. What the host has sent so far is read before.
    pub fn end(&self) -> Vec<UpstreamSaw> {
        if !self.shared.state().active {
            return Vec::new();
        }
        let until = Instant::now() + READ_WITHIN;
        while !self.is_read_out() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        let links = {
            let mut state = self.shared.state();
            state.active = false;
            std::mem::take(&mut state.links)
        };
        let saw = |link: &Link| -> Message { link.raw.saw().0 };
        let all = links.iter().map(|link| UpstreamSaw {
            upstream: "main".to_owned(),
            request: saw(link),
        });
        all.collect()
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in all who have connected. What comes between two cases is let go at once.
    fn take_in(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while let Ok((socket, _)) = self.listener.accept() {
            if !state.active || socket.set_nonblocking(false).is_err() {
                continue;
            }
            let stream = state.waiting.pop_front();
            let label = match stream {
                Some(n) => format!("upstream {n}"),
                None => "upstream".to_owned(),
            };
            let (ear, wire) = (self.ear.clone(), self.wire.clone());
            wire.note(&format!("{label} = connected"));
            if let Ok(raw) = Raw::new(label, socket, PATIENCE, ear, wire) {
                let mut link = Link { stream, raw };
                let early = stream.and_then(|n| state.early.remove(&n));
                for act in early.unwrap_or_default() {
                    link.act(&act);
                }
                state.links.push(link);
            }
        }
        state
    }
}

impl Link {
    fn act(&mut self, act: &Act) {
        match act {
            Act::Send(bytes) => self.raw.send(bytes),
            Act::End => self.raw.end(),
            Act::Close => self.raw.close(),
        }
    }
}
