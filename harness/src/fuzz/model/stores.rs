//! Wishes about shared values, queues and metrics.
//!
//! All names are the attempt's own, so that other programs on the same host are not met.

use crate::fuzz::model::world::{Defined, Queue, Shared, World};
use crate::fuzz::plan::{Cas, Data, Metric, NEVER, Op};
use crate::fuzz::program::{Arg, Call};

/// An id that was never given out.
const NO_ID: u64 = 4_000_000_000;

impl World<'_> {
    /// The call for a wish about a store, if it has one right answer.
    pub(super) fn store_op(&mut self, op: &Op) -> Option<Call> {
        match *op {
            Op::SetShared(name, value, cas) => self.set_shared(name, value, cas),
            Op::GetShared(name) => Some(self.get_shared(name)),
            Op::Register(name) => self.register(name),
            Op::Enqueue(name, value) => self.enqueue(name, value),
            Op::Dequeue(name) => Some(self.dequeue(name)),
            Op::Define(kind, name) => self.define(kind, name),
            Op::DefineUnknown(kind) => {
                let with = vec![
                    ("metric_type", Arg::Number(kind.into())),
                    ("name", Arg::Unique("unknown")),
                ];
                let row = "proxy_define_metric/BAD_ARGUMENT";
                Some(Call::new("proxy_define_metric", with, row))
            }
            Op::Record(name, value) => self.record(name, value),
            Op::Increment(name, delta) => self.increment(name, delta),
            Op::GetMetric(name) => self.get_metric(name),
            _ => None,
        }
    }

    /// What must be done before a wish about a store can be fulfilled.
    pub(super) fn needed(&self, op: &Op) -> Option<Op> {
        if self.place.starting() {
            return None;
        }
        match *op {
            Op::SetShared(_, _, Cas::None) => None,
            Op::GetShared(name) | Op::SetShared(name, ..) if name != NEVER => {
                let set = |text| Some(Op::SetShared(name, Data::Text(text), Cas::None));
                let Some(shared) = self.shared.get(name).filter(|s| s.set) else {
                    return set("at first");
                };
                match (op, &shared.cas) {
                    (Op::SetShared(..), None) => Some(Op::GetShared(name)),
                    (Op::SetShared(_, _, Cas::Read), Some((_, false))) => Some(Op::GetShared(name)),
                    (Op::SetShared(_, _, Cas::Stale), Some((_, true))) => set("again"),
                    _ => None,
                }
            }
            // One of the queues is never found empty.
            Op::Dequeue(name @ "first") if self.queues.get(name).is_some_and(|q| q.items == 0) => {
                Some(Op::Enqueue(name, Data::Text("an item")))
            }
            Op::Enqueue(name, _) | Op::Dequeue(name) if name != NEVER => {
                let there = self.queues.contains_key(name);
                (!there).then_some(Op::Register(name))
            }
            Op::Record(name, _) | Op::Increment(name, _) | Op::GetMetric(name) if name != NEVER => {
                let kind = match name {
                    "first" => Metric::Gauge,
                    "second" => Metric::Counter,
                    _ => Metric::Histogram,
                };
                match self.metrics.get(name) {
                    None => Some(Op::Define(kind, name)),
                    Some(m) if m.value.is_none() && matches!(op, Op::GetMetric(_)) => {
                        Some(Op::Increment(name, 1))
                    }
                    Some(_) => None,
                }
            }
            _ => None,
        }
    }

    fn set_shared(&mut self, name: &'static str, value: Data, cas: Cas) -> Option<Call> {
        const NAME: &str = "proxy_set_shared_data";
        // What an empty value means is not said.
        if value.is_empty() || name == NEVER {
            return None;
        }
        let shared = self.shared.entry(name).or_default();
        let (cas, fresh) = match (cas, &shared.cas) {
            (Cas::None, _) => (Arg::Number(0), true),
            (Cas::Stale, Some((_, true))) => return None,
            (_, Some((saved, fresh))) => (Arg::Saved(saved.clone()), *fresh),
            (_, None) => return None,
        };
        let row = match (fresh, &cas, shared.set) {
            (false, ..) => "CAS_MISMATCH",
            (_, Arg::Number(_), true) => "zero_cas",
            (_, _, true) => "OK",
            (_, _, false) => "effect",
        };
        if fresh {
            let cas = shared.cas.take().map(|(saved, _)| (saved, false));
            *shared = Shared { set: true, cas };
        }
        let with = vec![
            ("key", Arg::Unique(name)),
            ("value", Arg::Data(value)),
            ("cas", cas),
        ];
        Some(Call::new(NAME, with, format!("{NAME}/{row}")))
    }

    fn get_shared(&mut self, name: &'static str) -> Call {
        const NAME: &str = "proxy_get_shared_data";
        let with = vec![("key", Arg::Unique(name))];
        if !self.shared.get(name).is_some_and(|s| s.set) {
            return Call::new(NAME, with, format!("{NAME}/NOT_FOUND"));
        }
        let saved = self.fresh();
        let shared = self.shared.entry(name).or_default();
        shared.cas = Some((saved.clone(), true));
        let call = Call::new(NAME, with, format!("{NAME}/OK"));
        call.and("proxy_set_shared_data/effect")
            .saving("cas", saved)
    }

    fn register(&mut self, name: &'static str) -> Option<Call> {
        const NAME: &str = "proxy_register_shared_queue";
        if self.queues.contains_key(name) || name == NEVER {
            return None;
        }
        let id = self.fresh();
        let queue = Queue {
            id: id.clone(),
            items: 0,
        };
        self.queues.insert(name, queue);
        let call = Call::new(
            NAME,
            vec![("name", Arg::Unique(name))],
            format!("{NAME}/OK"),
        );
        Some(call.saving("queue_id", id))
    }

    fn enqueue(&mut self, name: &'static str, value: Data) -> Option<Call> {
        const NAME: &str = "proxy_enqueue_shared_queue";
        if value.is_empty() {
            return None;
        }
        let (id, row) = match self.queues.get_mut(name) {
            None => (Arg::Number(NO_ID), "NOT_FOUND"),
            Some(queue) => {
                queue.items += 1;
                (Arg::Saved(queue.id.clone()), "OK")
            }
        };
        let with = vec![("queue_id", id), ("value", Arg::Data(value))];
        Some(Call::new(NAME, with, format!("{NAME}/{row}")))
    }

    fn dequeue(&mut self, name: &'static str) -> Call {
        const NAME: &str = "proxy_dequeue_shared_queue";
        let (id, row) = match self.queues.get_mut(name) {
            None => (Arg::Number(NO_ID), "NOT_FOUND"),
            Some(queue) => {
                let row = if queue.items == 0 { "EMPTY" } else { "OK" };
                queue.items = queue.items.saturating_sub(1);
                (Arg::Saved(queue.id.clone()), row)
            }
        };
        let call = Call::new(NAME, vec![("queue_id", id)], format!("{NAME}/{row}"));
        match row {
            "OK" => call.and("proxy_enqueue_shared_queue/end"),
            _ => call,
        }
    }

    fn define(&mut self, kind: Metric, name: &'static str) -> Option<Call> {
        const NAME: &str = "proxy_define_metric";
        if self.metrics.contains_key(name) || name == NEVER {
            return None;
        }
        let id = self.fresh();
        let defined = Defined {
            id: id.clone(),
            kind,
            value: None,
        };
        self.metrics.insert(name, defined);
        let word = match kind {
            Metric::Counter => "COUNTER",
            Metric::Gauge => "GAUGE",
            Metric::Histogram => "HISTOGRAM",
        };
        let with = vec![
            ("metric_type", Arg::Word(word.to_owned())),
            ("name", Arg::Unique(name)),
        ];
        Some(Call::new(NAME, with, format!("{NAME}/OK")).saving("metric_id", id))
    }

    fn record(&mut self, name: &'static str, value: u64) -> Option<Call> {
        const NAME: &str = "proxy_record_metric";
        let with = |id: Arg| vec![("metric_id", id), ("value", Arg::Number(value))];
        let Some(metric) = self.metrics.get_mut(name) else {
            return Some(Call::new(
                NAME,
                with(Arg::Number(NO_ID)),
                format!("{NAME}/NOT_FOUND"),
            ));
        };
        let row = match metric.kind {
            // What recording means for a counter is not said.
            Metric::Counter => return None,
            Metric::Gauge => "effect",
            Metric::Histogram => "OK",
        };
        if metric.kind == Metric::Gauge {
            metric.value = Some(value.into());
        }
        Some(Call::new(
            NAME,
            with(Arg::Saved(metric.id.clone())),
            format!("{NAME}/{row}"),
        ))
    }

    fn increment(&mut self, name: &'static str, delta: i64) -> Option<Call> {
        const NAME: &str = "proxy_increment_metric";
        let with = |id: Arg| vec![("metric_id", id), ("delta", Arg::Signed(delta))];
        let Some(metric) = self.metrics.get_mut(name) else {
            return Some(Call::new(
                NAME,
                with(Arg::Number(NO_ID)),
                format!("{NAME}/NOT_FOUND"),
            ));
        };
        let id = Arg::Saved(metric.id.clone());
        let after = metric.value.unwrap_or(0) + i128::from(delta);
        let row = match metric.kind {
            Metric::Histogram => return None,
            Metric::Counter if delta < 0 => "BAD_ARGUMENT",
            // What becomes of a gauge below 0 is not said.
            Metric::Gauge if after < 0 => return None,
            Metric::Counter => "effect",
            Metric::Gauge if delta < 0 => "gauge_down",
            Metric::Gauge => "gauge",
        };
        if row != "BAD_ARGUMENT" {
            metric.value = Some(after);
        }
        Some(Call::new(NAME, with(id), format!("{NAME}/{row}")))
    }

    fn get_metric(&mut self, name: &'static str) -> Option<Call> {
        const NAME: &str = "proxy_get_metric";
        let Some(metric) = self.metrics.get(name) else {
            let with = vec![("metric_id", Arg::Number(NO_ID))];
            return Some(Call::new(NAME, with, format!("{NAME}/NOT_FOUND")));
        };
        let row = match (metric.kind, metric.value) {
            // Neither what a histogram answers is said, nor what a new metric does.
            (Metric::Histogram, _) | (_, None) => return None,
            (Metric::Counter, _) => "proxy_increment_metric/effect",
            (Metric::Gauge, _) => "proxy_record_metric/effect",
        };
        let with = vec![("metric_id", Arg::Saved(metric.id.clone()))];
        Some(Call::new(NAME, with, format!("{NAME}/OK")).and(row))
    }
}
