//! Which instances of a trace a case is about, and which callbacks belong to start-up.
//!
//! Hosts start the same code more than once, so a trace has instances that only started. Does not
//! know what is expected of any of them.

use crate::abi::IdKind;
use crate::trace::{Event, EventKind, Instance, Trace, Value};

/// The callback that creates a context.
pub const CONTEXT_CREATE: &str = "proxy_on_context_create";

impl Event {
    /// Whether this top-level event belongs to the start of an instance: an entry point or
    /// allocator, the VM's start, a plugin's configuration, the creation of a plugin context.
    pub fn is_start_up(&self) -> bool {
        match self.kind {
            EventKind::Entry => true,
            EventKind::Hostcall => false,
            EventKind::Callback => match self.name.as_str() {
                "proxy_on_vm_start" | "proxy_on_configure" => true,
                CONTEXT_CREATE => matches!(
                    self.args.get(1).map(|f| &f.value),
                    Some(Value::Id(IdKind::Context, 0))
                ),
                _ => false,
            },
        }
    }
}

impl Instance {
    /// Whether a stream passed through: a stream context got a callback beyond its creation.
    pub fn saw_stream(&self) -> bool {
        let (_, streams) = self.contexts();
        !streams.is_empty()
            && self.callbacks().iter().any(|e| {
                e.name != CONTEXT_CREATE && e.context().is_some_and(|c| streams.contains(&c))
            })
    }

    /// Whether nothing but start-up happened.
    pub fn only_started(&self) -> bool {
        self.events.iter().all(Event::is_start_up)
    }
}

impl Trace {
    /// Indices of the instances of a VM, in the order in which they began.
    pub fn of_vm(&self, vm: u32) -> Vec<usize> {
        let all = self.instances.iter().enumerate();
        all.filter(|(_, i)| i.vm == vm).map(|(n, _)| n).collect()
    }

    /// Indices of the instances that people read in full: of each VM those that saw a stream, else
    /// the last one to begin that did more than start, else the last one.
    pub fn full(&self) -> Vec<usize> {
        let mut vms: Vec<u32> = self.instances.iter().map(|i| i.vm).collect();
        vms.sort_unstable();
        vms.dedup();
        let mut out = Vec::new();
        for vm in vms {
            let all = self.of_vm(vm);
            let mut picked = all.clone();
            picked.retain(|n| self.instances[*n].saw_stream());
            if picked.is_empty() {
                let busy = all
                    .iter()
                    .rev()
                    .find(|n| !self.instances[**n].only_started());
                picked.extend(busy.or(all.last()));
            }
            out.extend(picked);
        }
        out.sort_unstable();
        out
    }
}

#[cfg(test)]
mod tests;
