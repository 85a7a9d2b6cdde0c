//! Frames: records as numbered, checksummed log lines of letters and digits.
//!
//! Knows the form of a line. Does not know what the records say, nor how `proxy_log` is called:
//! hostcall 0 is made for this by the specialiser.

use crate::header::{self, Field};
use crate::memory::{self, Bytes, Global};
use crate::{QUIET, host, record};

/// The longest line that a program may ask for.
const LONGEST: usize = 4096;
/// Letters and digits of a line beside token and payload: prefix 4, token length 2, frame 8,
/// part 4, parts 4, checksum 16.
const OVERHEAD: u32 = 38;

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
    let room = (header::get(Field::MaxLine) - OVERHEAD - header::get(Field::TokenLen)) / 2;
    let parts = len.div_ceil(room);
    for part in 0..parts {
        let at = part * room;
        let rest = len - at;
        line(
            (number, part, parts),
            from + at,
            if rest < room { rest } else { room },
        );
    }
    record::forget(len);
    SENDING.set(false);
}

fn line((number, part, parts): (u32, u32, u32), from: u32, len: u32) {
    let token_len = header::get(Field::TokenLen);
    let mut out = Out { at: LINE.address() };
    for c in [b'P', b'W', b'F', b'1'] {
        out.letter(c);
    }
    out.hex(u64::from(token_len), 2);
    for i in 0..token_len {
        out.letter(memory::byte(header::get(Field::Token) + i));
    }
    out.hex(u64::from(number), 8);
    out.hex(u64::from(part), 4);
    out.hex(u64::from(parts), 4);
    for i in 0..len {
        out.hex(u64::from(memory::byte(from + i)), 2);
    }
    let sum = memory::digest(LINE.address(), out.at - LINE.address(), memory::DIGEST);
    out.hex(sum, 16);
    let argv = [
        u64::from(LINE.address()),
        u64::from(out.at - LINE.address()),
    ];
    host(0, argv.as_ptr());
}

struct Out {
    at: u32,
}

impl Out {
    fn letter(&mut self, c: u8) {
        memory::set_byte(self.at, c);
        self.at += 1;
    }

    fn hex(&mut self, value: u64, digits: u32) {
        let mut i = digits;
        while i > 0 {
            i -= 1;
            let nibble = (value >> (4 * i)) as u8 & 15;
            self.letter(if nibble < 10 {
                b'0' + nibble
            } else {
                b'a' + nibble - 10
            });
        }
    }
}
