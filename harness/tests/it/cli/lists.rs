//! Lists, `show`, `coverage`, `hosts`, `schema`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use pwspec::case::Alone;

use crate::cli::{Bench, GOOD};
use crate::kit::{profile, root};

#[test]
fn cases_by_name_and_as_json() {
    let bench = Bench::new(&[GOOD]);
    let names = bench.run(&["list", "--format", "names"]).code(0).out;
    assert_eq!(names, "demo/one/here\ndemo/one/gone\n");
    let rows: Value =
        serde_json::from_str(&bench.run(&["list", "--format", "json"]).code(0).out).unwrap();
    assert_eq!(rows[1]["id"], "demo/one/gone");
    assert_eq!(rows[1]["line"], 15);
    assert_eq!(rows[1]["level"], "must");
    // An absent key has no status in 0.1.0.
    assert_eq!(rows[1]["abi"], serde_json::json!(["0.2.0", "0.2.1"]));
    assert_eq!(
        rows[1]["covers"],
        serde_json::json!(["proxy_get_header_map_value/NOT_FOUND"])
    );
}

#[test]
fn filters_select() {
    let bench = Bench::new(&[GOOD]);
    let names = |filter: &str| bench.run(&["list", "--format", "names", filter]).out;
    assert_eq!(names("demo/one/here"), "demo/one/here\n");
    assert_eq!(names("demo/"), "demo/one/here\ndemo/one/gone\n");
    assert_eq!(names("*/gone"), "demo/one/gone\n");
    assert_eq!(names("covers:*/NOT_FOUND"), "demo/one/gone\n");
    assert_eq!(names("area:demo & !covers:*/NOT_FOUND"), "demo/one/here\n");
    assert_eq!(
        names("(id:demo/one/here | level:survey)"),
        "demo/one/here\n"
    );
    bench.run(&["list", "level:survey"]).code(4);
}

#[test]
fn what_changed_between_two_versions() {
    let out = Bench::new(&[GOOD])
        .run(&[
            "list",
            "--what",
            "requirements",
            "--abi",
            "0.2.0..0.2.1",
            "--format",
            "names",
        ])
        .code(0)
        .out;
    let mut rows: Vec<&str> = out.lines().collect();
    rows.sort_unstable();
    assert!(
        rows.iter()
            .all(|r| r.contains("log_level") || r.contains("abi_version")),
        "{rows:?}"
    );
    assert!(rows.contains(&"proxy_get_log_level/OK"), "{rows:?}");
}

/// A row of `list --abi A..B --format json`, as far as this is about it.
fn change<'v>(rows: &'v Value, name: &str) -> &'v Value {
    let rows = rows.as_array().unwrap();
    let row = rows.iter().find(|r| r["name"] == name);
    row.unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn all_that_changed_between_two_versions() {
    let bench = Bench::new(&[GOOD]);
    let out = bench.run(&["list", "--abi", "0.2.0..0.2.1"]).code(0).out;
    insta::assert_snapshot!(out);

    let json = ["list", "--abi", "0.1.0..0.2.0", "--format", "json"];
    let rows: Value = serde_json::from_str(&bench.run(&json).code(0).out).unwrap();
    let headers = change(&rows, "proxy_on_request_headers");
    assert_eq!(headers["what"], "callback");
    assert_eq!(headers["change"], "changed");
    let after = headers["after"].as_str().unwrap();
    assert!(after.contains("end_of_stream: bool"), "{after}");
    let number = change(&rows, "proxy_buffer_type_t PLUGIN_CONFIGURATION");
    assert_eq!(number["what"], "enum-value");
    assert_eq!(number["change"], "added");
    assert_eq!(number["after"], "7");
    assert_eq!(
        change(&rows, "proxy_clear_route_cache")["change"],
        "removed"
    );
    let case = change(&rows, "demo/one/gone");
    assert_eq!(
        (&case["what"], &case["change"]),
        (&"case".into(), &"added".into())
    );
    // A case that runs in both is not among them.
    assert!(!rows.to_string().contains("demo/one/here"), "{rows}");

    // With a filter it is about cases; nothing that differs is nothing to list.
    let cases = [
        "list",
        "demo/",
        "--abi",
        "0.1.0..0.2.0",
        "--format",
        "names",
    ];
    assert_eq!(bench.run(&cases).code(0).out, "demo/one/gone\n");
    bench.run(&["list", "--abi", "0.2.1..0.2.1"]).code(4);
}

#[test]
fn requirements_are_listed_with_ruling_and_exclusion() {
    let args = ["list", "--what", "requirements", "--abi", "0.2.1"];
    let out = Bench::new(&[GOOD]).run(&args).code(0).out;
    let rows: Vec<&str> = out
        .lines()
        .skip_while(|l| !l.contains(" proxy_get_log_level/"))
        .take(5)
        .collect();
    insta::assert_snapshot!(rows.join("\n"));
}

/// The must cases of the suite as it is committed, one a line.
fn must_cases() -> String {
    let specs = root().join("specs");
    let specs = specs.to_str().unwrap();
    let args = ["list", "level:must", "--format", "names", "--specs", specs];
    Bench::new(&[]).run(&args).code(0).out
}

/// The published records may be older than the suite: a case that is a survey by now wants no reason.
#[test]
fn must_cases_that_only_our_own_host_passed_when_last_published_have_a_reason() {
    let (reports, specs) = (root().join("reports"), root().join("specs"));
    let columns = fs::read_dir(&reports).unwrap().map(|e| e.unwrap().path());
    let records = columns
        .map(|c| c.join("record.jsonl"))
        .filter(|r| r.is_file());
    let records: Vec<String> = records.map(|r| r.display().to_string()).collect();
    assert!(records.iter().any(|r| r.contains("envoy")), "{records:?}");
    let mut args = vec![
        "report",
        "-o",
        "matrix.html",
        "--specs",
        specs.to_str().unwrap(),
    ];
    args.extend(records.iter().map(String::as_str));
    let said = Bench::new(&[]).run(&args).code(0).err;
    let listed = said.split_once("only the reference host passes: ");
    let listed = listed.map_or("", |(_, rest)| rest.lines().next().unwrap_or(""));
    let must = must_cases();
    let without: Vec<&str> = listed
        .split(", ")
        .filter(|case| must.lines().any(|m| m == *case))
        .collect();
    assert_eq!(without, [""; 0], "{said}");
}

/// Beside a case that was renamed or taken out a reason would stand for nothing.
#[test]
fn reasons_for_must_cases_that_only_our_own_host_passes_name_such_cases() {
    let out = must_cases();
    let alone = profile("reference").alone;
    assert!(!alone.is_empty());
    for entry in &alone {
        for pattern in &entry.cases {
            let one = Alone {
                cases: vec![pattern.clone()],
                why: entry.why.clone(),
            };
            assert!(out.lines().any(|case| one.names(case)), "no {pattern}");
        }
    }
}

#[test]
fn show_takes_the_newest_version_of_a_case_and_tells_rulings() {
    let old = (
        "demo/old.yaml",
        "version: 1
suite: demo/old
about: what 0.1.0 alone has
since: 0.1.0
cases:
  - id: linked
    about: a call of its own
    abi: [0.1.0]
    program:
      queue_ready:
        - call: proxy_continue_request
    observe: [{req: proxy_continue_request/linked, what: load}]
",
    );
    let bench = Bench::new(&[old]);
    let out = bench.run(&["show", "demo/old/linked"]).code(0).out;
    assert!(out.contains("(0.1.0, "), "{out}");
    assert!(
        out.contains("    ruling: The text says that all functions"),
        "{out}"
    );
    let other = ["show", "demo/old/linked", "--abi", "0.2.0"];
    let out = bench.run(&other).code(0).out;
    assert!(out.contains("not in 0.2.0"), "{out}");
}

#[test]
fn show_tells_the_text_the_yaml_and_the_guest() {
    let out = Bench::new(&[GOOD])
        .run(&["show", "demo/one/gone"])
        .code(0)
        .out;
    for part in [
        "proxy_get_header_map_value/NOT_FOUND · must · boundary",
        "- id: gone",
        "imports env.proxy_log env.proxy_get_header_map_value",
        "proxy_on_request_headers",
    ] {
        assert!(out.contains(part), "no {part} in {out}");
    }
    let err = Bench::new(&[GOOD])
        .run(&["show", "demo/one/gonne"])
        .code(2)
        .err;
    assert!(err.contains("did you mean `demo/one/gone`?"), "{err}");
}

#[test]
fn coverage_counts_and_fails_on_gaps() {
    let ran = Bench::new(&[GOOD])
        .run(&["coverage", "--format", "json"])
        .code(1);
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["abi"], "0.2.1");
    assert_eq!(json["tested"], 2);
    let sum = json["tested"].as_u64().unwrap()
        + json["excluded"].as_array().unwrap().len() as u64
        + json["gaps"].as_array().unwrap().len() as u64;
    assert_eq!(json["requirements"].as_u64().unwrap(), sum);
}

#[test]
fn a_text_that_nobody_knows_is_printed_and_refused() {
    let bench = Bench::new(&[GOOD]);
    let text = "# Logging\n\nLogs a `message`.\n\n## Clocks\n";
    bench.write("text.md", text);
    let ran = bench.run(&["coverage", "--text", "text.md"]).code(1);
    assert!(ran.err.contains("is not the text of 0.2.1"), "{}", ran.err);
    assert!(ran.err.contains("line 3: the map does not"), "{}", ran.err);
    assert!(ran.out.contains("    3  Logs a `message`."), "{}", ran.out);
    assert!(ran.out.contains("  not mapped"), "{}", ran.out);
    assert!(ran.out.contains("    5  ## Clocks"), "{}", ran.out);

    let json = ["coverage", "--text", "text.md", "--format", "json"];
    let out = bench.run(&json).code(1).out;
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["known"], false);
    assert_eq!(json["lines"][0]["informative"], "heading");
    assert_eq!(json["lines"][2]["reqs"], serde_json::json!([]));

    let ran = bench.run(&["coverage", "--text", "none.md"]).code(2);
    assert!(ran.err.contains("is at https://github.com/proxy-wasm/spec"));
}

#[test]
fn hosts_say_where_they_are_and_how_to_get_them() {
    let bench = Bench::new(&[GOOD]);
    let rows: Value =
        serde_json::from_str(&bench.run(&["hosts", "--format", "json"]).code(0).out).unwrap();
    let row = |name: &str| {
        let all = rows.as_array().unwrap();
        all.iter()
            .find(|r| r["name"] == name)
            .unwrap_or_else(|| panic!("no {name} in {rows}"))
            .clone()
    };
    assert_eq!(row("reference")["found"], true);
    assert_eq!(row("envoy")["how_to_get"], "make hosts HOSTS=envoy");
    bench.run(&["hosts", "envy"]).code(2);
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    let bench = Bench::new(&[GOOD]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/schema");
    let names = bench.run(&["schema"]).code(0).out;
    assert!(
        names.contains("summary") && names.contains("case") && names.contains("profile"),
        "{names}"
    );
    for name in names.lines() {
        let now = bench.run(&["schema", name]).code(0).out;
        let file = folder.join(format!("{name}.json"));
        let then = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(
            then == now,
            "{} is not that of the types: make bless",
            file.display()
        );
    }
}

#[test]
fn every_verb_that_help_names_is_there() {
    let bench = Bench::new(&[GOOD]);
    let out = bench.run(&["--help"]).code(0).out;
    let verbs = out.split("Commands:").nth(1).unwrap();
    let verbs = verbs.split("Options:").next().unwrap().lines();
    let verbs: Vec<&str> = verbs
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    for verb in ["run", "list", "show", "prove", "diff", "expect", "accept"] {
        assert!(verbs.contains(&verb), "no {verb} in {out}");
    }
    for verb in verbs.into_iter().filter(|v| *v != "help") {
        let help = bench.run(&[verb, "--help"]).code(0).out;
        assert!(help.contains("Usage: pwspec"), "{verb}: {help}");
    }
}
