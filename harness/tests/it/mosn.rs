//! The network driver against a real MOSN, whose listeners come only with a new process. Without one
//! these tests say so and pass: a test binary has no better word for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use pwspec::case::{Act, Profile};
use pwspec::host::network::{Network, Options};
use pwspec::host::{Driver, Job, Stop, Trouble, find, how_to_get};
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

/// A program in a folder of its own.
fn program(bytes: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mosn");
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (dir, path)
}

/// What comes of one case on a program that stands for MOSN.
fn on_program(profile: Profile, binary: &Path) -> Result<BTreeMap<usize, Attempt>, Trouble> {
    let mut driver = Network::new(profile, binary.to_owned(), Options::default()).unwrap();
    let jobs = vec![job(0, &abi("0.2.0"), vec![], whole(vec![get("/")]))];
    let all = Mutex::new(BTreeMap::new());
    let done = |index, attempt| drop(all.lock().unwrap().insert(index, attempt));
    driver.play(jobs, &Stop::default(), &done)?;
    driver.close()?;
    Ok(all.into_inner().unwrap())
}

/// What is said where the host does not start: no case has an attempt then.
fn trouble(profile: Profile, binary: &Path) -> String {
    on_program(profile, binary).unwrap_err().what
}

#[test]
fn a_binary_that_does_not_start_is_trouble_and_no_verdict() {
    let said = trouble(profile("mosn"), Path::new("/bin/false"));
    assert!(said.contains("did not get ready (exit code 1)"), "{said}");
}

#[test]
fn a_file_that_nobody_may_execute_is_trouble() {
    let (_dir, path) = program(b"#!/bin/sh\n", 0o644);
    let said = trouble(profile("mosn"), &path);
    assert!(said.contains("Permission denied"), "{said}");
}

#[test]
fn a_binary_of_another_machine_is_trouble() {
    // The head of an ELF file for a machine that there is none of.
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    elf[16..20].copy_from_slice(&[2, 0, 0xfe, 0xfe]);
    let (_dir, path) = program(&elf, 0o755);
    let said = trouble(profile("mosn"), &path);
    assert!(said.contains("Exec format error"), "{said}");
}

#[test]
fn a_host_that_never_gets_ready_is_trouble_and_is_ended() {
    let mut profile = profile("mosn");
    profile.start.as_mut().unwrap().ready.within = 1;
    let (dir, path) = program(b"#!/bin/sh\necho $$ > \"$0.pid\"\nexec sleep 60\n", 0o755);
    let said = trouble(profile, &path);
    assert!(said.contains("did not get ready"), "{said}");
    let pid = std::fs::read_to_string(dir.path().join("mosn.pid")).unwrap();
    let there = Path::new("/proc").join(pid.trim());
    assert!(!there.exists(), "{pid} is still there");
}

/// The newest MOSN that is here, behind a script.
fn behind(script: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    let found = find(&profile("mosn"), &root().join("target"));
    let Some(found) = found.into_iter().next() else {
        eprintln!("SKIPPED: no MOSN here: make hosts HOSTS=mosn");
        return None;
    };
    let text = script.replace("MOSN", &found.path.display().to_string());
    Some(program(text.as_bytes(), 0o755))
}

#[test]
fn a_host_that_starts_slowly_is_waited_for() {
    let Some((_dir, path)) = behind("#!/bin/sh\nsleep 2\nexec MOSN \"$@\"\n") else {
        return;
    };
    let all = on_program(profile("mosn"), &path).unwrap();
    assert_eq!(
        (all[&0].end.clone(), all[&0].load.clone()),
        (End::Normal, Load::Loaded)
    );
    assert_eq!(all[&0].faults, []);
    assert_eq!(client_status(&all[&0]), Some(200));
}

#[test]
fn a_port_that_is_taken_is_trouble_in_the_hosts_words() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let Some((_dir, path)) = behind("#!/bin/sh\nexec MOSN \"$@\"\n") else {
        return;
    };
    let mut profile = profile("mosn");
    let files = &mut profile.start.as_mut().unwrap().files;
    let conf = files.get_mut("conf.json").unwrap();
    let sockets = r#"{{ dir ~ "/" ~ fence.socket }}, "network": "unix""#;
    let on_a_port = format!(r#""127.0.0.1:{port}", "network": "tcp""#);
    assert!(conf.contains(sockets));
    *conf = conf.replace(sockets, &on_a_port);
    let said = trouble(profile, &path);
    assert!(said.contains("did not get ready"), "{said}");
    assert!(said.contains("address already in use"), "{said}");
}

#[test]
fn a_module_of_a_version_that_the_host_does_not_know_is_refused() {
    let Some(mut driver) = mosn() else { return };
    let jobs = ["0.2.1", "0.2.0", "0.1.0"].into_iter().enumerate();
    let jobs = jobs.map(|(n, id)| job(n, &abi(id), vec![], whole(vec![get("/")])));
    let all = play(&mut driver, jobs.collect());
    let Load::Refused { text } = &all[&0].load else {
        panic!("{:?}", all[&0].load)
    };
    let text = text.display();
    assert!(text.contains("not instantiated"), "{text}");
    assert_eq!(all[&0].trace.instances, []);
    for n in 1..3 {
        assert_eq!(all[&n].load, Load::Loaded, "{n}");
    }
}

/// A module of 0.2.1 that imports nothing. The host instantiates it, and then the filter finds no ABI.
fn importless() -> Vec<u8> {
    let mut wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01".to_vec();
    wasm.extend(b"\x07\x24\x02\x17proxy_abi_version_0_2_1\0\0\x06memory\x02\0");
    wasm.extend(b"\x0a\x04\x01\x02\0\x0b");
    wasm
}

#[test]
fn a_panic_of_the_host_costs_its_case() {
    let Some(mut driver) = mosn() else { return };
    let abi = abi("0.2.0");
    let jobs = (0..6).map(|n| job(n, &abi, vec![], whole(vec![get("/")])));
    let mut jobs: Vec<Job> = jobs.collect();
    jobs[3].vms[0].wasm = std::sync::Arc::new(importless());
    jobs[3].vms[0].legend = None;
    let all = play(&mut driver, jobs);
    assert_eq!(all.len(), 6);
    for (n, attempt) in &all {
        if *n == 3 {
            let End::Crash(what) = &attempt.end else {
                panic!("{:?}", attempt.end)
            };
            assert!(what.contains("exit code 2"), "{what}");
        } else {
            assert_eq!((&attempt.end, &attempt.load), (&End::Normal, &Load::Loaded));
            assert_eq!(attempt.faults, []);
            assert_eq!(client_status(attempt), Some(200));
        }
    }
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
