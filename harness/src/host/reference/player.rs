//! The player: calls guests, lets time pass, does what hostcalls have left to do.
//!
//! Knows the order of things. Streams are in `http`, starting and ending in `lifecycle`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmer::{FunctionEnv, RuntimeError, Store};

use crate::abi::{Abi, Callback, Param, Returns};
use crate::host::reference::calls::Response;
use crate::host::reference::direct::{Shape, export};
use crate::host::reference::faults::Faults;
use crate::host::reference::watchdog::Watch;
use crate::host::reference::world::{Deferred, Event, Found, MILLI, Running, World};
use crate::trace::{Blob, End};

/// How long a client waits for its response, and a shut-down for `proxy_done`, in virtual time.
pub(super) const PATIENCE: u64 = 2000 * MILLI;

/// More words than any callback has.
const MOST_WORDS: usize = 12;

/// One job while it is played.
pub(super) struct Player {
    pub(super) store: Store,
    pub(super) env: FunctionEnv<World>,
    pub(super) faults: Faults,
    pub(super) watch: Watch,
    pub(super) deadline: Instant,
    /// How long the attempt may take, without compiling. A guest may run half of it in one call.
    pub(super) allowed: Duration,
    pub(super) end: End,
    /// The deadline has passed: nothing is called any more.
    pub(super) halted: bool,
}

/// How a call into a guest ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// The guest does not have this callback.
    Missing,
    /// It returned this (0 without a result).
    Returned(u64),
    /// It trapped or was interrupted, or is dead since an earlier call.
    Dead,
}

impl Player {
    /// What the host knows.
    pub(super) fn world(&mut self) -> &mut World {
        self.env.as_mut(&mut self.store)
    }

    /// Calls `callback` of a VM on `context`, with arguments by their names in the ABI's table: those
    /// that the ABI of the job lacks are left out.
    pub(super) fn call(
        &mut self,
        vm: usize,
        callback: &'static str,
        context: u32,
        args: &[(&str, u64)],
    ) -> Called {
        let running = Running {
            vm,
            callback,
            context,
            effective: context,
        };
        let found = self.find(vm, callback);
        let abi = Arc::clone(&self.world().abi);
        let Some(row) = found.row.map(|row| &abi.callbacks[row]) else {
            return Called::Missing;
        };
        let word = |p: &Param| {
            let given = args.iter().find(|(name, _)| *name == p.name);
            given.map(|(_, word)| *word).or(p.default).unwrap_or(0)
        };
        let mut words = [0; MOST_WORDS];
        for (place, param) in words.iter_mut().zip(&row.params) {
            *place = word(param);
        }
        let count = row.params.len().min(MOST_WORDS);
        self.enter_found(vm, callback, &found, Some(running), &words[..count])
    }

    /// Looks for the export of this name.
    fn find(&mut self, vm: usize, name: &'static str) -> Found {
        if let Some(known) = self.world().vms[vm].exports.known(name) {
            return known.clone();
        }
        let abi = Arc::clone(&self.world().abi);
        let place = abi.callbacks.iter().position(|c| c.name == name);
        let row = place.map(|place| &abi.callbacks[place]);
        let exported = row.map_or(name, Callback::exported);
        let instance = self.world().vms[vm].instance.as_ref();
        let function = instance.and_then(|i| i.exports.get_function(exported).ok().cloned());
        let shape = row.and_then(Shape::of);
        let found = Found {
            row: place,
            pause: row.map_or(1, |row| pause_number(&abi, row)),
            export: function.map(|f| Arc::new(export(&self.store, &f, shape))),
        };
        self.world().vms[vm].exports.keep(name, found.clone());
        found
    }

    /// Calls an export; `running` is what hostcalls made in it act on.
    pub(super) fn enter(
        &mut self,
        vm: usize,
        export: &'static str,
        running: Option<Running>,
        words: &[u64],
    ) -> Called {
        let found = self.find(vm, export);
        self.enter_found(vm, export, &found, running, words)
    }

    fn enter_found(
        &mut self,
        vm: usize,
        export: &'static str,
        found: &Found,
        running: Option<Running>,
        words: &[u64],
    ) -> Called {
        let halted = self.halted;
        let world = self.world();
        if halted || world.vms[vm].dead.is_some() {
            return Called::Dead;
        }
        let Some(function) = &found.export else {
            return Called::Missing;
        };
        world.vms[vm].entered.count(export);
        world.running = running;
        let limited = !self.faults.is("loop_is_never_stopped");
        let now = Instant::now();
        let most = match limited {
            true => self.deadline.min(now + self.allowed / 2),
            false => self.deadline,
        };
        self.watch.begins(now, most, limited);
        let returned = function(&mut self.store, words);
        self.watch.returned();
        self.world().running = None;
        match returned {
            Ok(word) => Called::Returned(word),
            Err(error) => {
                self.broke(vm, export, &error);
                Called::Dead
            }
        }
    }

    /// The guest of `vm` did not return from `export`. If it was interrupted before the attempt's time
    /// was up, it had taken what a plugin may take.
    fn broke(&mut self, vm: usize, export: &str, error: &RuntimeError) {
        // The engine does not export the type of its trap codes, only their names.
        let trap = error.clone().to_trap().map(|t| t.to_string());
        let stopped = trap.as_deref() == Some("host_interrupt");
        if stopped && Instant::now() >= self.deadline {
            self.halted = true;
            self.end = End::Timeout(format!("{export} did not return before the deadline"));
        } else if !self.faults.is("crash_is_not_logged") {
            let text = match stopped {
                true => format!("{export} was stopped: it took more time than a plugin may"),
                false => format!("{export}: {error}"),
            };
            self.world().own_log.push(text.clone());
            // The first trap speaks for the attempt.
            if self.end == End::Normal {
                self.end = End::Trap(Blob::with_limit(text.as_bytes(), 2048));
            }
        }
        let why = format!("{export} did not return");
        let of = &mut self.world().vms[vm];
        of.crashed = of.started;
        of.dead = Some(why);
    }

    /// Whether a callback that returns a bool returned true; a callback that is missing agrees.
    pub(super) fn agreed(called: Called) -> bool {
        match called {
            Called::Missing => true,
            Called::Returned(v) => v != 0,
            Called::Dead => false,
        }
    }

    /// Whether a stream callback asked to pause. What is no action of the ABI pauses nothing.
    pub(super) fn pauses(&mut self, vm: usize, callback: &'static str, called: Called) -> bool {
        let Called::Returned(v) = called else {
            return false;
        };
        self.find(vm, callback).pause == v
    }

    /// Lets everything happen that is due now.
    pub(super) fn settle(&mut self) {
        let now = self.world().now;
        self.pass(now, &|_| false);
    }

    /// Lets virtual time pass until `until`, or until `enough`.
    pub(super) fn pass(&mut self, until: u64, enough: &dyn Fn(&World) -> bool) {
        self.work();
        while !self.halted && !self.late() && !enough(self.world()) {
            let Some(event) = self.world().next_event(until) else {
                return;
            };
            self.happen(event);
            self.work();
        }
    }

    /// Real time is up too: a guest that never returns is not the only way to go on for ever.
    fn late(&mut self) -> bool {
        if Instant::now() < self.deadline {
            return false;
        }
        self.halted = true;
        if self.end == End::Normal {
            let text = "the events of this case did not end before the deadline";
            self.end = End::Timeout(text.to_owned());
        }
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick {
                vm,
                plugin,
                timer,
                period,
            } => {
                let another = self.faults.is("tick_gets_another_context");
                let one_shot = self.faults.is("tick_comes_once");
                let world = self.world();
                let of = &world.vms[vm].plugins[plugin];
                let context = of.context;
                let gone = world.context(vm, context).is_none() || world.vms[vm].dead.is_some();
                if of.timer != timer || gone {
                    return;
                }
                if !one_shot {
                    world.schedule(
                        period,
                        Event::Tick {
                            vm,
                            plugin,
                            timer,
                            period,
                        },
                    );
                }
                let id = u64::from(context);
                let shown = if another { id + 1000 } else { id };
                let args = [("plugin_context_id", shown)];
                self.call(vm, "proxy_on_tick", context, &args);
            }
            Event::QueueReady { vm, context, queue } => {
                if self.world().context(vm, context).is_none() {
                    return;
                }
                if self.faults.is("queue_ready_comes_too_late") {
                    self.world().queues.drop_item(queue);
                }
                let shown = if self.faults.is("queue_ready_wrong_id") {
                    queue + 1000
                } else {
                    queue
                };
                let args = [
                    ("plugin_context_id", u64::from(context)),
                    ("queue_id", u64::from(shown)),
                ];
                self.call(vm, "proxy_on_queue_ready", context, &args);
            }
            Event::GrpcNews { call } => self.grpc_news(call),
            Event::GrpcTimeout { call } => self.grpc_late(call),
            Event::CallEnds { call } => self.call_ends(call),
            Event::Answer { stream, part } => self.answer_part(stream, part),
        }
    }

    fn call_ends(&mut self, call: u32) {
        let faults = self.faults;
        let world = self.world();
        let Some(open) = world.calls.end(call) else {
            return;
        };
        let (vm, context) = (open.vm, open.context);
        if world.context(vm, context).is_none() {
            return;
        }
        let failed = open.response.is_none();
        let mut response = open.response.unwrap_or_default();
        if faults.planted() {
            spoil(faults, &mut response);
        }
        let more = |what| u64::from(!failed && faults.made_of(&["http_call_response", what]));
        let wrong_id = faults.is("http_call_response_wrong_id");
        let another = faults.is("http_call_response_gets_another_context");
        let shown = if wrong_id { call + 7000 } else { call };
        let args = [
            (
                "plugin_context_id",
                u64::from(context) + if another { 1000 } else { 0 },
            ),
            ("call_id", u64::from(shown)),
            (
                "num_headers",
                response.headers.len() as u64 + more("headers_one_more"),
            ),
            (
                "body_size",
                response.body.len() as u64 + more("body_one_more"),
            ),
            (
                "num_trailers",
                response.trailers.len() as u64 + more("trailers_one_more"),
            ),
        ];
        world.calls.set_response(Some(response));
        self.call(vm, "proxy_on_http_call_response", context, &args);
        if faults.is("http_call_response_comes_twice") {
            self.call(vm, "proxy_on_http_call_response", context, &args);
        }
        self.world().calls.set_response(None);
    }

    /// Does what hostcalls have asked for, and buries the streams of VMs that have died.
    pub(super) fn work(&mut self) {
        loop {
            self.bury();
            let Some(next) = self.world().deferred.pop_front() else {
                return;
            };
            self.carry_out(next);
        }
    }

    /// Does one thing that a hostcall has asked for.
    pub(super) fn carry_out(&mut self, asked: Deferred) {
        match asked {
            Deferred::Continue {
                stream,
                stage,
                direction,
            } => self.resume(stream, stage, direction),
            Deferred::Close { stream, peer } => match peer {
                Some(peer) => self.cut(stream, peer),
                None => self.reset(stream, "reset"),
            },
            Deferred::Reply { stream, response } => self.reply(stream, response),
            Deferred::Finalise { vm, context } => self.finalise(vm, context),
        }
    }
}

fn pause_number(abi: &Abi, row: &Callback) -> u64 {
    let name = match &row.returns {
        Returns::Enum(name) => name.as_str(),
        _ => "proxy_action_t",
    };
    abi.enumeration(name)
        .and_then(|e| e.number("PAUSE"))
        .unwrap_or(1)
}

/// Faults: the answer of a call is not what came.
fn spoil(faults: Faults, response: &mut Response) {
    if faults.is("http_call_response_loses_header") {
        response.headers.pop();
    }
    if faults.is("http_call_response_body_is_cut") {
        response.body.pop();
    }
    if faults.is("http_call_response_trailers_are_changed") {
        for (_, value) in &mut response.trailers {
            value.push(b'!');
        }
    }
}
