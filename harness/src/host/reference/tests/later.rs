//! Jobs about what outlives a stream: stores, timers, contexts.

use std::time::Duration;

use crate::case::{Act, Exchange, Exports, Play, Select};
use crate::host::Job;
use crate::host::reference::tests::kit::*;
use crate::host::reference::tests::scenes::*;

pub(super) fn wait(callback: &str, times: u32, millis: u64) -> Play {
    Play::Wait {
        callback: callback.to_owned(),
        times,
        within: Duration::from_millis(millis),
    }
}

/// The store, queues and metrics.
pub(super) fn stores() -> Vec<Job> {
    let get_data = || saved("proxy_get_shared_data", vec![b(b"k"), OUT, OUT], 2, 0);
    let set = |v: &[u8], cas| call("proxy_set_shared_data", vec![b(b"k"), b(v), cas]);
    let data = vec![
        set(b"first", n(0)),
        get_data(),
        set(b"second", n(0)),
        get_data(),
        set(b"third", n(777)),
        get_data(),
        set(b"fourth", slot(0)),
        get_data(),
    ];
    let later = vec![get_data()];
    let queue = vec![
        saved("proxy_register_shared_queue", vec![b(b"q"), OUT], 1, 0),
        call("proxy_dequeue_shared_queue", vec![slot(0), OUT]),
        saved("proxy_register_shared_queue", vec![b(b"other"), OUT], 1, 1),
        call("proxy_enqueue_shared_queue", vec![slot(0), b(b"one")]),
        call("proxy_enqueue_shared_queue", vec![slot(0), b(b"two")]),
        call("proxy_register_shared_queue", vec![b(b"q"), OUT]),
        saved(
            "proxy_resolve_shared_queue",
            vec![b(b"vm"), b(b"q"), OUT],
            2,
            2,
        ),
        call("proxy_dequeue_shared_queue", vec![slot(2), OUT]),
    ];
    let ready = vec![call("proxy_dequeue_shared_queue", vec![slot(0), OUT])];
    let define =
        |kind, name: &[u8], to| saved("proxy_define_metric", vec![n(kind), b(name), OUT], 2, to);
    let read = |of| call("proxy_get_metric", vec![slot(of), OUT]);
    let add = |of, by: i64| {
        call(
            "proxy_increment_metric",
            vec![slot(of), n(by.cast_unsigned())],
        )
    };
    let metrics = vec![
        define(0, b"c", 0),
        define(1, b"g", 1),
        add(0, 5),
        add(0, -1),
        read(0),
        call("proxy_record_metric", vec![slot(1), n(7)]),
        call("proxy_record_metric", vec![slot(1), n(1 << 40)]),
        read(1),
        add(1, 2),
        add(1, -3),
        read(1),
    ];
    vec![
        job(
            "0.2.1",
            vec![
                on("proxy_on_request_headers", data),
                on("proxy_on_tick", later.clone()),
                on(
                    "proxy_on_vm_start",
                    vec![call("proxy_set_tick_period_milliseconds", vec![n(10)])],
                ),
            ],
            ticking(),
        ),
        job(
            "0.2.1",
            vec![
                on("proxy_on_request_headers", queue),
                on("proxy_on_queue_ready", ready),
            ],
            get(),
        ),
        job(
            "0.2.1",
            vec![on("proxy_on_request_headers", metrics)],
            get(),
        ),
    ]
}

fn ticking() -> Exchange {
    let mut one = get();
    one.play.push(wait("proxy_on_tick", 3, 500));
    one
}

/// Timers: repeated, changed, off, never set.
pub(super) fn timers() -> Vec<Job> {
    let period = |ms| call("proxy_set_tick_period_milliseconds", vec![n(ms)]);
    let clock = call("proxy_get_current_time_nanoseconds", vec![OUT]);
    let with = |handlers| job("0.2.1", handlers, ticking());
    vec![
        with(vec![
            on("proxy_on_configure", vec![period(20)]),
            on("proxy_on_tick", vec![clock]),
        ]),
        with(vec![
            on("proxy_on_configure", vec![period(20)]),
            on("proxy_on_tick", vec![period(0)]),
        ]),
        with(vec![
            on("proxy_on_configure", vec![period(20)]),
            on_when("proxy_on_tick", nth(1), vec![period(40)]),
        ]),
        with(vec![]),
    ]
}

/// Start and end: configurations, false answers, entry points, `proxy_done`.
pub(super) fn lives() -> Vec<Job> {
    let read = |buffer| {
        vec![call(
            "proxy_get_buffer_bytes",
            vec![n(buffer), n(0), n(99), OUT],
        )]
    };
    let mut shutdown = get();
    shutdown.play.push(Play::Shutdown);
    let late = vec![
        call("proxy_set_effective_context", vec![stream_context(1)]),
        call("proxy_done", vec![]),
        call("proxy_set_tick_period_milliseconds", vec![n(0)]),
    ];
    let gone = vec![call("proxy_set_effective_context", vec![stream_context(1)])];
    let period = call("proxy_set_tick_period_milliseconds", vec![n(20)]);
    let once = Select {
        stream: Some(1),
        ..Select::default()
    };
    let mut two = get();
    two.streams.push(two.streams[0].clone());
    two.play = vec![
        Play::Head(1),
        Play::Head(2),
        Play::Finish(1),
        Play::Finish(2),
    ];
    let mut aside = two.clone();
    aside.play = vec![
        Play::Head(1),
        Play::Finish(1),
        Play::Head(2),
        Play::Finish(2),
    ];
    let hold = vec![on_when("proxy_on_request_headers", once, vec![PAUSE])];
    let exports = |also: &[&str], without: &[&str]| Exports {
        also: also.iter().map(|n| (*n).to_owned()).collect(),
        without: without.iter().map(|n| (*n).to_owned()).collect(),
        ..Exports::default()
    };
    let header = || {
        on(
            "proxy_on_request_headers",
            vec![call("proxy_get_header_map_pairs", vec![n(0), OUT])],
        )
    };
    vec![
        job(
            "0.2.1",
            vec![
                on("proxy_on_vm_start", read(6)),
                on("proxy_on_configure", read(7)),
            ],
            shutdown,
        ),
        job("0.2.1", vec![on("proxy_on_vm_start", vec![FALSE])], get()),
        job("0.2.1", vec![on("proxy_on_configure", vec![FALSE])], get()),
        job(
            "0.2.1",
            vec![
                on_when(
                    "proxy_on_done",
                    Select {
                        stream: Some(1),
                        ..Select::default()
                    },
                    vec![period.clone(), FALSE],
                ),
                on("proxy_on_tick", late),
            ],
            ticking(),
        ),
        job(
            "0.2.1",
            vec![
                on("proxy_on_done", vec![period.clone()]),
                on("proxy_on_tick", gone),
            ],
            ticking(),
        ),
        job("0.2.1", hold, two),
        job(
            "0.2.1",
            vec![on_when("proxy_on_request_headers", nth(1), vec![Act::Trap])],
            aside,
        ),
        job_with(
            "0.2.1",
            vec![header()],
            exports(&["_initialize", "main", "_start"], &[]),
            get(),
        ),
        job_with(
            "0.2.1",
            vec![header()],
            exports(&["main", "_start"], &["_initialize"]),
            get(),
        ),
        job_with(
            "0.2.1",
            vec![header()],
            exports(&[], &["proxy_on_memory_allocate"]),
            get(),
        ),
        job(
            "0.1.0",
            vec![on(
                "proxy_on_configure",
                vec![call("proxy_get_configuration", vec![OUT])],
            )],
            get(),
        ),
    ]
}
