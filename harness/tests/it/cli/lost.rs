//! A run that loses its host still leaves every report that was asked for, and they say so.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::cli::{Bench, GOOD};

#[test]
fn every_report_is_there_and_says_that_the_host_was_lost() {
    let bench = Bench::new(&[GOOD]);
    bench.write(
        "dying.yaml",
        "version: 1\nname: dying\ndriver: stdio\nabi: [0.2.1]\nbinary: {name: dying, path: dying}\n",
    );
    // Its last words are as hostile as can be.
    bench.write(
        "dying",
        "#!/bin/sh\nprintf '::error::pwned <script>alert(1)</script> \\033[31mred ]]> \\000 \\377\\n::error::no library here\\n' >&2\nexit 7\n",
    );
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bench.path("dying"), executable).unwrap();
    let ran = bench
        .run(&[
            "run",
            "--host",
            "dying.yaml",
            "--out",
            "out",
            "--report",
            "html,junit,sarif,md,badge,matrix,json",
        ])
        .code(3);
    assert!(ran.err.contains("failed to drive dying"), "{}", ran.err);
    assert!(ran.err.contains("no library here"), "{}", ran.err);
    harmless("what is said", &format!("{}{}", ran.out, ran.err));
    for file in [
        "record.jsonl",
        "summary.json",
        "report/index.html",
        "junit.xml",
        "sarif.json",
        "summary.md",
        "badge.json",
    ] {
        assert!(bench.path(&format!("out/{file}")).is_file(), "{file}");
    }
    let record = bench.read("out/record.jsonl");
    let footer: Value = serde_json::from_str(record.lines().last().unwrap()).unwrap();
    assert_eq!(footer["footer"]["exit_code"], 3);
    assert_eq!(
        footer["footer"]["trouble"].as_array().unwrap().len(),
        1,
        "{footer}"
    );
    let summary: Value = serde_json::from_str(&bench.read("out/summary.json")).unwrap();
    assert_eq!(summary["exit_code"], 3);
    assert_eq!(summary["runs"][0]["cases"]["not_run"], 2, "{summary}");
    for file in [
        "report/index.html",
        "junit.xml",
        "summary.md",
        "sarif.json",
        "matrix.md",
    ] {
        let text = bench.read(&format!("out/{file}"));
        assert!(text.contains("dying"), "{file}");
        assert!(text.contains("not-run"), "{file}: {text}");
        assert!(text.contains("no library here"), "{file}: {text}");
    }
    let badge: Value = serde_json::from_str(&bench.read("out/badge.json")).unwrap();
    assert_eq!(
        badge["message"],
        "0.2.1: incomplete (trouble with the host)"
    );
    assert_eq!(badge["isError"], true);
    for file in [
        "report/index.html",
        "junit.xml",
        "sarif.json",
        "summary.json",
        "summary.md",
        "badge.json",
        "matrix.md",
    ] {
        harmless(file, &bench.read(&format!("out/{file}")));
    }
    for file in ["report/index.html", "junit.xml"] {
        let text = bench.read(&format!("out/{file}"));
        assert!(!text.contains("<script>alert"), "{file}");
    }
    assert!(!bench.read("out/junit.xml").contains("]]>"));
}

/// Nothing that a terminal or the log of a CI system would obey.
fn harmless(what: &str, text: &str) {
    let odd = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(odd, None, "{what}: {text}");
    let command = text.lines().find(|l| l.trim_start().starts_with("::"));
    assert_eq!(command, None, "{what}");
}
