//! The network driver against a real Envoy. Without one these tests say so and pass: a test binary
//! has no better word for it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pwspec::host::network::{Network, Options};
use pwspec::host::{Driver, Job, Stop, find, how_to_get};
use pwspec::trace::{Attempt, End, Load};

use crate::kit::{abi, get, job, log, on, profile, root, whole};

/// A driver for the newest Envoy that is here.
fn envoy() -> Option<Network> {
    let profile = profile("envoy");
    let Some(found) = find(&profile, &root().join("target")).into_iter().next() else {
        let get = how_to_get(&profile).unwrap_or_default();
        eprintln!("SKIPPED: no Envoy here; to get one: {get}");
        return None;
    };
    let options = Options {
        version: Some(found.version),
    };
    Some(Network::new(profile, found.path, options).unwrap())
}

/// Plays jobs and leaves nothing behind.
fn play(driver: &mut Network, jobs: Vec<Job>) -> BTreeMap<usize, Attempt> {
    let all = Mutex::new(BTreeMap::new());
    let done = |index, attempt| {
        let twice = all.lock().unwrap().insert(index, attempt);
        assert!(twice.is_none(), "job {index} ended twice");
    };
    driver.play(jobs, &Stop::default(), &done).unwrap();
    all.into_inner().unwrap()
}

#[test]
fn a_guest_that_logs_is_loaded_played_and_heard() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let handlers = vec![on(
        "proxy_on_request_headers",
        vec![log("hello '\n' %s {}")],
    )];
    let jobs = vec![job(0, &abi, handlers, whole(vec![get("/")]))];
    let attempt = play(&mut driver, jobs).remove(&0).unwrap();
    driver.close().unwrap();
    show(&attempt);
    assert_eq!(attempt.load, Load::Loaded);
    assert_eq!(attempt.end, End::Normal);
    assert_eq!(attempt.faults, []);
    assert_eq!(attempt.trace.instances.len(), 3);
}

/// For whoever runs a test by itself with `--nocapture`.
fn show(attempt: &Attempt) {
    println!("{}", serde_json::to_string_pretty(&attempt.trace).unwrap());
    println!(
        "{:?} {:?} {:?} {} µs",
        attempt.load, attempt.end, attempt.faults, attempt.micros
    );
    println!("{:?}\n{:?}", attempt.seen, attempt.logs);
    for blob in [&attempt.host_log, &attempt.wire].into_iter().flatten() {
        println!(
            "{}",
            String::from_utf8_lossy(blob.whole().unwrap_or_default())
        );
    }
}
