//! `diff`: two records side by side.

use serde_json::Value;

use crate::cli::{Bench, GOOD, WRONG};

const RUN: [&str; 5] = ["run", "--snapshots", "off", "--abi", "0.2.1"];

fn recorded(bench: &Bench, out: &str, code: i32) {
    bench.run(&[&RUN[..], &["--out", out]].concat()).code(code);
}

#[test]
fn a_case_that_fails_now_is_broken_and_the_other_way_round_fixed() {
    let bench = Bench::new(&[GOOD, WRONG]);
    recorded(&bench, "bad", 1);
    let right = WRONG.1.replace("value: \"2\"", "value: \"1\"");
    bench.write("specs/cases/demo/wrong.yaml", &right);
    recorded(&bench, "good", 0);

    let ran = bench.run(&["diff", "good", "bad"]).code(1);
    assert!(ran.out.contains("worse: 1 broken"), "{}", ran.out);
    assert!(
        ran.out.contains("pass  →  fail  demo/wrong/other"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("proxy_get_header_map_value/OK: expected value \"2\", got OK, value \"1\""),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("are not the same in both"), "{}", ran.out);

    let ran = bench.run(&["diff", "bad", "good/record.jsonl"]).code(0);
    assert!(ran.out.contains("better: 1 fixed"), "{}", ran.out);

    let ran = bench.run(&["diff", "bad", "bad"]).code(0);
    assert!(
        ran.out.contains("same: 3 results as they were"),
        "{}",
        ran.out
    );
}

#[test]
fn markdown_and_json_say_the_same() {
    let bench = Bench::new(&[GOOD, WRONG]);
    recorded(&bench, "bad", 1);
    bench.write(
        "specs/cases/demo/wrong.yaml",
        &WRONG.1.replace("value: \"2\"", "value: \"1\""),
    );
    recorded(&bench, "good", 0);
    let json = bench
        .run(&["diff", "good", "bad", "--format", "json"])
        .code(1);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["verdict"], "worse");
    assert_eq!(json["changes"][0]["kind"], "broken");
    assert_eq!(json["changes"][0]["case"], "demo/wrong/other");
    assert_eq!(json["columns"][0]["counts"]["broken"], 1);

    bench
        .run(&["diff", "good", "bad", "--format", "md", "-o", "pr.md"])
        .code(1);
    let md = bench.read("pr.md");
    assert!(md.starts_with("### ❌ pwspec: worse: 1 broken"), "{md}");
    assert!(md.contains("<details open><summary>1 broken</summary>"));
    assert!(md.contains("| `demo/wrong/other` |"), "{md}");
}

#[test]
fn a_change_of_what_the_host_shows_is_drift_and_no_seed_is() {
    let bench = Bench::new(&[GOOD]);
    recorded(&bench, "one", 0);
    bench
        .run(&[&RUN[..], &["--out", "two", "--seed", "99"]].concat())
        .code(0);
    bench.run(&["diff", "one", "two"]).code(0);
    // The same program, another answer: as if the host had changed.
    let record = bench.read("two/record.jsonl");
    let changed = record.replacen("x-gone", "x-lost", 40);
    assert_ne!(record, changed);
    bench.write("three/record.jsonl", &changed);
    let ran = bench.run(&["diff", "one", "three"]).code(0);
    assert!(ran.out.contains("changed: 1 drifted"), "{}", ran.out);
    assert!(ran.out.contains("x-lost"), "{}", ran.out);
}

#[test]
fn what_has_nothing_in_common_is_a_usage_error() {
    let bench = Bench::new(&[GOOD]);
    recorded(&bench, "new", 0);
    bench
        .run(&[
            "run",
            "--snapshots",
            "off",
            "--abi",
            "0.1.0",
            "--out",
            "old",
        ])
        .code(0);
    let err = bench.run(&["diff", "old", "new"]).code(2).err;
    assert!(err.contains("no column stands in both records"), "{err}");
    let err = bench.run(&["diff", "old", "nowhere"]).code(2).err;
    assert!(err.contains("nowhere"), "{err}");
}
