//! The program: which handlers a call from the host selects, and what each step does.
//!
//! Knows the layout of handlers and steps. Does not know what a hostcall means: see `outs` for
//! what it hands over and gets back.

use core::arch::wasm32;

use crate::contexts::{self, Context};
use crate::header::{self, ALLOCATOR, Export, Field};
use crate::memory::{self, word};
use crate::outs::Arguments;
use crate::{MUTED, frame, host, record, values};

/// A call from the host that is being answered.
pub struct Call {
    /// Number of the export.
    pub index: u32,
    /// What is known of the export.
    pub export: Export,
    /// Its arguments.
    pub argv: *const u64,
    /// How many.
    pub argc: u32,
    /// The context in which it is called.
    pub context: Context,
}

const CALL: u32 = 0;
const RETURN: u32 = 1;
const TRAP: u32 = 2;
const SPIN: u32 = 3;
const RECURSE: u32 = 4;
const GROW: u32 = 5;

/// Bytes of a handler: export, plugin, stream, nth, end of stream, steps, number of steps.
const HANDLER: u32 = 28;
/// Bytes before what a step's act needs: size, condition's argument and slot, act.
const STEP: u32 = 16;

/// Runs the handlers that this call selects and returns what the host gets.
pub fn run(call: &Call) -> u64 {
    let nth = contexts::count(&call.export, call.context);
    let first = header::get(Field::Handlers);
    for i in 0..header::get(Field::HandlerCount) {
        let at = first + i * HANDLER;
        if selected(at, call, nth) {
            if let Some(value) = steps(word(at + 20), word(at + 24), call) {
                return value;
            }
        }
    }
    if call.export.is(ALLOCATOR) && call.argc > 0 {
        return u64::from(memory::allocate(argument(call, 0) as u32));
    }
    u64::from(call.export.default)
}

fn argument(call: &Call, i: u32) -> u64 {
    if i < call.argc {
        memory::long(call.argv as u32 + 8 * i)
    } else {
        0
    }
}

/// Whether all conditions of the handler at `at` hold.
fn selected(at: u32, call: &Call, nth: u32) -> bool {
    let any_or = |wanted: u32, is: u32| wanted == 0 || wanted == is;
    let ends = match call.export.end_of_stream {
        0 => 0,
        position if argument(call, position - 1) as u32 == 0 => 1,
        _ => 2,
    };
    word(at) == call.index
        && word(at + 4) == call.context.plugin
        && any_or(word(at + 8), call.context.stream)
        && any_or(word(at + 12), nth)
        && any_or(word(at + 16), ends)
}

/// Runs steps; a value ends them.
fn steps(mut at: u32, count: u32, call: &Call) -> Option<u64> {
    for _ in 0..count {
        let (size, when) = (word(at), word(at + 4));
        if when == 0 || argument(call, when - 1) == values::slot(word(at + 8)) {
            let act = at + STEP;
            match word(at + 12) {
                CALL => make(act, call),
                RETURN => return Some(values::operand(act, call)),
                TRAP => {
                    frame::send();
                    wasm32::unreachable()
                }
                SPIN => {
                    frame::send();
                    spin()
                }
                RECURSE => {
                    frame::send();
                    recurse(at);
                }
                GROW => {
                    frame::send();
                    grow(word(act));
                }
                _ => wasm32::unreachable(),
            }
        }
        at += size;
    }
    None
}

fn spin() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Fills the stack.
#[inline(never)]
#[expect(unconditional_recursion)]
fn recurse(n: u32) -> u32 {
    let n = core::hint::black_box(n);
    recurse(n + 1) + core::hint::black_box(n)
}

/// Grows memory once, or for ever.
fn grow(pages: u32) {
    if pages != u32::MAX {
        memory::grow(pages);
        return;
    }
    loop {
        memory::grow(1);
    }
}

/// Makes the hostcall described at `at`: number, step, rounds, parameters, saves.
fn make(at: u32, call: &Call) {
    let (number, step, rounds) = (word(at), word(at + 4), word(at + 8));
    let mut arguments = Arguments::new(at + 20, word(at + 12), word(at + 16));
    if !arguments.resolve(call) {
        record::no_memory(step);
        return;
    }
    arguments.announce(step);
    frame::send();
    let (mut first, mut last, mut same) = (0, 0, 0);
    for round in 0..rounds {
        let outer = MUTED.replace(MUTED.get() || round + 1 < rounds);
        arguments.clear();
        last = host(number, arguments.words());
        MUTED.set(outer);
        if round == 0 {
            first = last;
        }
        if last == first {
            same += 1;
        }
    }
    if rounds > 1 {
        record::repeated(rounds, same);
    }
    arguments.report(last);
}
