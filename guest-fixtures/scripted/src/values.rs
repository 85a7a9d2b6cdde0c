//! Values: what a program's operands stand for, and the slots that keep outputs.
//!
//! Does not know steps.

use crate::header::{self, Field};
use crate::memory::{self, long, word};
use crate::program::argument;
use crate::{contexts, record};

const CONST: u32 = 0;
const SAVED: u32 = 1;
const SAVED_LEN: u32 = 2;
const ARGUMENT: u32 = 3;
const PLUGIN: u32 = 4;
const STREAM: u32 = 5;

/// Bytes of an operand: kind and a 64-bit number.
pub const OPERAND: u32 = 12;

/// Address of a slot: a number (or address) of 8 bytes, then a length of 4 bytes.
fn slot_at(slot: u32) -> u32 {
    header::get(Field::Slots) + slot * 16
}

/// The number or address kept in a slot.
pub fn slot(slot: u32) -> u64 {
    memory::long(slot_at(slot))
}

/// The length kept in a slot.
pub fn slot_len(slot: u32) -> u32 {
    memory::word(slot_at(slot) + 8)
}

/// Keeps a number (or address) and a length.
pub fn save(slot: u32, value: u64, len: u32) {
    memory::set_long(slot_at(slot), value);
    memory::set_word(slot_at(slot) + 8, len);
}

/// The value of the operand at `at`.
#[inline(always)]
pub fn operand(at: u32, argv: *const u64) -> u64 {
    if word(at) == CONST {
        long(at + 4)
    } else {
        pwspec_part_operand(at, argv)
    }
}

/// The value of an operand that is no constant.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_operand(at: u32, argv: *const u64) -> u64 {
    let n = word(at + 4);
    match word(at) {
        SAVED => slot(n),
        SAVED_LEN => u64::from(slot_len(n)),
        ARGUMENT => argument(argv, n),
        PLUGIN => known(contexts::plugin(n), n),
        STREAM => known(contexts::stream(n), n),
        _ => 0,
    }
}

fn known(id: Option<u32>, n: u32) -> u64 {
    match id {
        Some(id) => u64::from(id),
        None => {
            record::no_context(n);
            0
        }
    }
}
