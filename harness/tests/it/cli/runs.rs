//! `run` on the reference host: verdicts, exit codes, files, runaway guests.

use serde_json::Value;

use crate::cli::{Bench, GOOD, WRONG};

const QUIET: [&str; 2] = ["--snapshots", "off"];

fn run(bench: &Bench, more: &[&str]) -> crate::cli::Ran {
    bench.run(&[&["run", "--out", "out"], &QUIET[..], more].concat())
}

#[test]
fn all_pass() {
    let bench = Bench::new(&[GOOD]);
    let ran = run(&bench, &["--abi", "0.2.1", "--report", "html"]).code(0);
    assert!(
        ran.out.contains("reference-0.1.0-0.2.1  conformant"),
        "{}",
        ran.out
    );
    let summary: Value = serde_json::from_str(&bench.read("out/summary.json")).unwrap();
    assert_eq!(summary["runs"][0]["verdict"], "conformant");
    assert_eq!(summary["runs"][0]["cases"]["pass"], 2);
    assert_eq!(summary["exit_code"], 0);
    let html = bench.read("out/report/index.html");
    assert!(
        html.contains("demo/one/gone"),
        "the report names every case"
    );
    let record = bench.read("out/record.jsonl");
    assert!(record.starts_with("{\"header\":"));
    assert!(record.lines().last().unwrap().starts_with("{\"footer\":"));
}

#[test]
fn a_failure_reads_like_a_compilers() {
    let bench = Bench::new(&[WRONG]);
    let ran = run(&bench, &["--abi", "0.2.1"]).code(1);
    for part in [
        "FAIL  demo/wrong/other",
        "must · proxy_get_header_map_value/OK",
        "specs/cases/demo/wrong.yaml:12:39",
        "got OK, value \"1\"",
        "not conformant (1 must case fails, 0 known)",
        "unexpected",
    ] {
        assert!(ran.out.contains(part), "no {part} in {}", ran.out);
    }
    let trace = bench.read("out/traces/reference-0.1.0-0.2.1/demo.wrong.other.trace");
    assert!(trace.contains("= OK \"1\""), "{trace}");
    insta::assert_snapshot!(trace);
}

#[test]
fn a_known_failure_is_as_expected_and_stays_a_failure() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let profile = bench.read("specs/hosts/reference.yaml");
    let entry = "known:\n  - {cases: [demo/wrong/other], seen: the value 1, why: the case is wrong, source: not read}\n";
    bench.write("specs/hosts/reference.yaml", &format!("{profile}{entry}"));
    let ran = run(&bench, &["--abi", "0.2.1"]).code(0);
    assert!(
        ran.out
            .contains("not conformant (1 must case fails, 1 known)"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("as expected"), "{}", ran.out);

    let stale = entry.replace("demo/wrong/other", "demo/one/here");
    bench.write("specs/hosts/reference.yaml", &format!("{profile}{stale}"));
    let ran = bench
        .run(&[
            "run",
            "--out",
            "out2",
            "--snapshots",
            "off",
            "--abi",
            "0.2.1",
        ])
        .code(1);
    assert!(
        ran.err.contains("stale, these pass: demo/one/here"),
        "{}",
        ran.err
    );
}

#[test]
fn nothing_selected_and_usage() {
    let bench = Bench::new(&[GOOD]);
    run(&bench, &["level:survey"]).code(4);
    let err = run(&bench, &["--abi", "0.2.9"]).code(2).err;
    assert!(
        err.contains("unknown ABI version or dialect `0.2.9`"),
        "{err}"
    );
    run(&bench, &["--no-such-flag"]).code(2);
    let err = run(&bench, &["--host", "refrence"]).code(2).err;
    assert!(err.contains("did you mean `reference`?"), "{err}");
}

#[test]
fn a_run_never_appends_to_an_old_one() {
    let bench = Bench::new(&[GOOD]);
    run(&bench, &["--abi", "0.2.1"]).code(0);
    let err = run(&bench, &["--abi", "0.2.1"]).code(2).err;
    assert!(err.contains("out holds a run already"), "{err}");
}

#[test]
fn the_default_folder_is_new_each_time_and_latest_points_to_it() {
    let bench = Bench::new(&[GOOD]);
    for _ in 0..2 {
        bench
            .run(&["run", "--snapshots", "off", "--abi", "0.2.1"])
            .code(0);
    }
    let runs = std::fs::read_dir(bench.path("target/pwspec"))
        .unwrap()
        .count();
    assert_eq!(runs, 3, "two runs and latest");
    assert!(bench.path("target/pwspec/latest/record.jsonl").is_file());
    let names = bench
        .run(&["run", "last:failed", "--snapshots", "off"])
        .code(4)
        .err;
    assert!(names.contains("nothing selected"), "{names}");
}

#[test]
fn runaway_guests_cost_one_case_each() {
    let case = |id: &str, step: &str| {
        format!(
            "  - id: {id}
    about: runs away
    program:
      request_headers:
        - call: proxy_get_header_map_value
          with: {{map_id: HTTP_REQUEST_HEADERS, key: x-here}}
          expect: {{status: OK, value: \"1\"}}
        - {step}
    exchange:
      request: {{headers: [[x-here, \"1\"]]}}
"
        )
    };
    let text = format!(
        "version: 1\nsuite: demo/away\nabout: Demo\nsince: 0.1.0\ncases:\n{}{}{}{}",
        case("traps", "trap: true"),
        case("spins", "spin: true"),
        case("recurses", "recurse: true"),
        case("grows", "grow: forever"),
    );
    let bench = Bench::new(&[GOOD, ("demo/away.yaml", &text)]);
    let began = std::time::Instant::now();
    let ran = run(&bench, &["--abi", "0.2.1", "--timeout", "500ms"]).code(1);
    assert!(began.elapsed().as_secs() < 60, "bounded");
    let summary: Value = serde_json::from_str(&bench.read("out/summary.json")).unwrap();
    let cases = &summary["runs"][0]["cases"];
    assert_eq!(cases["pass"], 2, "{}", ran.out);
    // The host stops a plugin that does not return, so none of them has to wait for its deadline.
    assert_eq!(cases["trap"], 4, "{cases}");
}

#[test]
fn json_format_prints_the_summary_and_nothing_else() {
    let bench = Bench::new(&[GOOD]);
    let ran = run(&bench, &["--abi", "0.2.1", "--format", "json"]).code(0);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["runs"][0]["column"], "reference-0.1.0-0.2.1");
}

#[cfg(unix)]
#[test]
fn ctrl_c_writes_record_and_footer_and_ends_with_130() {
    let slow = "version: 1\nsuite: demo/slow\nabout: Demo\nsince: 0.1.0\ncases:\n".to_owned()
        + &(0..40)
            .map(|n| {
                format!(
                    "  - id: c{n}\n    about: spins\n    program:\n      request_headers:\n        - call: proxy_get_log_level\n          expect: {{status: OK}}\n        - spin: true\n"
                )
            })
            .collect::<String>();
    let bench = Bench::new(&[("demo/slow.yaml", &slow)]);
    let args = [
        "run",
        "--out",
        "out",
        "--snapshots",
        "off",
        "--abi",
        "0.2.1",
        "-j",
        "1",
        "--report",
        "html,junit,sarif,md,badge,matrix,json",
    ];
    let mut child = bench
        .command(&args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let began = std::time::Instant::now();
    while !bench.path("out/record.jsonl").exists() && began.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let record = bench.read("out/record.jsonl");
    let footer: Value = serde_json::from_str(record.lines().last().unwrap()).unwrap();
    assert_eq!(footer["footer"]["interrupted"], true);
    assert_eq!(footer["footer"]["exit_code"], 130);
    // Every report that was asked for is there and says so.
    for file in [
        "report/index.html",
        "junit.xml",
        "sarif.json",
        "summary.md",
        "matrix.md",
    ] {
        let text = bench.read(&format!("out/{file}")).to_lowercase();
        assert!(text.contains("the run was interrupted"), "{file}: {text}");
    }
    let summary: Value = serde_json::from_str(&bench.read("out/summary.json")).unwrap();
    assert_eq!(summary["exit_code"], 130);
    let badge: Value = serde_json::from_str(&bench.read("out/badge.json")).unwrap();
    assert_ne!(badge["color"], "brightgreen", "{badge}");
    let message = badge["message"].as_str().unwrap();
    assert!(message.ends_with(" (interrupted)"), "{badge}");
    assert_eq!(badge["isError"], true);
}
