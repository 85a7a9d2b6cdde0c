//! The two ends of a stream: what arrives at the upstream and at the client, and how a stream ends.
//!
//! Silent: a local response is not received from upstream, so no response callback sees it.

use crate::case::Peer;
use crate::host::pieces::Piece;
use crate::host::reference::pipe::Half;
use crate::host::reference::player::Player;
use crate::host::reference::reply::LocalResponse;
use crate::host::reference::spoil::{become_200, lose_query};
use crate::host::reference::world::Event;
use crate::host::wire;
use crate::trace::{Message, UpstreamSaw};

impl Player {
    /// `piece` arrives at the upstream.
    pub(super) fn upstream_gets(&mut self, stream: usize, piece: Piece) {
        let faults = self.faults;
        let world = self.world();
        let of = &mut world.streams[stream];
        if of.tcp.is_some() {
            return self.upstream_gets_bytes(stream, piece);
        }
        let at = *of.upstream.get_or_insert_with(|| {
            world.upstream.push(UpstreamSaw {
                upstream: "main".to_owned(),
                request: Message::default(),
            });
            world.upstream.len() - 1
        });
        let saw = &mut world.upstream[at].request;
        let mut open = false;
        let script = world.exchange.streams.get(of.number as usize - 1);
        let early = script.is_some_and(|s| s.answer.early);
        let head = matches!(piece, Piece::Head(..));
        let end = match piece {
            Piece::Head(mut fields, end) => {
                if faults.is("request_loses_query_on_the_way") {
                    lose_query(&mut fields);
                }
                *saw = wire::request(&fields);
                end
            }
            Piece::Data(bytes, end) => {
                if !faults.is("request_body_is_not_forwarded") {
                    of.upstream_body.push(&bytes);
                }
                end
            }
            Piece::Trailers(fields) => {
                saw.trailers = wire::blobs(&fields);
                open = faults.is("request_trailers_end_nothing");
                true
            }
        };
        if end {
            saw.complete = !open;
        }
        let part = match (head, end) {
            // The head of an early answer has gone out.
            (false, true) => usize::from(early),
            (true, more) if more || early => 0,
            _ => return,
        };
        world.schedule(0, Event::Answer { stream, part });
    }

    /// `piece` arrives at the client.
    pub(super) fn client_gets(&mut self, stream: usize, piece: Piece) {
        let faults = self.faults;
        let of = &mut self.world().streams[stream];
        if of.tcp.is_some() {
            return self.client_gets_bytes(stream, piece);
        }
        let mut open = false;
        let end = match piece {
            Piece::Head(mut fields, end) => {
                if faults.is("response_error_becomes_200") {
                    become_200(&mut fields);
                }
                of.response = Some(wire::response(&fields));
                end
            }
            Piece::Data(bytes, end) => {
                if !faults.is("response_body_is_not_forwarded") {
                    of.response_body.push(&bytes);
                }
                end
            }
            Piece::Trailers(fields) => {
                if let Some(saw) = &mut of.response {
                    saw.trailers = wire::blobs(&fields);
                }
                open = faults.is("response_trailers_end_nothing");
                true
            }
        };
        if let Some(saw) = &mut of.response {
            saw.complete = end && !open;
        }
        if end {
            self.finish(stream);
        }
    }

    /// The client gets a response that did not come from upstream.
    pub(super) fn reply(&mut self, stream: usize, response: LocalResponse) {
        let forwarded = self.faults.is("local_response_is_forwarded_too");
        let world = self.world();
        let of = &mut world.streams[stream];
        if of.over || of.response.is_some() {
            return;
        }
        let status = response.status.to_string().into_bytes();
        let mut fields = vec![(b":status".to_vec(), status)];
        fields.extend(response.headers);
        let mut saw = wire::response(&fields);
        saw.complete = true;
        of.response = Some(saw);
        of.response_body = wire::no_body();
        of.response_body.push(&response.body);
        for stage in &mut of.stages {
            // `proxy_on_log` reads what the client got.
            stage.response = Half {
                headers: fields.clone(),
                headers_in: true,
                headers_out: true,
                received: response.body.len() as u64,
                ..Half::default()
            };
        }
        if let (true, None, Some(stage)) = (forwarded, of.upstream, of.stages.first()) {
            let request = wire::request(&stage.request.headers);
            let upstream = "main".to_owned();
            world.upstream.push(UpstreamSaw { upstream, request });
        }
        self.finish(stream);
    }

    /// An answer of the host itself: no plugin, a plugin that trapped, an upstream that closed.
    pub(super) fn own_answer(&mut self, stream: usize, status: u16) {
        if self.world().streams[stream].response.is_some() {
            return self.reset(stream, "reset");
        }
        let response = LocalResponse {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        self.reply(stream, response);
    }

    /// Ends a stream without a (whole) response.
    pub(super) fn reset(&mut self, stream: usize, trouble: &str) {
        let of = &mut self.world().streams[stream];
        if of.over {
            return;
        }
        of.trouble = Some(trouble.to_owned());
        if of.tcp.is_some() {
            return self.cut(stream, Peer::Downstream);
        }
        self.finish(stream);
    }

    /// Streams of a VM that has died end: with 500, or cut off.
    pub(super) fn bury(&mut self) {
        let halted = self.halted;
        let world = self.world();
        if world.vms.iter().all(|vm| vm.dead.is_none()) {
            return;
        }
        for stream in 0..world.streams.len() {
            let world = self.world();
            let of = &world.streams[stream];
            let dead = of.stages.iter().any(|s| world.vms[s.vm].dead.is_some());
            match (dead && !of.over, halted) {
                (true, true) => self.reset(stream, "timed out"),
                (true, false) => self.own_answer(stream, 500),
                (false, _) => {}
            }
        }
    }
}
