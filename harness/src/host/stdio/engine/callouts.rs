//! HTTP calls: what scripted upstreams get, and what they answer.
//!
//! An answer comes as an event of its own, after the callback that made the call. Does not know who
//! gave a call its id: the library or the adapter.

use std::collections::BTreeMap;

use crate::case::{Answer, AnswerKind};
use crate::host::stdio::engine::carried;
use crate::host::stdio::engine::time::{Due, MILLI};
use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{Bytes, Effect, Event, Fields, State};
use crate::host::wire;
use crate::trace::UpstreamSaw;

/// All callouts of a job.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// How many requests each upstream has had.
    arrived: BTreeMap<String, usize>,
    open: Vec<Open>,
}

/// A callout that waits for its end.
#[derive(Debug)]
struct Open {
    vm: usize,
    /// The plugin context that gets the answer.
    context: u32,
    event: Option<Event>,
}

impl Engine<'_> {
    /// A plugin has made an HTTP call.
    pub(super) fn callout(&mut self, vm: usize, context: u32, effect: Effect) {
        let Effect::HttpCall {
            call_id,
            upstream,
            headers,
            body,
            trailers,
            timeout_ms,
        } = effect
        else {
            return;
        };
        let upstream = upstream.text();
        let known = self.knows(&upstream);
        if known {
            let mut request = wire::request(&carried::came(headers));
            request.body = wire::body(&body.0);
            request.trailers = wire::blobs(&carried::came(trailers));
            request.complete = true;
            let upstream = upstream.clone();
            self.upstream.push(UpstreamSaw { upstream, request });
        }
        let answer = known.then(|| self.next_answer(&upstream));
        let after = match &answer {
            Some(a) if a.kind == AnswerKind::Hang => u64::from(timeout_ms) * MILLI,
            _ => 0,
        };
        let event = response(call_id, answer);
        self.later(vm, context, after, event);
    }

    /// A callout ends.
    pub(super) fn call_ends(&mut self, call: usize) -> Result<(), Over> {
        let open = &mut self.calls.open[call];
        let (vm, context) = (open.vm, open.context);
        match open.event.take() {
            Some(event) => self.call(vm, context, State::default(), event).map(drop),
            None => Ok(()),
        }
    }

    fn later(&mut self, vm: usize, context: u32, after: u64, event: Event) {
        let plugin = self.plugin_of(vm, context);
        let context = plugin.map_or(context, |p| self.vms[vm].plugins[p].context);
        let event = Some(event);
        self.calls.open.push(Open { vm, context, event });
        let call = self.calls.open.len() - 1;
        self.time.schedule(after, Due::CallEnds { call });
    }

    /// Whether an upstream of this name is configured; `main` is the one that serves the streams.
    fn knows(&self, name: &str) -> bool {
        name == "main" || self.job.exchange.upstreams.contains_key(name)
    }

    /// What the upstream answers to the request that has just arrived; the last answer repeats.
    fn next_answer(&mut self, upstream: &str) -> Answer {
        let nth = self.calls.arrived.entry(upstream.to_owned()).or_default();
        let at = *nth;
        *nth += 1;
        let exchange = &self.job.exchange;
        let script = exchange.upstreams.get(upstream);
        let scripted = script.and_then(|answers| answers.get(at).or_else(|| answers.last()));
        let own = exchange.streams.first().map(|s| &s.answer);
        scripted.or(own).cloned().unwrap_or_default()
    }
}

fn response(call_id: u32, answer: Option<Answer>) -> Event {
    let answer = answer.filter(|a| a.kind == AnswerKind::Reply);
    let headers = answer.as_ref().map(wire::head_of_answer);
    let (body, trailers) = match answer {
        Some(a) => (a.body.concat(), carried::sent(&a.trailers)),
        None => (Vec::new(), Fields::new()),
    };
    Event::ProxyOnHttpCallResponse {
        call_id,
        headers: headers.as_ref().map(carried::sent),
        body: Bytes(body),
        trailers,
    }
}
