//! The network driver against a real MOSN, whose listeners come only with a new process. Without one
//! these tests say so and pass: a test binary has no better word for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use pwspec::case::Act;
use pwspec::host::network::{Network, Options};
use pwspec::host::{Driver, Job, Stop, find, how_to_get};
use pwspec::judge::{Outcome, Verdict};
use pwspec::record::{Record, ResultLine};
use pwspec::trace::{Attempt, End, Isolation, Load};

use crate::kit::{abi, call, get, job, log, on, profile, root, whole};

/// A driver for the newest MOSN that is here.
fn mosn() -> Option<Network> {
    let profile = profile("mosn");
    let Some(found) = find(&profile, &root().join("target")).into_iter().next() else {
        let get = how_to_get(&profile).unwrap_or_default();
        eprintln!("SKIPPED: no MOSN here; to get one: {get}");
        return None;
    };
    let options = Options {
        version: Some(found.version),
        lanes: None,
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
    driver.close().unwrap();
    all.into_inner().unwrap()
}

fn client_status(attempt: &Attempt) -> Option<u16> {
    attempt.seen.client[0]
        .response
        .as_ref()
        .and_then(|r| r.status)
}

#[test]
fn traces_are_whole_when_the_host_has_ended() {
    let Some(mut driver) = mosn() else { return };
    let abi = abi("0.2.0");
    let handlers = || vec![on("proxy_on_request_headers", vec![log("hello, nobody's")])];
    let jobs = (0..40).map(|n| job(n, &abi, handlers(), whole(vec![get("/")])));
    let all = play(&mut driver, jobs.collect());
    assert_eq!(all.len(), 40);
    for attempt in all.values() {
        assert_eq!(attempt.load, Load::Loaded);
        assert_eq!(attempt.end, End::Normal);
        assert_eq!(attempt.faults, []);
        assert_eq!(attempt.isolation, Isolation::Shared);
        assert_eq!(client_status(attempt), Some(200));
        assert_eq!(attempt.seen.upstream.len(), 1);
        assert_eq!(attempt.trace.instances.len(), 1);
        let names: Vec<_> = attempt.trace.instances[0]
            .callbacks()
            .iter()
            .map(|e| e.name.clone())
            .collect();
        // The last one of a stream comes after its answer.
        assert_eq!(names.last().unwrap(), "proxy_on_done", "{names:?}");
        let own: Vec<_> = attempt.logs.iter().map(|l| l.text.display()).collect();
        assert_eq!(own, ["\"hello, nobody's\""]);
    }
}

#[test]
fn a_missing_import_is_told_though_the_host_fails_open() {
    let Some(mut driver) = mosn() else { return };
    let abi = abi("0.2.0");
    let lacking = vec![on(
        "proxy_on_request_headers",
        vec![call("proxy_get_buffer_status", {
            use pwspec::case::ArgValue::Out;
            vec![crate::kit::number(0), Out, Out]
        })],
    )];
    let jobs = vec![
        job(0, &abi, lacking, whole(vec![get("/")])),
        job(1, &abi, vec![], whole(vec![get("/")])),
    ];
    let all = play(&mut driver, jobs);
    assert!(
        matches!(&all[&0].load, Load::Unlinked { import, .. } if import == "proxy_get_buffer_status"),
        "{:?}",
        all[&0].load
    );
    assert_eq!(all[&1].load, Load::Loaded);
}

#[test]
fn bytes_that_kill_the_host_at_its_start_cost_one_case() {
    let Some(mut driver) = mosn() else { return };
    let abi = abi("0.2.0");
    let mut jobs: Vec<Job> = (0..6)
        .map(|n| job(n, &abi, vec![], whole(vec![get("/")])))
        .collect();
    jobs[2].vms[0].wasm = std::sync::Arc::new(b"not wasm".to_vec());
    jobs[2].vms[0].legend = None;
    let all = play(&mut driver, jobs);
    assert_eq!(all.len(), 6);
    for (n, attempt) in &all {
        if *n == 2 {
            assert!(matches!(attempt.end, End::Crash(_)), "{:?}", attempt.end);
        } else {
            assert_eq!(attempt.end, End::Normal);
            assert_eq!(client_status(attempt), Some(200));
        }
    }
}

#[test]
fn a_guest_that_loops_is_played_alone_and_the_others_again() {
    let Some(mut driver) = mosn() else { return };
    let abi = abi("0.2.0");
    let mut jobs: Vec<Job> = (0..4)
        .map(|n| job(n, &abi, vec![], whole(vec![get("/")])))
        .collect();
    let spin = vec![on("proxy_on_request_headers", vec![Act::Spin])];
    jobs[1] = job(1, &abi, spin, whole(vec![get("/")]));
    jobs[1].deadline = Duration::from_millis(600);
    let all = play(&mut driver, jobs);
    assert_eq!(all.len(), 4);
    for (n, attempt) in &all {
        if *n == 1 {
            assert!(matches!(attempt.end, End::Timeout(_)), "{:?}", attempt.end);
            assert_eq!(attempt.isolation, Isolation::Alone);
        } else {
            assert_eq!(attempt.end, End::Normal);
            assert_eq!(attempt.faults, []);
            assert_eq!(client_status(attempt), Some(200));
        }
    }
}

#[test]
fn a_binary_that_does_not_start_is_trouble_and_no_verdict() {
    let profile = profile("mosn");
    let mut driver = Network::new(profile, "/bin/false".into(), Options::default()).unwrap();
    let abi = abi("0.2.0");
    let jobs = vec![job(0, &abi, vec![], whole(vec![get("/")]))];
    let trouble = driver.play(jobs, &Stop::default(), &|_, _| {
        panic!("a case has an attempt")
    });
    assert!(trouble.unwrap_err().what.contains("did not get ready"));
}

/// The pointer cases of 0.2.0 on one MOSN, by case.
fn pointers(host: &str, out: &Path) -> BTreeMap<String, ResultLine> {
    let specs = root().join("specs");
    let ran = Command::new(env!("CARGO_BIN_EXE_pwspec"))
        .args([
            "run",
            "pointers/",
            "--abi",
            "0.2.0",
            "--host",
            host,
            "--exit-zero",
        ])
        .args([
            "--snapshots",
            "off",
            "--isolation",
            "shared",
            "--format",
            "terse",
        ])
        .arg("--specs")
        .arg(specs)
        .arg("--out")
        .arg(out)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let record = Record::read(&out.join("record.jsonl")).unwrap();
    let all = record.results.into_iter().filter(|r| !r.added);
    all.map(|r| (r.case.clone(), r)).collect()
}

#[test]
fn one_number_mended_turns_its_cases_green() {
    let profile = profile("mosn");
    let go = Command::new("go").arg("version").output();
    let found = find(&profile, &root().join("target")).into_iter().next();
    let (Ok(_), Some(found)) = (go, found) else {
        eprintln!("SKIPPED: needs Go and a MOSN: make hosts HOSTS=mosn");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let patched = dir.path().join("mosn");
    let adapter = root().join("harness/adapters/mosn");
    let built = Command::new("sh")
        .arg(adapter.join("build-patched.sh"))
        .arg(adapter.join("status.patch"))
        .arg(&patched)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.status.success(), "{said}");
    let before = pointers(
        &format!("mosn={}", found.path.display()),
        &dir.path().join("before"),
    );
    let after = pointers(
        &format!("mosn={}", patched.display()),
        &dir.path().join("after"),
    );
    // Expected are those that fail for that number and nothing else.
    let for_the_number = |r: &&ResultLine| {
        let mut failed = r
            .judgement
            .checks
            .iter()
            .filter(|c| c.outcome != Outcome::Pass);
        r.judgement.verdict == Verdict::Fail
            && failed.all(|c| c.got.starts_with("5 (not in the text)"))
    };
    let expected: BTreeSet<&str> = before
        .values()
        .filter(for_the_number)
        .map(|r| r.case.as_str())
        .collect();
    let passes = |r: &ResultLine| r.judgement.verdict == Verdict::Pass;
    let green: BTreeSet<&str> = before
        .values()
        .filter(|r| !passes(r) && passes(&after[&r.case]))
        .map(|r| r.case.as_str())
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(green, expected);
    for (case, r) in before.iter().filter(|(_, r)| passes(r)) {
        assert!(passes(&after[case]), "{case} was {}", r.judgement.verdict);
    }
}
