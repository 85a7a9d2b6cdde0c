//! Hosts that hang, die or are killed; nothing is left behind.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pwspec::case::Act;
use pwspec::host::{Driver, Job, Stop};
use pwspec::trace::{Attempt, Blame, End, Isolation};

use crate::envoy::{envoy, play, response};
use crate::kit::{abi, get, job, on, whole};

#[test]
fn a_guest_that_loops_costs_its_case_and_its_deadline() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let spin = |callback: &str| vec![on(callback, vec![Act::Spin])];
    let mut jobs: Vec<Job> = (0..10)
        .map(|n| job(n, &abi, vec![], whole(vec![get("/")])))
        .collect();
    jobs[3] = job(
        3,
        &abi,
        spin("proxy_on_request_headers"),
        whole(vec![get("/")]),
    );
    jobs[6] = job(6, &abi, spin("proxy_on_vm_start"), whole(vec![get("/")]));
    for n in [3, 6] {
        jobs[n].alone = true;
        jobs[n].deadline = Duration::from_secs(1);
    }
    let began = Instant::now();
    let all = play(&mut driver, jobs);
    println!("looping alone: {:?}", began.elapsed());
    driver.close().unwrap();
    assert_eq!(all.len(), 10);
    for (n, attempt) in &all {
        println!(
            "{n} {:?} {:?} {:?} {:?}",
            attempt.isolation, attempt.load, attempt.end, attempt.faults
        );
        if [3, 6].contains(n) {
            assert!(matches!(attempt.end, End::Timeout(_)));
        } else {
            assert_eq!(response(attempt, 1).status, Some(200));
        }
    }
}

#[test]
fn a_guest_that_loops_in_company_is_found_and_played_alone() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let spin = |callback: &str| vec![on(callback, vec![Act::Spin])];
    let mut jobs: Vec<Job> = (0..10)
        .map(|n| job(n, &abi, vec![], whole(vec![get("/")])))
        .collect();
    jobs[3] = job(
        3,
        &abi,
        spin("proxy_on_request_headers"),
        whole(vec![get("/")]),
    );
    jobs[6] = job(6, &abi, spin("proxy_on_vm_start"), whole(vec![get("/")]));
    for n in [3, 6] {
        jobs[n].deadline = Duration::from_secs(1);
    }
    let began = Instant::now();
    let all = play(&mut driver, jobs);
    println!("looping in company: {:?}", began.elapsed());
    driver.close().unwrap();
    assert_eq!(all.len(), 10);
    for (n, attempt) in &all {
        println!(
            "{n} {:?} {:?} {:?} {:?}",
            attempt.isolation, attempt.load, attempt.end, attempt.faults
        );
        if [3, 6].contains(n) {
            assert!(matches!(attempt.end, End::Timeout(_)));
            assert_eq!(attempt.isolation, Isolation::Alone);
        } else {
            assert_eq!(response(attempt, 1).status, Some(200));
            assert_eq!(attempt.faults, []);
        }
    }
}

#[test]
fn a_killed_host_costs_the_case_a_second_run() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    let jobs: Vec<Job> = (0..20)
        .map(|n| job(n, &abi, vec![], whole(vec![get("/")])))
        .collect();
    let all = Mutex::new(BTreeMap::new());
    let first = Mutex::new(None);
    let done = |index: usize, attempt: Attempt| {
        if index == 4 {
            // The folder of the host that runs tells its process.
            let pid = children().into_iter().next().unwrap();
            *first.lock().unwrap() = Some(pid);
            let pid = rustix::process::Pid::from_raw(pid).unwrap();
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
        all.lock().unwrap().insert(index, attempt);
    };
    driver.play(jobs, &Stop::default(), &done).unwrap();
    driver.close().unwrap();
    let all = all.into_inner().unwrap();
    assert_eq!(all.len(), 20);
    let hit: Vec<_> = all.iter().filter(|(_, a)| !a.faults.is_empty()).collect();
    for (n, attempt) in &hit {
        println!(
            "{n} {:?} {:?} {:?}",
            attempt.isolation, attempt.end, attempt.faults
        );
    }
    // A host that is killed between two cases costs none of them.
    assert!(hit.len() <= 1, "{} cases were hit by one kill", hit.len());
    assert!(
        hit.iter()
            .all(|(_, a)| a.faults[0].blame == Blame::Environment)
    );
    assert!(all.values().all(|a| a.end == End::Normal));
}

/// Hosts that this process has started.
fn children() -> Vec<i32> {
    let me = std::process::id();
    let mut out = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let text = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for pid in text.split_whitespace() {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            if name.trim() == "envoy" {
                out.push(pid.parse().unwrap());
            }
        }
    }
    println!("{me}: {out:?}");
    out
}

#[test]
fn nothing_is_left_behind() {
    let Some(mut driver) = envoy() else { return };
    let abi = abi("0.2.1");
    play(
        &mut driver,
        vec![job(0, &abi, vec![], whole(vec![get("/")]))],
    );
    let pid = driver.processes()[0];
    let cwd = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
    assert!(cwd.is_dir());
    drop(driver);
    assert!(!cwd.exists());
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}
