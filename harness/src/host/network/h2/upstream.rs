//! gRPC upstreams: connections come in from outside, calls follow the scripts of the case.
//!
//! Does not know who listens, nor what a call does: see `call`.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use crate::case::{Exchange, GrpcScript};
use crate::host::network::h2::{WINDOW, call};
use crate::host::network::wirelog::WireLog;
use crate::trace::GrpcSaw;

/// What the upstreams do now and what they saw.
#[derive(Default)]
struct Script {
    /// Which case: calls of earlier ones are not recorded.
    case: u64,
    scripts: BTreeMap<String, Vec<GrpcScript>>,
    /// How many calls came at each upstream.
    counts: BTreeMap<String, usize>,
    /// How often each was let go on.
    goes: BTreeMap<String, u32>,
    seen: Vec<GrpcSaw>,
    /// Grows with everything that comes or goes.
    steps: usize,
    /// Calls whose script can go on now.
    busy: u32,
}

/// What all calls share.
pub(super) struct Shared {
    script: Mutex<Script>,
    /// Changes when an upstream is let go on.
    pub(super) changed: watch::Sender<u64>,
    pub(super) wire: WireLog,
}

/// Which call: its case and its place in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    case: u64,
    at: usize,
}

enum Order {
    Serve {
        upstream: &'static str,
        stream: UnixStream,
        done: Box<dyn FnOnce() + Send>,
    },
    /// Answers when all that was read has been worked on.
    Barrier(std::sync::mpsc::Sender<()>),
}

/// All gRPC upstreams of one host.
pub struct GrpcUpstreams {
    shared: Arc<Shared>,
    orders: Option<mpsc::UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl GrpcUpstreams {
    /// Upstreams without a connection.
    ///
    /// # Errors
    /// The system's own.
    pub fn start(wire: WireLog) -> io::Result<GrpcUpstreams> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let shared = Arc::new(Shared {
            script: Mutex::default(),
            changed: watch::Sender::new(0),
            wire,
        });
        let (orders, taken) = mpsc::unbounded_channel();
        let all = shared.clone();
        let thread = std::thread::spawn(move || {
            // What is open when no more orders can come is dropped with the runtime.
            runtime.block_on(obey(all, taken));
        });
        Ok(GrpcUpstreams {
            shared,
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Serves a connection to `upstream`; `done` is called when it has ended.
    pub fn serve(
        &self,
        upstream: &'static str,
        stream: UnixStream,
        done: impl FnOnce() + Send + 'static,
    ) {
        let done = Box::new(done);
        let order = Order::Serve {
            upstream,
            stream,
            done,
        };
        if let Some(orders) = &self.orders {
            orders.send(order).ok();
        }
    }

    /// A case begins.
    pub fn begin(&self, exchange: &Exchange) {
        let mut script = self.shared.script();
        *script = Script {
            case: script.case + 1,
            scripts: exchange.grpc.clone(),
            ..Script::default()
        };
    }

    /// The exchange lets an upstream go on.
    pub fn go(&self, upstream: &str) {
        let mut script = self.shared.script();
        *script.goes.entry(upstream.to_owned()).or_default() += 1;
        script.steps += 1;
        drop(script);
        self.shared.changed.send_modify(|n| *n += 1);
    }

    /// How much has happened so far, and how many calls can go on now.
    pub fn traffic(&self) -> (usize, u32) {
        self.barrier(Duration::from_millis(200));
        let script = self.shared.script();
        (script.steps, script.busy)
    }

    /// The case is over: what was seen.
    pub fn end(&self, within: Duration) -> Vec<GrpcSaw> {
        self.barrier(within);
        let mut script = self.shared.script();
        script.case += 1;
        script.scripts.clear();
        std::mem::take(&mut script.seen)
    }

    /// Waits until all that was read has been worked on.
    fn barrier(&self, within: Duration) {
        let (tell, told) = std::sync::mpsc::channel();
        if let Some(orders) = &self.orders
            && orders.send(Order::Barrier(tell)).is_ok()
        {
            told.recv_timeout(within).ok();
        }
    }
}

impl Drop for GrpcUpstreams {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call has come: where it is recorded, and what its upstream does with it.
    pub(super) fn arrived(&self, saw: GrpcSaw) -> (Place, GrpcScript) {
        let mut script = self.script();
        let nth = script.counts.entry(saw.upstream.clone()).or_default();
        let at = *nth;
        *nth += 1;
        let own = script.scripts.get(&saw.upstream);
        let own = own.and_then(|all| all.get(at).or(all.last()));
        let own = own.cloned().unwrap_or_default();
        let place = Place {
            case: script.case,
            at: script.seen.len(),
        };
        script.seen.push(saw);
        script.steps += 1;
        script.busy += 1;
        (place, own)
    }

    /// Changes what was recorded of a call, unless its case is over.
    pub(super) fn edit(&self, place: Place, change: impl FnOnce(&mut GrpcSaw)) {
        let mut script = self.script();
        if script.case == place.case {
            script.steps += 1;
            if let Some(saw) = script.seen.get_mut(place.at) {
                change(saw);
            }
        }
    }

    /// How often the upstream of this call was let go on; `None`: its case is over.
    pub(super) fn goes(&self, place: Place, upstream: &str) -> Option<u32> {
        let script = self.script();
        let goes = script.goes.get(upstream).copied().unwrap_or(0);
        (script.case == place.case).then_some(goes)
    }

    /// The script of a call waits (`false`), or goes on (`true`).
    pub(super) fn goes_on(&self, place: Place, on: bool) {
        let mut script = self.script();
        if script.case == place.case {
            script.busy = match on {
                true => script.busy + 1,
                false => script.busy.saturating_sub(1),
            };
        }
    }
}

async fn obey(shared: Arc<Shared>, mut orders: mpsc::UnboundedReceiver<Order>) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Serve {
                upstream,
                stream,
                done,
            } => {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let ended = connection(&shared, upstream, stream).await;
                    if let Err(error) = ended {
                        shared.wire.note(&format!("upstream {upstream} = {error}"));
                    }
                    done();
                });
            }
            Order::Barrier(tell) => {
                // Bytes that were read wake the connection, which wakes its calls, which wake what
                // waits for them; each of these stands behind those that were woken before.
                for _ in 0..16 {
                    tokio::task::yield_now().await;
                }
                tell.send(()).ok();
            }
        }
    }
}

/// One connection until either side closes it.
async fn connection(
    shared: &Arc<Shared>,
    upstream: &'static str,
    stream: UnixStream,
) -> Result<(), String> {
    let io = |e: io::Error| e.to_string();
    stream.set_nonblocking(true).map_err(io)?;
    let stream = tokio::net::UnixStream::from_std(stream).map_err(io)?;
    let mut server = h2::server::Builder::new();
    server
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(8 << 20);
    let handshake = server.handshake(stream).await;
    let mut connection = handshake.map_err(|e| e.to_string())?;
    let close = Arc::new(Notify::new());
    loop {
        let next = tokio::select! {
            next = connection.accept() => next,
            () = close.notified() => {
                // What was sent before goes out first.
                for _ in 0..16 {
                    let write = |cx: &mut Context<'_>| Poll::Ready(connection.poll_accept(cx).is_ready());
                    poll_fn(write).await;
                    tokio::task::yield_now().await;
                }
                shared.wire.note(&format!("upstream {upstream} = closed"));
                return Ok(());
            }
        };
        match next {
            None => return Ok(()),
            Some(Err(error)) => return Err(error.to_string()),
            Some(Ok((request, respond))) => {
                let (shared, close) = (shared.clone(), close.clone());
                tokio::spawn(call::serve(shared, upstream, request, respond, close));
            }
        }
    }
}
