//! `repro`: a case as files that play it without pwspec.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli::{Bench, GOOD, WRONG, envoy::envoy};

/// Ends a program that a test started.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn exists_soon(path: &std::path::Path) {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed().as_secs() < 30, "no {}", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_case_on_the_embedded_host_is_a_module_and_a_story() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let ran = bench
        .run(&["repro", "demo/wrong/other", "-o", "out"])
        .code(0);
    assert!(ran.out.contains("wrote out/README.md"), "{}", ran.out);
    let readme = bench.read("out/README.md");
    for part in [
        "# demo/wrong/other on reference",
        "`proxy_get_header_map_value/OK` (must)",
        "Verdict: **fail**",
        "expected value \"2\", got OK, value \"1\"",
        "pwspec run demo/wrong/other --host reference --abi 0.2.1",
    ] {
        assert!(readme.contains(part), "no {part} in {readme}");
    }
    assert!(
        std::fs::read(bench.path("out/c1-0.wasm"))
            .unwrap()
            .starts_with(b"\0asm")
    );
    assert!(bench.read("out/trace.txt").contains("= OK \"1\""));
    assert!(bench.read("out/case.yaml").contains("id: other"));
    let err = bench
        .run(&["repro", "demo/wrong/other", "-o", "out"])
        .code(2)
        .err;
    assert!(err.contains("out is not empty"), "{err}");
    let err = bench
        .run(&["repro", "demo/wrong/othr", "-o", "no"])
        .code(2)
        .err;
    assert!(err.contains("did you mean `demo/wrong/other`?"), "{err}");
    let err = bench
        .run(&["repro", "demo/wrong/other", "-o", "no", "--hold"])
        .code(2)
        .err;
    assert!(err.contains("no program that serves by itself"), "{err}");
    assert!(!bench.path("no").exists());
}

#[test]
fn the_scripts_play_the_case_on_a_real_host() {
    let Some(envoy) = envoy() else { return };
    let bench = Bench::new(&[GOOD]);
    bench
        .run(&["repro", "demo/one/here", "--host", &envoy, "-o", "out"])
        .code(0);
    let out = bench.path("out");
    let readme = bench.read("out/README.md");
    assert!(readme.contains("Verdict: **pass**"), "{readme}");
    assert!(readme.contains("curl -sS -i"), "{readme}");
    assert!(
        bench
            .read("out/reference-trace.txt")
            .contains("proxy_get_header_map_value")
    );
    let start = |program: &str, args: &[&str]| {
        let child = Command::new(program)
            .args(args)
            .current_dir(&out)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Ends(child.unwrap())
    };
    let mut upstream = start("python3", &["upstream.py"]);
    exists_soon(&out.join("main.sock"));
    let host = start("./start.sh", &[]);
    exists_soon(&out.join("c1.sock"));
    let client = Command::new("python3")
        .arg("client.py")
        .current_dir(&out)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&client.stdout).into_owned();
    assert!(
        said.contains("client 1  HTTP/1.1 200"),
        "{said} {}",
        String::from_utf8_lossy(&client.stderr)
    );
    // The command line does the same.
    let curl = readme.lines().find(|l| l.starts_with("curl ")).unwrap();
    let shown = Command::new("sh")
        .args(["-c", curl])
        .current_dir(&out)
        .output()
        .unwrap();
    if Command::new("curl").arg("--version").output().is_ok() {
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.contains("200 OK"), "{shown}");
    }
    drop(host);
    let _ = upstream.0.kill();
    let mut seen = String::new();
    std::io::Read::read_to_string(&mut upstream.0.stdout.take().unwrap(), &mut seen).unwrap();
    assert!(seen.contains("main  GET /"), "{seen}");
    assert!(seen.contains("x-here: b'1'"), "{seen}");
}

const CALL: (&str, &str) = (
    "demo/call.yaml",
    "version: 1
suite: demo/call
about: Demo
since: 0.1.0
cases:
  - id: made
    about: a call is given an id
    program:
      request_headers:
        - call: proxy_grpc_call
          with: {upstream: {upstream: grpc_a}, service: a.B, method: C, message: hi, timeout: 1000}
          expect: {status: OK, call_id: {present: true}}
        - return: PAUSE
    exchange:
      grpc: {grpc_a: [[{after: end, messages: [world], status: 0}]]}
      play: [{head: 1}, {wait: {callback: grpc_receive}}, {abort: 1}]
",
);

#[test]
fn what_the_scripts_do_not_play_is_said() {
    let Some(envoy) = envoy() else { return };
    let bench = Bench::new(&[GOOD, CALL]);
    let ran = bench
        .run(&["repro", "demo/call/made", "--host", &envoy, "-o", "out"])
        .code(0);
    let lack = "upstream.py plays no gRPC upstream";
    assert!(ran.err.contains(lack), "{}", ran.err);
    let readme = bench.read("out/README.md");
    assert!(
        readme.contains(&format!("**Not the whole case:** {lack}")),
        "{readme}"
    );
    let ran = bench
        .run(&["repro", "demo/one/here", "--host", &envoy, "-o", "whole"])
        .code(0);
    assert!(!ran.err.contains("plays no"), "{}", ran.err);
    assert!(!bench.read("whole/README.md").contains("Not the whole case"));
}

#[cfg(unix)]
#[test]
fn a_held_host_names_its_process_and_goes_with_ctrl_c() {
    let Some(envoy) = envoy() else { return };
    let bench = Bench::new(&[GOOD]);
    let mut child = bench
        .command(&[
            "repro",
            "demo/one/here",
            "--host",
            &envoy,
            "-o",
            "out",
            "--hold",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut pid = None;
    for line in lines.by_ref() {
        let line = line.unwrap();
        if let Some(rest) = line.strip_prefix("host       pid ") {
            pid = rest.trim().parse::<i32>().ok();
        }
        if line == "Ctrl-C ends it" {
            break;
        }
    }
    let pid = rustix::process::Pid::from_raw(pid.unwrap()).unwrap();
    exists_soon(&bench.path("out/c1.sock"));
    rustix::process::test_kill_process(pid).unwrap();
    let own = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(own, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(
        rustix::process::test_kill_process(pid).is_err(),
        "the host is gone"
    );
    assert!(bench.path("out/README.md").is_file(), "the files stay");
}
