//! A program's bytes as they grow: steps, arguments and the bytes that they point to.
//!
//! Its other side is `guest-fixtures/scripted/src/{program,outs,values}.rs`. Does not know which handler
//! the steps belong to.

use std::collections::BTreeSet;

use crate::abi::{Callback, Hostcall, Type, Word};
use crate::case::{Act, ArgValue, Call, Operand, Step, filled};
use crate::guest::{GuestError, GuestErrorKind};
use crate::trace::{Blob, StepSig, Value, typed_map};

/// The most parameters, and the most words of them, that the guest holds for one hostcall.
const MOST_WORDS: usize = 16;
/// The most bytes of a generated value: 256 MiB.
const LARGEST: u32 = 256 << 20;
/// Bytes of a slot.
pub(super) const SLOT: u32 = 16;
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

pub(super) fn push(bytes: &mut Vec<u8>, word: u32) {
    bytes.extend_from_slice(&word.to_le_bytes());
}

pub(super) fn too_large(what: &str) -> GuestError {
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
pub(super) struct Layout<'a> {
    pub(super) base: u32,
    pub(super) bytes: Vec<u8>,
    pub(super) steps: Vec<StepSig>,
    pub(super) parts: BTreeSet<&'static str>,
    pub(super) slots: u32,
    /// The callback whose steps are being laid out, and how many words its arguments have.
    pub(super) callback: &'a str,
    pub(super) arguments: u32,
    /// Which parameter of a hostcall is being laid out, and which word is its first.
    pub(super) parameter: u32,
    pub(super) word: u32,
    pub(super) hostcalls: &'a [&'a Hostcall],
}

impl<'a> Layout<'a> {
    pub(super) fn enter(&mut self, callback: &'a Callback) {
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
    pub(super) fn end(&self) -> Result<u32, GuestError> {
        u32::try_from(self.bytes.len())
            .ok()
            .and_then(|n| n.checked_add(self.base))
            .filter(|n| *n < 1 << 30)
            .ok_or_else(|| too_large("hold the program"))
    }

    /// Adds bytes; their address.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<u32, GuestError> {
        let at = self.end()?;
        self.bytes.extend_from_slice(bytes);
        Ok(at)
    }

    pub(super) fn put_aligned(&mut self, bytes: &[u8]) -> Result<u32, GuestError> {
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

    pub(super) fn step(&mut self, step: &Step, out: &mut Vec<u8>) -> Result<(), GuestError> {
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
