//! The arguments of one hostcall: how they are made, what of them is recorded, what the host
//! wrote back and what of that is kept.
//!
//! Knows parameters by their shape in memory. Does not know any hostcall.

use core::mem::MaybeUninit;

use crate::memory::{self, SENTINEL, long, word};
use crate::program::Call;
use crate::record::{self, WHOLE, WHOLE_MAP};
use crate::values::{self, OPERAND};

/// The most parameters, and the most words of them, that a hostcall can have.
const MOST: usize = 16;

// Kinds of argument; each parameter starts with its size in bytes, its kind and its output.
const WORD: u32 = 0;
const PAIR: u32 = 1;
const FILL: u32 = 2;
const SAVED: u32 = 3;
const POINTER: u32 = 4;
const OUT: u32 = 5;
const BUFFER: u32 = 6;
const START: u32 = 12;

// Outputs.
const NONE: u32 = 0;
const BYTES: u32 = 1;
const MAP: u32 = 2;
const NUMBER: u32 = 3;
const LONG: u32 = 4;
const AREA: u32 = 5;
const ARRAY: u32 = 6;

// What is said of an output.
const FIRST: u8 = 1;
const SECOND: u8 = 2;
const FIRST_GIVEN: u8 = 4;
const SECOND_GIVEN: u8 = 8;
const VALUE: u8 = 16;

/// Room for the pointers of an array output, and for its bytes.
const ARRAY_POINTERS: u32 = 256;
const ARRAY_BYTES: u32 = 4096;

const UNTOUCHED: u32 = u32::from_ne_bytes([SENTINEL; 4]);
const UNTOUCHED_LONG: u64 = u64::from_ne_bytes([SENTINEL; 8]);

/// The arguments of one hostcall step.
pub struct Arguments {
    params: u32,
    count: u32,
    saves: u32,
    /// The words, as far as they are used.
    words: MaybeUninit<[u64; MOST]>,
    used: u32,
    /// The guest's own words for outputs, 8 bytes a parameter; filled before each call.
    cells: MaybeUninit<[u64; MOST]>,
}

/// A parameter while its list is walked.
struct Param {
    at: u32,
    next: u32,
    index: u32,
    /// Its first word among the words, and how many it has.
    flat: u32,
    width: u32,
    kind: u32,
    out: u32,
}

impl Arguments {
    /// The arguments of the `count` parameters at `params`, which `saves` saves follow.
    pub fn new(params: u32, count: u32, saves: u32) -> Arguments {
        Arguments {
            params,
            count,
            saves,
            words: MaybeUninit::uninit(),
            used: 0,
            cells: MaybeUninit::uninit(),
        }
    }

    /// The words that the dispatcher unpacks.
    pub fn words(&self) -> *const u64 {
        self.words.as_ptr().cast()
    }

    fn word(&self, i: u32) -> u32 {
        long(self.words.as_ptr() as u32 + 8 * i) as u32
    }

    #[inline(never)]
    fn push(&mut self, value: u64) {
        memory::set_long(self.words.as_mut_ptr() as u32 + 8 * self.used, value);
        self.used += 1;
    }

    fn cell(&self, param: &Param) -> u32 {
        self.cells.as_ptr() as u32 + 8 * param.index
    }

    /// A walk that stands before the first parameter.
    fn walk(&self) -> Param {
        Param {
            next: self.params,
            at: 0,
            index: u32::MAX,
            flat: 0,
            width: 0,
            kind: 0,
            out: 0,
        }
    }

    /// Goes on to the next parameter; false after the last.
    #[inline(never)]
    fn on(&self, param: &mut Param) -> bool {
        param.at = param.next;
        param.index = param.index.wrapping_add(1);
        param.flat += param.width;
        if param.index >= self.count {
            return false;
        }
        param.next = param.at + word(param.at);
        param.kind = word(param.at + 4);
        param.out = word(param.at + 8);
        param.width = match param.kind {
            WORD => 1,
            OUT => word(param.at + START),
            _ => 2,
        };
        true
    }

    /// Computes all words; false when there is no memory for them.
    #[inline(never)]
    pub fn resolve(&mut self, call: &Call) -> bool {
        let mut param = self.walk();
        while self.on(&mut param) {
            let at = param.at + START;
            match param.kind {
                WORD => {
                    let value = values::operand(at + 4, call);
                    self.push(if word(at) == 0 {
                        value & 0xffff_ffff
                    } else {
                        value
                    });
                }
                PAIR => {
                    self.push(u64::from(word(at)));
                    self.push(u64::from(word(at + 4)));
                }
                FILL | BUFFER => {
                    let len = word(at);
                    let area = memory::allocate(len);
                    if area == 0 {
                        return false;
                    }
                    if param.kind == FILL {
                        // Never zero for a value that has bytes; said so that no check is compiled in.
                        let (pattern, period) = (word(at + 4), word(at + 8).max(1));
                        for i in 0..len {
                            memory::set_byte(area + i, memory::byte(pattern + i % period));
                        }
                    }
                    self.push(u64::from(area));
                    self.push(u64::from(len));
                }
                SAVED => {
                    let slot = word(at);
                    self.push(values::slot(slot) & 0xffff_ffff);
                    self.push(u64::from(values::slot_len(slot)));
                }
                POINTER => {
                    let (ptr, len) = (
                        values::operand(at, call),
                        values::operand(at + OPERAND, call),
                    );
                    self.push(ptr & 0xffff_ffff);
                    self.push(len & 0xffff_ffff);
                }
                _ => {
                    if !self.place(&param, call) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Chooses the addresses of an output's words: the program's, else the guest's own.
    #[inline(never)]
    fn place(&mut self, param: &Param, call: &Call) -> bool {
        let at = param.at + START;
        for i in 0..word(at) {
            let given = at + 4 + i * (4 + OPERAND);
            let address = if word(given) != 0 {
                values::operand(given + 4, call) as u32
            } else if param.out == ARRAY {
                let area = memory::allocate(if i == 0 { ARRAY_POINTERS } else { ARRAY_BYTES });
                if area == 0 {
                    return false;
                }
                area
            } else {
                self.cell(param) + 4 * i
            };
            self.push(u64::from(address));
        }
        true
    }

    /// Which words of an output are at addresses of the program's choice.
    fn given(&self, param: &Param) -> u8 {
        let at = param.at + START;
        let mut flags = 0;
        match param.kind {
            OUT => {
                for i in 0..word(at) {
                    if word(at + 4 + i * (4 + OPERAND)) != 0 {
                        flags |= FIRST_GIVEN << i;
                    }
                }
            }
            BUFFER => {}
            _ => flags = FIRST_GIVEN | SECOND_GIVEN,
        }
        flags
    }

    /// Records that the hostcall is about to be made, with all words and the bytes from slots.
    #[inline(never)]
    pub fn announce(&self, step: u32) {
        record::calling(step);
        record::number(u64::from(self.used));
        for i in 0..self.used {
            record::number(long(self.words.as_ptr() as u32 + 8 * i));
        }
        let mut param = self.walk();
        while self.on(&mut param) {
            if param.kind == SAVED {
                let (at, len) = (self.word(param.flat), self.word(param.flat + 1));
                if memory::readable(at, len) {
                    record::byte(param.index as u8 + 1);
                    record::value(at, len, WHOLE);
                }
            }
        }
        record::byte(0);
        record::keep();
    }

    /// Fills all outputs of the guest's own with the sentinel.
    #[inline(never)]
    pub fn clear(&mut self) {
        memory::fill_sentinel(self.cells.as_mut_ptr() as u32, 8 * MOST as u32);
        let mut param = self.walk();
        while self.on(&mut param) {
            let given = self.given(&param);
            if param.out == AREA && given == 0 {
                memory::fill_sentinel(self.word(param.flat), self.word(param.flat + 1));
            }
            if param.out == ARRAY {
                if given & FIRST_GIVEN == 0 {
                    memory::fill_sentinel(self.word(param.flat), ARRAY_POINTERS);
                }
                if given & SECOND_GIVEN == 0 {
                    memory::fill_sentinel(self.word(param.flat + 1), ARRAY_BYTES);
                }
            }
        }
    }

    /// Records what came back and keeps what the program wants kept.
    #[inline(never)]
    pub fn report(&self, value: u64) {
        record::result(value);
        let mut param = self.walk();
        while self.on(&mut param) {
            if param.out != NONE {
                record::byte(param.index as u8 + 1);
                let (value, len) = self.output(&param);
                self.save(&param, value, len);
            }
        }
        record::byte(0);
        record::keep();
    }

    /// Records one output; returns what a slot keeps of it.
    #[inline(never)]
    fn output(&self, param: &Param) -> (Option<u64>, u32) {
        let given = self.given(param);
        let cell = self.cell(param);
        let (first, second) = (word(cell), word(cell + 4));
        let mut flags = given;
        match param.out {
            BYTES | MAP => {
                if given & FIRST_GIVEN == 0 && first != UNTOUCHED {
                    flags |= FIRST;
                }
                if given & SECOND_GIVEN == 0 && second != UNTOUCHED {
                    flags |= SECOND;
                }
                let both = flags == FIRST | SECOND;
                if both && memory::readable(first, second) {
                    flags |= VALUE;
                }
                record::byte(flags);
                if flags & FIRST != 0 {
                    record::number(u64::from(first));
                }
                if flags & SECOND != 0 {
                    record::number(u64::from(second));
                }
                if flags & VALUE != 0 {
                    let whole = if param.out == MAP { WHOLE_MAP } else { WHOLE };
                    record::value(first, second, whole);
                }
                (both.then_some(u64::from(first)), second)
            }
            NUMBER | LONG => {
                let is_long = param.out == LONG;
                let value = if is_long {
                    long(cell)
                } else {
                    u64::from(first)
                };
                let untouched = if is_long {
                    UNTOUCHED_LONG
                } else {
                    u64::from(UNTOUCHED)
                };
                if given == 0 && value != untouched {
                    flags |= FIRST;
                }
                record::byte(flags);
                if flags & FIRST != 0 {
                    record::number(value);
                }
                ((flags & FIRST != 0).then_some(value), 0)
            }
            _ => {
                let array = (param.out == ARRAY) as u32;
                let at = self.word(param.flat + array);
                let mut len = 0;
                if given == 0 {
                    let size = if array == 1 {
                        ARRAY_BYTES
                    } else {
                        self.word(param.flat + 1)
                    };
                    len = touched(at, size);
                    if len > 0 || size == 0 {
                        flags |= FIRST | VALUE;
                    }
                    if array == 0 {
                        len = size;
                    }
                }
                record::byte(flags);
                if flags & VALUE != 0 {
                    record::value(at, len, WHOLE);
                }
                ((flags & VALUE != 0).then_some(u64::from(at)), len)
            }
        }
    }

    #[inline(never)]
    fn save(&self, param: &Param, value: Option<u64>, len: u32) {
        let Some(value) = value else { return };
        let mut end = self.params;
        for _ in 0..self.count {
            end += word(end);
        }
        for i in 0..self.saves {
            if word(end + 8 * i) == param.index {
                values::save(word(end + 8 * i + 4), value, len);
            }
        }
    }
}

/// How many bytes of an area there are up to the last one that is not the sentinel.
fn touched(at: u32, mut len: u32) -> u32 {
    while len > 0 && memory::byte(at + len - 1) == SENTINEL {
        len -= 1;
    }
    len
}
