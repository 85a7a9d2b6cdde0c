//! Which cases a run takes: `last:`, `host:`, `--suite`, `--shard`; when it ends: `-x`, `--max-fail`,
//! `--max-time`; and how often: `--repeat`, `--watch`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::{Bench, GOOD, Ran, WRONG};

const RUN: [&str; 5] = ["run", "--snapshots", "off", "--abi", "0.2.1"];

fn run(bench: &Bench, more: &[&str]) -> Ran {
    bench.run(&[&RUN[..], more].concat())
}

/// The cases of a record, with their verdicts.
fn results(bench: &Bench, record: &str) -> Vec<(String, String)> {
    let text = bench.read(record);
    let lines = text
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap());
    let results = lines.filter(|l| l.get("result").is_some());
    results
        .map(|l| {
            let r = &l["result"];
            let word = |v: &Value| v.as_str().unwrap().to_owned();
            (word(&r["case"]), word(&r["judgement"]["verdict"]))
        })
        .collect()
}

fn cases(bench: &Bench, record: &str) -> BTreeSet<String> {
    results(bench, record).into_iter().map(|(c, _)| c).collect()
}

/// A suite of cases that spin until their deadline.
fn slow(n: usize) -> String {
    let head = "version: 1\nsuite: demo/slow\nabout: Demo\nsince: 0.1.0\ncases:\n".to_owned();
    let cases = (0..n).map(|n| {
        format!(
            "  - id: c{n}\n    about: spins\n    program:\n      request_headers:\n        - call: proxy_get_log_level\n          expect: {{status: OK}}\n        - spin: true\n"
        )
    });
    head + &cases.collect::<String>()
}

#[test]
fn the_last_run_can_be_asked() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let none = run(&bench, &["last:failed"]).code(2).err;
    assert!(
        none.contains("`last:failed` has no earlier run to look at"),
        "{none}"
    );
    run(&bench, &[]).code(1);
    run(&bench, &["last:failed", "--out", "again"]).code(1);
    assert_eq!(
        cases(&bench, "again/record.jsonl"),
        BTreeSet::from(["demo/wrong/other".to_owned()])
    );
    run(&bench, &["last:passed", "--out", "rest"]).code(0);
    assert_eq!(cases(&bench, "rest/record.jsonl").len(), 2);
    let listed = bench
        .run(&["list", "last:unexpected", "--format", "names"])
        .code(0)
        .out;
    assert_eq!(listed.trim(), "demo/wrong/other");
    let bad = run(&bench, &["last:faild"]).code(2).err;
    assert!(bad.contains("did you mean `failed`?"), "{bad}");
}

#[test]
fn a_glob_that_names_nothing_is_an_error_and_one_that_selects_nothing_is_none() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let list = |filter: &str| bench.run(&["list", filter, "--format", "names"]);
    let some = list("covers:proxy_get_header_map_value/*").code(0).out;
    assert!(some.contains("demo/one/gone"), "{some}");
    for (filter, says) in [
        (
            "covers:proxy_get_heder_map_value/*",
            "unknown requirement `proxy_get_heder_map_value/*`: did you mean `proxy_get_header_map_value/",
        ),
        ("area:dmo*", "unknown area `dmo*`: did you mean `demo`?"),
        ("abi:0.3.*", "unknown ABI version `0.3.*`: did you mean `0."),
        ("!tag:crash*", "unknown tag `crash*`"),
    ] {
        let err = list(filter).code(2).err;
        assert!(err.contains(says), "{filter}: {err}");
    }
    // A requirement that no case here covers, and hosts that are not run this time.
    list("covers:proxy_log/*").code(4);
    run(&bench, &["host:envoy*"]).code(4);
    run(&bench, &["demo/on[x]"]).code(4);
}

#[test]
fn a_host_can_stand_in_a_filter() {
    let bench = Bench::new(&[GOOD, WRONG]);
    run(&bench, &["host:reference & demo/one", "--out", "a"]).code(0);
    assert_eq!(cases(&bench, "a/record.jsonl").len(), 2);
    run(&bench, &["!host:reference"]).code(4);
    let err = run(&bench, &["host:refrence"]).code(2).err;
    assert!(
        err.contains("unknown host `refrence`: did you mean `reference`?"),
        "{err}"
    );
    let err = bench.run(&["list", "host:reference"]).code(2).err;
    assert!(err.contains("only where hosts are run"), "{err}");
}

#[test]
fn a_pinned_suite_leaves_newer_cases_out_and_names_them() {
    let newer = WRONG.1.replace("since: 0.1.0", "since: 0.3.0");
    let bench = Bench::new(&[GOOD, ("demo/wrong.yaml", &newer)]);
    bench.write("specs/suite.yaml", "version: 1\nsuite: 0.3.1\n");
    run(&bench, &["--out", "all"]).code(1);
    let ran = run(&bench, &["--suite", "0.2", "--out", "old"]).code(0);
    assert!(
        ran.out
            .contains("1 cases newer than suite 0.2 were not run: demo/wrong/other"),
        "{}",
        ran.out
    );
    assert_eq!(cases(&bench, "old/record.jsonl").len(), 2);
    let header: Value =
        serde_json::from_str(bench.read("old/record.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!(header["header"]["pinned"]["newer"][0], "demo/wrong/other");
    // 0.3 holds 0.3.0.
    run(&bench, &["--suite", "0.3"]).code(1);
    let err = run(&bench, &["--suite", "0.4"]).code(2).err;
    assert!(err.contains("suite 0.4 is newer than 0.3.1"), "{err}");
    let err = run(&bench, &["--suite", "new"]).code(2).err;
    assert!(err.contains("`new` is no suite version"), "{err}");
}

#[test]
fn shards_are_the_whole_and_merge_into_it() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let all = ["run", "--snapshots", "off"];
    bench.run(&[&all[..], &["--out", "whole"]].concat()).code(1);
    let mut parts = BTreeSet::new();
    let mut codes = Vec::new();
    for n in 1..=3 {
        let (shard, out) = (format!("{n}/3"), format!("part-{n}"));
        let ran = bench.run(&[&all[..], &["--shard", &shard, "--out", &out]].concat());
        codes.push(ran.code);
        let own = cases(&bench, &format!("{out}/record.jsonl"));
        assert_eq!(own.len(), 1, "each has its third");
        parts.extend(own);
    }
    assert_eq!(parts, cases(&bench, "whole/record.jsonl"));
    assert!(codes.contains(&1), "{codes:?}");
    let ran = bench
        .run(&[
            "merge",
            "part-2",
            "part-1",
            "part-3/record.jsonl",
            "--out",
            "merged",
            "--report",
            "junit,md",
        ])
        .code(1);
    assert!(ran.out.contains("FAIL  demo/wrong/other"), "{}", ran.out);
    let mut whole = results(&bench, "whole/record.jsonl");
    let mut merged = results(&bench, "merged/record.jsonl");
    whole.sort();
    merged.sort();
    assert_eq!(whole, merged);
    let counts = |path: &str| {
        let json: Value = serde_json::from_str(&bench.read(path)).unwrap();
        let runs = json["runs"].as_array().unwrap().clone();
        let of = |r: &Value| (r["cases"].clone(), r["verdict"].clone(), r["gate"].clone());
        runs.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(counts("whole/summary.json"), counts("merged/summary.json"));
    assert!(bench.read("merged/junit.xml").contains("demo/wrong"));
    assert!(bench.path("merged/summary.md").is_file());
    // Each result keeps the seed of its part: it can be judged again and compared.
    bench.run(&["judge", "merged"]).code(1);
    let diff = bench.run(&["diff", "whole", "merged"]).code(0);
    assert!(
        diff.out.contains("same: 8 results as they were"),
        "{}",
        diff.out
    );
}

#[test]
fn what_is_no_whole_is_not_merged() {
    let bench = Bench::new(&[GOOD, WRONG]);
    for n in 1..=2 {
        let (shard, out) = (format!("{n}/2"), format!("part-{n}"));
        run(&bench, &["--shard", &shard, "--out", &out]);
    }
    run(&bench, &["--out", "whole"]).code(1);
    let refused = |records: &[&str], why: &str| {
        let ran = bench
            .run(&[&["merge"], records, &["--out", "no"]].concat())
            .code(2);
        assert!(ran.err.contains(why), "{why}: {}", ran.err);
        assert!(!bench.path("no/record.jsonl").exists());
    };
    refused(&["part-1"], "the shards 2/2 are missing");
    refused(
        &["part-1", "part-1", "part-2"],
        "part-1 and part-1 are both shard 1/2",
    );
    refused(
        &["part-1", "whole"],
        "whole is a whole run, not one of 2 shards",
    );
    refused(&["whole", "whole"], "two whole runs of the same columns");
    bench.write(
        "specs/cases/demo/wrong.yaml",
        &WRONG.1.replace("\"2\"", "\"3\""),
    );
    run(&bench, &["--shard", "2/2", "--out", "other"]);
    refused(
        &["part-1", "other"],
        "part-1 and other differ in their suite",
    );
    let err = run(&bench, &["--shard", "3/2"]).code(2).err;
    assert!(err.contains("the second of five"), "{err}");
}

#[test]
fn other_columns_of_the_same_cases_merge_too() {
    let bench = Bench::new(&[GOOD]);
    let all = ["run", "--snapshots", "off"];
    bench
        .run(&[&all[..], &["--abi", "0.2.0", "--out", "a"]].concat())
        .code(0);
    bench
        .run(&[&all[..], &["--abi", "0.2.1", "--out", "b"]].concat())
        .code(0);
    bench.run(&["merge", "a", "b", "--out", "both"]).code(0);
    let json: Value = serde_json::from_str(&bench.read("both/summary.json")).unwrap();
    assert_eq!(json["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_shard_without_a_case_is_a_part_like_the_others() {
    let bench = Bench::new(&[WRONG]);
    run(&bench, &["--shard", "2/2", "--out", "empty"]).code(0);
    run(&bench, &["--shard", "1/2", "--out", "full"]).code(1);
    bench
        .run(&["merge", "empty", "full", "--out", "whole"])
        .code(1);
    run(&bench, &["demo/wrong & level:survey", "--shard", "1/2"]).code(4);
}

#[test]
fn a_run_ends_when_its_time_is_over_and_is_incomplete() {
    let text = slow(40);
    let bench = Bench::new(&[("demo/slow.yaml", &text)]);
    let began = std::time::Instant::now();
    let known = "known:\n  - {cases: ['demo/slow/*'], verdicts: [trap], seen: spins, why: it spins, source: not read}\n";
    let profile = bench.read("specs/hosts/reference.yaml");
    bench.write("specs/hosts/reference.yaml", &format!("{profile}{known}"));
    let ran = run(
        &bench,
        &[
            "--max-time",
            "1s",
            "-j",
            "1",
            "--timeout",
            "300ms",
            "--out",
            "out",
            "--report",
            "junit",
        ],
    )
    .code(5);
    assert!(began.elapsed().as_secs() < 30, "bounded");
    assert!(
        ran.out
            .contains("the time of the run was over before it was played"),
        "{}",
        ran.out
    );
    // Of many cases that were not played a few are shown.
    let shown = ran.out.matches("NOT-RUN").count();
    assert!((2..=4).contains(&shown), "{shown}: {}", ran.out);
    assert!(ran.out.contains(" more cases · "), "{}", ran.out);
    let verdicts: BTreeSet<String> = results(&bench, "out/record.jsonl")
        .into_iter()
        .map(|(_, v)| v)
        .collect();
    assert_eq!(
        verdicts,
        BTreeSet::from(["not-run".to_owned(), "trap".to_owned()])
    );
    assert!(
        bench
            .read("out/junit.xml")
            .contains("the time of the run was over")
    );
    let footer: Value =
        serde_json::from_str(bench.read("out/record.jsonl").lines().last().unwrap()).unwrap();
    assert_eq!(footer["footer"]["interrupted"], false);
}

#[test]
fn enough_failures_end_a_run() {
    let text = slow(40);
    let bench = Bench::new(&[("demo/slow.yaml", &text)]);
    for (flag, out) in [(vec!["-x"], "x"), (vec!["--max-fail", "1"], "max")] {
        let more = [
            &flag[..],
            &[
                "-j",
                "1",
                "--timeout",
                "300ms",
                "--isolation",
                "shared",
                "--out",
                out,
            ],
        ]
        .concat();
        let ran = run(&bench, &more).code(1);
        assert!(
            ran.out.contains("enough had failed before it was played"),
            "{}",
            ran.out
        );
        let all = results(&bench, &format!("{out}/record.jsonl"));
        let failed = all.iter().filter(|(_, v)| v == "trap").count();
        assert!((1..5).contains(&failed), "{failed} of {}", all.len());
    }
}

#[test]
fn warnings_count_where_they_are_asked_to() {
    let should = WRONG.1.replace(
        "expect: {status: OK, value: \"2\"}",
        "expect: {status: OK, value: \"2\"}\n          level: should",
    );
    let bench = Bench::new(&[("demo/wrong.yaml", &should)]);
    run(&bench, &["--out", "lax"]).code(0);
    assert_eq!(results(&bench, "lax/record.jsonl")[0].1, "warn");
    run(&bench, &["--strict", "--out", "strict"]).code(1);
}

#[test]
fn repeated_runs_agree_or_say_where_not() {
    let bench = Bench::new(&[GOOD]);
    let ran = run(&bench, &["--repeat", "3", "--out", "out"]).code(0);
    assert!(
        ran.out.contains("the results of 3 runs agree"),
        "{}",
        ran.out
    );
    assert!(!bench.path("out/repeat-2").exists());
    run(&bench, &["--repeat", "0"]).code(2);
}

#[cfg(unix)]
#[test]
fn a_watched_run_begins_again_when_a_case_changes() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let mut child = bench
        .command(&[&RUN[..], &["--watch"]].concat())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let finished = || {
        let runs = std::fs::read_dir(bench.path("target/pwspec"))
            .into_iter()
            .flatten()
            .flatten();
        runs.filter(|e| e.file_name() != "latest" && e.path().join("summary.json").is_file())
            .count()
    };
    let wait = |n: usize| {
        let began = std::time::Instant::now();
        while finished() < n && began.elapsed().as_secs() < 60 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!(finished(), n);
        // The files are looked at from now on.
        std::thread::sleep(std::time::Duration::from_millis(600));
    };
    wait(1);
    // A file in the middle of being edited does not end it.
    bench.write("specs/cases/demo/wrong.yaml", "version: 1\n");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    bench.write(
        "specs/cases/demo/wrong.yaml",
        &WRONG.1.replace("\"2\"", "\"1\""),
    );
    wait(2);
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0), "the code of the last run");
}
