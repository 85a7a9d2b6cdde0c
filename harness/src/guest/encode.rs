//! A program as the bytes that the scripted guest walks.
//!
//! Knows the layout of handlers, steps and arguments; its other side is
//! `guest-fixtures/scripted/src/{program,outs,values}.rs`. Does not know Wasm sections.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi::{Abi, Callback, Hostcall, Type, Word};
use crate::case::{Act, ArgValue, Call, ModuleSpec, Operand, Step, filled};
use crate::guest::exports::Exports;
use crate::guest::{GuestError, GuestErrorKind};
use crate::trace::{Blob, FRAME_OVERHEAD, StepSig, Value, frame_lead, typed_map};

/// The most parameters, and the most words of them, that the guest holds for one hostcall.
const MOST_WORDS: usize = 16;
/// The most bytes of a generated value: 256 MiB.
const LARGEST: u32 = 256 << 20;
/// Rows of a table of call counters: one per context that the guest keeps.
const ROWS: u32 = 512;
/// Bytes of a slot.
const SLOT: u32 = 16;
// Kinds of output.
const NONE: u32 = 0;
const BYTES: u32 = 1;
const MAP: u32 = 2;
const NUMBER: u32 = 3;
const LONG: u32 = 4;
const AREA: u32 = 5;
const ARRAY: u32 = 6;

// What parameters of a call can have.
const OUTPUTS: u32 = 1;
const AREAS: u32 = 2;
const FROM_SLOTS: u32 = 4;

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

fn push(bytes: &mut Vec<u8>, word: u32) {
    bytes.extend_from_slice(&word.to_le_bytes());
}

fn too_large(what: &str) -> GuestError {
    GuestError::new(
        GuestErrorKind::TooLarge,
        format!("{what}: it does not fit into a guest's memory"),
    )
}

fn wrong(call: &Call, what: impl std::fmt::Display) -> GuestError {
    GuestError::new(
        GuestErrorKind::Argument,
        format!("call {}: {what}", call.hostcall),
    )
}

/// Program bytes as they grow.
struct Layout<'a> {
    base: u32,
    bytes: Vec<u8>,
    steps: Vec<StepSig>,
    parts: BTreeSet<&'static str>,
    slots: u32,
    /// The callback whose steps are being laid out, and how many words its arguments have.
    callback: &'a str,
    arguments: u32,
    /// Which parameter of a hostcall is being laid out, and which word is its first.
    parameter: u32,
    word: u32,
    hostcalls: &'a [&'a Hostcall],
}

impl<'a> Layout<'a> {
    fn enter(&mut self, callback: &'a Callback) {
        let words = callback.params.iter().map(|p| p.ty.words().len());
        self.callback = &callback.name;
        self.arguments = words.sum::<usize>() as u32;
    }

    fn callback_argument(&self, n: u32) -> Result<u32, GuestError> {
        if n < self.arguments {
            return Ok(n);
        }
        Err(GuestError::new(
            GuestErrorKind::Argument,
            format!(
                "use argument {n} of {}: it has {}",
                self.callback, self.arguments
            ),
        ))
    }

    /// The address after the last byte.
    fn end(&self) -> Result<u32, GuestError> {
        u32::try_from(self.bytes.len())
            .ok()
            .and_then(|n| n.checked_add(self.base))
            .filter(|n| *n < 1 << 30)
            .ok_or_else(|| too_large("hold the program"))
    }

    /// Adds bytes; their address.
    fn put(&mut self, bytes: &[u8]) -> Result<u32, GuestError> {
        let at = self.end()?;
        self.bytes.extend_from_slice(bytes);
        Ok(at)
    }

    fn put_aligned(&mut self, bytes: &[u8]) -> Result<u32, GuestError> {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.put(bytes)
    }

    fn slot(&self, slot: u32) -> Result<u32, GuestError> {
        if slot < self.slots {
            return Ok(slot);
        }
        Err(GuestError::new(
            GuestErrorKind::Argument,
            format!("use slot {slot}: the program has {}", self.slots),
        ))
    }

    fn step(&mut self, step: &Step, out: &mut Vec<u8>) -> Result<(), GuestError> {
        let start = out.len();
        push(out, 0);
        let (argument, slot) = match step.when {
            Some((argument, slot)) => {
                self.parts.insert("when");
                (self.callback_argument(argument)? + 1, self.slot(slot)?)
            }
            None => (0, 0),
        };
        push(out, argument);
        push(out, slot);
        if matches!(
            step.act,
            Act::Trap | Act::Spin | Act::Recurse | Act::Grow(_)
        ) {
            self.parts.insert("act");
        }
        match &step.act {
            Act::Call(call) => {
                push(out, 0);
                self.call(call, out)?;
            }
            Act::Return(value) => {
                push(out, 1);
                self.operand(*value, out)?;
            }
            Act::Trap => push(out, 2),
            Act::Spin => push(out, 3),
            Act::Recurse => push(out, 4),
            Act::Grow(pages) => {
                push(out, 5);
                push(out, pages.unwrap_or(u32::MAX));
            }
        }
        let size = (out.len() - start) as u32;
        out[start..start + 4].copy_from_slice(&size.to_le_bytes());
        Ok(())
    }

    fn operand(&mut self, operand: Operand, out: &mut Vec<u8>) -> Result<(), GuestError> {
        if !matches!(operand, Operand::Const(_)) {
            self.parts.insert("operand");
        }
        let (kind, number) = match operand {
            Operand::Const(n) => (0, n),
            Operand::Saved(slot) => (1, u64::from(self.slot(slot)?)),
            Operand::SavedLen(slot) => (2, u64::from(self.slot(slot)?)),
            Operand::CallbackArg(n) => (3, u64::from(self.callback_argument(n)?)),
            Operand::PluginContext(n) => (4, u64::from(n)),
            Operand::StreamContext(n) => (5, u64::from(n)),
        };
        push(out, kind);
        out.extend_from_slice(&number.to_le_bytes());
        Ok(())
    }

    fn call(&mut self, call: &Call, out: &mut Vec<u8>) -> Result<(), GuestError> {
        let place = self.hostcalls.iter().position(|h| h.name == call.hostcall);
        let Some(place) = place else {
            return Err(wrong(call, "it is not among the module's imports"));
        };
        let hostcall = self.hostcalls[place];
        let (want, got) = (hostcall.params.len(), call.args.len());
        if want != got {
            return Err(wrong(
                call,
                format_args!("{want} arguments wanted, {got} given"),
            ));
        }
        let words: usize = hostcall.params.iter().map(|p| p.ty.words().len()).sum();
        if words > MOST_WORDS {
            return Err(wrong(
                call,
                format_args!("more than {MOST_WORDS} words of arguments"),
            ));
        }
        if call.repeat == 0 {
            return Err(wrong(call, "repeat: 0 makes no call"));
        }
        push(out, place as u32 + 1);
        push(out, self.steps.len() as u32);
        push(out, call.repeat);
        push(out, got as u32);
        push(out, call.saves.len() as u32);
        push(out, self.flags(call, hostcall));
        self.parts.insert("call");
        if call.repeat > 1 {
            self.parts.insert("repeat");
        }
        if !call.saves.is_empty() {
            self.parts.insert("save");
        }
        let mut fixed = Vec::with_capacity(got);
        let given = call.args.iter().map(chosen).collect();
        (self.parameter, self.word) = (0, 0);
        for (param, value) in hostcall.params.iter().zip(&call.args) {
            let start = out.len();
            push(out, 0);
            fixed.push(self.argument(call, &param.name, &param.ty, value, out)?);
            self.parameter += 1;
            self.word += param.ty.words().len() as u32;
            let size = (out.len() - start) as u32;
            out[start..start + 4].copy_from_slice(&size.to_le_bytes());
        }
        for (param, slot) in &call.saves {
            match hostcall.params.get(*param as usize) {
                Some(p) if p.ty.is_out() => {}
                _ => return Err(wrong(call, format_args!("parameter {param} is no output"))),
            }
            push(out, *param);
            push(out, self.slot(*slot)?);
        }
        self.steps.push(StepSig {
            hostcall: (&hostcall.name).into(),
            params: hostcall.params.clone(),
            returns: hostcall.returns.clone(),
            fixed,
            given,
        });
        Ok(())
    }

    /// What the guest has to know of all parameters of a call before it walks them.
    fn flags(&mut self, call: &Call, hostcall: &Hostcall) -> u32 {
        let mut flags = 0;
        for (param, value) in hostcall.params.iter().zip(&call.args) {
            let (flag, parts): (u32, &[&str]) = match output_code(&param.ty) {
                NONE => (0, &[]),
                BYTES | MAP => (OUTPUTS, &["outputs", "bytes"]),
                NUMBER | LONG => (OUTPUTS, &["outputs", "number"]),
                _ => (OUTPUTS | AREAS, &["outputs", "area", "clear_areas"]),
            };
            flags |= flag;
            self.parts.extend(parts);
            if let ArgValue::SavedBytes(_) = value {
                flags |= FROM_SLOTS;
                self.parts.insert("from_slots");
            }
        }
        flags
    }

    /// Begins an argument: its kind, which output it is, and its place among parameters and words.
    fn head(&mut self, kind: u32, output: u32, out: &mut Vec<u8>) {
        push(out, kind);
        push(out, output);
        push(out, self.parameter);
        push(out, self.word);
        let parts: &[&str] = match (kind, output) {
            (0 | 1 | 5, _) => &[],
            (7, _) => &["place", "given"],
            (_, NONE) => &["input"],
            _ => &["input", "given"],
        };
        self.parts.extend(parts);
    }

    /// Adds one argument; what its value is, where the program fixes it and words do not show it.
    fn argument(
        &mut self,
        call: &Call,
        name: &str,
        ty: &Type,
        value: &ArgValue,
        out: &mut Vec<u8>,
    ) -> Result<Option<Value>, GuestError> {
        let output = output_code(ty);
        let words = ty.words();
        let is_input_pair = matches!(ty, Type::Bytes | Type::Pairs | Type::Iovec);
        let long = |len: u64| {
            u32::try_from(len)
                .map_err(|_| wrong(call, format_args!("{name}: {len} bytes are too many")))
        };
        match value {
            ArgValue::Word(operand) if !ty.is_out() && words.len() == 1 => {
                self.head(0, output, out);
                push(out, u32::from(words[0] == Word::I64));
                self.operand(*operand, out)?;
                Ok(None)
            }
            ArgValue::Data(bytes) if is_input_pair && *ty != Type::Iovec => {
                self.head(1, output, out);
                // An address behind the program's own bytes would do for an empty value as well.
                push(out, self.put(bytes)?);
                push(out, long(bytes.len() as u64)?);
                Ok(Some(shown(ty, bytes)))
            }
            ArgValue::Iovec(pieces) if *ty == Type::Iovec => {
                let mut table = Vec::new();
                for piece in pieces {
                    push(&mut table, self.put(piece)?);
                    push(&mut table, long(piece.len() as u64)?);
                }
                self.head(1, output, out);
                push(out, self.put_aligned(&table)?);
                push(out, pieces.len() as u32);
                Ok(Some(Value::Bytes(Blob::new(&pieces.concat()))))
            }
            ArgValue::Fill { pattern, len } if is_input_pair && *ty != Type::Iovec => {
                let len = long(*len)?;
                if len > LARGEST {
                    return Err(wrong(
                        call,
                        format_args!("{name}: {len} bytes, a guest makes at most {LARGEST}"),
                    ));
                }
                if pattern.is_empty() && len > 0 {
                    return Err(wrong(call, format_args!("{name}: the pattern is empty")));
                }
                self.head(2, output, out);
                push(out, len);
                push(out, self.put(pattern)?);
                push(out, pattern.len() as u32);
                let bytes = filled(pattern, u64::from(len));
                Ok(Some(shown(ty, &bytes)))
            }
            ArgValue::SavedBytes(slot) if is_input_pair && *ty != Type::Iovec => {
                self.head(3, output, out);
                push(out, self.slot(*slot)?);
                Ok(None)
            }
            ArgValue::Pointer { ptr, len } if is_input_pair || *ty == Type::Fill => {
                self.head(4, output, out);
                self.operand(*ptr, out)?;
                self.operand(*len, out)?;
                Ok(None)
            }
            ArgValue::Out if ty.is_out() && *ty != Type::Fill && *ty != Type::OutArray => {
                self.head(5, output, out);
                push(out, words.len() as u32);
                Ok(None)
            }
            ArgValue::Out if *ty == Type::OutArray => {
                self.head(7, output, out);
                push(out, words.len() as u32);
                for _ in words {
                    push(out, 0);
                    self.operand(Operand::Const(0), out)?;
                }
                Ok(None)
            }
            ArgValue::OutAt(at) if ty.is_out() && *ty != Type::Fill && at.len() == words.len() => {
                self.head(7, output, out);
                push(out, words.len() as u32);
                for address in at {
                    push(out, u32::from(address.is_some()));
                    self.operand(address.unwrap_or(Operand::Const(0)), out)?;
                }
                Ok(None)
            }
            ArgValue::Buffer(len) if *ty == Type::Fill => {
                self.head(6, output, out);
                push(out, long(*len)?);
                Ok(None)
            }
            _ => Err(wrong(
                call,
                format_args!("{name}: {value:?} does not fit a parameter of type {ty:?}"),
            )),
        }
    }
}

/// Which words of an output the program chooses itself.
fn chosen(value: &ArgValue) -> [bool; 2] {
    match value {
        ArgValue::OutAt(at) => {
            let is_some = |i: usize| at.get(i).is_some_and(Option::is_some);
            [is_some(0), is_some(1)]
        }
        ArgValue::Pointer { .. } => [true, true],
        ArgValue::Buffer(_) => [false, true],
        _ => [false, false],
    }
}

fn output_code(ty: &Type) -> u32 {
    match ty {
        Type::OutBytes => BYTES,
        Type::OutPairs => MAP,
        Type::OutU32 | Type::OutEnum(_) | Type::OutId(_) => NUMBER,
        Type::OutU64 => LONG,
        Type::Fill => AREA,
        Type::OutArray => ARRAY,
        _ => NONE,
    }
}

/// A value as traces show it.
fn shown(ty: &Type, bytes: &[u8]) -> Value {
    match ty {
        Type::Pairs => typed_map(bytes),
        _ => Value::Bytes(Blob::new(bytes)),
    }
}
