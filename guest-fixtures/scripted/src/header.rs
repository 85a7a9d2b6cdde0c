//! The header and tables that the specialiser writes into memory.
//!
//! Knows their layout, word by word; the host side of it is the room `guest` of the harness.
//! Does not know what a step means.

use crate::memory;

/// Export flag: a `proxy_on_*` callback (else an entry point or allocator).
pub const CALLBACK: u32 = 1;
/// Export flag: an allocator.
pub const ALLOCATOR: u32 = 2;
/// Export flag: creates a context (first argument) under a parent (second argument).
pub const CREATES: u32 = 4;
/// Export flag: the first argument is a context.
pub const IN_CONTEXT: u32 = 8;

/// Where everything is. All zero in the prebuilt module; written by the specialiser.
#[repr(C)]
pub struct Header {
    words: core::cell::UnsafeCell<[u32; 10]>,
}

// SAFETY: a guest has one thread.
unsafe impl Sync for Header {}

/// The header; its address is exported.
#[unsafe(no_mangle)]
pub static PWSPEC_HEADER: Header = Header {
    words: core::cell::UnsafeCell::new([0; 10]),
};

/// The words of the header, in order.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Field {
    Exports,
    Handlers,
    HandlerCount,
    Heap,
    /// Room for a line, which begins with what every line begins with: prefix, length of the token,
    /// token.
    Line,
    /// Where such a line goes on.
    LineRest,
    /// How many bytes of records go into a line; never 0.
    LineHolds,
    Slots,
    Counters,
    CounterCount,
}

/// A word of the header.
pub fn get(field: Field) -> u32 {
    // SAFETY: the address lies inside the header. Volatile, because the value comes from a data
    // segment that the compiler does not see.
    unsafe {
        PWSPEC_HEADER
            .words
            .get()
            .cast::<u32>()
            .add(field as usize)
            .read_volatile()
    }
}

/// What the guest knows of one of its exports: four words.
pub struct Export {
    flags: u32,
    /// What it returns by default (allocators: memory instead).
    pub default: u32,
    /// Position of `end_of_stream` among the arguments, from 1; 0: it has none.
    pub end_of_stream: u32,
    /// Which row of call counters it has, from 1; 0: its calls are not counted.
    pub counter: u32,
}

impl Export {
    /// Whether a flag is set.
    pub fn is(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// The export with this number.
pub fn export(index: u32) -> Export {
    let at = get(Field::Exports) + index * 16;
    Export {
        flags: memory::word(at),
        default: memory::word(at + 4),
        end_of_stream: memory::word(at + 8),
        counter: memory::word(at + 12),
    }
}
