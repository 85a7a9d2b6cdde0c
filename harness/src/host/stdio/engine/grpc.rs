//! gRPC calls and streams to scripted upstreams, message by message.
//!
//! What comes back is an event of its own each time, after the callback in which the call was made. Knows
//! no frames and no HTTP: messages are bare.

use std::collections::{BTreeMap, VecDeque};

use crate::case::{GrpcAfter, GrpcEnd, GrpcTurn};
use crate::host::stdio::engine::carried;
use crate::host::stdio::engine::time::{Due, MILLI};
use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{Bytes, Effect, Event, Fields, State};
use crate::host::wire;
use crate::trace::GrpcSaw;

/// DEADLINE_EXCEEDED: what a call ends with that was not answered in time.
const LATE: u32 = 4;
/// INTERNAL: what a call ends with that the upstream resets.
const RESET: u32 = 13;
/// UNAVAILABLE: what a call ends with whose connection is closed, or that nobody takes.
const GONE: u32 = 14;

/// All gRPC calls and streams of a job.
#[derive(Debug, Default)]
pub(super) struct Grpc {
    calls: Vec<Open>,
    /// How many calls each upstream has had.
    arrived: BTreeMap<String, usize>,
    /// How often the exchange has let each upstream go on.
    goes: BTreeMap<String, u32>,
    /// What the upstreams saw.
    pub(super) saw: Vec<GrpcSaw>,
}

/// A call or stream.
#[derive(Debug)]
struct Open {
    vm: usize,
    /// The plugin context that is told what comes.
    context: u32,
    /// What the plugin was told as its id.
    id: u32,
    /// It was opened as a stream.
    stream: bool,
    over: bool,
    /// Index into what the upstreams saw; `None`: nobody speaks gRPC there.
    saw: Option<usize>,
    upstream: String,
    /// What the upstream has not done yet.
    script: VecDeque<GrpcTurn>,
    /// How often it was let go on.
    gates: u32,
    /// How many messages it has got.
    messages: u32,
    /// The plugin has ended its side.
    ended: bool,
    /// The upstream has sent its initial metadata.
    begun: bool,
    /// What has come and was not told yet.
    news: VecDeque<Event>,
}

/// What a plugin opens, whether a call or a stream.
struct Asked {
    id: u32,
    saw: GrpcSaw,
    stream: bool,
}

impl Engine<'_> {
    /// A plugin has opened a call or stream, or does something with one.
    pub(super) fn grpc(&mut self, vm: usize, context: u32, effect: Effect) {
        match effect {
            Effect::GrpcCall {
                call_id,
                upstream,
                service,
                method,
                metadata,
                message,
                timeout_ms,
            } => {
                let mut saw = saw([upstream, service, method], metadata);
                saw.messages.push(wire::body(&message.0));
                saw.ended = true;
                let asked = Asked {
                    id: call_id,
                    saw,
                    stream: false,
                };
                let call = self.begin(vm, context, asked);
                let after = u64::from(timeout_ms) * MILLI;
                self.time.schedule(after, Due::GrpcTimeout { call });
            }
            Effect::GrpcStream {
                call_id,
                upstream,
                service,
                method,
                metadata,
            } => {
                let asked = Asked {
                    id: call_id,
                    saw: saw([upstream, service, method], metadata),
                    stream: true,
                };
                self.begin(vm, context, asked);
            }
            Effect::GrpcSend {
                call_id,
                message,
                end_of_stream,
            } => {
                let Some(call) = self.grpc.open(vm, call_id) else {
                    return;
                };
                let open = &mut self.grpc.calls[call];
                open.messages += 1;
                open.ended |= end_of_stream;
                if let Some(saw) = open.saw.and_then(|at| self.grpc.saw.get_mut(at)) {
                    saw.messages.push(wire::body(&message.0));
                    saw.ended |= end_of_stream;
                }
                self.turns(call);
            }
            Effect::GrpcCancel { call_id } => {
                if let Some(call) = self.grpc.open(vm, call_id) {
                    self.grpc.cut(call);
                }
            }
            Effect::GrpcClose { call_id } => {
                let Some(call) = self.grpc.open(vm, call_id) else {
                    return;
                };
                let open = &mut self.grpc.calls[call];
                if open.stream {
                    // Its own side has ended; what the upstream still sends is the library's affair.
                    open.ended = true;
                    if let Some(saw) = open.saw.and_then(|at| self.grpc.saw.get_mut(at)) {
                        saw.ended = true;
                    }
                    self.turns(call);
                } else {
                    self.grpc.cut(call);
                }
            }
            _ => {}
        }
    }

    /// The exchange lets an upstream go on.
    pub(super) fn grpc_go(&mut self, upstream: &str) -> Result<(), Over> {
        *self.grpc.goes.entry(upstream.to_owned()).or_default() += 1;
        for call in 0..self.grpc.calls.len() {
            if self.grpc.calls[call].upstream == upstream {
                self.turns(call);
            }
        }
        self.settle()
    }

    fn begin(&mut self, vm: usize, context: u32, asked: Asked) -> usize {
        let job = self.job;
        let upstream = asked.saw.upstream.clone();
        let scripts = job.exchange.grpc.get(&upstream);
        let nth = self.grpc.arrived.entry(upstream.clone()).or_default();
        let script = scripts.and_then(|all| all.get(*nth).or_else(|| all.last()));
        *nth += 1;
        let plugin = self.plugin_of(vm, context);
        let plugin = plugin.map_or(context, |p| self.vms[vm].plugins[p].context);
        let mut open = Open {
            vm,
            context: plugin,
            id: asked.id,
            stream: asked.stream,
            over: false,
            saw: scripts.map(|_| self.grpc.saw.len()),
            upstream,
            script: script.cloned().unwrap_or_default().into(),
            gates: 0,
            messages: asked.saw.messages.len() as u32,
            ended: asked.saw.ended,
            begun: false,
            news: VecDeque::new(),
        };
        let call = self.grpc.calls.len();
        if scripts.is_some() {
            self.grpc.saw.push(asked.saw);
        } else {
            open.closed(GONE, "nobody speaks gRPC there");
            self.time.schedule(0, Due::GrpcNews { call });
        }
        self.grpc.calls.push(open);
        self.turns(call);
        call
    }

    /// The upstream does all that it can do now.
    fn turns(&mut self, call: usize) {
        let open = &mut self.grpc.calls[call];
        if open.over {
            return;
        }
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
            self.time.schedule(0, Due::GrpcNews { call });
        }
    }

    /// The next thing that has come on a call.
    pub(super) fn grpc_news(&mut self, call: usize) -> Result<(), Over> {
        let open = &mut self.grpc.calls[call];
        let Some(event) = open.news.pop_front().filter(|_| !open.over) else {
            return Ok(());
        };
        open.over = matches!(event, Event::ProxyOnGrpcClose { .. });
        let (vm, context) = (open.vm, open.context);
        self.call(vm, context, State::default(), event).map(drop)
    }

    /// Nothing has ended the call in time.
    pub(super) fn grpc_late(&mut self, call: usize) -> Result<(), Over> {
        if self.grpc.calls[call].over {
            return Ok(());
        }
        self.grpc.cut(call);
        let open = &mut self.grpc.calls[call];
        open.over = false;
        open.news.clear();
        open.closed(LATE, "timeout");
        self.grpc_news(call)
    }
}

impl Grpc {
    fn open(&self, vm: usize, id: u32) -> Option<usize> {
        let mut all = self.calls.iter();
        all.rposition(|c| c.vm == vm && c.id == id && !c.over)
    }

    /// The upstream sees a call cut off, and nothing more is told.
    fn cut(&mut self, call: usize) {
        let open = &mut self.calls[call];
        open.over = true;
        if let Some(saw) = open.saw.and_then(|at| self.saw.get_mut(at)) {
            saw.cancelled = true;
        }
    }
}

impl Open {
    /// What comes of one turn. Trailing metadata comes with each end in good order; initial metadata does
    /// not come where only the end comes.
    fn takes(&mut self, turn: GrpcTurn) {
        let call_id = self.id;
        let bare = turn.initial_metadata.is_none() && turn.messages.is_empty();
        if !self.begun && !bare {
            self.begun = true;
            let metadata = carried::sent(&turn.initial_metadata.unwrap_or_default());
            let initial = Event::ProxyOnGrpcReceiveInitialMetadata { call_id, metadata };
            self.news.push_back(initial);
        }
        for message in turn.messages {
            let message = Bytes(message);
            let event = Event::ProxyOnGrpcReceive { call_id, message };
            self.news.push_back(event);
        }
        match turn.end {
            None => {}
            Some(GrpcEnd::Reset) => self.closed(RESET, ""),
            Some(GrpcEnd::Close) => self.closed(GONE, ""),
            Some(GrpcEnd::Status {
                code,
                message,
                trailing_metadata,
            }) => {
                let metadata = carried::sent(&trailing_metadata);
                let trailing = Event::ProxyOnGrpcReceiveTrailingMetadata { call_id, metadata };
                self.news.push_back(trailing);
                self.closed(code, &message);
            }
        }
    }

    fn closed(&mut self, status_code: u32, message: &str) {
        self.news.push_back(Event::ProxyOnGrpcClose {
            call_id: self.id,
            status_code,
            message: message.to_owned(),
        });
    }
}

fn saw([upstream, service, method]: [Bytes; 3], metadata: Fields) -> GrpcSaw {
    GrpcSaw {
        upstream: upstream.text(),
        service: service.text(),
        method: method.text(),
        metadata: wire::blobs(&carried::came(metadata)),
        ..GrpcSaw::default()
    }
}
