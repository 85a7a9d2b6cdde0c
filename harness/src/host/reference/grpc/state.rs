//! What gRPC calls and streams are open, and what has come on them.
//!
//! Does not run guest code.

use std::collections::{BTreeMap, VecDeque};

use crate::host::grpc::{Answering, News, Scripts};
use crate::trace::GrpcSaw;

/// All gRPC calls and streams of a job.
#[derive(Debug, Default)]
pub(in crate::host::reference) struct Grpc {
    /// Those that have not ended, by id.
    pub(super) open: BTreeMap<u32, Open>,
    /// What the upstreams do.
    pub(super) scripts: Scripts,
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
    /// The upstream's side of it.
    pub(super) answering: Answering,
    /// What has come and was not told yet.
    pub(super) news: VecDeque<News>,
    /// A message was told.
    pub(super) told: bool,
    /// A planted fault: the plugin has cancelled it, and it goes on.
    pub(super) ghost: bool,
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
