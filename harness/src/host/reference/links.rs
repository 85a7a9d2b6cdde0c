//! The state of the two connections of a TCP stream: who has ended them, and whether they are closed.
//!
//! Does not move bytes: a TCP stream has the pipe of an HTTP stream, see `pipe`, with the connection
//! itself as its head.

use crate::case::{Peer, Play};

/// What a TCP stream has beside its pipe.
#[derive(Debug, Default)]
pub(in crate::host) struct Tcp {
    downstream: Link,
    upstream: Link,
    /// What the upstream does as soon as it is connected.
    pub(in crate::host) early: Vec<Play>,
}

/// One connection.
#[derive(Debug, Default)]
pub(in crate::host) struct Link {
    /// How many chunks the peer has sent.
    pub(in crate::host) sent: usize,
    /// It was made.
    pub(in crate::host) open: bool,
    /// The peer sends no more.
    pub(in crate::host) peer_ended: bool,
    /// The host sends no more.
    pub(in crate::host) host_ended: bool,
    /// It is closed both ways, and the plugins were told.
    pub(in crate::host) closed: bool,
    /// Who was the first to end or close it.
    first: Option<Ender>,
}

/// Who ends or closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::host) enum Ender {
    /// This host.
    Local,
    /// The peer.
    Remote,
}

impl Ender {
    /// The text's name of the peer type.
    pub(in crate::host) fn name(self) -> &'static str {
        match self {
            Ender::Local => "LOCAL",
            Ender::Remote => "REMOTE",
        }
    }
}

impl Tcp {
    /// A client has connected; nobody is asked yet upstream.
    pub(in crate::host) fn new() -> Tcp {
        let mut tcp = Tcp::default();
        tcp.downstream.open = true;
        tcp
    }

    /// One of the connections.
    pub(in crate::host) fn link(&mut self, peer: Peer) -> &mut Link {
        match peer {
            Peer::Downstream => &mut self.downstream,
            Peer::Upstream => &mut self.upstream,
        }
    }

    /// Whether the host has ended or closed a connection, if there is one.
    pub(in crate::host) fn host_is_done(&self, peer: Peer) -> bool {
        let link = match peer {
            Peer::Downstream => &self.downstream,
            Peer::Upstream => &self.upstream,
        };
        !link.open || link.host_ended || link.closed
    }

    /// Whether no connection is left.
    pub(in crate::host) fn is_over(&self) -> bool {
        self.downstream.closed && (self.upstream.closed || !self.upstream.open)
    }

    /// A connection that is to be closed now because both sides have ended, or because the other one is
    /// gone and nothing is left to be sent. Silent: the text does not say when a half is enough.
    pub(in crate::host) fn due(&self) -> Option<(Peer, Ender)> {
        let ended = |l: &Link| l.open && !l.closed && l.peer_ended && l.host_ended;
        let first = |l: &Link| l.first.unwrap_or(Ender::Local);
        if ended(&self.upstream) {
            return Some((Peer::Upstream, first(&self.upstream)));
        }
        if ended(&self.downstream) {
            return Some((Peer::Downstream, first(&self.downstream)));
        }
        let (down, up) = (&self.downstream, &self.upstream);
        if up.closed && down.host_ended && !down.closed {
            return Some((Peer::Downstream, first(down)));
        }
        if down.closed && up.open && !up.closed {
            return Some((Peer::Upstream, first(up)));
        }
        None
    }
}

impl Link {
    /// `who` sends no more.
    pub(in crate::host) fn end(&mut self, who: Ender) {
        match who {
            Ender::Local => self.host_ended = true,
            Ender::Remote => self.peer_ended = true,
        }
        self.first.get_or_insert(who);
    }
}
