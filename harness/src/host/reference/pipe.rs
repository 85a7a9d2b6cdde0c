//! The state of streams: what each plugin holds of a message, and what has passed it.
//!
//! Does not move anything: that is the player's work.

use crate::case::Fields;
use crate::host::pieces::Piece;
use crate::host::reference::links::Tcp;
use crate::host::wire;
use crate::trace::{Growing, Message};

/// Which callback a piece belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Head,
    Body,
    Trailers,
}

/// From which callbacks a message is paused.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paused {
    pub(super) head: bool,
    pub(super) body: bool,
    pub(super) trailers: bool,
}

impl Paused {
    /// Whether processing is paused.
    pub(super) fn any(self) -> bool {
        self.head || self.body || self.trailers
    }
}

/// One plugin's view of one message.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) headers: Fields,
    pub(super) body: Vec<u8>,
    pub(super) trailers: Fields,
    pub(super) headers_in: bool,
    pub(super) headers_out: bool,
    pub(super) trailers_in: bool,
    /// The end of the message has come.
    pub(super) end_in: bool,
    /// The end of the message was forwarded.
    pub(super) end_out: bool,
    /// From which callbacks the plugin has paused and was not resumed since.
    pub(super) paused: Paused,
    /// Fault: these header fields, and these trailers, are forwarded instead of those that the plugin sees.
    pub(super) instead: [Option<Fields>; 2],
    /// All bytes that came.
    pub(super) received: u64,
    /// How many of them came last.
    pub(super) last: usize,
    /// Faults: how often its fields were changed in their own callbacks.
    pub(super) changes: u32,
}

impl Half {
    /// The plugin returned PAUSE from the callback of `part`.
    pub(super) fn pause(&mut self, part: Part) {
        match part {
            Part::Head => self.paused.head = true,
            Part::Body => self.paused.body = true,
            Part::Trailers => self.paused.trailers = true,
        }
    }

    /// The plugin returned CONTINUE from the callback of `part`. Whether what it holds can go on.
    ///
    /// Silent: CONTINUE ends an earlier pause from the body, because what is held cannot be overtaken.
    /// It does not end a pause from the headers, which keeps back the whole message: only
    /// `proxy_continue_stream` does. (A plugin that pauses to ask somebody, and leaves its body callback
    /// alone, would otherwise let through what was not allowed yet.)
    pub(super) fn go_on(&mut self, part: Part) -> bool {
        if part != Part::Head {
            self.paused.body = false;
            self.paused.trailers = false;
        }
        !self.paused.head
    }

    /// `proxy_continue_stream`. Whether there was a pause.
    pub(super) fn resume(&mut self) -> bool {
        std::mem::take(&mut self.paused).any()
    }

    /// The header fields have come and were not forwarded: their callback runs, or the plugin paused.
    pub(super) fn headers_are_held(&self) -> bool {
        self.headers_in && !self.headers_out
    }

    /// The body can be read outside its callback: processing is paused from it.
    pub(super) fn body_is_held(&self) -> bool {
        self.paused.body
    }

    /// The trailers have come and were not forwarded, or the message ended without any, so that some
    /// can be added.
    pub(super) fn trailers_are_held(&self) -> bool {
        self.end_in && !self.end_out && (self.trailers_in || self.received > 0 || self.headers_out)
    }

    /// Fault: the fields that are forwarded instead of those that the plugin sees.
    pub(super) fn forwarded_instead(&mut self, trailers: bool) -> &mut Option<Fields> {
        &mut self.instead[usize::from(trailers)]
    }

    fn trailers_out(&self) -> &Fields {
        self.instead[1].as_ref().unwrap_or(&self.trailers)
    }

    /// Fault: what was held before the last piece came is lost.
    pub(super) fn forget_held(&mut self) {
        let held = self.body.len().saturating_sub(self.last);
        self.body.drain(..held);
    }

    /// Takes out what can be forwarded now, in order.
    pub(super) fn release(&mut self) -> Vec<Piece> {
        let mut out = Vec::new();
        let end = self.end_in && !self.end_out;
        let trailers = end && (self.trailers_in || !self.trailers_out().is_empty());
        let body = std::mem::take(&mut self.body);
        if self.headers_are_held() {
            self.headers_out = true;
            let all = end && body.is_empty() && !trailers;
            self.end_out |= all;
            let fields = self.instead[0].take();
            let fields = fields.unwrap_or_else(|| self.headers.clone());
            out.push(Piece::Head(fields, all));
        }
        let rest = self.end_in && !self.end_out;
        if !body.is_empty() || (rest && !trailers) {
            out.push(Piece::Data(body, rest && !trailers));
        }
        if rest && trailers {
            out.push(Piece::Trailers(self.trailers_out().clone()));
        }
        self.end_out |= rest;
        out
    }
}

/// One plugin on a stream.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) vm: usize,
    /// The stream context.
    pub(super) context: u32,
    pub(super) request: Half,
    pub(super) response: Half,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its number in the exchange, from 1.
    pub(super) number: u32,
    /// A TCP stream: its connections. The client's bytes are the request, the upstream's the response, and
    /// the new connection is the head of the request.
    pub(super) tcp: Option<Tcp>,
    /// In the order in which a request passes; a response passes in the reverse order.
    pub(super) stages: Vec<Stage>,
    /// When it began, in virtual nanoseconds.
    pub(super) began: u64,
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
    /// Nothing moves any more; its contexts are being finalised.
    pub(super) over: bool,
}

impl Stream {
    /// A stream that has just been opened.
    pub(super) fn new(number: u32, stages: Vec<Stage>, began: u64) -> Stream {
        Stream {
            number,
            tcp: None,
            stages,
            began,
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
