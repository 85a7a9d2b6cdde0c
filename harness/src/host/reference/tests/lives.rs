//! Loading, starting and finishing; several plugins and VMs; what is refused.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::abi::Type;
use crate::case::{ArgValue, Exports, ModuleSpec, Play};
use crate::guest::build;
use crate::host::reference::tests::kit::*;
use crate::host::reference::{Options, Reference};
use crate::host::{Driver, Job, Stop, VmJob};
use crate::trace::{Attempt, Load, Seen};

fn refusal(attempt: &Attempt) -> String {
    match &attempt.load {
        Load::Refused { text } => text.display(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_hostcall_is_unlinked() {
    let acts = vec![call("proxy_get_log_level", vec![ArgValue::Out])];
    let mut job = job("0.2.1", vec![on("proxy_on_request_headers", acts)], get());
    job.abi = abi("0.2.0");
    let attempt = play(&job);
    assert!(
        matches!(&attempt.load, Load::Unlinked { import, .. } if import == "proxy_get_log_level"),
        "{:?}",
        attempt.load
    );
    // Nobody listens.
    assert_eq!(attempt.seen, Seen::default());
    assert!(attempt.trace.instances.is_empty());
}

#[test]
fn a_wrong_signature_is_refused() {
    let mut other = (*abi("0.2.1")).clone();
    let tick = other
        .hostcalls
        .iter_mut()
        .find(|h| h.name == "proxy_set_tick_period_milliseconds");
    tick.expect("that hostcall").params[0].ty = Type::U64;
    let spec = ModuleSpec {
        token: "t0k3n".to_owned(),
        plugin_type: crate::abi::PluginType::Http,
        exports: Exports::default(),
        handlers: vec![on(
            "proxy_on_tick",
            vec![call("proxy_set_tick_period_milliseconds", vec![n(1)])],
        )],
        slots: 0,
        ..ModuleSpec::default()
    };
    let mut job = job("0.2.1", vec![], get());
    job.vms[0].wasm = Arc::new(build(&spec, &other).expect("a module").wasm);
    job.vms[0].code_key = None;
    assert!(refusal(&play(&job)).contains("proxy_set_tick_period_milliseconds"));
}

#[test]
fn the_marker_must_be_one_that_is_known() {
    let with = |exports| job_with("0.2.1", vec![], exports, get());
    let markers = |names: &[&str]| Exports {
        markers: names.iter().map(|n| (*n).to_owned()).collect(),
        ..Exports::default()
    };
    let none = Exports {
        no_marker: true,
        ..Exports::default()
    };
    assert!(refusal(&play(&with(none))).contains("does not say"));
    let two = markers(&["proxy_abi_version_0_2_0", "proxy_abi_version_0_2_1"]);
    assert!(refusal(&play(&with(two))).contains("several"));
    assert!(refusal(&play(&with(markers(&["proxy_abi_version_9_9_9"])))).contains("unknown"));
    assert_eq!(
        play(&with(markers(&["proxy_abi_version_0_2_0"]))).load,
        Load::Loaded
    );
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    let mut job = job("0.2.1", vec![], get());
    job.vms[0].wasm = Arc::new(b"not Wasm".to_vec());
    job.vms[0].code_key = None;
    assert!(matches!(play(&job).load, Load::Refused { .. }));
}

/// A job with the VMs of two jobs.
fn both(mut one: Job, two: Job) -> Job {
    one.vms.push(VmJob {
        vm_id: "second".to_owned(),
        ..two.vms[0].clone()
    });
    one
}

#[test]
fn two_vms_see_a_request_in_order_and_the_response_in_reverse() {
    let add = |map, value: &[u8]| {
        vec![call(
            "proxy_add_header_map_value",
            vec![n(map), b(b"x-by"), b(value)],
        )]
    };
    let with = |name: &[u8]| {
        let handlers = vec![
            on("proxy_on_request_headers", add(0, name)),
            on("proxy_on_response_headers", add(2, name)),
        ];
        job("0.2.1", handlers, get())
    };
    let attempt = play(&both(with(b"1"), with(b"2")));
    let by = |fields: &[(crate::trace::Blob, crate::trace::Blob)]| {
        let found = crate::trace::Message::values(fields, "x-by");
        found
            .iter()
            .map(|v| v.display())
            .collect::<Vec<_>>()
            .join("")
    };
    assert_eq!(by(&attempt.seen.upstream[0].request.headers), "\"1\"\"2\"");
    let client = attempt.seen.client[0]
        .response
        .as_ref()
        .expect("a response");
    assert_eq!(by(&client.headers), "\"2\"\"1\"");
    let vms: Vec<u32> = attempt.trace.instances.iter().map(|i| i.vm).collect();
    assert_eq!(vms, [0, 1]);
}

#[test]
fn two_plugins_of_one_vm_start_after_it() {
    let mut job = job("0.2.1", vec![], get());
    let mut second = job.vms[0].plugins[0].clone();
    second.name = "second".to_owned();
    job.vms[0].plugins.push(second);
    let seen = callbacks(&play(&job));
    let start = [
        "context_create #0",
        "vm_start 9",
        "configure 13",
        "context_create #0",
        "configure 13",
    ];
    assert_eq!(seen[..5], start);
    assert_eq!(
        seen.iter()
            .filter(|c| c.starts_with("request_headers"))
            .count(),
        2
    );
}

#[test]
fn a_reload_ends_the_old_plugin_and_starts_a_new_one() {
    let mut one = get();
    one.streams.push(one.streams[0].clone());
    one.play = vec![
        Play::Head(1),
        Play::Finish(1),
        Play::Reload,
        Play::Head(2),
        Play::Finish(2),
        Play::Remove,
    ];
    let attempt = play(&job("0.2.1", vec![], one));
    assert_eq!(attempt.trace.instances.len(), 2);
    for instance in &attempt.trace.instances {
        let last = instance.callbacks().last().map(|e| e.name.clone());
        assert_eq!(last.as_deref(), Some("proxy_on_delete"));
    }
}

#[test]
fn an_aborted_stream_is_finalised() {
    let mut one = exchange("POST", &["ab"], &[]);
    one.play = vec![Play::Head(1), Play::Chunk(1), Play::Abort(1)];
    let attempt = play(&job("0.2.1", vec![], one));
    let seen = callbacks(&attempt);
    assert_eq!(seen[seen.len() - 3..], ["done", "log", "delete"]);
    assert_eq!(
        attempt.seen.client[0].trouble.as_deref(),
        Some("aborted by the client")
    );
    assert!(!attempt.seen.upstream[0].request.complete);
}

#[test]
fn a_pause_from_the_headers_outlasts_a_body_that_goes_on() {
    let mut one = exchange("POST", &["ab"], &[]);
    one.play.push(Play::Shutdown);
    let attempt = play(&job(
        "0.2.1",
        vec![on("proxy_on_request_headers", vec![PAUSE])],
        one,
    ));
    let seen = callbacks(&attempt);
    assert!(seen.contains(&"request_body 2 true".to_owned()), "{seen:?}");
    assert!(attempt.seen.upstream.is_empty());
    assert_eq!(attempt.seen.client[0].trouble.as_deref(), Some("timed out"));
}

#[test]
fn virtual_time_costs_no_time() {
    let mut one = get();
    one.play.push(Play::Wait {
        callback: "proxy_on_tick".to_owned(),
        times: 3,
        within: Duration::from_secs(3600),
    });
    let period = vec![call("proxy_set_tick_period_milliseconds", vec![n(60_000)])];
    let attempt = play(&job("0.2.1", vec![on("proxy_on_configure", period)], one));
    assert_eq!(
        callbacks(&attempt)
            .iter()
            .filter(|c| c.starts_with("tick"))
            .count(),
        3
    );
}

#[test]
fn compiled_code_is_found_again_in_the_cache_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = || {
        Reference::new(Options {
            cache_dir: Some(folder.path().to_owned()),
            ..Options::default()
        })
    };
    let job = job("0.2.1", vec![], get());
    let first = host().play_one(&job).expect("no trouble");
    let files = || std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files(), 1);
    let again = host().play_one(&job).expect("no trouble");
    assert_eq!((first.trace, files()), (again.trace, 1));
}

#[test]
fn a_pool_plays_every_job_once() {
    let jobs: Vec<Job> = (0..20)
        .map(|index| Job {
            index,
            ..job("0.2.1", vec![], get())
        })
        .collect();
    let done = Mutex::new(Vec::new());
    let mut host = Reference::new(Options {
        workers: 2,
        ..Options::default()
    });
    host.play(jobs, &Stop::default(), &|index, attempt| {
        assert_eq!(attempt.load, Load::Loaded);
        done.lock().expect("no panic").push(index);
    })
    .expect("no trouble");
    let mut done = done.into_inner().expect("no panic");
    done.sort_unstable();
    assert_eq!(done, (0..20).collect::<Vec<_>>());
}
