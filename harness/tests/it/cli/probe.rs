//! `probe`: what a host has, as a table and as the start of a profile.

use serde_json::Value;

use crate::cli::{Bench, copy, envoy::envoy};
use crate::kit::root;

/// A folder with the real suite: callbacks are shown by its cases.
fn bench() -> Bench {
    let bench = Bench::new(&[]);
    copy(&root().join("specs/cases"), &bench.path("specs/cases"));
    bench
}

fn rows(bench: &Bench, args: &[&str]) -> Vec<Value> {
    let out = bench
        .run(&[&["probe"], args, &["--format", "json"]].concat())
        .code(0)
        .out;
    serde_json::from_str(&out).unwrap()
}

fn state<'r>(rows: &'r [Value], function: &str) -> &'r str {
    let row = rows.iter().find(|r| r["function"] == function);
    row.unwrap_or_else(|| panic!("no {function}"))["state"]
        .as_str()
        .unwrap()
}

#[test]
fn the_reference_host_has_everything() {
    let bench = bench();
    let rows = rows(&bench, &["reference", "--abi", "0.2.1"]);
    let of = |kind: &str| rows.iter().filter(|r| r["kind"] == kind).count();
    // The counts of the text.
    assert_eq!((of("hostcall"), of("callback")), (47, 25));
    for row in &rows {
        let state = row["state"].as_str().unwrap();
        let function = row["function"].as_str().unwrap();
        // The text has a plugin end itself by this one.
        let fine: &[&str] = match function {
            "proc_exit" => &["traps"],
            _ => &["answers", "called", "out of scope"],
        };
        assert!(fine.contains(&state), "{row}");
    }
    assert_eq!(state(&rows, "proxy_get_header_map_value"), "answers");
    assert_eq!(state(&rows, "proxy_on_tick"), "called");
    let text = bench
        .run(&["probe", "reference", "--abi", "0.2.1"])
        .code(0)
        .out;
    assert!(text.contains("proxy_get_header_map_value"), "{text}");
    assert!(
        text.contains("abi: [0.2.1]\nlacks:\n  hostcalls: []\n  callbacks: []\n"),
        "{text}"
    );
}

#[test]
fn what_a_host_lacks_is_named() {
    let Some(envoy) = envoy() else { return };
    let bench = bench();
    let rows = rows(&bench, &[&envoy, "--abi", "0.2.1"]);
    assert_eq!(state(&rows, "proxy_log"), "answers");
    assert_eq!(state(&rows, "proxy_on_request_headers"), "called");
    let lacks: Vec<&Value> = rows.iter().filter(|r| r["state"] == "unlinked").collect();
    let yaml = bench
        .run(&["probe", &envoy, "--abi", "0.2.1", "--format", "yaml"])
        .code(0)
        .out;
    for row in lacks {
        let line = format!("    - {}\n", row["function"].as_str().unwrap());
        assert!(yaml.contains(&line), "{line} in {yaml}");
    }
}

#[test]
fn an_unknown_host_or_abi_is_a_usage_error() {
    let bench = Bench::new(&[]);
    let err = bench.run(&["probe", "refrence"]).code(2).err;
    assert!(err.contains("did you mean `reference`?"), "{err}");
    bench.run(&["probe", "reference", "--abi", "9"]).code(2);
}
