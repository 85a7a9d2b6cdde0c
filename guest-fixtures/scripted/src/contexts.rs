//! Contexts: which plugin a context belongs to, which stream it is, how often it was called.
//!
//! Does not know what a context is for. The numbers of the specification's ids are arbitrary.

use crate::header::{self, CREATES, Export, Field, IN_CONTEXT};
use crate::memory::{self, Bytes, Global};

/// Rows of the table: row 0 stands for "no context known", rows 1 to 63 for plugin contexts, the
/// others are a ring of stream contexts.
pub const ROWS: u32 = 512;
const STREAMS: u32 = 64;
/// Bytes of a row: id, plugin, number within the plugin, number within the VM.
const ROW: u32 = 16;

static TABLE: Bytes<{ (ROWS * ROW) as usize }> = Bytes::new();
static PLUGINS: Global<u32> = Global::new(0);
static STREAMS_SEEN: Global<u32> = Global::new(0);
/// How many streams each plugin has had.
static PER_PLUGIN: Bytes<{ (STREAMS * 4) as usize }> = Bytes::new();

/// A context as handlers are selected by it.
#[derive(Clone, Copy)]
pub struct Context {
    /// Its row.
    pub row: u32,
    /// Its plugin, from 0.
    pub plugin: u32,
    /// Which stream of its plugin it is, from 1; 0: a plugin context or unknown.
    pub stream: u32,
}

fn cell(row: u32, column: u32) -> u32 {
    TABLE.address() + row * ROW + column * 4
}

/// The row of a context id, the newest first; 0 if it was never created.
#[inline(never)]
fn find(id: u32) -> u32 {
    let seen = STREAMS_SEEN.get();
    let ring = ROWS - STREAMS;
    let mut left = if seen < ring { seen } else { ring };
    let mut row = STREAMS + seen % ring;
    while left > 0 {
        left -= 1;
        if row == STREAMS {
            row = ROWS;
        }
        row -= 1;
        if memory::word(cell(row, 0)) == id {
            return row;
        }
    }
    row = PLUGINS.get();
    while row > 0 && memory::word(cell(row, 0)) != id {
        row -= 1;
    }
    row
}

fn create(id: u32, parent: u32) -> u32 {
    if parent == 0 {
        let row = PLUGINS.get() + 1;
        if row >= STREAMS {
            return 0;
        }
        PLUGINS.set(row);
        memory::set_word(cell(row, 0), id);
        memory::set_word(cell(row, 1), row - 1);
        return row;
    }
    let plugin = memory::word(cell(find(parent), 1));
    let seen = STREAMS_SEEN.get();
    let row = STREAMS + seen % (ROWS - STREAMS);
    STREAMS_SEEN.set(seen + 1);
    let count = PER_PLUGIN.address() + plugin * 4;
    memory::set_word(count, memory::word(count) + 1);
    memory::set_word(cell(row, 0), id);
    memory::set_word(cell(row, 1), plugin);
    memory::set_word(cell(row, 2), memory::word(count));
    memory::set_word(cell(row, 3), seen + 1);
    if header::get(Field::CounterCount) > 0 {
        pwspec_part_new_counts(row);
    }
    row
}

/// A new context has not been called yet.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_new_counts(row: u32) {
    for counter in 0..header::get(Field::CounterCount) {
        memory::set_word(counter_at(counter, row), 0);
    }
}

fn counter_at(counter: u32, row: u32) -> u32 {
    header::get(Field::Counters) + (counter * ROWS + row) * 4
}

/// The context in which an export is called; a new one is entered into the table.
pub fn of(export: &Export, argv: *const u64, argc: u32) -> Context {
    let arg = |i: u32| memory::long(argv as u32 + 8 * i) as u32;
    let row = if export.is(CREATES) && argc > 1 {
        create(arg(0), arg(1))
    } else if export.is(IN_CONTEXT) && argc > 0 {
        find(arg(0))
    } else {
        0
    };
    Context {
        row,
        plugin: memory::word(cell(row, 1)),
        stream: memory::word(cell(row, 2)),
    }
}

/// Counts a call of an export in a context and says which it is, from 1; 0 if it is not counted.
pub fn count(export: &Export, context: Context) -> u32 {
    if export.counter == 0 {
        0
    } else {
        pwspec_part_count(export.counter, context.row)
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn pwspec_part_count(counter: u32, row: u32) -> u32 {
    let at = counter_at(counter - 1, row);
    memory::set_word(at, memory::word(at) + 1);
    memory::word(at)
}

/// The id of the nth plugin context, from 1.
pub fn plugin(n: u32) -> Option<u32> {
    (n > 0 && n <= PLUGINS.get()).then(|| memory::word(cell(n, 0)))
}

/// The id of the nth stream context of the VM, from 1, as long as it is in the table.
pub fn stream(n: u32) -> Option<u32> {
    if n == 0 || n > STREAMS_SEEN.get() {
        return None;
    }
    let row = STREAMS + (n - 1) % (ROWS - STREAMS);
    (memory::word(cell(row, 3)) == n).then(|| memory::word(cell(row, 0)))
}
