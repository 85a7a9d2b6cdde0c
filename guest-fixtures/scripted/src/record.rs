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

/// A record being written: all of it is kept, or nothing.
pub struct Record {
    at: u32,
    full: bool,
}

impl Record {
    fn new(kind: u8) -> Record {
        let mut record = Record {
            at: USED.get(),
            full: false,
        };
        record.byte(kind);
        record
    }

    /// A hostcall is about to be made.
    pub fn calling(step: u32) -> Record {
        let mut record = Record::new(CALLING);
        record.number(u64::from(step));
        record
    }

    /// A hostcall came back.
    pub fn result(value: u64) -> Record {
        let mut record = Record::new(RESULT);
        record.number(value);
        record
    }

    /// Adds a byte.
    pub fn byte(&mut self, value: u8) {
        if self.at + RESERVE >= ROOM {
            self.full = true;
            return;
        }
        memory::set_byte(BUFFER.address() + self.at, value);
        self.at += 1;
    }

    /// Adds a number, seven bits a byte, the lowest first.
    pub fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    /// Adds bytes as they are.
    fn raw(&mut self, at: u32, len: u32) {
        if len > ROOM || self.at + len + RESERVE >= ROOM {
            self.full = true;
            return;
        }
        memory::copy(at, BUFFER.address() + self.at, len);
        self.at += len;
    }

    /// Adds a value: its length, then all of it, or its digest and both ends.
    pub fn value(&mut self, at: u32, len: u32, whole: u32) {
        self.number(u64::from(len));
        if len <= whole {
            self.raw(at, len);
            return;
        }
        let digest = memory::digest(at, len, memory::DIGEST);
        for i in 0..8 {
            self.byte((digest >> (8 * i)) as u8);
        }
        self.raw(at, ENDS);
        self.raw(at + len - ENDS, ENDS);
    }

    /// Keeps the record, or counts it as lost when it did not fit.
    pub fn keep(self) {
        if self.full {
            LOST.set(LOST.get() + 1);
        } else {
            USED.set(self.at);
        }
    }
}

/// The host called an export.
pub fn enter(index: u32, argv: *const u64, argc: u32) {
    let mut record = Record::new(ENTER);
    record.number(u64::from(index));
    record.number(u64::from(argc));
    for i in 0..argc {
        record.number(memory::long(argv as u32 + 8 * i));
    }
    record.keep();
}

/// The export returns.
pub fn leave(value: u64) {
    one(LEAVE, value);
}

/// A repeat step is over.
pub fn repeated(times: u32, same: u32) {
    let mut record = Record::new(REPEATED);
    record.number(u64::from(times));
    record.number(u64::from(same));
    record.keep();
}

/// A step was left out because the guest has no memory for its arguments.
pub fn no_memory(step: u32) {
    one(NO_MEMORY, u64::from(step));
}

/// A program names a context that was not created.
pub fn no_context(number: u32) {
    one(NO_CONTEXT, u64::from(number));
}

/// Everything under way ended in a trap.
pub fn abandon() {
    Record::new(ABANDONED).keep();
}

fn one(kind: u8, value: u64) {
    let mut record = Record::new(kind);
    record.number(value);
    record.keep();
}

/// The records so far: address and length. Records that did not fit are admitted at the end.
pub fn pending() -> (u32, u32) {
    let (mut lost, mut used) = (LOST.replace(0), USED.get());
    if lost > 0 {
        memory::set_byte(BUFFER.address() + used, DROPPED);
        used += 1;
        while lost >= 0x80 {
            memory::set_byte(BUFFER.address() + used, lost as u8 | 0x80);
            used += 1;
            lost >>= 7;
        }
        memory::set_byte(BUFFER.address() + used, lost as u8);
        USED.set(used + 1);
    }
    (BUFFER.address(), USED.get())
}

/// Forgets the first `len` bytes of records.
pub fn forget(len: u32) {
    let rest = USED.get() - len;
    memory::copy(BUFFER.address() + len, BUFFER.address(), rest);
    USED.set(rest);
}
