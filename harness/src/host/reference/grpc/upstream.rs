//! What an upstream does with a call, as events of the host.
//!
//! Does not know scripts, nor what becomes of what comes.

use crate::host::reference::world::{Event, World};

impl World {
    /// The exchange lets an upstream go on.
    pub(in crate::host::reference) fn grpc_go(&mut self, upstream: &str) {
        self.grpc.scripts.go(upstream);
        let open = self.grpc.open.iter();
        let there: Vec<u32> = open
            .filter(|(_, o)| o.answering.upstream == upstream)
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
        let news = self.grpc.scripts.turns(&mut open.answering);
        let many = news.len();
        open.news.extend(news);
        for _ in 0..many {
            self.schedule(0, Event::GrpcNews { call });
        }
    }
}
