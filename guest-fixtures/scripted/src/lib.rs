//! The scriptable guest: it runs a case's program and records what crosses the ABI boundary.
//!
//! Knows how to walk a program, keep contexts apart, hand out memory and send records as log
//! lines. Does not know any hostcall, callback or signature: the specialiser writes those around
//! it. Everything is valid from the data segment; no start-up function has to run.
#![no_std]

mod contexts;
mod frame;
mod header;
mod memory;
mod outs;
mod program;
mod record;
mod values;

use header::{ALLOCATOR, CALLBACK, CREATES};
use memory::Global;

#[link(wasm_import_module = "pwspec")]
unsafe extern "C" {
    /// Makes the hostcall with this number; the specialiser replaces it by a dispatcher.
    #[link_name = "call"]
    fn pwspec_call(index: u32, argv: *const u64) -> u64;
}

/// How many calls from the host are under way.
static DEPTH: Global<u32> = Global::new(0);
/// How many of them are entry points and allocators, in which nothing may be logged.
static QUIET: Global<u32> = Global::new(0);
/// Whether the guest's innermost activity is a hostcall.
static IN_HOST: Global<bool> = Global::new(false);
/// Whether allocations go unrecorded (all but the last round of a repeat step).
static MUTED: Global<bool> = Global::new(false);

/// The host called export `index` with `argc` arguments.
#[unsafe(no_mangle)]
pub extern "C" fn pwspec_on(index: u32, argv: *const u64, argc: u32) -> u64 {
    if DEPTH.get() > 0 && !IN_HOST.get() {
        // Only a hostcall can lead back in here: the call before this one ended in a trap.
        DEPTH.set(0);
        QUIET.set(0);
        MUTED.set(false);
        frame::reset();
        record::abandon(0);
    }
    let outer_in_host = IN_HOST.replace(false);
    let outer_muted = MUTED.get();
    let export = header::export(index);
    let callback = export.is(CALLBACK);
    let recorded = !(export.is(ALLOCATOR) && outer_muted);
    DEPTH.set(DEPTH.get() + 1);
    if callback {
        MUTED.set(false);
    } else {
        QUIET.set(QUIET.get() + 1);
    }
    if recorded {
        record::enter(index, argv, argc);
    }
    let context = contexts::of(&export, argv, argc, export.is(CREATES));
    let value = program::run(&program::Call {
        index,
        export,
        argv,
        argc,
        context,
    });
    if recorded {
        record::leave(value);
    }
    MUTED.set(outer_muted);
    DEPTH.set(DEPTH.get() - 1);
    if !callback {
        QUIET.set(QUIET.get() - 1);
    } else if DEPTH.get() == 0 {
        frame::send();
    }
    IN_HOST.set(outer_in_host);
    value
}

/// Makes a hostcall.
fn host(index: u32, argv: *const u64) -> u64 {
    let before = (DEPTH.get(), QUIET.get(), MUTED.get());
    let outer = IN_HOST.replace(true);
    // SAFETY: `argv` has as many slots as the dispatcher unpacks; the specialiser counted them.
    let value = unsafe { pwspec_call(index, argv) };
    IN_HOST.set(outer);
    if DEPTH.get() != before.0 {
        // The host called back in, that ended in a trap, and the host goes on all the same.
        DEPTH.set(before.0);
        QUIET.set(before.1);
        MUTED.set(before.2);
        record::abandon(before.0);
    }
    value
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
