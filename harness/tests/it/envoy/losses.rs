//! Hosts that hang, die or are killed; nothing is left behind.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use pwspec::case::{Act, AnswerKind};
use pwspec::host::{Driver, Job, Stop};
use pwspec::trace::{Attempt, Blame, End, Isolation};

use crate::envoy::{envoy, envoy_with, play, response};
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
    let Some(mut driver) = envoy_with(Some(1)) else {
        return;
    };
    let abi = abi("0.2.1");
    let plain = |n| job(n, &abi, vec![], whole(vec![get("/")]));
    // The host that plays this is the one that plays all that follow.
    play(&mut driver, vec![plain(0)]);
    let [pid] = driver.processes()[..] else {
        panic!("one process")
    };
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    let mut jobs: Vec<Job> = (0..20).map(plain).collect();
    // This one waits for an answer that does not come until its time is over.
    let mut hangs = get("/");
    hangs.answer.kind = AnswerKind::Hang;
    jobs[5] = job(5, &abi, vec![], whole(vec![hangs]));
    let all = Mutex::new(BTreeMap::new());
    let killer = Mutex::new(None);
    let done = |index: usize, attempt: Attempt| {
        if index == 4 {
            // One lane plays them in their order: the next one is played when this returns, and it takes
            // seconds. Whenever the kill comes within them, it hits that case and no other.
            let kill = move || {
                std::thread::sleep(Duration::from_millis(500));
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            };
            *killer.lock().unwrap() = Some(std::thread::spawn(kill));
        }
        all.lock().unwrap().insert(index, attempt);
    };
    driver.play(jobs, &Stop::default(), &done).unwrap();
    let killer = killer.into_inner().unwrap().expect("the case before ended");
    killer.join().unwrap();
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
    let [(5, attempt)] = hit[..] else {
        panic!("{} cases were hit by one kill", hit.len())
    };
    assert_eq!(attempt.faults.len(), 1);
    assert_eq!(attempt.faults[0].blame, Blame::Environment);
    // It was played once more, alone, and nobody disturbed it.
    assert_eq!(attempt.isolation, Isolation::Alone);
    assert!(matches!(attempt.end, End::Timeout(_)), "{:?}", attempt.end);
    let others = all.iter().filter(|(n, _)| **n != 5);
    for (n, attempt) in others {
        assert_eq!(attempt.end, End::Normal, "{n}");
    }
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
