//! TCP streams from outside: a client connects, both peers send, end and close.
//!
//! The connection to the upstream is made when all plugins have let the new connection pass. The end of
//! what a peer sends is shown in a call of its own. Bytes pass the plugins as bodies do: that is in
//! `passage`, with the connection itself as the head. When which connection is closed is decided as the
//! reference host does it.

use crate::case::{self, Play};
use crate::host::pieces::{Direction, Piece};
use crate::host::reference::links::{Ender, Tcp};
use crate::host::stdio::engine::half::Stream;
use crate::host::stdio::engine::time::PATIENCE;
use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{Event, Kind, Peer, State};
use crate::trace::{Blob, Message, UpstreamSaw};

impl Engine<'_> {
    /// The client of TCP stream `number` connects.
    pub(super) fn connect(&mut self, number: u32) -> Result<(), Over> {
        let stream = self.streams.len();
        let mut of = Stream::new(number);
        of.tcp = Some(Tcp::new());
        of.response = Some(Message::tcp(Blob::default(), false));
        self.streams.push(of);
        if let Some(plugin) = self.unusable() {
            let note = format!("plugin {plugin} cannot be used: stream {number} is refused");
            self.notes.push(note);
            return self.cut(stream, case::Peer::Downstream);
        }
        self.create_contexts(stream, Kind::Tcp)?;
        let head = Piece::Head(Vec::new(), false);
        self.deliver(stream, 0, Direction::Request, head)?;
        self.settle()
    }

    /// A step of the exchange on a TCP stream that was opened.
    pub(super) fn tcp_step(&mut self, stream: usize, play: &Play) -> Result<(), Over> {
        let Some(tcp) = &mut self.streams[stream].tcp else {
            return Ok(());
        };
        let upstream = matches!(
            play,
            Play::Send(_, case::Peer::Upstream)
                | Play::End(_, case::Peer::Upstream)
                | Play::Close(_, case::Peer::Upstream)
        );
        if upstream && !tcp.link(case::Peer::Upstream).open {
            tcp.early.push(play.clone());
            return Ok(());
        }
        match play {
            Play::Send(_, peer) => self.peer_sends(stream, *peer)?,
            Play::End(_, peer) => self.peer_ends(stream, *peer)?,
            Play::Close(_, peer) => self.peer_closes(stream, *peer)?,
            Play::Ended(_, peer) => self.until_done(stream, &[*peer])?,
            Play::Finish(_) => {
                self.until_done(stream, &[case::Peer::Downstream, case::Peer::Upstream])?;
                self.peer_closes(stream, case::Peer::Downstream)?;
            }
            _ => {}
        }
        self.settle()
    }

    /// Lets time pass until the host has ended or closed these connections.
    fn until_done(&mut self, stream: usize, peers: &[case::Peer]) -> Result<(), Over> {
        let until = self.time.now + PATIENCE;
        self.pass(until, &|e| {
            let tcp = e.streams[stream].tcp.as_ref();
            tcp.is_none_or(|tcp| peers.iter().all(|p| tcp.host_is_done(*p)))
        })
    }

    fn peer_sends(&mut self, stream: usize, peer: case::Peer) -> Result<(), Over> {
        let job = self.job;
        let of = &mut self.streams[stream];
        let script = job.exchange.connections.get(of.number as usize - 1);
        let (Some(script), Some(tcp)) = (script, &mut of.tcp) else {
            return Ok(());
        };
        let chunks = match peer {
            case::Peer::Downstream => &script.downstream,
            case::Peer::Upstream => &script.upstream,
        };
        let link = tcp.link(peer);
        let Some(chunk) = chunks.get(link.sent).filter(|_| !link.peer_ended) else {
            return Ok(());
        };
        link.sent += 1;
        self.piece_of_peer(stream, peer, Piece::Data(chunk.to_vec(), false))
    }

    fn piece_of_peer(&mut self, stream: usize, peer: case::Peer, piece: Piece) -> Result<(), Over> {
        let last = self.streams[stream].stages.len();
        match peer {
            case::Peer::Downstream => self.deliver(stream, 0, Direction::Request, piece),
            case::Peer::Upstream => self.deliver(stream, last, Direction::Response, piece),
        }
    }

    /// A peer sends no more.
    fn peer_ends(&mut self, stream: usize, peer: case::Peer) -> Result<(), Over> {
        let Some(tcp) = &mut self.streams[stream].tcp else {
            return Ok(());
        };
        let link = tcp.link(peer);
        if link.peer_ended || link.closed {
            return Ok(());
        }
        link.end(Ender::Remote);
        self.piece_of_peer(stream, peer, Piece::Data(Vec::new(), true))?;
        self.close_what_is_due(stream)
    }

    /// A peer closes its connection.
    fn peer_closes(&mut self, stream: usize, peer: case::Peer) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        if of.over {
            return Ok(());
        }
        if peer == case::Peer::Downstream && !of.answered() {
            of.trouble = Some("closed by the client".to_owned());
        }
        self.peer_ends(stream, peer)?;
        self.closed(stream, peer, Ender::Remote)?;
        self.close_what_is_due(stream)
    }

    /// The host closes a connection of a TCP stream, and the other one with it.
    pub(super) fn cut(&mut self, stream: usize, first: case::Peer) -> Result<(), Over> {
        let other = match first {
            case::Peer::Downstream => case::Peer::Upstream,
            case::Peer::Upstream => case::Peer::Downstream,
        };
        self.closed(stream, first, Ender::Local)?;
        self.closed(stream, other, Ender::Local)?;
        self.close_what_is_due(stream)
    }

    /// The host sends no more to a peer.
    fn host_ends(&mut self, stream: usize, peer: case::Peer) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        let link = of.tcp.as_mut().map(|tcp| tcp.link(peer));
        if let Some(link) = link.filter(|link| !link.closed) {
            link.end(Ender::Local);
            self.saw_the_end(stream, peer);
        }
        self.close_what_is_due(stream)
    }

    /// Closes connections of which nothing is left, and ends a stream without a connection.
    fn close_what_is_due(&mut self, stream: usize) -> Result<(), Over> {
        loop {
            let of = &self.streams[stream];
            let Some(tcp) = of.tcp.as_ref().filter(|_| !of.over) else {
                return Ok(());
            };
            match tcp.due() {
                Some((peer, who)) => self.closed(stream, peer, who)?,
                None if tcp.is_over() => return self.finish(stream),
                None => return Ok(()),
            }
        }
    }

    /// A connection is closed: the plugins are told.
    fn closed(&mut self, stream: usize, peer: case::Peer, who: Ender) -> Result<(), Over> {
        let Some(tcp) = &mut self.streams[stream].tcp else {
            return Ok(());
        };
        let link = tcp.link(peer);
        if link.closed || !link.open {
            return Ok(());
        }
        link.closed = true;
        link.end(who);
        if who == Ender::Local {
            self.saw_the_end(stream, peer);
        }
        let by = match who {
            Ender::Local => Peer::Local,
            Ender::Remote => Peer::Remote,
        };
        for at in 0..self.streams[stream].stages.len() {
            let stage = &mut self.streams[stream].stages[at];
            let (vm, context) = (stage.vm, stage.context);
            let state: State = std::mem::take(&mut stage.untold);
            let event = match peer {
                case::Peer::Downstream => Event::ProxyOnDownstreamConnectionClose { peer: by },
                case::Peer::Upstream => Event::ProxyOnUpstreamConnectionClose { peer: by },
            };
            self.call(vm, context, state, event)?;
        }
        self.work()
    }

    /// The peer reads the end of what the host sends.
    fn saw_the_end(&mut self, stream: usize, peer: case::Peer) {
        let of = &mut self.streams[stream];
        let saw = match (peer, of.upstream) {
            (case::Peer::Downstream, _) => of.response.as_mut(),
            (case::Peer::Upstream, Some(at)) => Some(&mut self.upstream[at].request),
            (case::Peer::Upstream, None) => None,
        };
        if let Some(saw) = saw {
            saw.complete = true;
        }
    }

    /// `piece` has passed the plugins: the new connection, or bytes of the client's.
    pub(super) fn upstream_gets_bytes(&mut self, stream: usize, piece: Piece) -> Result<(), Over> {
        let Piece::Data(bytes, end) = piece else {
            return self.connect_upstream(stream);
        };
        let of = &mut self.streams[stream];
        let closed = of
            .tcp
            .as_mut()
            .is_some_and(|t| t.link(case::Peer::Upstream).closed);
        of.upstream_body.push(&bytes);
        if let Some(at) = of.upstream.filter(|_| !closed) {
            self.upstream[at].request.body = of.upstream_body.blob();
        }
        if end {
            return self.host_ends(stream, case::Peer::Upstream);
        }
        Ok(())
    }

    fn connect_upstream(&mut self, stream: usize) -> Result<(), Over> {
        let job = self.job;
        let of = &mut self.streams[stream];
        let script = job.exchange.connections.get(of.number as usize - 1);
        let Some(tcp) = &mut of.tcp else {
            return Ok(());
        };
        if script.is_some_and(|s| s.refused) {
            self.notes.push("nobody listens at the upstream".to_owned());
            return self.cut(stream, case::Peer::Downstream);
        }
        tcp.link(case::Peer::Upstream).open = true;
        let early = std::mem::take(&mut tcp.early);
        of.upstream = Some(self.upstream.len());
        self.upstream.push(UpstreamSaw {
            upstream: "main".to_owned(),
            request: Message::tcp(Blob::default(), false),
        });
        early
            .iter()
            .try_for_each(|play| self.tcp_step(stream, play))
    }

    /// `piece` has passed the plugins: bytes of the upstream's.
    pub(super) fn client_gets_bytes(&mut self, stream: usize, piece: Piece) -> Result<(), Over> {
        let Piece::Data(bytes, end) = piece else {
            return Ok(());
        };
        let of = &mut self.streams[stream];
        of.response_body.push(&bytes);
        if let Some(saw) = &mut of.response {
            saw.body = of.response_body.blob();
        }
        if end {
            return self.host_ends(stream, case::Peer::Downstream);
        }
        Ok(())
    }
}
