//! Records: what happened, in a compact form, until a frame takes them along.
//!
//! Knows the buffer and each record's layout. Does not know how frames travel.

use crate::memory::{self, Bytes, Global};

/// Space for the records between two frames.
const ROOM: u32 = 96 * 1024;
/// What is kept free for the record about lost records.
const RESERVE: u32 = 8;

static BUFFER: Bytes<{ ROOM as usize }> = Bytes::new();
static USED: Global<u32> = Global::new(0);
static LOST: Global<u32> = Global::new(0);
/// How much of the reserve may be used.
static OPEN: Global<u32> = Global::new(0);

const ENTER: u8 = 1;
const LEAVE: u8 = 2;
const CALLING: u8 = 3;
const RESULT: u8 = 4;
const REPEATED: u8 = 5;
const DROPPED: u8 = 6;
const NO_MEMORY: u8 = 7;
const NO_CONTEXT: u8 = 8;
const ABANDONED: u8 = 9;

/// Values up to this many bytes are kept whole.
pub const WHOLE: u32 = 256;
/// Maps up to this many bytes are kept whole.
pub const WHOLE_MAP: u32 = 16 * 1024;
/// How many bytes of each end of a longer value are kept.
const ENDS: u32 = 32;

/// Where the record that is being written goes on.
static AT: Global<u32> = Global::new(0);
/// Whether that record did not fit: all of a record is kept, or nothing.
static FULL: Global<bool> = Global::new(false);

#[inline(never)]
fn start(kind: u8, value: u64) {
    AT.set(USED.get());
    FULL.set(false);
    byte(kind);
    number(value);
}

/// Starts the record of a hostcall that is about to be made.
pub fn calling(step: u32) {
    start(CALLING, u64::from(step));
}

/// Starts the record of a hostcall that came back.
pub fn result(value: u64) {
    start(RESULT, value);
}

/// Adds a byte.
#[inline(never)]
pub fn byte(value: u8) {
    let at = AT.get();
    if at >= ROOM - RESERVE + OPEN.get() {
        FULL.set(true);
        return;
    }
    memory::set_byte(BUFFER.address() + at, value);
    AT.set(at + 1);
}

/// Adds a number, seven bits a byte, the lowest first.
#[inline(never)]
pub fn number(mut value: u64) {
    while value >= 0x80 {
        byte(value as u8 | 0x80);
        value >>= 7;
    }
    byte(value as u8);
}

/// Adds bytes as they are.
#[inline(never)]
fn raw(at: u32, len: u32) {
    for i in 0..len {
        byte(memory::byte(at + i));
    }
}

/// Adds a value: its length, then all of it, or its digest and both ends.
#[inline(never)]
pub fn value(at: u32, len: u32, whole: u32) {
    number(u64::from(len));
    if len <= whole {
        raw(at, len);
        return;
    }
    let digest = memory::digest(at, len);
    for i in 0..8 {
        byte((digest >> (8 * i)) as u8);
    }
    raw(at, ENDS);
    raw(at + len - ENDS, ENDS);
}

/// Keeps the record, or counts it as lost when it did not fit.
#[inline(never)]
pub fn keep() {
    if FULL.get() {
        LOST.set(LOST.get() + 1);
    } else {
        USED.set(AT.get());
    }
}

/// The host called an export.
pub fn enter(index: u32, argv: *const u64, argc: u32) {
    start(ENTER, u64::from(index));
    number(u64::from(argc));
    for i in 0..argc {
        number(memory::long(argv as u32 + 8 * i));
    }
    keep();
}

/// The export returns.
pub fn leave(value: u64) {
    one(LEAVE, value);
}

/// A repeat step is over.
pub fn repeated(times: u32, same: u32) {
    start(REPEATED, u64::from(times));
    number(u64::from(same));
    keep();
}

/// A step was left out because the guest has no memory for its arguments.
pub fn no_memory(step: u32) {
    one(NO_MEMORY, u64::from(step));
}

/// A program names a context that was not created.
pub fn no_context(number: u32) {
    one(NO_CONTEXT, u64::from(number));
}

/// All but the outermost `depth` calls from the host ended in a trap.
pub fn abandon(depth: u32) {
    one(ABANDONED, u64::from(depth));
}

#[inline(never)]
fn one(kind: u8, value: u64) {
    start(kind, value);
    keep();
}

/// The records so far: address and length. Records that did not fit are admitted at the end.
pub fn pending() -> (u32, u32) {
    let lost = LOST.replace(0);
    if lost > 0 {
        // The reserve is for this record.
        OPEN.set(RESERVE);
        one(DROPPED, u64::from(lost));
        OPEN.set(0);
    }
    (BUFFER.address(), USED.get())
}

/// Forgets the first `len` bytes of records.
pub fn forget(len: u32) {
    let rest = USED.get() - len;
    memory::copy(BUFFER.address() + len, BUFFER.address(), rest);
    USED.set(rest);
}
