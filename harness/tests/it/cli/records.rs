//! `judge` and `report` on records that are there.

use serde_json::Value;

use crate::cli::{Bench, GOOD, WRONG};

fn recorded(bench: &Bench, code: i32) {
    bench
        .run(&[
            "run",
            "--out",
            "out",
            "--snapshots",
            "off",
            "--abi",
            "0.2.1",
        ])
        .code(code);
}

#[test]
fn an_old_record_gets_todays_verdicts_without_a_host() {
    let bench = Bench::new(&[WRONG]);
    recorded(&bench, 1);
    bench.run(&["judge", "out"]).code(1);
    // The expectation changes, the program does not.
    let text = WRONG.1.replace("value: \"2\"", "value: \"1\"");
    bench.write("specs/cases/demo/wrong.yaml", &text);
    let ran = bench.run(&["judge", "out", "--out", "new.jsonl"]).code(0);
    assert!(ran.out.contains("conformant"), "{}", ran.out);
    assert!(bench.read("new.jsonl").contains("\"verdict\":\"pass\""));
    // The program changes: the record cannot answer for it.
    bench.write(
        "specs/cases/demo/wrong.yaml",
        &text.replace("key: x-here", "key: x-other"),
    );
    let ran = bench.run(&["judge", "out"]).code(5);
    assert!(ran.out.contains("program changed"), "{}", ran.out);
}

#[test]
fn a_truncated_record_is_refused_by_name() {
    let bench = Bench::new(&[GOOD]);
    recorded(&bench, 0);
    let record = bench.read("out/record.jsonl");
    let cut: Vec<&str> = record.lines().collect();
    bench.write(
        "cut/record.jsonl",
        &format!("{}\n", cut[..cut.len() - 1].join("\n")),
    );
    let ran = bench.run(&["report", "cut"]).code(2);
    assert!(
        ran.err.contains("truncated") && ran.err.contains("cut/record.jsonl"),
        "{}",
        ran.err
    );
    let half = &record[..record.len() / 2];
    bench.write("half/record.jsonl", half);
    bench.run(&["judge", "half"]).code(2);
}

#[test]
fn reports_from_one_record_and_from_several() {
    let bench = Bench::new(&[GOOD]);
    recorded(&bench, 0);
    bench
        .run(&[
            "run",
            "--out",
            "old",
            "--snapshots",
            "off",
            "--abi",
            "0.2.0",
        ])
        .code(0);
    bench.run(&["report", "out", "old", "-o", "a.html"]).code(0);
    bench.run(&["report", "out", "old", "-o", "b.html"]).code(0);
    let html = bench.read("a.html");
    assert_eq!(
        html,
        bench.read("b.html"),
        "rendering twice gives the same bytes"
    );
    assert!(html.contains("0.2.0") && html.contains("0.2.1"));
    let json = bench
        .run(&["report", "out", "--format", "json"])
        .code(0)
        .out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["version"], 1);
}

#[test]
fn a_published_report_asks_for_nothing_from_the_network() {
    let bench = Bench::new(&[GOOD]);
    recorded(&bench, 0);
    bench.run(&["report", "out", "-o", "a.html"]).code(0);
    let html = bench.read("a.html");
    for bad in ["src=\"http", "href=\"http", "@import", "url(http"] {
        let found = html.match_indices(bad).count();
        // Links that people may follow are fine; what a page loads by itself is not.
        let links = html.match_indices("<a href=\"http").count();
        assert!(
            found == 0 || (bad == "href=\"http" && found == links),
            "{bad}"
        );
    }
}

#[test]
fn the_work_list_is_for_hosts_and_for_people() {
    let bench = Bench::new(&[GOOD]);
    recorded(&bench, 0);
    let ran = bench
        .run(&["report", "out", "--view", "adaptation"])
        .code(0);
    assert!(ran.out.contains("no column of a host"), "{}", ran.out);
    for (format, file, words) in [
        ("md", "list.md", "# What is to be done"),
        (
            "html",
            "list.html",
            "<title>pwspec: what is to be done</title>",
        ),
    ] {
        let args = [
            "report",
            "out",
            "--view",
            "adaptation",
            "--format",
            format,
            "-o",
            file,
        ];
        bench.run(&args).code(0);
        assert!(bench.read(file).contains(words), "{file}");
    }
    let args = ["report", "out", "--view", "adaptation", "--format", "junit"];
    let ran = bench.run(&args).code(2);
    assert!(ran.err.contains("terminal"), "{}", ran.err);
}
