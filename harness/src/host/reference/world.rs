//! All that the host knows while it plays one job: VMs, contexts, streams, time, and what has been
//! asked of it and is due later.
//!
//! Hostcalls read and change it; the player drives it. Does not run guest code.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use wasmer::{Instance, Memory, TypedFunction};

use crate::abi::Abi;
use crate::case::{Exchange, Peer};
use crate::host::pieces::Direction;
use crate::host::reference::calls::Calls;
use crate::host::reference::direct::Export;
use crate::host::reference::faults::Faults;
use crate::host::reference::grpc::Grpc;
use crate::host::reference::metrics::Metrics;
use crate::host::reference::pipe::{Half, Stream};
use crate::host::reference::queues::Queues;
use crate::host::reference::reply::LocalResponse;
use crate::host::reference::shared::SharedData;
use crate::trace::UpstreamSaw;

/// Nanoseconds in a millisecond.
pub(super) const MILLI: u64 = 1_000_000;
/// What the real-time clock shows when a job begins: 2024-01-01 00:00:00 UTC.
const EPOCH: u64 = 1_704_067_200_000 * MILLI;

/// Everything.
pub(super) struct World {
    pub(super) abi: Arc<Abi>,
    pub(super) faults: Faults,
    pub(super) exchange: Arc<Exchange>,
    /// Virtual nanoseconds since the job began.
    pub(super) now: u64,
    pub(super) vms: Vec<Vm>,
    pub(super) streams: Vec<Stream>,
    /// The callback that is running.
    pub(super) running: Option<Running>,
    pub(super) deferred: VecDeque<Deferred>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
    pub(super) calls: Calls,
    pub(super) grpc: Grpc,
    pub(super) shared: SharedData,
    pub(super) queues: Queues,
    pub(super) metrics: Metrics,
    /// The arguments of the foreign callback that is running.
    pub(super) foreign: Option<Vec<u8>>,
    pub(super) random: u64,
    pub(super) lines: Vec<Line>,
    /// The host's own log.
    pub(super) own_log: Vec<String>,
    pub(super) upstream: Vec<UpstreamSaw>,
}

/// One VM: one instance of a module.
pub(super) struct Vm {
    /// Index into the job's VMs.
    pub(super) job: usize,
    /// How often the job's VMs were loaded before.
    pub(super) turn: u32,
    pub(super) label: String,
    pub(super) vm_id: String,
    pub(super) config: Vec<u8>,
    /// Environment variables: name and value.
    pub(super) environment: Vec<(String, String)>,
    pub(super) plugins: Vec<Plugin>,
    pub(super) instance: Option<Instance>,
    /// The exports that were looked for.
    pub(super) exports: Exports,
    pub(super) memory: Option<Memory>,
    pub(super) allocator: Option<TypedFunction<i32, i32>>,
    /// Why nothing is called in it any more.
    pub(super) dead: Option<String>,
    /// It was started, and trapped later.
    pub(super) crashed: bool,
    /// It was started.
    pub(super) started: bool,
    /// It is no longer configured and ends with its last stream.
    pub(super) retired: bool,
    /// How often each callback was entered.
    pub(super) entered: Entered,
    pub(super) contexts: BTreeMap<u32, Context>,
    pub(super) next_context: u32,
}

/// How often exports were entered: a handful, so a list is the fastest way to find one.
#[derive(Default)]
pub(super) struct Entered(Vec<(&'static str, u32)>);

impl Entered {
    /// Once more.
    pub(super) fn count(&mut self, export: &'static str) {
        match self.0.iter_mut().find(|(name, _)| *name == export) {
            Some((_, times)) => *times += 1,
            None => self.0.push((export, 1)),
        }
    }

    /// How often this one was.
    pub(super) fn of(&self, export: &str) -> u32 {
        let found = self.0.iter().find(|(name, _)| *name == export);
        found.map_or(0, |(_, times)| *times)
    }
}

/// The exports of a VM that were looked for, by the text's name: a handful, so a list again.
#[derive(Default)]
pub(super) struct Exports(Vec<(&'static str, Found)>);

/// What was found under the name of an export.
#[derive(Clone)]
pub(super) struct Found {
    /// Its place among the ABI's callbacks.
    pub(super) row: Option<usize>,
    /// The number with which it asks to pause.
    pub(super) pause: u64,
    /// `None`: the guest lacks it.
    pub(super) export: Option<Arc<Export>>,
}

impl Exports {
    /// What was found under this name, if it was looked for.
    pub(super) fn known(&self, name: &str) -> Option<&Found> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, found)| found)
    }

    /// Keeps what was found under this name.
    pub(super) fn keep(&mut self, name: &'static str, found: Found) {
        self.0.push((name, found));
    }
}

/// One plugin of a VM.
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) root_id: String,
    pub(super) config: Vec<u8>,
    /// Its plugin context.
    pub(super) context: u32,
    /// It was configured and may be used.
    pub(super) usable: bool,
    /// Counts the settings of the timer: a tick of an older setting is void.
    pub(super) timer: u64,
}

/// A plugin or stream context.
pub(super) struct Context {
    /// Index into the VM's plugins.
    pub(super) plugin: usize,
    /// Index into the streams, and into the stream's stages.
    pub(super) stage: Option<(usize, usize)>,
    pub(super) life: Life,
    /// It waited, or waits, for `proxy_done`.
    pub(super) waited: bool,
    /// Properties that the plugin has set.
    pub(super) properties: HashMap<String, Vec<u8>>,
}

/// How far a context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Active,
    /// `proxy_on_done` returned false: waits for `proxy_done`.
    Pending,
    Done,
}

/// The callback that is running.
#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) vm: usize,
    pub(super) callback: &'static str,
    /// The context that it was called on.
    pub(super) context: u32,
    /// The context that hostcalls act on. Silent (S14): it lasts until the callback returns.
    pub(super) effective: u32,
}

/// Done when the running callback has returned, so that no callback runs inside a hostcall.
#[derive(Debug)]
pub(super) enum Deferred {
    Continue {
        stream: usize,
        stage: usize,
        direction: Direction,
    },
    Close {
        stream: usize,
        /// The connection of a TCP stream that was named.
        peer: Option<Peer>,
    },
    Reply {
        stream: usize,
        response: LocalResponse,
    },
    Finalise {
        vm: usize,
        context: u32,
    },
}

/// Something that happens at a point of virtual time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Tick {
        vm: usize,
        plugin: usize,
        timer: u64,
        period: u64,
    },
    CallEnds {
        call: u32,
    },
    /// Something has come on this gRPC call.
    GrpcNews {
        call: u32,
    },
    /// The time of this gRPC call is up.
    GrpcTimeout {
        call: u32,
    },
    QueueReady {
        vm: usize,
        context: u32,
        queue: u32,
    },
    /// The upstream of this stream writes the next part of its answer.
    Answer {
        stream: usize,
        part: usize,
    },
}

/// A line that a guest logged.
pub(super) struct Line {
    pub(super) vm: usize,
    /// The text's name of the level.
    pub(super) level: Cow<'static, str>,
    pub(super) text: Vec<u8>,
}

impl World {
    /// The world at the beginning of a job.
    pub(super) fn new(abi: Arc<Abi>, exchange: Arc<Exchange>, faults: Faults) -> World {
        World {
            abi,
            faults,
            exchange,
            now: 0,
            vms: Vec::new(),
            streams: Vec::new(),
            running: None,
            deferred: VecDeque::new(),
            events: BinaryHeap::new(),
            sequence: 0,
            calls: Calls::default(),
            grpc: Grpc::default(),
            shared: SharedData::default(),
            queues: Queues::default(),
            metrics: Metrics::default(),
            foreign: None,
            random: 0x9e37_79b9_7f4a_7c15,
            lines: Vec::new(),
            own_log: Vec::new(),
            upstream: Vec::new(),
        }
    }

    /// Lets `event` happen `after` virtual nanoseconds; behind everything that was asked for earlier.
    pub(super) fn schedule(&mut self, after: u64, event: Event) {
        self.sequence += 1;
        let at = self.now.saturating_add(after);
        self.events.push(Reverse((at, self.sequence, event)));
    }

    /// Takes the next event if it is due at `until` or before, and moves the clock to it.
    pub(super) fn next_event(&mut self, until: u64) -> Option<Event> {
        let Reverse((at, _, _)) = self.events.peek()?;
        if *at > until {
            return None;
        }
        let Reverse((at, _, event)) = self.events.pop()?;
        self.now = self.now.max(at);
        Some(event)
    }

    /// The real-time clock in nanoseconds.
    pub(super) fn realtime(&self) -> u64 {
        EPOCH + self.now
    }

    /// The effective context of the running callback.
    pub(super) fn effective(&self) -> Option<(usize, u32)> {
        self.running.as_ref().map(|r| (r.vm, r.effective))
    }

    /// A context.
    pub(super) fn context(&self, vm: usize, id: u32) -> Option<&Context> {
        self.vms.get(vm)?.contexts.get(&id)
    }

    /// The stream and stage of the effective context, if that is a stream context.
    pub(super) fn effective_stage(&self) -> Option<(usize, usize)> {
        let (vm, id) = self.effective()?;
        self.context(vm, id)?.stage
    }

    /// The plugin of the effective context: its VM and index.
    pub(super) fn effective_plugin(&self) -> Option<(usize, usize)> {
        let (vm, id) = self.effective()?;
        Some((vm, self.context(vm, id)?.plugin))
    }

    /// Whether the effective context is that of a TCP stream.
    pub(super) fn on_tcp(&self) -> bool {
        let stage = self.effective_stage();
        stage.is_some_and(|(stream, _)| self.streams[stream].tcp.is_some())
    }

    /// The stream context's side of one direction.
    pub(super) fn half(
        &mut self,
        stage: (usize, usize),
        direction: Direction,
    ) -> Option<&mut Half> {
        let stage = self.streams.get_mut(stage.0)?.stages.get_mut(stage.1)?;
        Some(match direction {
            Direction::Request => &mut stage.request,
            Direction::Response => &mut stage.response,
        })
    }

    /// Whether this callback is running on the effective context.
    pub(super) fn in_callback(&self, callback: &str) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|r| r.callback == callback && r.context == r.effective)
    }
}

impl Vm {
    /// A new context id; ids are never used again.
    pub(super) fn new_context(&mut self, plugin: usize, stage: Option<(usize, usize)>) -> u32 {
        let id = self.next_context;
        self.next_context += 1;
        let context = Context {
            plugin,
            stage,
            life: Life::Active,
            waited: false,
            properties: HashMap::new(),
        };
        self.contexts.insert(id, context);
        id
    }
}
