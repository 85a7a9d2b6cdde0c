//! The steps of TCP streams, against a running host.
//!
//! Does not know HTTP. What the backend does is the backend's: here is only when.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::case::Peer;
use crate::host::network::backend::Act;
use crate::host::network::client;
use crate::host::network::play::{CREATE, FIRST_SEEN, Player};
use crate::host::network::raw::Raw;
use crate::host::network::upstream::{PIECE_SEEN, seen_before};
use crate::trace::ClientSaw;

/// The backend is given this long to be connected to.
const CONNECTED: Duration = Duration::from_millis(50);
/// An end that is waited for, and that nothing promises, comes within this long.
const ENDED: Duration = Duration::from_secs(1);
/// Between two looks at the backend.
const LOOK: Duration = Duration::from_millis(1);

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

fn data_callback(peer: Peer) -> &'static str {
    match peer {
        Peer::Downstream => "proxy_on_downstream_data",
        Peer::Upstream => "proxy_on_upstream_data",
    }
}

impl Player<'_> {
    /// The client of stream `n` connects.
    pub(super) fn connect(&mut self, n: u32) {
        let (before, lines) = (self.entered(CREATE), self.lines());
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
        // As for HTTP: nothing else happens before the host has seen this stream.
        let came = self.wait(FIRST_SEEN, |h, name| {
            let Some(case) = h.cases.get(name) else {
                return true;
            };
            let any = before == 0 && case.lines > lines;
            case.entered(CREATE) > before || any || raw.is_over()
        });
        if !came {
            self.wire
                .note(&format!("client {n} = no callback was seen"));
        }
        self.tcp.clients.insert(n, raw);
        // Connections are told apart by their order.
        if self.exchange.connections.len() > 1 {
            self.look(CONNECTED, |p| p.upstreams.backend().is_connected(n));
        }
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
        let lines = self.lines();
        self.closed(n, "closed by the client");
        self.seen_since(lines);
    }

    /// A peer does something; the plugin is given time to see it.
    fn act(&mut self, n: u32, peer: Peer, act: Act) {
        let callback = data_callback(peer);
        let before = self.entered(callback);
        let lines = self.lines();
        let closes = matches!(act, Act::Close);
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
            Peer::Upstream => {
                let backend = self.upstreams.backend();
                let connected = self.look(CONNECTED, |_| backend.is_connected(n));
                backend.act(n, act);
                if !connected {
                    return;
                }
            }
        }
        match closes {
            true => self.seen_since(lines),
            false => drop(seen_before(&self.ear, self.name, callback, before)),
        }
    }

    /// Any line of the case says that the plugin was told something.
    fn seen_since(&self, lines: u64) {
        self.wait(PIECE_SEEN, |h, name| {
            h.cases.get(name).is_none_or(|c| c.lines > lines)
        });
    }

    /// Waits until the host has ended or closed a connection; where it does not, what was seen says so.
    pub(super) fn await_end(&mut self, n: u32, peer: Peer) {
        self.look(ENDED, |p| p.has_ended(n, peer).unwrap_or(true));
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
    }

    /// The exchange is over: what is left is closed, and is recorded as it was before.
    pub(super) fn close_tcp(&mut self) {
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
