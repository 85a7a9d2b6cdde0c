//! What gRPC calls and streams are open, and what has come on them.
//!
//! Does not run guest code.

use std::collections::{BTreeMap, VecDeque};

use crate::case::{Fields, GrpcTurn};
use crate::trace::GrpcSaw;

/// All gRPC calls and streams of a job.
#[derive(Debug, Default)]
pub(in crate::host::reference) struct Grpc {
    /// Those that have not ended, by id.
    pub(super) open: BTreeMap<u32, Open>,
    /// How many calls each upstream has had.
    pub(super) arrived: BTreeMap<String, usize>,
    /// How often the exchange has let each upstream go on.
    pub(super) goes: BTreeMap<String, u32>,
    /// What the upstreams saw.
    pub(in crate::host::reference) saw: Vec<GrpcSaw>,
    /// What the running callback is about.
    pub(super) current: Option<News>,
}

/// A call or stream that has not ended.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) vm: usize,
    /// The plugin context that is told what comes.
    pub(super) context: u32,
    /// Opened by `proxy_grpc_stream`.
    pub(super) stream: bool,
    /// Index into what the upstreams saw; `None`: nobody speaks gRPC there.
    pub(super) saw: Option<usize>,
    pub(super) upstream: String,
    /// What the upstream has not done yet.
    pub(super) script: VecDeque<GrpcTurn>,
    /// How often it was let go on.
    pub(super) gates: u32,
    /// How many messages it has got.
    pub(super) messages: u32,
    /// The plugin has ended its side.
    pub(super) ended: bool,
    /// The upstream has sent its initial metadata.
    pub(super) begun: bool,
    /// What has come and was not told yet.
    pub(super) news: VecDeque<News>,
    /// A message was told.
    pub(super) told: bool,
    /// A planted fault: the plugin has cancelled it, and it goes on.
    pub(super) ghost: bool,
}

/// Something that comes from an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::host::reference) enum News {
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

impl Grpc {
    /// What the running callback is about.
    pub(in crate::host::reference) fn current(&self) -> Option<&News> {
        self.current.as_ref()
    }

    /// An open call by its id.
    pub(super) fn open(&mut self, id: u32) -> Option<&mut Open> {
        self.open.get_mut(&id).filter(|o| !o.ghost)
    }

    /// What the upstream saw of an open call.
    pub(super) fn saw_of(&mut self, id: u32) -> Option<&mut GrpcSaw> {
        let at = self.open.get(&id)?.saw?;
        self.saw.get_mut(at)
    }

    /// Ends an open call: the upstream sees it cut off, and nothing more is told.
    pub(super) fn cut(&mut self, id: u32) -> Option<Open> {
        if let Some(saw) = self.saw_of(id) {
            saw.cancelled = true;
        }
        self.open.remove(&id)
    }
}
