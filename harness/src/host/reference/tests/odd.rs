//! Jobs with odd modules: a marker that does something, a custom section, no allocator.

use std::sync::Arc;

use crate::case::{Exports, FixedRef};
use crate::guest::fixed;
use crate::host::Job;
use crate::host::reference::tests::kit::*;

/// A guest that is no scripted one.
fn handmade(name: &str) -> Job {
    let of = FixedRef {
        name: format!("handmade/{name}"),
        digest: String::new(),
        marker: None,
    };
    with_module(fixed(&of).expect("it is there"))
}

/// A module with something in it that no engine reads.
fn custom_section() -> Job {
    let mut wasm = job("0.2.1", vec![], get()).vms[0].wasm.to_vec();
    wasm.extend(b"\0\x04\x03odd");
    with_module(wasm)
}

fn with_module(wasm: Vec<u8>) -> Job {
    let mut job = job("0.2.1", vec![], get());
    let vm = &mut job.vms[0];
    vm.wasm = Arc::new(wasm);
    vm.code_key = None;
    vm.legend = None;
    job
}

fn no_allocator() -> Job {
    let exports = Exports {
        without: ["proxy_on_memory_allocate", "malloc"]
            .map(str::to_owned)
            .into(),
        ..Exports::default()
    };
    job_with("0.2.1", vec![], exports, get())
}

pub(super) fn all() -> Vec<Job> {
    vec![
        handmade("marker_traps.wasm"),
        custom_section(),
        no_allocator(),
    ]
}
