//! The action of GitHub: its script, as the action calls it.
#![cfg(unix)]

use std::path::Path;

use crate::cli::{Bench, GOOD, Ran, WRONG};
use crate::kit::root;

/// Runs the action's script with these inputs; the others are empty, as the action gives them.
fn action(bench: &Bench, inputs: &[(&str, &str)]) -> Ran {
    let program = Path::new(env!("CARGO_BIN_EXE_pwspec")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = std::process::Command::new(root().join(".github/actions/pwspec/run"));
    command
        .current_dir(bench.dir.path())
        .env("PATH", format!("{}:{path}", program.display()))
        .env(
            "XDG_CACHE_HOME",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
        )
        .env("CI", "true")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", bench.path("output"))
        .env("GITHUB_STEP_SUMMARY", bench.path("page.md"));
    for (name, value) in [
        ("HOST", "reference"),
        ("OUT", "out"),
        ("REPORT", "junit,md"),
        ("ABI", "0.2.1"),
        ("ARGS", "--snapshots off"),
    ] {
        command.env(format!("PWSPEC_{name}"), value);
    }
    for name in ["FILTERS", "SUITE", "SHARD", "BASE"] {
        command.env(format!("PWSPEC_{name}"), "");
    }
    for (name, value) in inputs {
        command.env(format!("PWSPEC_{name}"), value);
    }
    Ran::from(command.output().unwrap())
}

#[test]
fn a_failure_is_on_the_page_and_in_the_code() {
    let bench = Bench::new(&[GOOD, WRONG]);
    action(&bench, &[]).code(1);
    let page = bench.read("page.md");
    assert!(page.contains("demo/wrong/other"), "{page}");
    let output = bench.read("output");
    assert!(
        output.contains("exit-code=1\n") && output.contains("name=reference-all\n"),
        "{output}"
    );
    assert!(bench.path("out/junit.xml").is_file());
}

#[test]
fn inputs_reach_the_run() {
    let bench = Bench::new(&[GOOD, WRONG]);
    action(
        &bench,
        &[
            (
                "FILTERS",
                "area:demo & !covers:proxy_get_header_map_value/OK",
            ),
            ("SUITE", "0.1"),
        ],
    )
    .code(0);
    let record = bench.read("out/record.jsonl");
    assert!(record.contains("demo/one/gone") && !record.contains("demo/wrong/other"));
    action(&bench, &[("SHARD", "1/3"), ("OUT", "part")]);
    assert!(bench.read("output").contains("name=reference-1-3\n"));
    assert!(
        bench
            .read("part/record.jsonl")
            .contains("\"shard\":{\"index\":1,\"of\":3}")
    );
}

#[test]
fn a_case_that_breaks_against_the_base_fails_the_step() {
    let bench = Bench::new(&[GOOD, WRONG]);
    bench.write(
        "specs/cases/demo/wrong.yaml",
        &WRONG.1.replace("\"2\"", "\"1\""),
    );
    action(&bench, &[("OUT", "base")]).code(0);
    bench.write("specs/cases/demo/wrong.yaml", WRONG.1);
    // Even a run that decides nothing by itself.
    action(
        &bench,
        &[("BASE", "base"), ("ARGS", "--snapshots off --exit-zero")],
    )
    .code(1);
    let page = bench.read("page.md");
    assert!(page.contains("pwspec: worse: 1 broken"), "{page}");
    assert!(bench.read("out/diff.md").contains("demo/wrong/other"));
}
