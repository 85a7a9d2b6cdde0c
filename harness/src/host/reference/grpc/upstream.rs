//! What an upstream does with a call, turn by turn.
//!
//! Does not know what becomes of it.

use std::collections::VecDeque;

use crate::case::{GrpcAfter, GrpcEnd, GrpcScript, GrpcTurn};
use crate::host::reference::grpc::state::{News, Open};
use crate::host::reference::world::{Event, World};

/// INTERNAL: what a call ends with that the upstream resets. Silent: the text names no status for it.
const RESET: u32 = 13;
/// UNAVAILABLE: what a call ends with whose connection is closed, or that nobody takes.
pub(super) const GONE: u32 = 14;

impl World {
    /// The script of the call that has just arrived at an upstream; the last one repeats.
    pub(super) fn grpc_script(&mut self, upstream: &str) -> VecDeque<GrpcTurn> {
        let nth = self.grpc.arrived.entry(upstream.to_owned()).or_default();
        let at = *nth;
        *nth += 1;
        let scripts = self.exchange.grpc.get(upstream);
        let script: Option<&GrpcScript> =
            scripts.and_then(|all| all.get(at).or_else(|| all.last()));
        script.cloned().unwrap_or_default().into()
    }

    /// The exchange lets an upstream go on.
    pub(in crate::host::reference) fn grpc_go(&mut self, upstream: &str) {
        *self.grpc.goes.entry(upstream.to_owned()).or_default() += 1;
        let open = self.grpc.open.iter();
        let there: Vec<u32> = open
            .filter(|(_, o)| o.upstream == upstream)
            .map(|(id, _)| *id)
            .collect();
        for id in there {
            self.grpc_turns(id);
        }
    }

    /// The upstream does all that it can do now.
    pub(super) fn grpc_turns(&mut self, call: u32) {
        let Some(open) = self.grpc.open.get_mut(&call) else {
            return;
        };
        let goes = self.grpc.goes.get(&open.upstream).copied().unwrap_or(0);
        let before = open.news.len();
        while let Some(turn) = open.script.front() {
            let ready = match turn.after {
                GrpcAfter::Open => true,
                GrpcAfter::Messages(n) => open.messages >= n,
                GrpcAfter::End => open.ended,
                GrpcAfter::Go => goes > open.gates,
            };
            if !ready {
                break;
            }
            let Some(turn) = open.script.pop_front() else {
                break;
            };
            open.gates += u32::from(turn.after == GrpcAfter::Go);
            open.takes(turn);
        }
        for _ in before..open.news.len() {
            self.schedule(0, Event::GrpcNews { call });
        }
    }
}

impl Open {
    /// What comes of one turn.
    ///
    /// Silent: trailing metadata comes with each end in good order, even if there is none of the
    /// upstream's own; initial metadata does not come where only the end comes.
    fn takes(&mut self, turn: GrpcTurn) {
        let bare = turn.initial_metadata.is_none() && turn.messages.is_empty();
        if !self.begun && !bare {
            self.begun = true;
            let metadata = turn.initial_metadata.unwrap_or_default();
            self.news.push_back(News::Initial(metadata));
        }
        self.news
            .extend(turn.messages.into_iter().map(News::Message));
        let (code, message) = match turn.end {
            None => return,
            Some(GrpcEnd::Reset) => (RESET, Vec::new()),
            Some(GrpcEnd::Close) => (GONE, Vec::new()),
            Some(GrpcEnd::Status {
                code,
                message,
                trailing_metadata,
            }) => {
                self.news.push_back(News::Trailing(trailing_metadata));
                (code, message.into_bytes())
            }
        };
        self.news.push_back(News::Closed { code, message });
    }
}
