//! gRPC calls and streams to scripted upstreams, message by message.
//!
//! What comes back is an event of its own each time, after the callback in which the call was made. Knows
//! no frames and no HTTP: messages are bare.

use std::collections::VecDeque;

use crate::host::grpc::{Answering, News, Scripts};
use crate::host::stdio::engine::carried;
use crate::host::stdio::engine::time::{Due, MILLI};
use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{Bytes, Effect, Event, Fields, State};
use crate::host::wire;
use crate::trace::GrpcSaw;

/// DEADLINE_EXCEEDED: what a call ends with that was not answered in time.
const LATE: u32 = 4;

/// All gRPC calls and streams of a job.
#[derive(Debug, Default)]
pub(super) struct Grpc {
    calls: Vec<Open>,
    /// What the upstreams do.
    scripts: Scripts,
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
    /// The upstream's side of it.
    answering: Answering,
    /// What has come and was not told yet.
    news: VecDeque<News>,
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
                open.answering.messages += 1;
                open.answering.ended |= end_of_stream;
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
                    open.answering.ended = true;
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
        self.grpc.scripts.go(upstream);
        for call in 0..self.grpc.calls.len() {
            if self.grpc.calls[call].answering.upstream == upstream {
                self.turns(call);
            }
        }
        self.settle()
    }

    fn begin(&mut self, vm: usize, context: u32, asked: Asked) -> usize {
        let job = self.job;
        let upstream = asked.saw.upstream.clone();
        let speaks = job.exchange.grpc.contains_key(&upstream);
        let mut answering = self.grpc.scripts.arrives(&job.exchange, &upstream);
        answering.messages = asked.saw.messages.len() as u32;
        answering.ended = asked.saw.ended;
        let plugin = self.plugin_of(vm, context);
        let plugin = plugin.map_or(context, |p| self.vms[vm].plugins[p].context);
        let mut open = Open {
            vm,
            context: plugin,
            id: asked.id,
            stream: asked.stream,
            over: false,
            saw: speaks.then_some(self.grpc.saw.len()),
            answering,
            news: VecDeque::new(),
        };
        let call = self.grpc.calls.len();
        if speaks {
            self.grpc.saw.push(asked.saw);
        } else {
            open.news.push_back(News::nobody());
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
        let news = self.grpc.scripts.turns(&mut open.answering);
        let many = news.len();
        open.news.extend(news);
        for _ in 0..many {
            self.time.schedule(0, Due::GrpcNews { call });
        }
    }

    /// The next thing that has come on a call.
    pub(super) fn grpc_news(&mut self, call: usize) -> Result<(), Over> {
        let open = &mut self.grpc.calls[call];
        let Some(news) = open.news.pop_front().filter(|_| !open.over) else {
            return Ok(());
        };
        open.over = matches!(news, News::Closed { .. });
        let (vm, context) = (open.vm, open.context);
        let event = told(open.id, news);
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
        open.news.push_back(News::Closed {
            code: LATE,
            message: b"timeout".to_vec(),
        });
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

/// What comes on the call `call_id`, as the protocol tells it.
fn told(call_id: u32, news: News) -> Event {
    match news {
        News::Initial(metadata) => Event::ProxyOnGrpcReceiveInitialMetadata {
            call_id,
            metadata: carried::sent(&metadata),
        },
        News::Message(message) => Event::ProxyOnGrpcReceive {
            call_id,
            message: Bytes(message),
        },
        News::Trailing(metadata) => Event::ProxyOnGrpcReceiveTrailingMetadata {
            call_id,
            metadata: carried::sent(&metadata),
        },
        News::Closed { code, message } => Event::ProxyOnGrpcClose {
            call_id,
            status_code: code,
            message: String::from_utf8_lossy(&message).into_owned(),
        },
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
