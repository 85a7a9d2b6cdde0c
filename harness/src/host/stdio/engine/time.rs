//! Virtual time: what is due when, and who waits for it.
//!
//! Nothing sleeps. Does not know what an event does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{Bytes, Event, State};
use crate::trace::End;

/// Nanoseconds in a millisecond.
pub(super) const MILLI: u64 = 1_000_000;
/// How long a client waits for its response, and a shut-down for `proxy_done`.
pub(super) const PATIENCE: u64 = 2000 * MILLI;

/// The clock, and what is due.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    pub(super) now: u64,
    sequence: u64,
    events: BinaryHeap<Reverse<(u64, u64, Due)>>,
}

/// Something that happens at a point of virtual time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A timer; void if the plugin has set another one since.
    Tick {
        vm: usize,
        plugin: usize,
        timer: u64,
    },
    /// An item was added to a queue.
    QueueReady { vm: usize, context: u32, queue: u32 },
    /// A callout ends.
    CallEnds { call: usize },
    /// Something has come on a gRPC call.
    GrpcNews { call: usize },
    /// A gRPC call's time is over.
    GrpcTimeout { call: usize },
    /// The upstream of this stream writes the next part of its answer.
    Answer { stream: usize, part: usize },
}

impl Timeline {
    /// Lets `due` happen `after` nanoseconds; behind everything that was asked for earlier.
    pub(super) fn schedule(&mut self, after: u64, due: Due) {
        self.sequence += 1;
        let at = self.now.saturating_add(after);
        self.events.push(Reverse((at, self.sequence, due)));
    }

    /// Takes the next event if it is due at `until` or before, and moves the clock to it.
    fn next(&mut self, until: u64) -> Option<Due> {
        let Reverse((at, _, _)) = self.events.peek()?;
        if *at > until {
            return None;
        }
        let Reverse((at, _, due)) = self.events.pop()?;
        self.now = self.now.max(at);
        Some(due)
    }
}

impl Engine<'_> {
    /// Lets everything happen that is due now.
    pub(super) fn settle(&mut self) -> Result<(), Over> {
        let now = self.time.now;
        self.pass(now, &|_| false)
    }

    /// Lets virtual time pass until `until`, or until `enough`.
    pub(super) fn pass(
        &mut self,
        until: u64,
        enough: &dyn Fn(&Engine<'_>) -> bool,
    ) -> Result<(), Over> {
        self.work()?;
        while !enough(self) {
            if Instant::now() >= self.until {
                let what = "the events of this case did not end before the deadline";
                self.attempt.end = End::Timeout(what.to_owned());
                return Err(Over);
            }
            let Some(due) = self.time.next(until) else {
                return Ok(());
            };
            self.happen(due)?;
            self.work()?;
        }
        Ok(())
    }

    /// Waits until one instance has entered `callback` this often.
    pub(super) fn wait(
        &mut self,
        callback: &str,
        times: u32,
        within: Duration,
    ) -> Result<(), Over> {
        let until = self.time.now + within.as_nanos() as u64;
        let enough = |e: &Engine<'_>| {
            let readers = e.readers.iter().flatten();
            readers.map(|r| r.entered(callback)).max().unwrap_or(0) >= times
        };
        self.pass(until, &enough)?;
        if !enough(self) {
            self.time.now = self.time.now.max(until);
        }
        Ok(())
    }

    fn happen(&mut self, due: Due) -> Result<(), Over> {
        match due {
            Due::Tick { vm, plugin, timer } => {
                let of = &self.vms[vm].plugins[plugin];
                let (context, period) = (of.context, of.period);
                if of.timer != timer || of.over {
                    return Ok(());
                }
                let due = Due::Tick { vm, plugin, timer };
                self.time.schedule(period, due);
                let event = Event::ProxyOnTick {};
                self.call(vm, context, State::default(), event).map(drop)
            }
            Due::QueueReady { vm, context, queue } => {
                let event = Event::ProxyOnQueueReady { queue_id: queue };
                self.call(vm, context, State::default(), event).map(drop)
            }
            Due::CallEnds { call } => self.call_ends(call),
            Due::GrpcNews { call } => self.grpc_news(call),
            Due::GrpcTimeout { call } => self.grpc_late(call),
            Due::Answer { stream, part } => self.answer_part(stream, part),
        }
    }

    /// A foreign callback of the first plugin is called.
    pub(super) fn foreign(&mut self, function: u32, arguments: &[u8]) -> Result<(), Over> {
        let Some(plugin) = self.vms.first().and_then(|vm| vm.plugins.first()) else {
            return Ok(());
        };
        if plugin.over || self.vms[0].dead {
            return Ok(());
        }
        let event = Event::ProxyOnForeignFunction {
            function_id: function,
            arguments: Bytes::of(arguments),
        };
        let context = plugin.context;
        self.call(0, context, State::default(), event)?;
        self.settle()
    }

    /// A plugin is to be ticked every `ms`; 0: no more.
    pub(super) fn tick_period(&mut self, vm: usize, context: u32, ms: u32) {
        let Some(plugin) = self.plugin_of(vm, context) else {
            return;
        };
        let of = &mut self.vms[vm].plugins[plugin];
        of.timer += 1;
        of.period = u64::from(ms) * MILLI;
        if ms > 0 {
            let (timer, period) = (of.timer, of.period);
            let due = Due::Tick { vm, plugin, timer };
            self.time.schedule(period, due);
        }
    }
}
