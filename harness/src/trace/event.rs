//! Instances, events and typed values: the decoded trace.
//!
//! A trace is a tree: a callback holds the hostcalls made in it, a hostcall holds what the host
//! called back meanwhile (allocations, nested callbacks).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::abi::IdKind;
use crate::trace::Blob;

/// All instances (VMs) of a case that spoke, in the order in which they began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// One per VM that sent frames.
    pub instances: Vec<Instance>,
}

/// What one VM did, from its first frame on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// Which VM of the case this is (index into the case's VMs).
    pub vm: u32,
    /// How the driver told its lines apart (a thread, an adapter's instance number).
    pub label: String,
    /// Top-level events: callbacks and entry points, in order.
    pub events: Vec<Event>,
}

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The host called a `proxy_on_*` export.
    #[serde(rename = "cb")]
    Callback,
    /// The host called an entry point or allocator.
    #[serde(rename = "in")]
    Entry,
    /// The guest made a hostcall.
    #[serde(rename = "call")]
    Hostcall,
}

/// One callback, entry point, allocation or hostcall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What kind of thing.
    #[serde(rename = "k")]
    pub kind: EventKind,
    /// The text's name of the function.
    #[serde(rename = "n")]
    pub name: SmolStr,
    /// Hostcalls of the program: index of the step in the program ([`crate::trace::Legend::steps`]).
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What was passed in, in order; outputs are left out.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Field>,
    /// Hostcalls: what the host wrote back.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub outs: Vec<Field>,
    /// How it ended.
    #[serde(rename = "r")]
    pub end: Returned,
    /// A `repeat` step: all of its calls in one event.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// What happened inside.
    #[serde(rename = "i", default, skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<Event>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Returned {
    /// It never came back (trap, time-out, or the instance fell silent).
    Never,
    /// It has no result.
    Nothing,
    /// Its result.
    #[serde(rename = "v")]
    Value(Value),
}

/// Summary of a `repeat` step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How many calls were made.
    pub times: u32,
    /// How many of them returned what the first one returned.
    pub same: u32,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The parameter's name.
    #[serde(rename = "n")]
    pub name: SmolStr,
    /// Its value.
    #[serde(rename = "v")]
    pub value: Value,
    /// Differs from run to run by nature.
    #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
    pub volatile: bool,
}

/// A typed value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Value {
    /// A number.
    #[serde(rename = "n")]
    Number(u64),
    /// A signed number.
    #[serde(rename = "s")]
    Signed(i64),
    /// `true`, `false`; another number in a bool position is kept as [`Value::Number`].
    #[serde(rename = "b")]
    Bool(bool),
    /// A member of an enum: its name if the ABI has one for the number.
    #[serde(rename = "e")]
    Enum(Option<SmolStr>, u64),
    /// An opaque id.
    #[serde(rename = "id")]
    Id(IdKind, u64),
    /// A guest address.
    #[serde(rename = "p")]
    Pointer(u64),
    /// Bytes.
    #[serde(rename = "y")]
    Bytes(Blob),
    /// A map.
    #[serde(rename = "m")]
    Pairs(Vec<(Blob, Blob)>),
    /// An output that still holds the sentinel: the host did not write it.
    #[serde(rename = "u")]
    Untouched,
    /// An output that the host wrote, but that cannot be read: the reason.
    #[serde(rename = "bad")]
    Unreadable(String),
}

impl Event {
    /// The named output of a hostcall.
    pub fn out(&self, name: &str) -> Option<&Value> {
        self.outs.iter().find(|f| f.name == name).map(|f| &f.value)
    }

    /// The named argument.
    pub fn arg(&self, name: &str) -> Option<&Value> {
        self.args.iter().find(|f| f.name == name).map(|f| &f.value)
    }

    /// The context of a callback: its first argument, when that is a context id.
    pub fn context(&self) -> Option<u64> {
        match (self.kind, self.args.first().map(|f| &f.value)) {
            (EventKind::Callback, Some(Value::Id(IdKind::Context, n))) => Some(*n),
            _ => None,
        }
    }

    /// This event and all inside it, depth first, in order of beginning.
    pub fn walk(&self) -> Vec<&Event> {
        let mut out = vec![self];
        for e in &self.inner {
            out.extend(e.walk());
        }
        out
    }
}

impl Instance {
    /// All events, depth first, in order of beginning.
    pub fn walk(&self) -> Vec<&Event> {
        self.events.iter().flat_map(Event::walk).collect()
    }

    /// All `proxy_on_*` callbacks, nested ones too, in order of beginning.
    pub fn callbacks(&self) -> Vec<&Event> {
        self.walk()
            .into_iter()
            .filter(|e| e.kind == EventKind::Callback)
            .collect()
    }

    /// Context ids created in this instance as `(plugin contexts, stream contexts)`, in order.
    pub fn contexts(&self) -> (Vec<u64>, Vec<u64>) {
        let (mut plugins, mut streams) = (Vec::new(), Vec::new());
        for e in self.callbacks() {
            if e.name != "proxy_on_context_create" {
                continue;
            }
            let id = |i: usize| match e.args.get(i).map(|f| &f.value) {
                Some(Value::Id(IdKind::Context, n)) => Some(*n),
                _ => None,
            };
            if let (Some(ctx), Some(parent)) = (id(0), id(1)) {
                if parent == 0 {
                    plugins.push(ctx)
                } else {
                    streams.push(ctx)
                }
            }
        }
        (plugins, streams)
    }
}

#[cfg(test)]
mod tests;
