//! Records of one instance as a tree of events.
//!
//! Knows each record's layout; its other side is `guest-fixtures/scripted/src/{record,outs}.rs`.
//! Does not know how records travel.

use smol_str::{SmolStr, format_smolstr};

use crate::abi::{Param, Type};
use crate::trace::typed::{pointer_fields, typed_map, typed_result, typed_word};
use crate::trace::{
    Blame, Blob, ENDS, Event, EventKind, Fault, Field, Legend, Repeat, Returned, StepSig, Value,
    WHOLE,
};

/// Maps up to this many bytes leave the guest whole.
pub const WHOLE_MAP: usize = 16 * 1024;

const ENTER: u8 = 1;
const LEAVE: u8 = 2;
const CALLING: u8 = 3;
const RESULT: u8 = 4;
const REPEATED: u8 = 5;
const DROPPED: u8 = 6;
const NO_MEMORY: u8 = 7;
const NO_CONTEXT: u8 = 8;
const ABANDONED: u8 = 9;

/// More words than any call of the text or of a dialect has.
const MOST_WORDS: usize = 32;

// What is said of an output.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
const FIRST_GIVEN: u8 = 4;
const SECOND_GIVEN: u8 = 8;
const VALUE: u8 = 16;

/// A record that cannot be: why.
pub(super) struct Impossible(String);

impl Impossible {
    fn new(why: impl Into<String>) -> Impossible {
        Impossible(why.into())
    }

    pub(super) fn why(&self) -> &str {
        &self.0
    }
}

/// A call that has not come back.
struct Open {
    event: Event,
    of: Of,
}

#[derive(Clone, Copy)]
enum Of {
    Export(usize),
    Step(usize),
}

/// The events of one instance as they grow.
#[derive(Default)]
pub(super) struct Tree {
    events: Vec<Event>,
    open: Vec<Open>,
    /// Which export, its name, how many times it was entered.
    entered: Vec<(usize, SmolStr, u32)>,
}

impl Tree {
    /// How many times an export of this name was entered.
    pub fn entered(&self, name: &str) -> u32 {
        let of = self.entered.iter().filter(|(_, n, _)| n == name);
        of.map(|(_, _, times)| times).sum()
    }

    /// How many times exports were entered, but for this one.
    pub fn entered_but(&self, name: &str) -> u32 {
        let others = self.entered.iter().filter(|(_, n, _)| n != name);
        others.map(|(_, _, times)| times).sum()
    }

    /// All events; what has not come back never did.
    pub fn finish(mut self) -> Vec<Event> {
        self.abandon(0);
        self.events
    }

    /// Adds the records of one frame.
    pub fn add(
        &mut self,
        records: &[u8],
        legend: &Legend,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Impossible> {
        let mut tape = Tape { rest: records };
        while !tape.rest.is_empty() {
            self.record(&mut tape, legend, faults)?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        tape: &mut Tape<'_>,
        legend: &Legend,
        faults: &mut Vec<Fault>,
    ) -> Result<(), Impossible> {
        match tape.byte()? {
            ENTER => self.enter(tape, legend),
            LEAVE => {
                let value = tape.number()?;
                let Some(Of::Export(i)) = self.open.last().map(|o| o.of) else {
                    return Err(Impossible::new("a callback returns that is not running"));
                };
                let returns = &legend.exports[i].returns;
                self.close(typed_result(returns, value, &legend.enums));
                Ok(())
            }
            CALLING => self.calling(tape, legend),
            RESULT => self.result(tape, legend),
            REPEATED => {
                let repeat = Repeat {
                    times: tape.word()?,
                    same: tape.word()?,
                };
                match self.open.last_mut() {
                    Some(open) if matches!(open.of, Of::Step(_)) => {
                        open.event.repeat = Some(repeat);
                        Ok(())
                    }
                    _ => Err(Impossible::new(
                        "a hostcall is summed up that is not running",
                    )),
                }
            }
            DROPPED => {
                let count = tape.number()?;
                faults.push(Fault::new(
                    Blame::Harness,
                    format!("the guest had no room for {count} records"),
                ));
                Ok(())
            }
            NO_MEMORY => {
                let step = tape.number()?;
                faults.push(Fault::new(
                    Blame::Case,
                    format!(
                        "the guest has no memory for the arguments of call {}",
                        step + 1
                    ),
                ));
                Ok(())
            }
            NO_CONTEXT => {
                let number = tape.number()?;
                faults.push(Fault::new(
                    Blame::Case,
                    format!("the program names context {number} before it was created"),
                ));
                Ok(())
            }
            ABANDONED => {
                let depth = tape.word()?;
                self.abandon(depth as usize);
                Ok(())
            }
            kind => Err(Impossible::new(format!(
                "there are no records of kind {kind}"
            ))),
        }
    }

    fn enter(&mut self, tape: &mut Tape<'_>, legend: &Legend) -> Result<(), Impossible> {
        let index = tape.word()? as usize;
        let export = legend
            .exports
            .get(index)
            .ok_or_else(|| Impossible::new(format!("the module has no export {index}")))?;
        let words = tape.words()?;
        let mut words = words.iter();
        let mut args = Vec::with_capacity(export.params.len());
        for param in &export.params {
            fields(param, &mut words, legend, &mut args)?;
        }
        if words.next().is_some() {
            return Err(Impossible::new(format!(
                "{} has too many arguments",
                export.name
            )));
        }
        match self.entered.iter_mut().find(|(i, _, _)| *i == index) {
            Some((_, _, times)) => *times += 1,
            None => self.entered.push((index, export.name.clone(), 1)),
        }
        let kind = match export.callback {
            true => EventKind::Callback,
            false => EventKind::Entry,
        };
        self.begin(kind, &export.name, args, Of::Export(index));
        Ok(())
    }

    fn calling(&mut self, tape: &mut Tape<'_>, legend: &Legend) -> Result<(), Impossible> {
        let index = tape.word()? as usize;
        let step = legend
            .steps
            .get(index)
            .ok_or_else(|| Impossible::new(format!("the program has no call {}", index + 1)))?;
        let words = tape.words()?;
        let mut saved: Vec<(usize, Value)> = Vec::new();
        while let Some(param) = tape.param()? {
            saved.push((param, Value::Bytes(tape.value(WHOLE)?)));
        }
        let mut saved = |i: usize| {
            let at = saved.iter().rposition(|(param, _)| *param == i)?;
            Some(saved.swap_remove(at).1)
        };
        let mut words = words.iter();
        let mut args = Vec::with_capacity(step.params.len());
        for (i, param) in step.params.iter().enumerate() {
            let known = step.fixed.get(i).cloned().flatten().or_else(|| saved(i));
            match known {
                Some(value) => {
                    for _ in param.ty.words() {
                        next(&mut words)?;
                    }
                    args.push(Field {
                        name: param.name.clone(),
                        value,
                        volatile: param.volatile,
                    });
                }
                None if param.ty.is_out() => {
                    let given = step.given.get(i).copied().unwrap_or_default();
                    addresses(param, given, &mut words, &mut args)?;
                }
                None => fields(param, &mut words, legend, &mut args)?,
            }
        }
        self.begin(EventKind::Hostcall, &step.hostcall, args, Of::Step(index));
        Ok(())
    }

    fn result(&mut self, tape: &mut Tape<'_>, legend: &Legend) -> Result<(), Impossible> {
        let value = tape.number()?;
        let Some(open) = self.open.last_mut() else {
            return Err(Impossible::new("a hostcall returns that is not running"));
        };
        let Of::Step(index) = open.of else {
            return Err(Impossible::new(
                "a hostcall returns while a callback is running",
            ));
        };
        let step = &legend.steps[index];
        while let Some(i) = tape.param()? {
            let param = output_param(step, i)?;
            if let Some(value) = output(param, tape, legend)? {
                open.event.outs.reserve_exact(1);
                open.event.outs.push(Field {
                    name: param.name.clone(),
                    value,
                    volatile: param.volatile,
                });
            }
        }
        self.close(typed_result(&step.returns, value, &legend.enums));
        Ok(())
    }

    fn begin(&mut self, kind: EventKind, name: &SmolStr, args: Vec<Field>, of: Of) {
        let step = match of {
            Of::Step(index) => Some(index as u32),
            Of::Export(_) => None,
        };
        self.open.push(Open {
            event: Event {
                kind,
                name: name.clone(),
                step,
                args,
                outs: Vec::new(),
                end: Returned::Never,
                repeat: None,
                inner: Vec::new(),
            },
            of,
        });
    }

    /// The innermost call came back.
    fn close(&mut self, end: Returned) {
        let Some(Open { mut event, .. }) = self.open.pop() else {
            return;
        };
        event.end = end;
        match self.open.last_mut() {
            Some(outer) => outer.event.inner.push(event),
            None => self.events.push(event),
        }
    }

    /// All but the outermost `depth` calls from the host, and what is inside them, never come
    /// back.
    fn abandon(&mut self, depth: usize) {
        let is_export = |o: &&Open| matches!(o.of, Of::Export(_));
        while self.open.iter().filter(is_export).count() > depth {
            self.close(Returned::Never);
        }
    }
}

fn output_param(step: &StepSig, i: usize) -> Result<&Param, Impossible> {
    let param = step.params.get(i).filter(|p| p.ty.is_out());
    param.ok_or_else(|| Impossible::new(format!("{} has no output {i}", step.hostcall)))
}

fn next(words: &mut impl Iterator<Item = u64>) -> Result<u64, Impossible> {
    words
        .next()
        .ok_or_else(|| Impossible::new("a call has too few arguments"))
}

/// The value or values of a parameter that the words show.
fn fields(
    param: &Param,
    words: &mut impl Iterator<Item = u64>,
    legend: &Legend,
    out: &mut Vec<Field>,
) -> Result<(), Impossible> {
    let first = next(words)?;
    if param.ty.words().len() == 2 {
        out.extend(pointer_fields(param, first, next(words)?));
    } else {
        out.push(Field {
            name: param.name.clone(),
            value: typed_word(&param.ty, first, &legend.enums),
            volatile: param.volatile,
        });
    }
    Ok(())
}

/// Of an output, the addresses that the program chose, and the size of a buffer.
fn addresses(
    param: &Param,
    given: [bool; 2],
    words: &mut impl Iterator<Item = u64>,
    out: &mut Vec<Field>,
) -> Result<(), Impossible> {
    for (i, _) in param.ty.words().iter().enumerate() {
        let word = next(words)?;
        if !given[i] {
            continue;
        }
        let (name, value) = match (i, &param.ty) {
            (0, _) => (param.name.clone(), Value::Pointer(word)),
            (_, Type::Fill) => (format_smolstr!("{}_size", param.name), Value::Number(word)),
            _ => (format_smolstr!("{}_size", param.name), Value::Pointer(word)),
        };
        out.push(Field {
            name,
            value,
            volatile: false,
        });
    }
    Ok(())
}

/// What the host wrote to one output; nothing where the program chose all addresses.
fn output(
    param: &Param,
    tape: &mut Tape<'_>,
    legend: &Legend,
) -> Result<Option<Value>, Impossible> {
    let flags = tape.byte()?;
    let value = match param.ty {
        Type::OutBytes | Type::OutPairs => {
            let mut word = |flag| match flags & flag {
                0 => Ok(None),
                _ => tape.number().map(Some),
            };
            let (ptr, len) = (word(FIRST)?, word(SECOND)?);
            let map = param.ty == Type::OutPairs;
            if flags & VALUE != 0 {
                let blob = tape.value(if map { WHOLE_MAP } else { WHOLE })?;
                match blob {
                    Blob::Whole(bytes) if map => typed_map(&bytes),
                    blob => Value::Bytes(blob),
                }
            } else if flags & (FIRST_GIVEN | SECOND_GIVEN) == FIRST_GIVEN | SECOND_GIVEN {
                return Ok(None);
            } else {
                match (ptr, len) {
                    (None, None) => Value::Untouched,
                    (Some(ptr), Some(len)) => Value::Unreadable(format!(
                        "{len} bytes at 0x{ptr:x} are outside the guest's memory"
                    )),
                    (Some(ptr), None) => {
                        Value::Unreadable(format!("address 0x{ptr:x} was written, no size"))
                    }
                    (None, Some(len)) => {
                        Value::Unreadable(format!("size {len} was written, no address"))
                    }
                }
            }
        }
        Type::Fill | Type::OutArray => match flags {
            f if f & VALUE != 0 => Value::Bytes(tape.value(WHOLE)?),
            f if f & (FIRST_GIVEN | SECOND_GIVEN) != 0 => return Ok(None),
            _ => Value::Untouched,
        },
        _ => match flags {
            f if f & FIRST != 0 => typed_word(&param.ty, tape.number()?, &legend.enums),
            f if f & FIRST_GIVEN != 0 => return Ok(None),
            _ => Value::Untouched,
        },
    };
    Ok(Some(value))
}

/// The words of a call.
#[derive(Default)]
struct Words {
    all: [u64; MOST_WORDS],
    count: usize,
}

impl Words {
    fn iter(&self) -> impl Iterator<Item = u64> {
        self.all[..self.count].iter().copied()
    }
}

/// Bytes of records, read from the front.
struct Tape<'a> {
    rest: &'a [u8],
}

impl<'a> Tape<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Impossible> {
        let (taken, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| Impossible::new("a record ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Impossible> {
        Ok(self.take(1)?[0])
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self) -> Result<u64, Impossible> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Impossible::new("a number is too long"))
    }

    fn word(&mut self) -> Result<u32, Impossible> {
        u32::try_from(self.number()?).map_err(|_| Impossible::new("a number is too large"))
    }

    /// A counted list of numbers.
    fn words(&mut self) -> Result<Words, Impossible> {
        let count = self.number()?;
        if count > self.rest.len() as u64 {
            return Err(Impossible::new("a record ends too early"));
        }
        let mut words = Words::default();
        for _ in 0..count {
            let place = words.all.get_mut(words.count);
            let place = place.ok_or_else(|| Impossible::new("a call has too many arguments"))?;
            *place = self.number()?;
            words.count += 1;
        }
        Ok(words)
    }

    /// The place of a parameter of which something is said; `None` after the last.
    fn param(&mut self) -> Result<Option<usize>, Impossible> {
        Ok(usize::from(self.byte()?).checked_sub(1))
    }

    /// Bytes, kept whole up to `whole`, else length, digest and both ends.
    fn value(&mut self, whole: usize) -> Result<Blob, Impossible> {
        let len = self.number()?;
        if len <= whole as u64 {
            return Ok(Blob::Whole(self.take(len as usize)?.to_vec()));
        }
        let digest = self.take(8)?;
        Ok(Blob::Cut {
            len,
            digest: digest
                .iter()
                .rev()
                .fold(0, |sum, b| sum << 8 | u64::from(*b)),
            head: self.take(ENDS)?.to_vec(),
            tail: self.take(ENDS)?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests;
