//! The scriptable guest: it runs a case's program and records what crosses the ABI boundary.
//!
//! Knows how to walk a program, keep contexts apart, hand out memory and send records as log
//! lines. Does not know any hostcall, callback or signature: the specialiser writes those around
//! it. Everything is valid from the data segment; no start-up function has to run.
//!
//! What only some programs need are functions of their own, exported as `pwspec_part_NAME`: the
//! specialiser cuts those out that its program does not need, with all that only they call.
#![no_std]

mod contexts;
mod frame;
mod header;
mod memory;
mod outs;
mod program;
mod record;
mod values;

use header::{ALLOCATOR, CALLBACK};
use memory::Global;

#[link(wasm_import_module = "pwspec")]
unsafe extern "C" {
    /// Makes the hostcall with this number; the specialiser replaces it by a dispatcher.
    #[link_name = "call"]
    fn pwspec_call(index: u32, argv: *const u64) -> u64;
}

/// What the guest is doing: how many calls from the host are under way (16 bits), how many of them are
/// entry points and allocators, in which nothing may be logged (14 bits), [`MUTED`], [`IN_HOST`].
static STATE: Global<u32> = Global::new(0);
const DEPTH: u32 = 0xffff;
const ONE_QUIET: u32 = 1 << 16;
const QUIET: u32 = 0x3fff << 16;
/// Allocations go unrecorded (all but the last round of a repeat step).
const MUTED: u32 = 1 << 30;
/// The guest's innermost activity is a hostcall.
const IN_HOST: u32 = 1 << 31;

/// The host called export `index` with `argc` arguments.
#[unsafe(no_mangle)]
pub extern "C" fn pwspec_on(index: u32, argv: *const u64, argc: u32) -> u64 {
    let mut outer = STATE.get();
    if outer & DEPTH > 0 && outer & IN_HOST == 0 {
        // Only a hostcall can lead back in here: the call before this one ended in a trap.
        outer = 0;
        STATE.set(outer);
        frame::reset();
        record::abandon(0);
    }
    let export = header::export(index);
    let recorded = !(export.is(ALLOCATOR) && outer & MUTED > 0);
    let inner = (outer & !IN_HOST) + 1;
    STATE.set(if export.is(CALLBACK) {
        inner & !MUTED
    } else {
        inner + ONE_QUIET
    });
    if recorded {
        record::enter(index, argv, argc);
    }
    let context = contexts::of(&export, argv, argc);
    let value = program::run(index, &export, argv, argc, context);
    if recorded {
        record::leave(value);
    }
    STATE.set(outer);
    if export.is(CALLBACK) && outer & DEPTH == 0 {
        frame::send();
    }
    value
}

/// Makes a hostcall.
fn host(index: u32, argv: *const u64) -> u64 {
    let before = STATE.get();
    STATE.set(before | IN_HOST);
    // SAFETY: `argv` has as many slots as the dispatcher unpacks; the specialiser counted them.
    let value = unsafe { pwspec_call(index, argv) };
    let after = STATE.replace(before);
    if (after ^ before) & DEPTH > 0 {
        // The host called back in, that ended in a trap, and the host goes on all the same.
        record::abandon(before & DEPTH);
    }
    value
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
