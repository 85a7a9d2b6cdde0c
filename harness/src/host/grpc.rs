//! A scripted gRPC upstream where no socket is between it and the host: what it does with one call, turn by
//! turn.
//!
//! Knows no frames and no HTTP: messages are bare. Does not know who tells the plugin what comes.

use std::collections::{BTreeMap, VecDeque};

use crate::case::{Exchange, Fields, GrpcAfter, GrpcEnd, GrpcScript, GrpcTurn};

/// INTERNAL: what a call ends with that the upstream resets. Silent: the text names no status for it.
const RESET: u32 = 13;
/// UNAVAILABLE: what a call ends with whose connection is closed, or that nobody takes.
const GONE: u32 = 14;

/// Something that comes from an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::host) enum News {
    /// Initial metadata.
    Initial(Fields),
    /// A message.
    Message(Vec<u8>),
    /// Trailing metadata.
    Trailing(Fields),
    /// The end.
    Closed {
        /// The gRPC status.
        code: u32,
        /// The status message.
        message: Vec<u8>,
    },
}

impl News {
    /// The end of a call that nobody takes.
    pub(in crate::host) fn nobody() -> News {
        News::Closed {
            code: GONE,
            message: b"nobody speaks gRPC there".to_vec(),
        }
    }
}

/// What all upstreams of a job have in common with the exchange.
#[derive(Debug, Default)]
pub(in crate::host) struct Scripts {
    /// How many calls each upstream has had.
    arrived: BTreeMap<String, usize>,
    /// How often the exchange has let each upstream go on.
    goes: BTreeMap<String, u32>,
}

impl Scripts {
    /// The upstream's side of a call that has just arrived; its last script repeats.
    pub(in crate::host) fn arrives(&mut self, exchange: &Exchange, upstream: &str) -> Answering {
        let nth = self.arrived.entry(upstream.to_owned()).or_default();
        let at = *nth;
        *nth += 1;
        let scripts = exchange.grpc.get(upstream);
        let script: Option<&GrpcScript> =
            scripts.and_then(|all| all.get(at).or_else(|| all.last()));
        Answering {
            upstream: upstream.to_owned(),
            script: script.cloned().unwrap_or_default().into(),
            gates: 0,
            messages: 0,
            ended: false,
            begun: false,
        }
    }

    /// The exchange lets an upstream go on.
    pub(in crate::host) fn go(&mut self, upstream: &str) {
        *self.goes.entry(upstream.to_owned()).or_default() += 1;
    }

    /// All that the upstream of a call does now.
    pub(in crate::host) fn turns(&self, call: &mut Answering) -> Vec<News> {
        let goes = self.goes.get(&call.upstream).copied().unwrap_or(0);
        let mut news = Vec::new();
        while let Some(turn) = call.script.pop_front_if(|turn| match turn.after {
            GrpcAfter::Open => true,
            GrpcAfter::Messages(n) => call.messages >= n,
            GrpcAfter::End => call.ended,
            GrpcAfter::Go => goes > call.gates,
        }) {
            call.gates += u32::from(turn.after == GrpcAfter::Go);
            call.takes(turn, &mut news);
        }
        news
    }
}

/// The upstream's side of one call.
#[derive(Debug)]
pub(in crate::host) struct Answering {
    /// Its name.
    pub(in crate::host) upstream: String,
    /// What it has not done yet.
    script: VecDeque<GrpcTurn>,
    /// How often it was let go on.
    gates: u32,
    /// How many messages it has got.
    pub(in crate::host) messages: u32,
    /// The plugin has ended its side.
    pub(in crate::host) ended: bool,
    /// It has sent its initial metadata.
    begun: bool,
}

impl Answering {
    /// What comes of one turn.
    ///
    /// Silent: trailing metadata comes with each end in good order, even if there is none of the
    /// upstream's own; initial metadata does not come where only the end comes.
    fn takes(&mut self, turn: GrpcTurn, news: &mut Vec<News>) {
        let bare = turn.initial_metadata.is_none() && turn.messages.is_empty();
        if !self.begun && !bare {
            self.begun = true;
            let metadata = turn.initial_metadata.unwrap_or_default();
            news.push(News::Initial(metadata));
        }
        news.extend(turn.messages.into_iter().map(News::Message));
        let (code, message) = match turn.end {
            None => return,
            Some(GrpcEnd::Reset) => (RESET, Vec::new()),
            Some(GrpcEnd::Close) => (GONE, Vec::new()),
            Some(GrpcEnd::Status {
                code,
                message,
                trailing_metadata,
            }) => {
                news.push(News::Trailing(trailing_metadata));
                (code, message.into_bytes())
            }
        };
        news.push(News::Closed { code, message });
    }
}
