//! Every output that can be asked for, made by one run; and what is left by a run that came to nothing.

use serde_json::Value;

use crate::cli::{Bench, GOOD, WRONG};

const ALL: &str = "html,junit,sarif,md,badge,matrix,json";
const FILES: [&str; 7] = [
    "report/index.html",
    "junit.xml",
    "sarif.json",
    "summary.md",
    "badge.json",
    "matrix.md",
    "summary.json",
];

fn json(bench: &Bench, file: &str) -> Value {
    serde_json::from_str(&bench.read(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

#[test]
fn one_run_makes_them_all() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let args = [
        "run",
        "--out",
        "out",
        "--snapshots",
        "off",
        "--abi",
        "0.2.1",
    ];
    bench.run(&[&args[..], &["--report", ALL]].concat()).code(1);
    for file in FILES {
        assert!(!bench.read(&format!("out/{file}")).is_empty(), "{file}");
    }
    let xml = bench.read("out/junit.xml");
    assert!(
        xml.contains("tests=\"3\" failures=\"1\" errors=\"0\""),
        "{xml}"
    );
    let sarif = json(&bench, "out/sarif.json");
    let result = &sarif["runs"][0]["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "specs/cases/demo/wrong.yaml"
    );
    assert_eq!(
        place["region"]["startLine"], 12,
        "the line of the expectation"
    );
    assert_eq!(
        json(&bench, "out/badge.json")["message"],
        "0.2.1: 1 must case fails"
    );
    assert!(
        bench
            .read("out/summary.md")
            .contains("### Unexpected, or not run (1)")
    );
}

#[test]
fn the_same_from_the_record() {
    let bench = Bench::new(&[GOOD]);
    let args = ["run", "--out", "out", "--snapshots", "off", "--report", ALL];
    bench.run(&args).code(0);
    bench
        .run(&["report", "out", "--format", ALL, "-o", "again"])
        .code(0);
    for file in FILES {
        let (a, b) = (
            bench.read(&format!("out/{file}")),
            bench.read(&format!("again/{file}")),
        );
        assert_eq!(a, b, "{file}");
    }
    let ran = bench
        .run(&["report", "out", "--format", "junit,md"])
        .code(2);
    assert!(ran.err.contains("-o"), "{}", ran.err);
    let printed = bench
        .run(&["report", "out", "--format", "junit"])
        .code(0)
        .out;
    assert_eq!(printed, bench.read("out/junit.xml"));
}

/// What of them says in words what befell a run.
const SAYING: [&str; 5] = [
    "junit.xml",
    "sarif.json",
    "summary.md",
    "report/index.html",
    "matrix.md",
];

#[test]
fn a_run_that_selects_nothing_leaves_what_was_asked_for() {
    let bench = Bench::new(&[GOOD]);
    let args = ["run", "level:survey", "--out", "out", "--report", ALL];
    bench.run(&args).code(4);
    for file in SAYING {
        let text = bench.read(&format!("out/{file}"));
        assert!(
            text.contains("nothing was selected by level:survey"),
            "{file}: {text}"
        );
    }
    assert_eq!(json(&bench, "out/summary.json")["exit_code"], 4);
    let badge = json(&bench, "out/badge.json");
    assert_eq!(badge["isError"], true);
    assert_eq!(badge["message"], "nothing was selected");
    bench.run(&["report", "out", "--format", "md"]).code(0);
}

#[test]
fn a_run_without_its_host_leaves_what_was_asked_for() {
    let bench = Bench::new(&[GOOD]);
    let args = [
        "run",
        "--host",
        "envoy@9.9.9",
        "--out",
        "out",
        "--report",
        ALL,
    ];
    bench.run(&args).code(3);
    for file in SAYING {
        let text = bench.read(&format!("out/{file}"));
        assert!(text.contains("envoy 9.9.9 is not here"), "{file}: {text}");
    }
    assert_eq!(json(&bench, "out/summary.json")["exit_code"], 3);
}

#[test]
fn a_job_of_github_gets_an_annotation_at_the_line() {
    let bench = Bench::new(&[WRONG]);
    let args = [
        "run",
        "--out",
        "out",
        "--snapshots",
        "off",
        "--abi",
        "0.2.1",
    ];
    let mut command = bench.command(&args);
    let ran =
        crate::cli::Ran::from(command.env("GITHUB_ACTIONS", "true").output().unwrap()).code(1);
    let line = ran.out.lines().find(|l| l.starts_with("::error "));
    let line = line.unwrap_or_else(|| panic!("no annotation in {}", ran.out));
    assert!(
        line.starts_with("::error file=specs/cases/demo/wrong.yaml,line=12,col="),
        "{line}"
    );
}

#[test]
fn a_report_shows_what_changed_since_an_earlier_record() {
    let bench = Bench::new(&[WRONG]);
    let args = ["run", "--snapshots", "off", "--abi", "0.2.1", "--out"];
    bench.run(&[&args[..], &["old"]].concat()).code(1);
    let right = WRONG.1.replace("value: \"2\"", "value: \"1\"");
    bench.write("specs/cases/demo/wrong.yaml", &right);
    bench.run(&[&args[..], &["new"]].concat()).code(0);
    bench
        .run(&["report", "new", "--against", "old", "-o", "a.html"])
        .code(0);
    let html = bench.read("a.html");
    assert!(html.contains("better: 1 fixed"));
    assert!(html.contains("href=\"#case/demo/wrong/other@reference-0.1.0-0.2.1\""));
    let ran = bench.run(&["report", "new", "--against", "gone"]).code(2);
    assert!(ran.err.contains("gone"), "{}", ran.err);
}

#[test]
fn a_report_takes_the_proof_and_says_whose_reason_is_missing() {
    let bench = Bench::new(&[GOOD]);
    let args = [
        "run",
        "--snapshots",
        "off",
        "--abi",
        "0.2.1",
        "--out",
        "out",
    ];
    bench.run(&args).code(0);
    let proof = bench.run(&["prove", "--abi", "0.2.1", "--format", "json"]);
    bench.write("prove.json", &proof.out);
    bench
        .run(&[
            "report",
            "out",
            "--prove",
            "0.2.1=prove.json",
            "-o",
            "a.html",
        ])
        .code(0);
    assert!(bench.read("a.html").contains("planted faults are noticed"));
    let ran = bench
        .run(&["report", "out", "--prove", "9.9=prove.json"])
        .code(2);
    assert!(ran.err.contains("unknown ABI version"), "{}", ran.err);

    // Another host that fails what ours passes, as a record says.
    let other = bench.read("out/record.jsonl").replace("reference", "other");
    let other = other.replace("\"driver\":\"other\"", "\"driver\":\"network\"");
    let other = other.replace("\"verdict\":\"pass\"", "\"verdict\":\"fail\"");
    bench.write("other/record.jsonl", &other);
    let ran = bench
        .run(&["report", "out", "other", "-o", "b.html"])
        .code(0);
    assert!(
        ran.err.contains("demo/one/here, demo/one/gone"),
        "{}",
        ran.err
    );
    let profile = bench.read("specs/hosts/reference.yaml");
    // The profile's own reasons are those of the real suite.
    let profile = profile.split("\nalone:").next().unwrap().to_owned() + "\n";
    let alone = "alone:\n  - {cases: [demo/], why: the text leaves no room}\n";
    bench.write("specs/hosts/reference.yaml", &format!("{profile}{alone}"));
    let ran = bench
        .run(&["report", "out", "other", "-o", "b.html"])
        .code(0);
    assert_eq!(ran.err, "");
    assert!(bench.read("b.html").contains("the text leaves no room"));
}

#[test]
fn a_published_column_is_small_whole_and_gives_the_same_views_each_time() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let args = [
        "run",
        "--snapshots",
        "off",
        "--abi",
        "0.2.0,0.2.1",
        "--out",
        "out",
    ];
    bench.run(&args).code(1);
    bench
        .run(&["report", "out", "--publish", "reports"])
        .code(0);
    let column = "reports/reference-0.1.0-0.2.1";
    let record = bench.read(&format!("{column}/record.jsonl"));
    assert_eq!(record.lines().count(), 3, "header, what is packed, footer");
    let page = bench.read(&format!("{column}/README.md"));
    assert!(
        page.contains("## Reproduce") && page.contains("pwspec run --host reference --abi 0.2.1"),
        "{page}"
    );
    bench.run(&["judge", column]).code(1);
    let records = [
        "reports/reference-0.1.0-0.2.0/record.jsonl",
        "reports/reference-0.1.0-0.2.1/record.jsonl",
    ];
    for (format, file) in [("html", "index.html"), ("matrix", "matrix.md")] {
        let render = |to: &str| {
            bench
                .run(&[&["report"], &records[..], &["--format", format, "-o", to]].concat())
                .code(0)
        };
        render(&format!("reports/{file}"));
        render(&format!("again/{file}"));
        assert_eq!(
            bench.read(&format!("reports/{file}")),
            bench.read(&format!("again/{file}"))
        );
    }
    let matrix = bench.read("reports/matrix.md");
    let row = matrix
        .lines()
        .find(|l| l.starts_with("| proxy\\_get\\_header\\_map\\_value/OK |"));
    assert!(row.is_some_and(|r| r.ends_with("| ✗F | ✗F |")), "{matrix}");
    // A column is published again: the old one is replaced.
    bench
        .run(&["report", "out", "--publish", "reports"])
        .code(0);
    assert_eq!(bench.read(&format!("{column}/record.jsonl")), record);
}

/// `.ci/validate` holds each output against the schema of those who read it. What it needs and is not on
/// this machine, a tool or the way to a registry, is said and is no failure.
#[test]
fn each_output_is_as_the_schemas_of_its_readers_say() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let args = ["run", "--out", "out", "--report", ALL, "--snapshots", "off"];
    bench.run(&args).code(1);
    let ran = std::process::Command::new(crate::kit::root().join(".ci/validate"))
        .args([
            bench.path("out").as_os_str(),
            env!("CARGO_BIN_EXE_pwspec").as_ref(),
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    let missing = [
        "command not found",
        "No module named venv",
        "ensurepip is not available",
        "No matching distribution",
        "Could not resolve host",
        "failed to download",
    ];
    if let Some(what) = missing.iter().find(|m| said.contains(**m)) {
        eprintln!("skipped ({what}): {said}");
        return;
    }
    assert!(ran.status.success(), "{said}");
    for file in [
        "junit.xml validates",
        "sarif.json is as",
        "badge.json is as",
        "record.jsonl is as",
    ] {
        assert!(said.contains(file), "{file}: {said}");
    }
}
