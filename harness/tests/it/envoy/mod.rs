//! The network driver against a real Envoy. Without one these tests say so and pass: a test binary
//! has no better word for it.

mod exchanges;
mod loading;
mod losses;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

use pwspec::host::network::{Network, Options};
use pwspec::host::{Driver, Job, Stop, find, how_to_get};
use pwspec::trace::{Attempt, Message, Value};

use crate::kit::{profile, root};

/// A driver for the newest Envoy that is here.
pub fn envoy() -> Option<Network> {
    envoy_with(None)
}

/// The same, with so many processes beside each other.
pub fn envoy_with(lanes: Option<usize>) -> Option<Network> {
    let profile = profile("envoy");
    let Some(found) = find(&profile, &root().join("target")).into_iter().next() else {
        let get = how_to_get(&profile).unwrap_or_default();
        // Not by macro: the test runner would keep that to itself.
        writeln!(
            std::io::stderr(),
            "SKIPPED: no Envoy here; to get one: {get}"
        )
        .ok();
        return None;
    };
    let options = Options {
        version: Some(found.version),
        lanes,
    };
    Some(Network::new(profile, found.path, options).unwrap())
}

/// Plays jobs and leaves nothing behind.
pub fn play(driver: &mut Network, jobs: Vec<Job>) -> BTreeMap<usize, Attempt> {
    let all = Mutex::new(BTreeMap::new());
    let done = |index, attempt| {
        let twice = all.lock().unwrap().insert(index, attempt);
        assert!(twice.is_none(), "job {index} ended twice");
    };
    driver.play(jobs, &Stop::default(), &done).unwrap();
    all.into_inner().unwrap()
}

/// For whoever runs a test by itself with `--nocapture`.
pub fn show(attempt: &Attempt) {
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

/// The callbacks of the instance that saw the stream.
pub fn callbacks(attempt: &Attempt) -> Vec<String> {
    let worker = attempt
        .trace
        .instances
        .iter()
        .find(|i| !i.contexts().1.is_empty());
    let events = worker.map(|i| i.callbacks()).unwrap_or_default();
    let words = events.iter().map(|e| {
        let args: Vec<String> = e
            .args
            .iter()
            .map(|f| match &f.value {
                Value::Number(n) | Value::Id(_, n) => n.to_string(),
                Value::Bool(b) => u8::from(*b).to_string(),
                other => format!("{other:?}"),
            })
            .collect();
        format!(
            "{} {}",
            e.name.trim_start_matches("proxy_on_"),
            args.join(" ")
        )
    });
    words.collect()
}

pub fn response(attempt: &Attempt, stream: u32) -> &Message {
    let saw = attempt.seen.client.iter().find(|c| c.stream == stream);
    saw.and_then(|s| s.response.as_ref()).expect("a response")
}
