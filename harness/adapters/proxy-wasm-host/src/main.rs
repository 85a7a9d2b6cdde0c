//! The crate proxy-wasm-host behind pwspec's adapter protocol. It makes the calls that a proxy makes which
//! embeds the crate, uses the crate's own map, store and clock, and repairs nothing.
//!
//! It does not know cases. One stream state holds all streams of a VM, so that a plugin can reach a stream
//! from another one's callback. Messages and loop are in `protocol`, what the crate asks of its embedder
//! in `embedder`.

mod embedder;
#[path = "../../rust/protocol.rs"]
mod protocol;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use proxy_wasm_host::abi::v0_2_1::types::{Action, PeerType};
use proxy_wasm_host::abi::v0_2_1::{
    CallScope, CalloutId, ContextId, ContextState, GrpcStatus, Guest, GuestError, Host,
    HttpCallResponse, InMemoryStore, InMemoryStoreLimits, PluginConfig, QueueId, Started,
    StreamKind, VmServices,
};
use proxy_wasm_host::{Engine, Error, Limits, Module};
use serde_json::{Value, json};

use embedder::{Asked, Log, Owners, Streams};
use protocol::{
    Adapter, Answer, Call, Done, Event, Fields, Finish, Forget, Kind, Load, Not, Open, PROTOCOL,
    Peer, Said, Start, serve,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const VERSION: &str = "0.2.0";

/// Every VM, and what they share.
struct Hosts {
    said: Said,
    engine: Engine,
    host: Host,
    store: Arc<InMemoryStore>,
    /// Queues that got an item: the owner's VM id and the queue.
    filled: Arc<Mutex<Vec<(Vec<u8>, QueueId)>>>,
    vms: BTreeMap<String, Vm>,
}

/// One guest and its streams.
struct Vm {
    guest: Guest,
    vm_id: Vec<u8>,
    plugins: Vec<PluginConfig>,
    streams: Streams,
    owners: Owners,
    /// Contexts whose `proxy_on_done` returned false.
    pending: Vec<ContextId>,
}

fn main() {
    let said = Said::default();
    let engine = Engine::new().expect("an engine");
    let host = Host::new(&engine).expect("a host");
    let (store, filled) = store();
    let mut hosts = Hosts {
        said: said.clone(),
        engine,
        host,
        store,
        filled,
        vms: BTreeMap::new(),
    };
    serve(&mut hosts, &said);
}

type Filled = Arc<Mutex<Vec<(Vec<u8>, QueueId)>>>;

fn store() -> (Arc<InMemoryStore>, Filled) {
    let filled = Filled::default();
    let sink = Arc::clone(&filled);
    // Its users raise these where they need to.
    let limits = InMemoryStoreLimits::default().with_value_bytes(16 << 20);
    let store = InMemoryStore::new()
        .with_limits(limits)
        .with_enqueue_observer(Arc::new(move |item| {
            let mut filled = sink.lock().unwrap_or_else(PoisonError::into_inner);
            filled.push((item.vm_id.to_vec(), item.queue));
        }));
    (Arc::new(store), filled)
}

impl Adapter for Hosts {
    fn hello(&self) -> Value {
        json!({
            "protocol": PROTOCOL,
            "library": {"name": "proxy-wasm-host", "version": VERSION},
            "abi": ["0.2.1", "0.2.0"],
            "callbacks": [
                "proxy_on_tick", "proxy_on_queue_ready", "proxy_on_http_call_response",
                "proxy_on_grpc_receive_initial_metadata", "proxy_on_grpc_receive",
                "proxy_on_grpc_receive_trailing_metadata", "proxy_on_grpc_close",
                "proxy_on_foreign_function", "proxy_on_new_connection", "proxy_on_downstream_data",
                "proxy_on_downstream_connection_close", "proxy_on_upstream_data",
                "proxy_on_upstream_connection_close", "proxy_on_request_headers", "proxy_on_request_body",
                "proxy_on_request_trailers", "proxy_on_response_headers", "proxy_on_response_body",
                "proxy_on_response_trailers",
            ],
        })
    }

    fn load(&mut self, load: Load) -> Answer {
        self.said.enter();
        let module = Module::new(&self.engine, &load.module.0).map_err(|e| refused(&e))?;
        let owners = Owners::default();
        let asked = Asked::new(&self.said, &load, &owners);
        let services = VmServices::new(Arc::new(Log::new(&self.said, &load.vm)))
            .with_vm_id(load.vm_id.as_bytes())
            .with_vm_configuration(load.vm_config.0)
            .with_shared(Arc::clone(&self.store) as _)
            .with_callouts(Arc::new(asked));
        let guest = Guest::new(&self.host, &module, services, &Limits::default());
        let plugins = load.plugins.iter().map(|p| {
            PluginConfig::new()
                .with_name(p.name.as_bytes())
                .with_root_id(p.root_id.as_bytes())
                .with_configuration(p.config.0.clone())
        });
        let vm = Vm {
            guest: guest.map_err(|e| refused(&e))?,
            vm_id: load.vm_id.into_bytes(),
            plugins: plugins.collect(),
            streams: Streams::new(&self.said, &load.vm, load.functions),
            owners,
            pending: Vec::new(),
        };
        self.vms.insert(load.vm, vm);
        Ok(Done::default())
    }

    fn start(&mut self, start: Start) -> Answer {
        self.said.enter();
        let vm = vm(&mut self.vms, &start.vm)?;
        let plugin = vm.plugins[start.plugin as usize].clone();
        let started = vm.guest.start(plugin).map_err(ended)?;
        self.collect();
        Ok(Done {
            context: Some(started.root().get()),
            accepted: Some(matches!(started, Started::Serving(_))),
            ..Done::default()
        })
    }

    fn open(&mut self, open: Open) -> Answer {
        self.said.enter();
        let vm = vm(&mut self.vms, &open.vm)?;
        let (root, kind) = (
            context(open.plugin)?,
            match open.kind {
                Kind::Http => StreamKind::Http,
                Kind::Tcp => StreamKind::Tcp,
            },
        );
        let made = vm.within(|scope| {
            let made = scope.on_context_create(Some(root))?;
            scope.expect_stream_kind(made, kind)?;
            Ok(made)
        })?;
        vm.streams.open(made.get());
        self.collect();
        Ok(Done {
            context: Some(made.get()),
            ..Done::default()
        })
    }

    fn call(&mut self, call: Call) -> Answer {
        self.said.enter();
        let vm = vm(&mut self.vms, &call.vm)?;
        let id = context(call.context)?;
        vm.streams.change(call.context, call.state);
        let action = vm.event(id, call.event)?;
        let state = vm.streams.changed(call.context);
        vm.streams.tell_others();
        self.collect();
        Ok(Done {
            action: action.map(|a| {
                if a == Action::Pause {
                    "pause"
                } else {
                    "continue"
                }
            }),
            state,
            ..Done::default()
        })
    }

    fn finish(&mut self, finish: Finish) -> Answer {
        self.said.enter();
        let vm = vm(&mut self.vms, &finish.vm)?;
        let id = context(finish.context)?;
        vm.streams.change(finish.context, finish.state);
        let done = vm.within(|scope| scope.on_done(id))?;
        if done {
            vm.end(id)?;
        } else {
            vm.pending.push(id);
        }
        self.collect();
        Ok(Done {
            accepted: Some(done),
            ..Done::default()
        })
    }

    fn forget(&mut self, forget: Forget) -> Answer {
        self.vms.remove(&forget.vm);
        Ok(Done::default())
    }

    fn reset(&mut self) -> Answer {
        self.vms.clear();
        (self.store, self.filled) = store();
        Ok(Done::default())
    }
}

impl Hosts {
    /// Asks the crate what has changed, as its embedders do after a group of callbacks.
    fn collect(&mut self) {
        for (name, vm) in &mut self.vms {
            for (root, period) in vm.guest.take_changes().tick_periods {
                let ms = period.map_or(0, |p| p.as_millis() as u64);
                self.said
                    .effect(name, root.get(), "tick_period", json!({"ms": ms}));
            }
            let (ready, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut vm.pending)
                .into_iter()
                .partition(|c| vm.guest.context_state(*c) == Some(ContextState::Done));
            vm.pending = waiting;
            for context in ready {
                if vm.end(context).is_ok() {
                    self.said.effect(name, context.get(), "finished", json!({}));
                }
            }
        }
        let filled =
            std::mem::take(&mut *self.filled.lock().unwrap_or_else(PoisonError::into_inner));
        for (vm_id, queue) in filled {
            for (name, vm) in self.vms.iter().filter(|(_, vm)| vm.vm_id == vm_id) {
                for root in vm.guest.queue_registrants(queue) {
                    let what = json!({"queue_id": queue.get()});
                    self.said.effect(name, root.get(), "queue_ready", what);
                }
            }
        }
    }
}

impl Vm {
    /// Runs callbacks with all streams lent to the guest.
    fn within<R>(
        &mut self,
        body: impl FnOnce(&mut CallScope<'_, Streams>) -> Result<R, GuestError>,
    ) -> Result<R, Not> {
        let (result, streams) = self.guest.with(std::mem::take(&mut self.streams), body);
        self.streams = streams;
        result.map_err(ended)
    }

    /// The callbacks that follow when a context is done.
    fn end(&mut self, id: ContextId) -> Result<(), Not> {
        self.within(|scope| {
            scope.on_log(id)?;
            scope.on_delete(id)
        })?;
        self.streams.close(id.get());
        Ok(())
    }

    /// Makes the callback of an event. The crate gives a callout's answer to the plugin context, and wants
    /// to know which context had made the call.
    fn event(&mut self, id: ContextId, event: Event) -> Result<Option<Action>, Not> {
        let n = id.get();
        let sizes = self.streams.sizes(n, &event);
        let owner = |vm: &Vm, call: u32| {
            let owners = vm.owners.lock().unwrap_or_else(PoisonError::into_inner);
            owners.get(&call).copied().unwrap_or(id)
        };
        let callout = |call: u32| CalloutId::try_from(call).map_err(|e| Not::Failed(e.to_string()));
        let none = |()| None;
        match event {
            Event::ProxyOnTick {} => self.within(|s| s.on_tick(id)).map(none),
            Event::ProxyOnQueueReady { queue_id } => {
                let queue = QueueId::try_from(queue_id).map_err(|e| Not::Failed(e.to_string()))?;
                self.within(|s| s.on_queue_ready(id, queue)).map(none)
            }
            Event::ProxyOnHttpCallResponse {
                call_id,
                headers,
                body,
                trailers,
            } => {
                let response = match headers {
                    Some(headers) => HttpCallResponse::received(pairs(headers))
                        .with_body(body.0)
                        .with_trailers(pairs(trailers)),
                    None => HttpCallResponse::failed(),
                };
                let (owner, call) = (owner(self, call_id), callout(call_id)?);
                self.within(|s| s.on_http_call_response(owner, call, response))
                    .map(none)
            }
            Event::ProxyOnGrpcReceiveInitialMetadata { call_id, metadata } => {
                let (owner, call) = (owner(self, call_id), callout(call_id)?);
                self.within(|s| s.on_grpc_receive_initial_metadata(owner, call, pairs(metadata)))
                    .map(none)
            }
            Event::ProxyOnGrpcReceive { call_id, message } => {
                let (owner, call) = (owner(self, call_id), callout(call_id)?);
                self.within(|s| s.on_grpc_receive(owner, call, Cow::Owned(message.0)))
                    .map(none)
            }
            Event::ProxyOnGrpcReceiveTrailingMetadata { call_id, metadata } => {
                let (owner, call) = (owner(self, call_id), callout(call_id)?);
                self.within(|s| s.on_grpc_receive_trailing_metadata(owner, call, pairs(metadata)))
                    .map(none)
            }
            Event::ProxyOnGrpcClose {
                call_id,
                status_code,
                message,
            } => {
                let (owner, call) = (owner(self, call_id), callout(call_id)?);
                let status = GrpcStatus::new(status_code, message);
                self.within(|s| s.on_grpc_close(owner, call, status))
                    .map(none)
            }
            Event::ProxyOnForeignFunction {
                function_id,
                arguments,
            } => self
                .within(|s| s.on_foreign_function(id, function_id, Cow::Owned(arguments.0)))
                .map(none),
            Event::ProxyOnNewConnection {} => self.within(|s| s.on_new_connection(id)).map(Some),
            Event::ProxyOnDownstreamData { end_of_stream, .. } => self
                .within(|s| s.on_downstream_data(id, sizes, end_of_stream))
                .map(Some),
            Event::ProxyOnUpstreamData { end_of_stream, .. } => self
                .within(|s| s.on_upstream_data(id, sizes, end_of_stream))
                .map(Some),
            Event::ProxyOnDownstreamConnectionClose { peer } => self
                .within(|s| s.on_downstream_connection_close(id, who(peer)))
                .map(none),
            Event::ProxyOnUpstreamConnectionClose { peer } => self
                .within(|s| s.on_upstream_connection_close(id, who(peer)))
                .map(none),
            Event::ProxyOnRequestHeaders { end_of_stream } => self
                .within(|s| s.on_request_headers(id, sizes, end_of_stream))
                .map(Some),
            Event::ProxyOnRequestBody { end_of_stream, .. } => self
                .within(|s| s.on_request_body(id, sizes, end_of_stream))
                .map(Some),
            Event::ProxyOnRequestTrailers {} => {
                self.within(|s| s.on_request_trailers(id, sizes)).map(Some)
            }
            Event::ProxyOnResponseHeaders { end_of_stream } => self
                .within(|s| s.on_response_headers(id, sizes, end_of_stream))
                .map(Some),
            Event::ProxyOnResponseBody { end_of_stream, .. } => self
                .within(|s| s.on_response_body(id, sizes, end_of_stream))
                .map(Some),
            Event::ProxyOnResponseTrailers {} => {
                self.within(|s| s.on_response_trailers(id, sizes)).map(Some)
            }
        }
    }
}

fn vm<'v>(vms: &'v mut BTreeMap<String, Vm>, name: &str) -> Result<&'v mut Vm, Not> {
    vms.get_mut(name)
        .ok_or_else(|| Not::Failed(format!("there is no VM {name}")))
}

fn context(id: u32) -> Result<ContextId, Not> {
    ContextId::try_from(id).map_err(|e| Not::Failed(e.to_string()))
}

fn who(peer: Peer) -> PeerType {
    match peer {
        Peer::Unknown => PeerType::Unknown,
        Peer::Local => PeerType::Local,
        Peer::Remote => PeerType::Remote,
    }
}

fn pairs(fields: Fields) -> Vec<(Cow<'static, [u8]>, Cow<'static, [u8]>)> {
    let both = fields.into_iter();
    both.map(|(k, v)| (Cow::Owned(k.0), Cow::Owned(v.0)))
        .collect()
}

/// An error and its causes, in the crate's words.
fn words(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        out = format!("{out}: {error}");
        cause = error.source();
    }
    out
}

fn refused(error: &dyn std::error::Error) -> Not {
    Not::Refused {
        words: words(error),
        import: None,
    }
}

/// The crate's own limits end a guest as a trap does.
fn ended(error: GuestError) -> Not {
    match &error {
        GuestError::Runtime(
            Error::Trap { .. } | Error::LimitExceeded { .. } | Error::GuestExit { .. },
        ) => Not::Trapped(words(&error)),
        _ => Not::Failed(words(&error)),
    }
}
