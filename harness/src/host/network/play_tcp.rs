//! The steps of TCP streams, against a running host.
//!
//! Does not know HTTP. What the backend does is the backend's: here is only when.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::case::Peer;
use crate::host::network::backend::Act;
use crate::host::network::client;
use crate::host::network::play::{CREATE, Player};
use crate::host::network::raw::Raw;
use crate::host::network::settle::Settled;
use crate::trace::ClientSaw;

/// An end that is waited for, and that nothing promises, may hang on a timer of the host's: it comes
/// within this long.
const ENDED: Duration = Duration::from_secs(1);
/// What has come is read within this long: a matter of the harness alone.
const READ_WITHIN: Duration = Duration::from_secs(2);
/// Between two looks at the backend.
const LOOK: Duration = Duration::from_millis(1);
/// Between two looks at whether all that came is read.
const GLANCE: Duration = Duration::from_micros(50);
/// The callback whose calls say nothing of what was done.
const TICK: &str = "proxy_on_tick";

/// The TCP streams of an exchange.
#[derive(Debug, Default)]
pub struct Tcp {
    clients: BTreeMap<u32, Raw>,
    /// How many chunks each peer has sent.
    sent: BTreeMap<(u32, Peer), usize>,
}

impl Tcp {
    /// Whether the client of stream `n` is connected.
    pub fn is_open(&self, n: u32) -> bool {
        self.clients.contains_key(&n)
    }
}

impl Player<'_> {
    /// The client of stream `n` connects.
    pub(super) fn connect(&mut self, n: u32) {
        let before = self.entered(CREATE);
        self.upstreams.backend().open(n);
        let within = self.left().min(Duration::from_secs(2));
        let label = format!("client {n}");
        let connected = client::connect(&self.socket, within).and_then(|socket| {
            let (ear, wire) = (self.ear.clone(), self.wire.clone());
            Raw::new(label, socket, self.left(), ear, wire)
        });
        let raw = match connected {
            Ok(raw) => raw,
            Err(error) => {
                let trouble = Some(format!("can't connect: {}", error.kind()));
                let saw = ClientSaw {
                    stream: n,
                    response: None,
                    trouble,
                };
                self.saw.insert(n, saw);
                return;
            }
        };
        self.tcp.clients.insert(n, raw);
        // As for HTTP: nothing else happens before the host has seen this stream. It has then connected
        // to the upstream too, if it does so at all: connections are told apart by their order.
        self.settle_tcp();
        if self.entered(CREATE) == before {
            self.wire
                .note(&format!("client {n} = no callback was seen"));
        }
    }

    /// Waits until the host has done all that it does about what the peers have done so far, and all that
    /// came of it is recorded.
    fn settle_tcp(&mut self) {
        if self.late.is_some() || self.ear.heard().ended {
            return;
        }
        let settled = self.settle.over(self.left(), &|| self.news());
        if settled == Settled::Lost && !self.ear.heard().ended {
            self.late = Some("the host does not answer at the fence".to_owned());
        }
    }

    /// Grows with everything that the plugin is told, timers apart, and that comes to a peer.
    fn news(&self) -> u64 {
        let until = Instant::now() + READ_WITHIN;
        let read_out = || {
            let mut clients = self.tcp.clients.values();
            clients.all(Raw::is_read_out) && self.upstreams.backend().is_read_out()
        };
        while !read_out() && Instant::now() < until {
            std::thread::sleep(GLANCE);
        }
        let clients: u64 = self.tcp.clients.values().map(Raw::news).sum();
        let told = {
            let heard = self.ear.heard();
            let case = heard.cases.get(self.name);
            case.map_or(0, |c| match c.speaks() {
                true => u64::from(c.entered_but(TICK)),
                false => c.lines,
            })
        };
        told + clients + self.upstreams.traffic().0
    }

    /// Waits until something holds that nobody is told of.
    fn look(&self, within: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let until = Instant::now() + within.min(self.left());
        loop {
            if holds(self) {
                return true;
            }
            if Instant::now() >= until || self.ear.heard().ended {
                return false;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// A peer of stream `n` sends its next chunk.
    pub(super) fn send(&mut self, n: u32, peer: Peer) {
        let Some(connection) = self.exchange.connections.get((n as usize).wrapping_sub(1)) else {
            return;
        };
        let chunks = match peer {
            Peer::Downstream => &connection.downstream,
            Peer::Upstream => &connection.upstream,
        };
        let sent = self.tcp.sent.entry((n, peer)).or_default();
        let Some(chunk) = chunks.get(*sent).cloned() else {
            return;
        };
        *sent += 1;
        self.act(n, peer, Act::Send(chunk));
    }

    /// A peer of stream `n` ends its side.
    pub(super) fn end_side(&mut self, n: u32, peer: Peer) {
        self.act(n, peer, Act::End);
    }

    /// A peer of stream `n` closes its connection.
    pub(super) fn close_side(&mut self, n: u32, peer: Peer) {
        if peer == Peer::Upstream {
            return self.act(n, peer, Act::Close);
        }
        self.closed(n, "closed by the client");
        self.settle_tcp();
    }

    /// A peer does something; the host is given what time it needs to do what it does about it.
    fn act(&mut self, n: u32, peer: Peer, act: Act) {
        match peer {
            Peer::Downstream => {
                let Some(raw) = self.tcp.clients.get_mut(&n) else {
                    return;
                };
                match &act {
                    Act::Send(bytes) => raw.send(bytes),
                    Act::End => raw.end(),
                    Act::Close => raw.close(),
                }
            }
            Peer::Upstream => self.upstreams.backend().act(n, act),
        }
        self.settle_tcp();
    }

    /// Waits until the host has ended or closed a connection; where it does not, what was seen says so.
    pub(super) fn await_end(&mut self, n: u32, peer: Peer) {
        if !self.look(ENDED, |p| p.has_ended(n, peer).unwrap_or(true)) {
            self.settle_tcp();
        }
    }

    /// Whether the host has ended or closed a connection; `None`: there is none.
    fn has_ended(&self, n: u32, peer: Peer) -> Option<bool> {
        match peer {
            Peer::Downstream => self.tcp.clients.get(&n).map(Raw::ended),
            Peer::Upstream => self.upstreams.backend().ended(n),
        }
    }

    /// Waits until the host has ended or closed both connections, then closes what is left.
    pub(super) fn finish_tcp(&mut self, n: u32) {
        let both = |p: &Self| {
            let ended = |peer| p.has_ended(n, peer).unwrap_or(true);
            ended(Peer::Downstream) && ended(Peer::Upstream)
        };
        if !self.look(self.left(), both) && !self.ear.heard().ended {
            self.late = Some(format!("stream {n} did not end"));
            return;
        }
        self.closed(n, "closed by the client");
        self.upstreams.backend().close(Some(n));
        self.settle_tcp();
    }

    /// The exchange is over: what is left is closed, and is recorded as it was before.
    pub(super) fn close_tcp(&mut self) {
        if self.exchange.connections.is_empty() {
            return;
        }
        self.upstreams.backend().past();
        let left: Vec<u32> = self.tcp.clients.keys().copied().collect();
        for n in left {
            let why = match &self.late {
                Some(_) => "timed out",
                None => "left open",
            };
            self.closed(n, why);
        }
        self.upstreams.backend().close(None);
        self.settle_tcp();
    }

    /// The client of stream `n` closes its connection; `why` is noted where the host has not ended it.
    fn closed(&mut self, n: u32, why: &str) {
        let Some(mut raw) = self.tcp.clients.remove(&n) else {
            return;
        };
        raw.close();
        let (message, trouble) = raw.saw();
        let open = (!message.complete).then(|| why.to_owned());
        let saw = ClientSaw {
            stream: n,
            trouble: trouble.or(open),
            response: Some(message),
        };
        self.saw.insert(n, saw);
    }
}
