//! Frames: records as numbered, checksummed log lines of letters and digits.
//!
//! Knows the form of a line. Does not know what the records say, nor how `proxy_log` is called:
//! hostcall 0 is made for this by the specialiser.

use crate::header::{self, Field};
use crate::memory::{self, Bytes, Global};
use crate::{QUIET, host, record};

/// The longest line that a program may ask for.
const LONGEST: usize = 4096;
/// Letters and digits of a line beside its lead and payload: frame 8, part 4, parts 4,
/// checksum 16.
const OVERHEAD: u32 = 32;

static LINE: Bytes<LONGEST> = Bytes::new();
static NEXT: Global<u32> = Global::new(0);
static SENDING: Global<bool> = Global::new(false);

/// Forgets that a frame was being sent (after a trap).
pub fn reset() {
    SENDING.set(false);
}

/// Sends the records so far, if there are any and logging is allowed now.
pub fn send() {
    if QUIET.get() > 0 || SENDING.get() {
        return;
    }
    let (from, len) = record::pending();
    if len == 0 {
        return;
    }
    SENDING.set(true);
    let number = NEXT.replace(NEXT.get() + 1);
    let lead = header::get(Field::LeadLen);
    // Never zero, as the specialiser checks; said so that no check is compiled in.
    let room = ((header::get(Field::MaxLine) - OVERHEAD - lead) / 2).max(1);
    let parts = len.div_ceil(room);
    memory::copy(header::get(Field::Lead), LINE.address(), lead);
    for part in 0..parts {
        let mut out = Out {
            at: LINE.address() + lead,
        };
        out.hex(u64::from(number), 8);
        out.hex(u64::from(part << 16 | parts), 8);
        let mut at = part * room;
        let end = len.min(at + room);
        while at < end {
            out.hex(u64::from(memory::byte(from + at)), 2);
            at += 1;
        }
        let sum = memory::digest(LINE.address(), out.at - LINE.address(), memory::DIGEST);
        out.hex(sum, 16);
        let argv = [
            u64::from(LINE.address()),
            u64::from(out.at - LINE.address()),
        ];
        host(0, argv.as_ptr());
    }
    record::forget(len);
    SENDING.set(false);
}

struct Out {
    at: u32,
}

impl Out {
    #[inline(never)]
    fn hex(&mut self, value: u64, digits: u32) {
        let mut i = digits;
        while i > 0 {
            i -= 1;
            let nibble = (value >> (4 * i)) as u8 & 15;
            let letter = if nibble < 10 {
                b'0' + nibble
            } else {
                b'a' + nibble - 10
            };
            memory::set_byte(self.at, letter);
            self.at += 1;
        }
    }
}
