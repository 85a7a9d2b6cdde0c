//! One case's exchange, step by step, against a running host.
//!
//! Does not know how listeners get in and out: the session does.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::case::{Exchange, Play, Request};
use crate::host::Job;
use crate::host::network::client::{Client, ClientSide, connect};
use crate::host::network::ear::{Ear, Heard};
use crate::host::network::h2;
use crate::host::network::play_tcp::Tcp;
use crate::host::network::settle::{Settle, Settled};
use crate::host::network::upstream::{PAUSE, TAG, Upstreams, needs_tag, seen_before};
use crate::host::network::waits::{Waited, Waits};
use crate::host::network::wirelog::WireLog;
use crate::trace::ClientSaw;

pub(super) const CREATE: &str = "proxy_on_context_create";
const REQUEST_BODY: &str = "proxy_on_request_body";
/// The first callback of a stream is waited for at most this long where the guest need not tell, and a
/// fence does not either.
const FIRST_SEEN: Duration = Duration::from_millis(250);
/// It comes within this long as a rule: only then fences are asked.
const SOON: Duration = Duration::from_millis(10);
/// So often a wait asks what others have learnt.
const NEWS: Duration = Duration::from_millis(50);
/// What a step needs that changes the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Take the listener out.
    Out,
    /// Put it back.
    In,
}

/// Plays one exchange.
pub struct Player<'a> {
    pub(super) name: &'a str,
    pub(super) exchange: &'a Exchange,
    pub(super) socket: PathBuf,
    pub(super) ear: Arc<Ear>,
    pub(super) upstreams: &'a Upstreams,
    pub(super) wire: WireLog,
    pub(super) settle: Settle,
    until: Instant,
    tagged: bool,
    whole: bool,
    /// Where others have waited for the same callbacks.
    waits: Option<(&'a Waits, &'a Job)>,
    open: BTreeMap<u32, Box<dyn ClientSide>>,
    pub(super) tcp: Tcp,
    pub(super) saw: BTreeMap<u32, ClientSaw>,
    /// The deadline that passed, if one did.
    pub(super) late: Option<String>,
}

/// What came of it.
pub struct Played {
    /// What the clients saw.
    pub clients: Vec<ClientSaw>,
    /// The deadline that passed, if one did.
    pub late: Option<String>,
}

impl<'a> Player<'a> {
    /// A player for the case whose listener is `name`.
    pub fn new(
        name: &'a str,
        exchange: &'a Exchange,
        socket: PathBuf,
        ear: Arc<Ear>,
        upstreams: &'a Upstreams,
        (wire, settle): (WireLog, Settle),
        deadline: Duration,
    ) -> Player<'a> {
        Player {
            name,
            exchange,
            socket,
            ear,
            upstreams,
            wire,
            settle,
            until: Instant::now() + deadline,
            tagged: needs_tag(exchange),
            whole: false,
            waits: None,
            open: BTreeMap::new(),
            tcp: Tcp::default(),
            saw: BTreeMap::new(),
            late: None,
        }
    }

    /// The host shows a message to its plugins only when it is whole: before that no callback is
    /// waited for.
    pub fn whole(mut self, whole: bool) -> Player<'a> {
        self.whole = whole;
        self
    }

    /// What was learnt from other cases about callbacks that are waited for.
    pub fn waits(mut self, waits: &'a Waits, job: &'a Job) -> Player<'a> {
        self.waits = Some((waits, job));
        self
    }

    /// Plays everything; `turn` changes the host. Ends early when the host is gone.
    pub fn play(mut self, turn: &mut dyn FnMut(Turn)) -> Played {
        for step in &self.exchange.play {
            if self.ear.heard().ended || self.late.is_some() {
                break;
            }
            match step {
                Play::Head(n) => self.head(*n),
                Play::Chunk(n) => self.chunk(*n),
                Play::Rest(n) => self.rest(*n),
                Play::Finish(n) if self.tcp.is_open(*n) => self.finish_tcp(*n),
                Play::Finish(n) => self.finish(*n),
                Play::Abort(n) => self.close(*n, "aborted by the client"),
                Play::Go(upstream) => self.upstreams.go(upstream),
                Play::Wait {
                    callback,
                    times,
                    within,
                } => self.await_callback(callback, *times, *within),
                Play::Foreign { .. } => {
                    self.late = Some("foreign callbacks are not played".to_owned());
                }
                Play::Remove | Play::Shutdown => turn(Turn::Out),
                Play::Reload => {
                    turn(Turn::Out);
                    turn(Turn::In);
                }
                Play::Open(n) => self.connect(*n),
                Play::Send(n, peer) => self.send(*n, *peer),
                Play::End(n, peer) => self.end_side(*n, *peer),
                Play::Close(n, peer) => self.close_side(*n, *peer),
                Play::Ended(n, peer) => self.await_end(*n, *peer),
            }
        }
        self.close_tcp();
        let left: Vec<u32> = self.open.keys().copied().collect();
        for n in left {
            let why = match &self.late {
                Some(_) => "timed out",
                None => "the exchange ended first",
            };
            self.close(n, why);
        }
        Played {
            clients: self.saw.into_values().collect(),
            late: self.late,
        }
    }

    pub(super) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Waits until something was heard of this case, at most `within` and not beyond the deadline.
    pub(super) fn wait(
        &self,
        within: Duration,
        mut holds: impl FnMut(&Heard, &str) -> bool,
    ) -> bool {
        let name = self.name;
        self.ear
            .wait(within.min(self.left()), |h| h.ended || holds(h, name))
    }

    fn await_callback(&self, callback: &str, times: u32, within: Duration) {
        let began = Instant::now();
        let mut speaks = false;
        let (enough, short) = loop {
            // What others learn meanwhile counts for a wait that has begun, too.
            let most = match self.waits {
                Some((waits, job)) => waits.within(job, callback, within),
                None => within,
            };
            let left = most.saturating_sub(began.elapsed());
            let came = self.wait(left.min(NEWS), |h, name| {
                h.cases.get(name).is_none_or(|c| {
                    speaks = c.speaks();
                    c.entered(callback) >= times
                })
            });
            if came || left <= NEWS || self.left().is_zero() {
                break (came, most < within);
            }
        };
        // The host may be slow: what lies before it now is not what comes after.
        if !enough && self.settle.is_ordered() {
            self.settle.over(self.left(), &|| self.lines());
        }
        // Of a guest that tells nothing, nothing is learnt.
        if let Some((waits, job)) = self.waits.filter(|_| speaks) {
            let lasted = match short {
                true => Waited::Short,
                false => Waited::Whole,
            };
            let came = self.entered(callback) > 0;
            waits.over(job, callback, lasted, came, enough);
        }
    }

    pub(super) fn entered(&self, callback: &str) -> u32 {
        let heard = self.ear.heard();
        heard
            .cases
            .get(self.name)
            .map_or(0, |c| c.entered(callback))
    }

    fn head(&mut self, n: u32) {
        let Some(stream) = self.exchange.streams.get((n as usize).wrapping_sub(1)) else {
            return;
        };
        let before = self.entered(CREATE);
        let lines = self.lines();
        self.upstreams.open(n);
        let client = match self.client(n, &stream.request) {
            Ok(client) => client,
            Err(error) => {
                let trouble = Some(format!("can't connect: {}", error.kind()));
                self.saw.insert(
                    n,
                    ClientSaw {
                        stream: n,
                        response: None,
                        trouble,
                    },
                );
                return;
            }
        };
        // Only when the host has seen this stream may anything else happen: a guest then numbers
        // the streams as the case does, a body does not come in one read with its head, and a
        // client does not abort what was never there. A guest need not export
        // proxy_on_context_create, so any line of the case counts where that one does not come.
        let seen = |h: &Heard, name: &str| {
            let Some(case) = h.cases.get(name) else {
                return true;
            };
            case.entered(CREATE) > before || (before == 0 && case.lines > lines)
        };
        let enough = |h: &Heard, name: &str| seen(h, name) || client.has_news();
        let within = match self.whole && client.has_more() {
            true => PAUSE,
            false if self.settle.is_ordered() => SOON,
            false => FIRST_SEEN,
        };
        let mut came = self.wait(within, enough);
        if !came && self.settle.is_ordered() {
            let news = || self.lines() + self.upstreams.traffic().0;
            let enough = || enough(&self.ear.heard(), self.name);
            came = self.settle.until(self.left(), &news, &enough) == Settled::Enough;
        }
        if !came {
            self.wire
                .note(&format!("client {n} = no callback was seen"));
        }
        self.open.insert(n, client);
    }

    /// Opens a connection and sends the head of a request on it.
    fn client(&self, n: u32, request: &Request) -> io::Result<Box<dyn ClientSide>> {
        let (ear, wire) = (self.ear.clone(), self.wire.clone());
        if !request.http2 {
            let (within, tagged) = (self.left(), self.tagged);
            let client = Client::open(n, &self.socket, request, tagged, within, ear, wire)?;
            return Ok(Box::new(client));
        }
        let socket = connect(&self.socket, self.left().min(Duration::from_secs(2)))?;
        let tag = self.tagged.then(|| (TAG.into(), n.to_string().into()));
        let extra = tag.into_iter().collect();
        let client = h2::Client::open(n, socket, request, extra, ear, wire)?;
        Ok(Box::new(client))
    }

    pub(super) fn lines(&self) -> u64 {
        let heard = self.ear.heard();
        heard.cases.get(self.name).map_or(0, |c| c.lines)
    }

    fn chunk(&mut self, n: u32) {
        let before = self.entered(REQUEST_BODY);
        let whole = self.whole;
        if let Some(client) = self.open.get_mut(&n)
            && client.send_piece()
            && client.has_more()
            && !client.is_over()
            && !whole
        {
            seen_before(&self.settle, self.name, REQUEST_BODY, before);
        }
    }

    fn rest(&mut self, n: u32) {
        while self.open.get(&n).is_some_and(|c| c.pieces_left() > 1) {
            self.chunk(n);
        }
        let before = self.entered(CREATE);
        let Some(client) = self.open.get_mut(&n) else {
            return;
        };
        let begins = self.whole && client.has_more();
        client.send_piece();
        client.send_end();
        // Only now does the host show this stream to its plugins; the next one comes after it.
        if begins && let Some(client) = self.open.get(&n) {
            self.wait(FIRST_SEEN, |h, name| {
                let now = h.cases.get(name).map(|c| c.entered(CREATE));
                now.is_none_or(|now| now > before) || client.has_news()
            });
        }
    }

    fn finish(&mut self, n: u32) {
        let Some(client) = self.open.get(&n) else {
            return;
        };
        let over = self.wait(self.left(), |_, _| client.is_over());
        if !over {
            self.late = Some(format!("no whole response to stream {n}"));
            return;
        }
        self.close(n, "closed");
    }

    fn close(&mut self, n: u32, why: &str) {
        if let Some(client) = self.open.remove(&n) {
            self.saw.insert(n, client.close(why));
        }
    }
}
