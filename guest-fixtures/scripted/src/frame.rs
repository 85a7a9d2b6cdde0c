//! Frames: records as numbered, checksummed log lines of letters and digits.
//!
//! Knows the form of a line. Does not know what the records say, nor how `proxy_log` is called:
//! hostcall 0 is made for this by the specialiser.

use core::num::NonZero;

use crate::header::{self, Field};
use crate::memory::{self, Global};
use crate::{QUIET, STATE, host, record};

static NEXT: Global<u32> = Global::new(0);
static SENDING: Global<bool> = Global::new(false);

/// Forgets that a frame was being sent (after a trap).
pub fn reset() {
    SENDING.set(false);
}

/// Sends the records so far, if there are any and logging is allowed now.
#[inline(never)]
pub fn send() {
    if STATE.get() & QUIET > 0 || SENDING.get() {
        return;
    }
    let (from, len) = record::pending();
    if len == 0 {
        return;
    }
    SENDING.set(true);
    let number = NEXT.replace(NEXT.get() + 1);
    // SAFETY: the specialiser checks that a line holds something.
    let holds = unsafe { NonZero::new_unchecked(header::get(Field::LineHolds)) };
    let parts = (len + (holds.get() - 1)) / holds;
    let line = header::get(Field::Line);
    let (mut at, mut left) = (from, len);
    for part in 0..parts {
        let mut out = header::get(Field::LineRest);
        let place = u64::from(number) << 32 | u64::from(part << 16 | parts);
        out = hex(out, place, 16);
        let mut here = if left < holds.get() {
            left
        } else {
            holds.get()
        };
        left -= here;
        while here > 0 {
            out = hex(out, u64::from(memory::byte(at)), 2);
            at += 1;
            here -= 1;
        }
        out = hex(out, memory::digest(line, out - line), 16);
        let argv = [u64::from(line), u64::from(out - line)];
        host(0, argv.as_ptr());
    }
    record::forget(len);
    SENDING.set(false);
}

/// Writes `digits` digits of a number; where the line goes on.
#[inline(never)]
fn hex(at: u32, value: u64, digits: u32) -> u32 {
    let mut shift = 4 * digits;
    let mut at = at;
    while shift > 0 {
        shift -= 4;
        let nibble = (value >> shift) as u8 & 15;
        let letters = if nibble < 10 { b'0' } else { b'a' - 10 };
        memory::set_byte(at, letters + nibble);
        at += 1;
    }
    at
}
