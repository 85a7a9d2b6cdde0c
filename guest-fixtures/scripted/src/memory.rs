//! Memory: single-threaded globals, raw reads and writes, the bump allocator, the digest.
//!
//! Does not know programs or records.

use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::Cell;

use crate::header::{self, Field};

/// What outputs and buffers are filled with before the host gets them.
pub const SENTINEL: u8 = 0xa5;

/// A global of a guest that has one thread.
pub struct Global<T>(Cell<T>);

// SAFETY: a guest has one thread.
unsafe impl<T> Sync for Global<T> {}

impl<T: Copy> Global<T> {
    pub const fn new(value: T) -> Self {
        Global(Cell::new(value))
    }

    pub fn get(&self) -> T {
        self.0.get()
    }

    pub fn set(&self, value: T) {
        self.0.set(value);
    }

    pub fn replace(&self, value: T) -> T {
        self.0.replace(value)
    }
}

/// The address of a buffer's first byte.
pub struct Bytes<const N: usize>(core::cell::UnsafeCell<[u8; N]>);

// SAFETY: a guest has one thread.
unsafe impl<const N: usize> Sync for Bytes<N> {}

impl<const N: usize> Bytes<N> {
    pub const fn new() -> Self {
        Bytes(core::cell::UnsafeCell::new([0; N]))
    }

    pub fn address(&self) -> u32 {
        self.0.get() as u32
    }
}

/// The 32-bit word at `at`.
pub fn word(at: u32) -> u32 {
    // SAFETY: callers pass addresses of tables that the specialiser wrote, or of checked ranges.
    unsafe { (at as *const u32).read_unaligned() }
}

/// The 64-bit word at `at`.
pub fn long(at: u32) -> u64 {
    // SAFETY: as for `word`.
    unsafe { (at as *const u64).read_unaligned() }
}

/// The byte at `at`.
pub fn byte(at: u32) -> u8 {
    // SAFETY: as for `word`.
    unsafe { (at as *const u8).read() }
}

/// Writes a 32-bit word.
pub fn set_word(at: u32, value: u32) {
    // SAFETY: callers write to their own areas.
    unsafe { (at as *mut u32).write_unaligned(value) }
}

/// Writes a 64-bit word.
pub fn set_long(at: u32, value: u64) {
    // SAFETY: as for `set_word`.
    unsafe { (at as *mut u64).write_unaligned(value) }
}

/// Writes a byte.
pub fn set_byte(at: u32, value: u8) {
    // SAFETY: as for `set_word`. Volatile, so that loops of it do not become calls of the
    // library's `memmove` and `memset`, which every host would have to compile.
    unsafe { (at as *mut u8).write_volatile(value) }
}

/// Copies `len` bytes downwards or between areas that do not overlap.
pub fn copy(from: u32, to: u32, len: u32) {
    for i in 0..len {
        set_byte(to + i, byte(from + i));
    }
}

/// Fills `len` bytes with the sentinel.
#[inline(never)]
pub fn fill_sentinel(at: u32, len: u32) {
    for i in 0..len {
        set_byte(at + i, SENTINEL);
    }
}

/// Whether `len` bytes at `at` lie inside memory.
pub fn readable(at: u32, len: u32) -> bool {
    u64::from(at) + u64::from(len) <= (memory_size(0) as u64) << 16
}

/// Adds pages to memory; false if that was refused.
pub fn grow(pages: u32) -> bool {
    memory_grow(0, pages as usize) != usize::MAX
}

/// The first byte that was not handed out; 0: nothing was handed out yet.
static TOP: Global<u32> = Global::new(0);

/// `len` fresh bytes, or 0 when memory cannot grow that far.
pub fn allocate(len: u32) -> u32 {
    let top = match TOP.get() {
        0 => header::get(Field::Heap),
        top => top,
    };
    let end = (u64::from(top) + u64::from(len) + 15) & !15;
    let have = (memory_size(0) as u64) << 16;
    if end > u64::from(u32::MAX) {
        return 0;
    }
    if end > have && !grow((end - have).div_ceil(1 << 16) as u32) {
        return 0;
    }
    TOP.set(end as u32);
    top
}

/// The start of a digest.
const START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a of `len` bytes.
#[inline(never)]
pub fn digest(at: u32, len: u32) -> u64 {
    let mut value = START;
    for i in 0..len {
        value = (value ^ u64::from(byte(at + i))).wrapping_mul(0x0000_0100_0000_01b3);
    }
    value
}
