//! The state of streams: what each plugin holds of a message, and what has passed it.
//!
//! Does not move anything.

use crate::case::Fields;
use crate::host::pieces::{Direction, Piece};
use crate::host::reference::links::Tcp;
use crate::host::stdio::engine::carried;
use crate::host::stdio::protocol::{Bytes, Part, State};
use crate::host::wire;
use crate::trace::{Growing, Message};

/// One plugin's view of one message.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) headers: Fields,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Fields,
    headers_in: bool,
    pub(super) headers_out: bool,
    trailers_in: bool,
    /// The end of the message has come.
    end_in: bool,
    /// The end of the message was forwarded.
    end_out: bool,
    /// The plugin paused from the headers, or from what follows, and was not resumed since.
    paused: (bool, bool),
}

/// One plugin on a stream.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) vm: usize,
    pub(super) plugin: usize,
    pub(super) context: u32,
    pub(super) request: Half,
    pub(super) response: Half,
    /// What the adapter was not told yet.
    pub(super) untold: State,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its number in the exchange, from 1.
    pub(super) number: u32,
    /// A TCP stream: its connections. The client's bytes are the request's body, the upstream's the
    /// response's, and the new connection is the head of the request.
    pub(super) tcp: Option<Tcp>,
    /// In the order in which a request passes; a response passes in the reverse order.
    pub(super) stages: Vec<Stage>,
    /// How many of the request's body chunks the client has sent.
    pub(super) chunks_sent: usize,
    /// The client has sent all of its request.
    pub(super) sent: bool,
    /// The upstream's view of the request: index of what upstreams saw.
    pub(super) upstream: Option<usize>,
    pub(super) upstream_body: Growing,
    /// The client's view of the response.
    pub(super) response: Option<Message>,
    pub(super) response_body: Growing,
    pub(super) trouble: Option<String>,
    /// Nothing moves any more.
    pub(super) over: bool,
}

impl Half {
    /// A message that was forwarded before anybody saw it.
    pub(super) fn passed(headers: Fields) -> Half {
        Half {
            headers,
            headers_in: true,
            headers_out: true,
            ..Half::default()
        }
    }

    /// Takes a piece in; whether it is the last.
    pub(super) fn take(&mut self, piece: Piece) -> bool {
        let end = match piece {
            Piece::Head(fields, end) => {
                self.headers = fields;
                self.headers_in = true;
                end
            }
            Piece::Data(bytes, end) => {
                self.body.extend(bytes);
                end
            }
            Piece::Trailers(fields) => {
                self.trailers = fields;
                self.trailers_in = true;
                true
            }
        };
        self.end_in |= end;
        end
    }

    /// The plugin returned PAUSE, from the headers or from what follows.
    pub(super) fn pause(&mut self, head: bool) {
        if head {
            self.paused.0 = true;
        } else {
            self.paused.1 = true;
        }
    }

    /// The plugin returned CONTINUE. Whether what it holds can go on: a pause from the headers keeps back
    /// the whole message until the plugin says that it is to go on.
    pub(super) fn go_on(&mut self, head: bool) -> bool {
        if !head {
            self.paused.1 = false;
        }
        !self.paused.0
    }

    /// The plugin said that the stream is to go on. Whether there was a pause.
    pub(super) fn resume(&mut self) -> bool {
        let (head, rest) = std::mem::take(&mut self.paused);
        head || rest
    }

    /// Takes out what can be forwarded now, in order.
    pub(super) fn release(&mut self) -> Vec<Piece> {
        let mut out = Vec::new();
        let end = self.end_in && !self.end_out;
        let trailers = end && (self.trailers_in || !self.trailers.is_empty());
        let body = std::mem::take(&mut self.body);
        if self.headers_in && !self.headers_out {
            self.headers_out = true;
            let all = end && body.is_empty() && !trailers;
            self.end_out |= all;
            out.push(Piece::Head(self.headers.clone(), all));
        }
        let rest = self.end_in && !self.end_out;
        if !body.is_empty() || (rest && !trailers) {
            out.push(Piece::Data(body, rest && !trailers));
        }
        if rest && trailers {
            out.push(Piece::Trailers(self.trailers.clone()));
        }
        self.end_out |= rest;
        out
    }
}

impl Stage {
    /// A plugin on a stream that begins.
    pub(super) fn new(vm: usize, plugin: usize, context: u32) -> Stage {
        Stage {
            vm,
            plugin,
            context,
            request: Half::default(),
            response: Half::default(),
            untold: State::default(),
        }
    }

    /// One side.
    pub(super) fn half(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// The library's state has changed so.
    pub(super) fn changed(&mut self, state: State) {
        let fields = |to: &mut Fields, new: Option<_>| {
            if let Some(new) = new {
                *to = carried::came(new);
            }
        };
        let bytes = |to: &mut Vec<u8>, new: Option<Bytes>| {
            if let Some(new) = new {
                *to = new.0;
            }
        };
        fields(&mut self.request.headers, state.request_headers);
        bytes(&mut self.request.body, state.request_body);
        bytes(&mut self.request.body, state.downstream_data);
        fields(&mut self.request.trailers, state.request_trailers);
        fields(&mut self.response.headers, state.response_headers);
        bytes(&mut self.response.body, state.response_body);
        bytes(&mut self.response.body, state.upstream_data);
        fields(&mut self.response.trailers, state.response_trailers);
    }

    /// A body, or the bytes of a TCP stream, were forwarded: they are there no more.
    pub(super) fn emptied(&mut self, direction: Direction, tcp: bool) {
        let part = match (direction, tcp) {
            (Direction::Request, false) => Part::RequestBody,
            (Direction::Response, false) => Part::ResponseBody,
            (Direction::Request, true) => Part::DownstreamData,
            (Direction::Response, true) => Part::UpstreamData,
        };
        if !self.untold.gone.contains(&part) {
            self.untold.gone.push(part);
        }
    }
}

impl Stream {
    /// A stream that has just been opened.
    pub(super) fn new(number: u32) -> Stream {
        Stream {
            number,
            tcp: None,
            stages: Vec::new(),
            chunks_sent: 0,
            sent: false,
            upstream: None,
            upstream_body: wire::no_body(),
            response: None,
            response_body: wire::no_body(),
            trouble: None,
            over: false,
        }
    }

    /// Whether the whole response has reached the client.
    pub(super) fn answered(&self) -> bool {
        self.response.as_ref().is_some_and(|r| r.complete)
    }
}
