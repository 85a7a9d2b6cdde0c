//! `run --host envoy` against a real Envoy: verdicts, and an Envoy that is killed in the middle.
//! Without one these tests say so and pass.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use pwspec::host::{find, how_to_get};
use serde_json::Value;

use crate::cli::{Bench, GOOD, Ran, WRONG};
use crate::kit::{profile, root};

/// What follows `--host`, for the newest Envoy that is here.
pub(crate) fn envoy() -> Option<String> {
    let profile = profile("envoy");
    match find(&profile, &root().join("target")).into_iter().next() {
        Some(found) => {
            let path = fs::canonicalize(&found.path).unwrap();
            Some(format!("envoy={}", path.display()))
        }
        None => {
            let get = how_to_get(&profile).unwrap_or_default();
            // Not by macro: the test runner would keep that to itself.
            writeln!(
                std::io::stderr(),
                "SKIPPED: no Envoy here; to get one: {get}"
            )
            .ok();
            None
        }
    }
}

/// The results of the run in `out`: case, verdict, blames of the last attempt's faults.
fn results(bench: &Bench) -> Vec<(String, String, Vec<String>)> {
    let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let lines = bench.read("out/record.jsonl");
    let all = lines.lines().map(|l| serde_json::from_str(l).unwrap());
    let mut out: Vec<_> = all
        .filter_map(|line: Value| {
            let result = line.get("result")?;
            let last = result["attempts"].as_array()?.last();
            let faults = last.and_then(|a| a["faults"].as_array());
            let blames = faults.into_iter().flatten().map(|f| word(&f["blame"]));
            Some((
                word(&result["case"]),
                word(&result["judgement"]["verdict"]),
                blames.collect(),
            ))
        })
        .collect();
    out.sort();
    out
}

#[test]
fn a_real_host_gets_verdicts() {
    let Some(host) = envoy() else { return };
    let bench = Bench::new(&[GOOD, WRONG]);
    let args = ["run", "--host", &host, "--abi", "0.2.1", "--out", "out"];
    let ran = bench.run(&args).code(1);
    let none = Vec::<String>::new;
    assert_eq!(
        results(&bench),
        [
            ("demo/one/gone".to_owned(), "pass".to_owned(), none()),
            ("demo/one/here".to_owned(), "pass".to_owned(), none()),
            ("demo/wrong/other".to_owned(), "fail".to_owned(), none()),
        ]
    );
    for part in [
        "not conformant (1 must case fails, 0 known)",
        "got OK, value \"1\"",
    ] {
        assert!(ran.out.contains(part), "no {part} in {}", ran.out);
    }
}

/// A stream that waits four seconds for an answer that never comes.
const SLOW: &str = "version: 1
suite: demo/slow
about: Demo
since: 0.1.0
cases:
  - id: waits
    about: waits for an answer
    program:
      request_headers:
        - call: proxy_http_call
          with:
            upstream: {upstream: a}
            headers: [[\":method\", GET], [\":path\", /slow], [\":authority\", a.test]]
            timeout: 4000
          expect: {status: OK}
        - return: PAUSE
      http_call_response:
        - call: proxy_set_effective_context
          with: {context_id: {context: stream 1}}
        - resume: request
    exchange:
      upstreams: {a: [{hang: true}]}
";

/// Processes that `pid` has started, with those that they have started.
fn below(pid: u32) -> Vec<u32> {
    let mut out = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let text = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in text.split_whitespace().filter_map(|p| p.parse().ok()) {
            out.push(child);
            out.extend(below(child));
        }
    }
    out
}

/// The program of a process, while it runs.
fn program(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

fn gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

/// Whether the upstream of callouts in this folder is connected to: only the slow case calls it, and then
/// waits.
fn calls_out(folder: &Path) -> bool {
    let path = folder.join("a.sock");
    let path = path.to_string_lossy();
    let text = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let mut sockets = text
        .lines()
        .map(|l| l.split_whitespace().collect::<Vec<_>>());
    // The sixth column is the state; 03 is connected.
    sockets.any(|s| s.last() == Some(&&*path) && s.get(5) == Some(&"03"))
}

/// Waits until one of the program's Envoys is in the middle of the slow case; its process and folder.
fn busy(child: &mut Child, binary: &Path) -> (u32, PathBuf) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(300) {
        assert_eq!(child.try_wait().unwrap(), None, "the run has ended already");
        for pid in below(child.id()) {
            let Ok(folder) = fs::read_link(format!("/proc/{pid}/cwd")) else {
                continue;
            };
            // At the end of a case the harness itself calls there for a moment.
            if program(pid).as_deref() == Some(binary) && calls_out(&folder) {
                std::thread::sleep(Duration::from_millis(200));
                if calls_out(&folder) {
                    return (pid, folder);
                }
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no Envoy came to the slow case");
}

#[test]
fn an_envoy_that_is_killed_costs_the_case_that_it_played_and_no_other() {
    let Some(host) = envoy() else { return };
    let binary = PathBuf::from(host.trim_start_matches("envoy="));
    let bench = Bench::new(&[GOOD, ("demo/slow.yaml", SLOW)]);
    let args = ["run", "--host", &host, "--abi", "0.2.1", "--out", "out"];
    let mut child = bench
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (envoy, folder) = busy(&mut child, &binary);
    let all = below(child.id());
    assert!(all.contains(&envoy));
    let pid = rustix::process::Pid::from_raw(envoy.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());

    let results = results(&bench);
    println!("{results:?}");
    let cases: Vec<&str> = results.iter().map(|r| r.0.as_str()).collect();
    assert_eq!(cases, ["demo/one/gone", "demo/one/here", "demo/slow/waits"]);
    let mut hit = 0;
    for (case, verdict, blames) in &results {
        match verdict.as_str() {
            "pass" => assert!(blames.is_empty(), "{case}: {blames:?}"),
            "not-run" => {
                hit += 1;
                assert_eq!(blames, &["environment"], "{case}");
            }
            other => panic!("{case} is {other}: {}", ran.out),
        }
    }
    assert_eq!(hit, 1, "{results:?}");
    let ran = ran.code(5);
    assert!(ran.out.contains("incomplete"), "{}", ran.out);
    for pid in all {
        assert!(gone(pid), "{pid} is left behind");
    }
    assert!(!folder.exists(), "{} is left behind", folder.display());
}
