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
            "html,junit,sarif,md,badge,json",
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
    for file in ["report/index.html", "junit.xml", "summary.md"] {
        let text = bench.read(&format!("out/{file}"));
        assert!(text.contains("dying"), "{file}");
        assert!(text.contains("not-run"), "{file}: {text}");
        assert!(text.contains("no library here"), "{file}: {text}");
    }
    for file in [
        "report/index.html",
        "junit.xml",
        "sarif.json",
        "summary.json",
        "summary.md",
        "badge.json",
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

/// All files below a folder.
fn files(below: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap().flatten() {
        match entry.path() {
            dir if dir.is_dir() => files(&dir, out),
            file => out.push(file),
        }
    }
}

#[test]
fn secrets_of_a_profile_are_in_no_output() {
    let Some(envoy) = crate::cli::envoy::envoy() else {
        return;
    };
    // A host that sends a field of the kind of authorization to the upstream, and logs it.
    let bench = Bench::new(&[GOOD, crate::cli::WRONG]);
    let profile = bench.read("specs/hosts/envoy.yaml");
    let routes = "\n                virtual_hosts:\n";
    let sends = "\n                request_headers_to_add: [{header: {key: authorization, value: Bearer s3cret-of-ours}}]";
    assert_eq!(profile.matches(routes).count(), 1);
    let own = profile.replace(routes, &format!("{sends}{routes}"));
    bench.write("specs/hosts/envoy.yaml", &own);
    let mut all = Vec::new();
    for (args, code) in [
        (
            vec![
                "run",
                "--host",
                &envoy,
                "--abi",
                "0.2.1",
                "--out",
                "out",
                "--trace",
                "all",
                "--snapshots",
                "new",
                "--report",
                "html,junit,sarif,md,badge,json",
            ],
            1,
        ),
        (
            vec![
                "report",
                "out",
                "--view",
                "adaptation",
                "--format",
                "html",
                "-o",
                "work.html",
            ],
            0,
        ),
        (
            vec!["repro", "demo/wrong/other", "--host", &envoy, "-o", "repro"],
            0,
        ),
    ] {
        let ran = bench.run(&args).code(code);
        all.push((args[0].to_owned(), format!("{}{}", ran.out, ran.err)));
    }
    let mut found = Vec::new();
    files(&bench.path("out"), &mut found);
    for name in [
        "README.md",
        "trace.txt",
        "host.log",
        "wire.txt",
        "case.yaml",
    ] {
        found.extend(Some(bench.path(&format!("repro/{name}"))).filter(|p| p.is_file()));
    }
    found.push(bench.path("work.html"));
    let snapshots = bench.path("specs/snapshots");
    if snapshots.is_dir() {
        files(&snapshots, &mut found);
    }
    for file in found {
        let bytes = std::fs::read(&file).unwrap();
        all.push((
            file.display().to_string(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ));
    }
    let mut redacted = 0;
    for (what, text) in &all {
        assert!(!text.contains("s3cret-of-ours"), "{what}: {text}");
        redacted += usize::from(text.contains("‹redacted›"));
    }
    assert!(redacted > 2, "it went through: record, trace, page");
}
