//! One attempt made ready for looking things up: flat events, contexts, which instances count.
//!
//! Does not know what is expected.

use crate::case::{StepRef, Who};
use crate::trace::{Attempt, Event, EventKind};

/// An attempt with its instances flattened.
pub(super) struct View<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) instances: Vec<Inst<'a>>,
}

/// One instance.
pub(super) struct Inst<'a> {
    pub(super) vm: u32,
    /// In the order of [`crate::trace::Instance::walk`].
    pub(super) events: Vec<Flat<'a>>,
    pub(super) plugins: Vec<u64>,
    pub(super) streams: Vec<u64>,
    pub(super) saw_stream: bool,
}

/// One event.
#[derive(Clone, Copy)]
pub(super) struct Flat<'a> {
    pub(super) event: &'a Event,
    /// Whether it lies within start-up.
    pub(super) start_up: bool,
    /// The event in which it happened: of a hostcall, the callback that made it.
    pub(super) within: Option<&'a Event>,
}

/// Where an event is: instance, ordinal.
pub(super) type Place = (usize, usize);

/// A place as a [`crate::judge::CheckResult`] keeps it.
pub(super) fn kept(place: Place) -> (u32, u32) {
    (place.0 as u32, place.1 as u32)
}

impl<'a> View<'a> {
    pub(super) fn new(attempt: &'a Attempt) -> View<'a> {
        let instances = attempt.trace.instances.iter().map(|i| {
            let mut events = Vec::new();
            for top in &i.events {
                let start_up = top.is_start_up();
                flatten(top, start_up, None, &mut events);
            }
            let (plugins, streams) = i.contexts();
            Inst {
                vm: i.vm,
                events,
                plugins,
                streams,
                saw_stream: i.saw_stream(),
            }
        });
        View {
            attempt,
            instances: instances.collect(),
        }
    }

    pub(super) fn event(&self, place: Place) -> &'a Event {
        self.instances[place.0].events[place.1].event
    }

    /// Instances of a VM.
    pub(super) fn of_vm(&self, vm: u32) -> Vec<usize> {
        let all = 0..self.instances.len();
        all.filter(|n| self.instances[*n].vm == vm).collect()
    }

    /// Instances of a VM that saw a stream.
    pub(super) fn streamed(&self, vm: u32) -> Vec<usize> {
        let mut all = self.of_vm(vm);
        all.retain(|n| self.instances[*n].saw_stream);
        all
    }

    /// Executions of a step in one instance.
    fn executions_in(&self, instance: usize, step: &StepRef) -> Vec<Place> {
        let events = self.instances[instance].events.iter().enumerate();
        let own = events.filter(|(_, f)| {
            f.event.kind == EventKind::Hostcall && f.event.step == Some(step.index)
        });
        own.map(|(o, _)| (instance, o)).collect()
    }

    /// The executions of a step that are judged: those within start-up in every instance; others in
    /// the instances that saw a stream, or, where none did, in the last one that made any.
    pub(super) fn executions(&self, step: &StepRef) -> Vec<Place> {
        let mut out = Vec::new();
        let streamed = self.streamed(step.vm);
        let start_up = |p: &Place| self.instances[p.0].events[p.1].start_up;
        let mut last = Vec::new();
        for n in self.of_vm(step.vm) {
            let (early, late): (Vec<Place>, Vec<Place>) =
                self.executions_in(n, step).into_iter().partition(start_up);
            out.extend(early);
            if streamed.contains(&n) {
                out.extend(late);
            } else if !late.is_empty() {
                last = late;
            }
        }
        if streamed.is_empty() {
            out.extend(last);
        }
        out
    }

    /// The last execution of a step before a place; in another VM, or from the wire, its last one.
    pub(super) fn last_before(&self, step: &StepRef, at: Option<Place>) -> Option<Place> {
        match at {
            Some((n, o)) if self.instances[n].vm == step.vm => {
                let all = self.executions_in(n, step);
                all.into_iter().rfind(|p| p.1 < o)
            }
            _ => self.executions(step).last().copied(),
        }
    }

    /// Whether a VM's guest was ever called under this name.
    pub(super) fn came(&self, vm: u32, name: &str) -> bool {
        let of_vm = self.instances.iter().filter(|i| i.vm == vm);
        of_vm
            .flat_map(|i| &i.events)
            .any(|f| f.event.kind != EventKind::Hostcall && f.event.name == name)
    }

    /// The instances and contexts that `who` means. Streams are counted through the instances that
    /// saw any; plugins are looked up in each given instance. No context: all of the instance.
    pub(super) fn contexts(&self, who: Who, instances: &[usize]) -> Vec<(usize, Option<u64>)> {
        match who {
            Who::Vm { .. } => instances.iter().map(|n| (*n, None)).collect(),
            Who::Plugin { nth, .. } => {
                let id = |n: &usize| {
                    let all = &self.instances[*n].plugins;
                    Some((*n, Some(*all.get(nth.checked_sub(1)? as usize)?)))
                };
                instances.iter().filter_map(id).collect()
            }
            Who::Stream { nth, .. } => {
                let all = instances.iter().flat_map(|n| {
                    let streams = self.instances[*n].streams.iter();
                    streams.map(|id| (*n, Some(*id)))
                });
                let skip = (nth as usize).checked_sub(1);
                skip.and_then(|s| all.into_iter().nth(s))
                    .into_iter()
                    .collect()
            }
        }
    }

    /// The callbacks of one context of an instance, or all callbacks and entry points.
    pub(super) fn callbacks(&self, instance: usize, context: Option<u64>) -> Vec<Place> {
        let events = self.instances[instance].events.iter().enumerate();
        let wanted = events.filter(|(_, f)| match context {
            Some(_) => f.event.context() == context,
            None => f.event.kind != EventKind::Hostcall,
        });
        wanted.map(|(o, _)| (instance, o)).collect()
    }
}

fn flatten<'a>(
    event: &'a Event,
    start_up: bool,
    within: Option<&'a Event>,
    out: &mut Vec<Flat<'a>>,
) {
    out.push(Flat {
        event,
        start_up,
        within,
    });
    for e in &event.inner {
        flatten(e, start_up, Some(event), out);
    }
}

/// The VM of `who`.
pub(super) fn vm_of(who: Who) -> u32 {
    match who {
        Who::Stream { vm, .. } | Who::Plugin { vm, .. } | Who::Vm { vm } => vm,
    }
}
