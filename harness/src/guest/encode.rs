//! A program as the bytes that the scripted guest walks.
//!
//! Knows the layout of handlers, steps and arguments; its other side is
//! `guest-fixtures/scripted/src/{program,outs,values}.rs`. Does not know Wasm sections.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi::{Abi, Hostcall};
use crate::case::{Act, Call, ModuleSpec};
use crate::guest::exports::Exports;
use crate::guest::layout::{Layout, SLOT, push, too_large};
use crate::guest::{GuestError, GuestErrorKind};
use crate::trace::{FRAME_OVERHEAD, StepSig, frame_lead};

/// Rows of a table of call counters: one per context that the guest keeps.
const ROWS: u32 = 512;

/// Words of the guest's header.
pub(super) const HEADER_WORDS: usize = 10;

/// A program in the guest's memory.
pub(super) struct Program {
    /// What stands at the base address.
    pub bytes: Vec<u8>,
    /// The header's words.
    pub header: [u32; HEADER_WORDS],
    /// The hostcalls in frames, by step.
    pub steps: Vec<StepSig>,
    /// The parts of the guest that run it.
    pub parts: BTreeSet<&'static str>,
}

/// The hostcalls that a program uses, in the ABI's order; guests call them by place, from 1.
pub(super) fn hostcalls<'a>(
    spec: &ModuleSpec,
    abi: &'a Abi,
) -> Result<Vec<&'a Hostcall>, GuestError> {
    let mut used = Vec::new();
    for call in calls(spec) {
        let hostcall = abi.hostcall(&call.hostcall).ok_or_else(|| {
            GuestError::new(
                GuestErrorKind::Unknown,
                format!(
                    "call {}: ABI {} has no such hostcall",
                    call.hostcall, abi.id
                ),
            )
        })?;
        if let Some(why) = &hostcall.absent {
            return Err(GuestError::new(
                GuestErrorKind::Absent,
                format!(
                    "call {}: no counterpart in {}: {why}",
                    hostcall.name, abi.id
                ),
            ));
        }
        used.push(hostcall.name.as_str());
    }
    let is_used = |h: &&Hostcall| used.contains(&h.name.as_str());
    Ok(abi.hostcalls.iter().filter(is_used).collect())
}

fn calls(spec: &ModuleSpec) -> impl Iterator<Item = &Call> {
    let steps = spec.handlers.iter().flat_map(|h| &h.steps);
    steps.filter_map(|s| match &s.act {
        Act::Call(call) => Some(call),
        _ => None,
    })
}

/// Lays out the program of `spec` at `base`, with `hostcalls` as [`hostcalls`] gave them.
pub(super) fn program<'a>(
    spec: &ModuleSpec,
    abi: &Abi,
    exports: &Exports<'a>,
    hostcalls: &'a [&'a Hostcall],
    base: u32,
    max_line: u32,
) -> Result<Program, GuestError> {
    let mut layout = Layout {
        base,
        bytes: Vec::new(),
        steps: Vec::new(),
        parts: BTreeSet::new(),
        slots: spec.slots,
        callback: "",
        arguments: 0,
        parameter: 0,
        word: 0,
        hostcalls,
    };
    let mut counters = BTreeMap::new();
    let mut handlers = Vec::new();
    for handler in &spec.handlers {
        let export = exports.index(&handler.callback).ok_or_else(|| {
            let (kind, what) = match abi.callback(&handler.callback) {
                Some(_) => (GuestErrorKind::NotExported, "the module does not export it"),
                None => (GuestErrorKind::Unknown, "the ABI has no such function"),
            };
            GuestError::new(kind, format!("handle {}: {what}", handler.callback))
        })?;
        layout.enter(exports.list[export as usize]);
        if handler.select.end_of_stream.is_some() && !exports.has_end(export) {
            return Err(GuestError::new(
                GuestErrorKind::Argument,
                format!("handle {}: it has no end_of_stream", handler.callback),
            ));
        }
        if handler.select.nth.is_some() {
            let next = counters.len() as u32;
            counters.entry(export).or_insert(next);
            layout.parts.extend(["count", "new_counts"]);
        }
        let mut steps = Vec::new();
        for step in &handler.steps {
            layout.step(step, &mut steps)?;
        }
        let at = layout.put_aligned(&steps)?;
        let ends = handler.select.end_of_stream;
        for word in [
            export,
            handler.plugin,
            handler.select.stream.unwrap_or(0),
            handler.select.nth.unwrap_or(0),
            ends.map_or(0, |e| 1 + u32::from(e)),
            at,
            handler.steps.len() as u32,
        ] {
            push(&mut handlers, word);
        }
    }
    let handlers_at = layout.put_aligned(&handlers)?;
    let table: Vec<u8> = exports
        .table(abi, &counters)
        .into_iter()
        .flatten()
        .flat_map(u32::to_le_bytes)
        .collect();
    let table_at = layout.put_aligned(&table)?;
    let too_large = || too_large("keep what the program saves and counts");
    // The rest of the line comes after the data.
    let lead = frame_lead(&spec.token);
    let line_at = layout.put(lead.as_bytes())?;
    let line_rest = layout.end()?;
    let line_holds = (max_line - FRAME_OVERHEAD - spec.token.len() as u32) / 2;
    let slots_at = (line_at + max_line).next_multiple_of(16);
    let counters_at = spec
        .slots
        .checked_mul(SLOT)
        .and_then(|n| n.checked_add(slots_at))
        .ok_or_else(too_large)?;
    let counter_bytes = counters.len() as u32 * ROWS * 4;
    let heap = counters_at
        .checked_add(counter_bytes)
        .ok_or_else(too_large)?;
    Ok(Program {
        header: [
            table_at,
            handlers_at,
            spec.handlers.len() as u32,
            heap,
            line_at,
            line_rest,
            line_holds,
            slots_at,
            counters_at,
            counters.len() as u32,
        ],
        bytes: layout.bytes,
        steps: layout.steps,
        parts: layout.parts,
    })
}
