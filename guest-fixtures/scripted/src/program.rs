//! The program: which handlers a call from the host selects, and what each step does.
//!
//! Knows the layout of handlers and steps. Does not know what a hostcall means: see `outs` for
//! what it hands over and gets back.

use core::arch::wasm32;

use crate::contexts::{self, Context};
use crate::header::{self, ALLOCATOR, Export, Field};
use crate::memory::{self, long, word};
use crate::outs::Arguments;
use crate::{MUTED, STATE, frame, host, record, values};

const CALL: u32 = 0;
const RETURN: u32 = 1;
const SPIN: u32 = 3;
const RECURSE: u32 = 4;
const GROW: u32 = 5;

/// Bytes of a handler: export, plugin, stream, nth, end of stream, steps, number of steps.
const HANDLER: u32 = 28;
/// Bytes before what a step's act needs: size, condition's argument and slot, act.
const STEP: u32 = 16;

/// Runs the handlers that this call of export `index` selects and returns what the host gets.
pub fn run(index: u32, export: &Export, argv: *const u64, argc: u32, context: Context) -> u64 {
    let nth = contexts::count(export, context);
    let ends = match export.end_of_stream {
        0 => 0,
        position => 1 + (argument(argv, position - 1) as u32 != 0) as u32,
    };
    let any_or = |wanted: u32, is: u32| wanted == 0 || wanted == is;
    let mut at = header::get(Field::Handlers);
    for _ in 0..header::get(Field::HandlerCount) {
        let selected = word(at) == index
            && word(at + 4) == context.plugin
            && any_or(word(at + 8), context.stream)
            && any_or(word(at + 12), nth)
            && any_or(word(at + 16), ends);
        if selected {
            let mut step = word(at + 20);
            for _ in 0..word(at + 24) {
                if word(step + 4) == 0 || pwspec_part_when(step, argv) {
                    let act = step + STEP;
                    match word(step + 12) {
                        CALL => pwspec_part_call(act, argv),
                        RETURN => return values::operand(act, argv),
                        kind => pwspec_part_act(kind, act),
                    }
                }
                step += word(step);
            }
        }
        at += HANDLER;
    }
    if export.is(ALLOCATOR) && argc > 0 {
        return u64::from(memory::allocate(argument(argv, 0) as u32));
    }
    u64::from(export.default)
}

/// Argument `i` of a call from the host; the specialiser has counted them.
pub fn argument(argv: *const u64, i: u32) -> u64 {
    long(argv as u32 + 8 * i)
}

/// Whether the condition of the step at `at` holds.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_when(at: u32, argv: *const u64) -> bool {
    argument(argv, word(at + 4) - 1) == values::slot(word(at + 8))
}

/// Steps that are no hostcall and no return: traps, endless loops, recursion, more memory.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_act(kind: u32, at: u32) {
    frame::send();
    match kind {
        SPIN => spin(),
        RECURSE => {
            recurse(at);
        }
        GROW => grow(word(at)),
        _ => wasm32::unreachable(),
    }
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

/// Makes the hostcall described at `at`: number, step, rounds, parameters, saves, flags.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_call(at: u32, argv: *const u64) {
    let (number, step, rounds) = (word(at), word(at + 4), word(at + 8));
    let mut arguments = Arguments::new(at + 24, word(at + 12), word(at + 16), word(at + 20));
    if !arguments.resolve(argv) {
        record::no_memory(step);
        return;
    }
    arguments.announce(step);
    frame::send();
    let value = if rounds == 1 {
        arguments.clear();
        host(number, arguments.words())
    } else {
        pwspec_part_repeat(number, rounds, &mut arguments)
    };
    arguments.report(value);
}

/// Makes a hostcall several times; what the last one returned.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_repeat(number: u32, rounds: u32, arguments: &mut Arguments) -> u64 {
    let (mut first, mut last, mut same) = (0, 0, 0);
    for round in 0..rounds {
        let outer = STATE.get();
        if round + 1 < rounds {
            STATE.set(outer | MUTED);
        }
        arguments.clear();
        last = host(number, arguments.words());
        STATE.set(outer);
        if round == 0 {
            first = last;
        }
        if last == first {
            same += 1;
        }
    }
    record::repeated(rounds, same);
    last
}
