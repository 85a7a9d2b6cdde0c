//! How a gRPC call that arrived at an upstream is written.
//!
//! Does not know how it came there.

use crate::trace::GrpcSaw;
use crate::trace::canon::{Writer, tame};

impl Writer<'_> {
    pub(super) fn grpc(&mut self, g: &GrpcSaw) {
        self.text(0, format!("upstream {}", g.upstream));
        let mut first = format!("{} {}", tame(&g.service), tame(&g.method));
        for (word, there) in [("ended", g.ended), ("cancelled", g.cancelled)] {
            if there {
                first.push_str(&format!(" ({word})"));
            }
        }
        self.text(4, first);
        self.fields(&g.metadata, self.options.upstream_adds, 4);
        for m in &g.messages {
            self.text(4, format!("message {}", self.bytes(m)));
        }
    }
}
