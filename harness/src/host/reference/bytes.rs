//! TCP streams from outside: a client connects, both peers send, end and close.
//!
//! Silent: the connection to the upstream is made when all plugins have let the new connection pass. The
//! end of what a peer sends is shown in a call of its own (S29). A client that closes takes the upstream's
//! connection with it; an upstream that closes takes the client's when its last bytes were forwarded.
//! Bytes pass the plugins as bodies do: that is in `passage`.

use crate::case::{Peer, Play};
use crate::host::pieces::{Direction, Piece};
use crate::host::reference::links::{Ender, Tcp};
use crate::host::reference::pipe::Stream;
use crate::host::reference::player::{PATIENCE, Player};
use crate::trace::{Blob, Message, UpstreamSaw};

impl Player {
    /// The client of TCP stream `number` connects.
    pub(super) fn connect(&mut self, number: u32) {
        let stream = self.world().streams.len();
        let (stages, unusable) = self.stages(stream);
        let began = self.world().now;
        let mut of = Stream::new(number, stages, began);
        of.tcp = Some(Tcp::new());
        of.response = Some(Message::tcp(Blob::default(), false));
        self.world().streams.push(of);
        if let Some(plugin) = unusable {
            let text = format!("plugin {plugin} cannot be used: stream {number} is refused");
            self.world().own_log.push(text);
            return self.cut(stream, Peer::Downstream);
        }
        self.create_contexts(stream);
        self.deliver(
            stream,
            0,
            Direction::Request,
            Piece::Head(Vec::new(), false),
        );
        self.settle();
    }

    /// A step of the exchange on a TCP stream that was opened.
    pub(super) fn tcp_step(&mut self, stream: usize, play: &Play) {
        let Some(tcp) = &mut self.world().streams[stream].tcp else {
            return;
        };
        let upstream = match play {
            Play::Send(_, peer) | Play::End(_, peer) | Play::Close(_, peer) => {
                *peer == Peer::Upstream
            }
            _ => false,
        };
        if upstream && !tcp.link(Peer::Upstream).open {
            tcp.early.push(play.clone());
            return;
        }
        match play {
            Play::Send(_, peer) => self.peer_sends(stream, *peer),
            Play::End(_, peer) => self.peer_ends(stream, *peer),
            Play::Close(_, peer) => self.peer_closes(stream, *peer),
            Play::Ended(_, peer) => self.until_done(stream, &[*peer]),
            Play::Finish(_) => {
                self.until_done(stream, &[Peer::Downstream, Peer::Upstream]);
                self.peer_closes(stream, Peer::Downstream);
            }
            _ => {}
        }
        self.settle();
    }

    /// Lets time pass until the host has ended or closed these connections.
    fn until_done(&mut self, stream: usize, peers: &[Peer]) {
        let until = self.world().now + PATIENCE;
        self.pass(until, &|w| {
            let tcp = w.streams[stream].tcp.as_ref();
            tcp.is_none_or(|tcp| peers.iter().all(|p| tcp.host_is_done(*p)))
        });
    }

    fn peer_sends(&mut self, stream: usize, peer: Peer) {
        let world = self.world();
        let of = &mut world.streams[stream];
        let script = world.exchange.connections.get(of.number as usize - 1);
        let (Some(script), Some(tcp)) = (script, &mut of.tcp) else {
            return;
        };
        let chunks = match peer {
            Peer::Downstream => &script.downstream,
            Peer::Upstream => &script.upstream,
        };
        let link = tcp.link(peer);
        let Some(chunk) = chunks.get(link.sent).filter(|_| !link.peer_ended) else {
            return;
        };
        let piece = Piece::Data(chunk.to_vec(), false);
        link.sent += 1;
        self.piece_of_peer(stream, peer, piece);
    }

    fn piece_of_peer(&mut self, stream: usize, peer: Peer, piece: Piece) {
        let last = self.world().streams[stream].stages.len();
        match peer {
            Peer::Downstream => self.deliver(stream, 0, Direction::Request, piece),
            Peer::Upstream => self.deliver(stream, last, Direction::Response, piece),
        }
    }

    /// A peer sends no more.
    fn peer_ends(&mut self, stream: usize, peer: Peer) {
        let Some(tcp) = &mut self.world().streams[stream].tcp else {
            return;
        };
        let link = tcp.link(peer);
        if link.peer_ended || link.closed {
            return;
        }
        link.end(Ender::Remote);
        self.piece_of_peer(stream, peer, Piece::Data(Vec::new(), true));
        self.close_what_is_due(stream);
    }

    /// A peer closes its connection.
    fn peer_closes(&mut self, stream: usize, peer: Peer) {
        let of = &mut self.world().streams[stream];
        if of.over {
            return;
        }
        if peer == Peer::Downstream && !of.answered() {
            of.trouble = Some("closed by the client".to_owned());
        }
        self.peer_ends(stream, peer);
        self.closed(stream, peer, Ender::Remote);
        self.close_what_is_due(stream);
    }

    /// The host closes a connection of a TCP stream, and the other one with it.
    pub(super) fn cut(&mut self, stream: usize, first: Peer) {
        let other = match first {
            Peer::Downstream => Peer::Upstream,
            Peer::Upstream => Peer::Downstream,
        };
        self.closed(stream, first, Ender::Local);
        self.closed(stream, other, Ender::Local);
        self.close_what_is_due(stream);
    }

    /// The host sends no more to a peer.
    fn host_ends(&mut self, stream: usize, peer: Peer) {
        let of = &mut self.world().streams[stream];
        let link = of.tcp.as_mut().map(|tcp| tcp.link(peer));
        if let Some(link) = link.filter(|link| !link.closed) {
            link.end(Ender::Local);
            self.saw_the_end(stream, peer);
        }
        self.close_what_is_due(stream);
    }

    /// Closes connections of which nothing is left, and ends a stream without a connection.
    fn close_what_is_due(&mut self, stream: usize) {
        loop {
            let of = &self.world().streams[stream];
            let Some(tcp) = of.tcp.as_ref().filter(|_| !of.over) else {
                return;
            };
            match tcp.due() {
                Some((peer, who)) => self.closed(stream, peer, who),
                None if tcp.is_over() => return self.finish(stream),
                None => return,
            }
        }
    }

    /// A connection is closed: the plugins are told.
    fn closed(&mut self, stream: usize, peer: Peer, who: Ender) {
        let Some(tcp) = &mut self.world().streams[stream].tcp else {
            return;
        };
        let link = tcp.link(peer);
        if link.closed || !link.open {
            return;
        }
        link.closed = true;
        link.end(who);
        if who == Ender::Local {
            self.saw_the_end(stream, peer);
        }
        self.tell_closed(stream, peer, who);
        self.work();
    }

    fn tell_closed(&mut self, stream: usize, peer: Peer, who: Ender) {
        let callback = match peer {
            Peer::Downstream => "proxy_on_downstream_connection_close",
            Peer::Upstream => "proxy_on_upstream_connection_close",
        };
        let world = self.world();
        let of_abi = world.abi.enumeration("proxy_peer_type_t");
        let number = |name: &str| of_abi.and_then(|e| e.number(name)).unwrap_or(0);
        let mut peer_type = number(who.name());
        let faults = world.faults;
        let short = &callback["proxy_on_".len()..];
        if who == Ender::Remote && faults.made_of(&[short, "remote_is_local"]) {
            peer_type = number("LOCAL");
        }
        if who == Ender::Local && faults.made_of(&[short, "local_is_remote"]) {
            peer_type = number("REMOTE");
        }
        if faults.made_of(&[short, "is_not_called"]) {
            return;
        }
        let twice = faults.made_of(&[short, "is_called_twice"]);
        for at in 0..world.streams[stream].stages.len() {
            let stage = &self.world().streams[stream].stages[at];
            let (vm, context) = (stage.vm, stage.context);
            let id = ("stream_context_id", u64::from(context));
            self.call(vm, callback, context, &[id, ("peer_type", peer_type)]);
            if twice {
                self.call(vm, callback, context, &[id, ("peer_type", peer_type)]);
            }
        }
    }

    /// The peer reads the end of what the host sends.
    fn saw_the_end(&mut self, stream: usize, peer: Peer) {
        let world = self.world();
        let of = &mut world.streams[stream];
        let saw = match (peer, of.upstream) {
            (Peer::Downstream, _) => of.response.as_mut(),
            (Peer::Upstream, Some(at)) => Some(&mut world.upstream[at].request),
            (Peer::Upstream, None) => None,
        };
        if let Some(saw) = saw {
            saw.complete = true;
        }
    }

    /// `piece` has passed the plugins: the new connection, or bytes of the client's.
    pub(super) fn upstream_gets_bytes(&mut self, stream: usize, piece: Piece) {
        match piece {
            Piece::Data(bytes, end) => {
                let world = self.world();
                let of = &mut world.streams[stream];
                let closed = of
                    .tcp
                    .as_mut()
                    .is_some_and(|t| t.link(Peer::Upstream).closed);
                of.upstream_body.push(&bytes);
                if let Some(at) = of.upstream.filter(|_| !closed) {
                    world.upstream[at].request.body = of.upstream_body.blob();
                }
                if end {
                    self.host_ends(stream, Peer::Upstream);
                }
            }
            _ => self.connect_upstream(stream),
        }
    }

    fn connect_upstream(&mut self, stream: usize) {
        let world = self.world();
        let of = &mut world.streams[stream];
        let script = world.exchange.connections.get(of.number as usize - 1);
        let Some(tcp) = &mut of.tcp else { return };
        if script.is_some_and(|s| s.refused) {
            let text = "nobody listens at the upstream".to_owned();
            world.own_log.push(text);
            return self.cut(stream, Peer::Downstream);
        }
        tcp.link(Peer::Upstream).open = true;
        let early = std::mem::take(&mut tcp.early);
        of.upstream = Some(world.upstream.len());
        world.upstream.push(UpstreamSaw {
            upstream: "main".to_owned(),
            request: Message::tcp(Blob::default(), false),
        });
        for play in early {
            self.tcp_step(stream, &play);
        }
    }

    /// `piece` has passed the plugins: bytes of the upstream's.
    pub(super) fn client_gets_bytes(&mut self, stream: usize, piece: Piece) {
        let Piece::Data(bytes, end) = piece else {
            return;
        };
        let of = &mut self.world().streams[stream];
        of.response_body.push(&bytes);
        if let Some(saw) = &mut of.response {
            saw.body = of.response_body.blob();
        }
        if end {
            self.host_ends(stream, Peer::Downstream);
        }
    }
}
