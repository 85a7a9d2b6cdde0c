//! The arguments of one hostcall: how they are made, what of them is recorded, what the host
//! wrote back and what of that is kept.
//!
//! Knows parameters by their shape in memory. Does not know any hostcall.

use core::mem::MaybeUninit;

use crate::memory::{self, SENTINEL, long, word};
use crate::record::{self, WHOLE, WHOLE_MAP};
use crate::values::{self, OPERAND};

/// The most parameters, and the most words of them, that a hostcall can have.
const MOST: usize = 16;

// Kinds of argument.
const WORD: u32 = 0;
const PAIR: u32 = 1;
const FILL: u32 = 2;
const SAVED: u32 = 3;
/// An output of which the guest chooses all addresses among its own words.
const OUT: u32 = 5;
const BUFFER: u32 = 6;
const PLACED: u32 = 7;

/// Bytes of a parameter before what its kind needs: size, kind, output, index, place of its first word
/// among the words.
const START: u32 = 20;

// Outputs.
const NONE: u32 = 0;
const BYTES: u32 = 1;
const MAP: u32 = 2;
const NUMBER: u32 = 3;
const LONG: u32 = 4;
const AREA: u32 = 5;
const ARRAY: u32 = 6;

// Flags of a call: what its parameters have.
const OUTPUTS: u32 = 1;
const AREAS: u32 = 2;
const FROM_SLOTS: u32 = 4;

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
    params: Param,
    count: u32,
    saves: u32,
    flags: u32,
    /// The words, as far as they are used.
    words: MaybeUninit<[u64; MOST]>,
    used: u32,
    /// The guest's own words for outputs, 8 bytes a parameter; filled before each call.
    cells: MaybeUninit<[u64; MOST]>,
}

/// The address of a parameter.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Param(u32);

impl Param {
    fn kind(self) -> u32 {
        word(self.0 + 4)
    }

    fn out(self) -> u32 {
        word(self.0 + 8)
    }

    fn index(self) -> u32 {
        word(self.0 + 12)
    }

    fn flat(self) -> u32 {
        word(self.0 + 16)
    }

    fn next(self) -> Param {
        Param(self.0 + word(self.0))
    }

    /// Which words of an output are at addresses of the program's choice.
    fn given(self) -> u8 {
        if self.kind() == OUT {
            0
        } else {
            pwspec_part_given(self)
        }
    }
}

impl Arguments {
    /// The arguments of the `count` parameters at `params`, which `saves` saves follow.
    pub fn new(params: u32, count: u32, saves: u32, flags: u32) -> Arguments {
        Arguments {
            params: Param(params),
            count,
            saves,
            flags,
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

    fn cell(&self, param: Param) -> u32 {
        self.cells.as_ptr() as u32 + 8 * param.index()
    }

    /// Computes all words; false when there is no memory for them.
    pub fn resolve(&mut self, argv: *const u64) -> bool {
        let mut param = self.params;
        for _ in 0..self.count {
            let at = param.0 + START;
            match param.kind() {
                WORD => {
                    let value = values::operand(at + 4, argv);
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
                OUT => {
                    let cell = self.cell(param);
                    self.push(u64::from(cell));
                    if word(at) > 1 {
                        self.push(u64::from(cell + 4));
                    }
                }
                PLACED => {
                    if !pwspec_part_place(self, param, argv) {
                        return false;
                    }
                }
                _ => {
                    if !pwspec_part_input(self, param, argv) {
                        return false;
                    }
                }
            }
            param = param.next();
        }
        true
    }

    /// Records that the hostcall is about to be made, with all words and the bytes from slots.
    pub fn announce(&self, step: u32) {
        record::calling(step);
        record::number(u64::from(self.used));
        for i in 0..self.used {
            record::number(long(self.words.as_ptr() as u32 + 8 * i));
        }
        if self.flags & FROM_SLOTS > 0 {
            pwspec_part_from_slots(self);
        }
        record::byte(0);
        record::keep();
    }

    /// Fills all outputs of the guest's own with the sentinel.
    pub fn clear(&mut self) {
        if self.flags & OUTPUTS > 0 {
            memory::fill_sentinel(self.cells.as_mut_ptr() as u32, 8 * MOST as u32);
        }
        if self.flags & AREAS > 0 {
            pwspec_part_clear_areas(self);
        }
    }

    /// Records what came back and keeps what the program wants kept.
    pub fn report(&self, value: u64) {
        record::result(value);
        if self.flags & OUTPUTS > 0 {
            pwspec_part_outputs(self);
        }
        record::byte(0);
        record::keep();
    }
}

/// An input that is no constant: made, kept, or an address.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_input(all: &mut Arguments, param: Param, argv: *const u64) -> bool {
    let at = param.0 + START;
    match param.kind() {
        FILL | BUFFER => {
            let len = word(at);
            let area = memory::allocate(len);
            if area == 0 {
                return false;
            }
            if param.kind() == FILL {
                // Never zero for a value that has bytes; said so that no check is compiled in.
                let (pattern, period) = (word(at + 4), word(at + 8).max(1));
                for i in 0..len {
                    memory::set_byte(area + i, memory::byte(pattern + i % period));
                }
            }
            all.push(u64::from(area));
            all.push(u64::from(len));
        }
        SAVED => {
            let slot = word(at);
            all.push(values::slot(slot) & 0xffff_ffff);
            all.push(u64::from(values::slot_len(slot)));
        }
        _ => {
            all.push(values::operand(at, argv) & 0xffff_ffff);
            all.push(values::operand(at + OPERAND, argv) & 0xffff_ffff);
        }
    }
    true
}

/// Chooses the addresses of an output's words: the program's, else the guest's own.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_place(all: &mut Arguments, param: Param, argv: *const u64) -> bool {
    let at = param.0 + START;
    for i in 0..word(at) {
        let given = at + 4 + i * (4 + OPERAND);
        let address = if word(given) != 0 {
            values::operand(given + 4, argv) as u32
        } else if param.out() == ARRAY {
            let area = memory::allocate(if i == 0 { ARRAY_POINTERS } else { ARRAY_BYTES });
            if area == 0 {
                return false;
            }
            area
        } else {
            all.cell(param) + 4 * i
        };
        all.push(u64::from(address));
    }
    true
}

/// What [`Arguments::given`] is of an output that is not simply the guest's own.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_given(param: Param) -> u8 {
    let at = param.0 + START;
    let mut flags = 0;
    match param.kind() {
        PLACED => {
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

/// Records the bytes that come from slots.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_from_slots(all: &Arguments) {
    let mut param = all.params;
    for _ in 0..all.count {
        if param.kind() == SAVED {
            let (at, len) = (all.word(param.flat()), all.word(param.flat() + 1));
            if memory::readable(at, len) {
                record::byte(param.index() as u8 + 1);
                record::value(at, len, WHOLE);
            }
        }
        param = param.next();
    }
}

/// Fills areas and arrays of the guest's own with the sentinel.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_clear_areas(all: &Arguments) {
    let mut param = all.params;
    for _ in 0..all.count {
        let (out, flat) = (param.out(), param.flat());
        if out == AREA && param.given() == 0 {
            memory::fill_sentinel(all.word(flat), all.word(flat + 1));
        }
        if out == ARRAY {
            let given = param.given();
            if given & FIRST_GIVEN == 0 {
                memory::fill_sentinel(all.word(flat), ARRAY_POINTERS);
            }
            if given & SECOND_GIVEN == 0 {
                memory::fill_sentinel(all.word(flat + 1), ARRAY_BYTES);
            }
        }
        param = param.next();
    }
}

/// Records all outputs.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_outputs(all: &Arguments) {
    let mut param = all.params;
    for _ in 0..all.count {
        let out = param.out();
        if out != NONE {
            record::byte(param.index() as u8 + 1);
            let given = param.given();
            match out {
                BYTES | MAP => pwspec_part_bytes(all, param, given),
                NUMBER | LONG => pwspec_part_number(all, param, given),
                _ => pwspec_part_area(all, param, given),
            }
        }
        param = param.next();
    }
}

/// Records an output of bytes or of a map.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_bytes(all: &Arguments, param: Param, given: u8) {
    let cell = all.cell(param);
    let (first, second) = (word(cell), word(cell + 4));
    let mut flags = given;
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
        let whole = if param.out() == MAP { WHOLE_MAP } else { WHOLE };
        record::value(first, second, whole);
    }
    if both {
        all.save(param, u64::from(first), second);
    }
}

/// Records an output of a number.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_number(all: &Arguments, param: Param, given: u8) {
    let cell = all.cell(param);
    let (value, untouched) = if param.out() == LONG {
        (long(cell), UNTOUCHED_LONG)
    } else {
        (u64::from(word(cell)), u64::from(UNTOUCHED))
    };
    let touched = given == 0 && value != untouched;
    record::byte(if touched { FIRST } else { given });
    if touched {
        record::number(value);
        all.save(param, value, 0);
    }
}

/// Records an output that is an area of bytes or an array.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_area(all: &Arguments, param: Param, given: u8) {
    let mut flags = given;
    let array = (param.out() == ARRAY) as u32;
    let at = all.word(param.flat() + array);
    let mut len = 0;
    if given == 0 {
        let size = if array == 1 {
            ARRAY_BYTES
        } else {
            all.word(param.flat() + 1)
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
        all.save(param, u64::from(at), len);
    }
}

impl Arguments {
    /// Keeps an output, if the program wants it kept.
    fn save(&self, param: Param, value: u64, len: u32) {
        if self.saves > 0 {
            pwspec_part_save(self, param, value, len);
        }
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_save(all: &Arguments, param: Param, value: u64, len: u32) {
    let mut end = all.params;
    for _ in 0..all.count {
        end = end.next();
    }
    let end = end.0;
    for i in 0..all.saves {
        if word(end + 8 * i) == param.index() {
            values::save(word(end + 8 * i + 4), value, len);
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
