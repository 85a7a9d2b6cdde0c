//! Jobs about what is beside the stream: environment, foreign functions, a second VM, limits.

use std::time::Duration;

use crate::case::{Act, ArgValue, Operand, Play};
use crate::host::Job;
use crate::host::reference::tests::kit::*;
use crate::host::reference::tests::scenes::*;

/// An address that only a guest with nearly all memory would have.
const FAR: u64 = 0xf000_0000;

/// Variables of the VM: their sizes, and themselves.
fn environment() -> Job {
    let acts = vec![
        call("environ_sizes_get", vec![OUT, OUT]),
        call("environ_get", vec![OUT]),
    ];
    let mut job = job("0.2.1", vec![on("proxy_on_request_headers", acts)], get());
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    job.vms[0].environment = vec![variable("ONE", "1"), variable("TWO", "second")];
    job
}

/// Functions of the host's own, and a callback that something outside calls.
fn foreign() -> Job {
    let ask = |name: &[u8]| {
        let args = vec![b(name), b(b"arguments"), OUT];
        call("proxy_call_foreign_function", args)
    };
    let acts = vec![ask(b"pwspec_there"), ask(b"pwspec_silent")];
    let read = vec![call("proxy_get_buffer_bytes", vec![n(8), n(0), n(99), OUT])];
    let handlers = vec![
        on("proxy_on_request_headers", acts),
        on("proxy_on_foreign_function", read),
    ];
    let mut one = get();
    one.play.push(Play::Foreign {
        function: 7,
        arguments: b"from outside".to_vec(),
    });
    job("0.2.1", handlers, one)
}

/// A second VM on the same stream, which finds the queue of the first one and adds to it.
fn two_vms() -> Job {
    let register = vec![saved(
        "proxy_register_shared_queue",
        vec![b(b"q"), OUT],
        1,
        0,
    )];
    let take = vec![call("proxy_dequeue_shared_queue", vec![slot(0), OUT])];
    let handlers = vec![
        on("proxy_on_configure", register),
        on("proxy_on_queue_ready", take),
    ];
    let mut both = job("0.2.1", handlers, get());
    let resolve = |vm: &[u8], to| {
        let args = vec![b(vm), b(b"q"), OUT];
        saved("proxy_resolve_shared_queue", args, 2, to)
    };
    let add = vec![
        resolve(b"vm", 0),
        call("proxy_enqueue_shared_queue", vec![slot(0), b(b"item")]),
    ];
    let second = vec![on("proxy_on_request_headers", add)];
    let mut second = job("0.2.1", second, get()).vms.remove(0);
    second.vm_id = "second".to_owned();
    both.vms.push(second);
    both
}

/// A queue of this VM, asked for under the id of another.
fn own_queue() -> Job {
    let args = vec![b(b"nobody"), b(b"q"), OUT];
    let acts = vec![
        call("proxy_register_shared_queue", vec![b(b"q"), OUT]),
        call("proxy_resolve_shared_queue", args),
    ];
    job("0.2.1", vec![on("proxy_on_request_headers", acts)], get())
}

/// A stream that goes on when its queue has an item.
fn woken() -> Job {
    let acts = vec![
        saved("proxy_register_shared_queue", vec![b(b"q"), OUT], 1, 0),
        call("proxy_enqueue_shared_queue", vec![slot(0), b(b"go")]),
        PAUSE,
    ];
    let ready = vec![
        call("proxy_set_effective_context", vec![stream_context(1)]),
        call("proxy_get_header_map_pairs", vec![n(0), OUT]),
        call("proxy_continue_stream", vec![n(0)]),
    ];
    let handlers = vec![
        on("proxy_on_request_headers", acts),
        on("proxy_on_queue_ready", ready),
    ];
    job("0.2.1", handlers, get())
}

/// An upstream that is an address.
fn address() -> Job {
    let to = b(b"127.0.0.1:9");
    let args = vec![to, head(), b(b""), b(b""), n(9), OUT];
    let acts = vec![call("proxy_http_call", args)];
    job("0.2.1", vec![on("proxy_on_request_headers", acts)], get())
}

/// A response of the plugin's own in place of one whose head waits.
fn late_answer() -> Job {
    let args = vec![n(418), b(b"d"), b(b"own"), pairs(&[("x-own", "o")]), n(0)];
    let answer = vec![call("proxy_send_local_response", args), PAUSE];
    let handlers = vec![
        on("proxy_on_response_headers", vec![PAUSE]),
        on("proxy_on_response_body", answer),
    ];
    job("0.2.1", handlers, get())
}

/// A loop, and memory that is asked for.
fn limits() -> Vec<Job> {
    let far = ArgValue::Pointer {
        ptr: Operand::Const(FAR),
        len: Operand::Const(1),
    };
    let memory = vec![Act::Grow(Some(64_000)), call("proxy_log", vec![n(2), far])];
    let of = |acts| job("0.2.1", vec![on("proxy_on_request_headers", acts)], get());
    let mut endless = of(vec![Act::Spin]);
    endless.deadline = Duration::from_millis(150);
    vec![of(memory), endless]
}

/// All of them.
pub(super) fn all() -> Vec<Job> {
    let mut all = limits();
    all.extend([
        environment(),
        foreign(),
        two_vms(),
        own_queue(),
        woken(),
        address(),
        late_answer(),
    ]);
    all
}
