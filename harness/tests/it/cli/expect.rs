//! `expect`: each state of an entry has its word and the command that mends it, and that command
//! does.

use crate::cli::{Bench, GOOD, Ran, WRONG};

/// The reference profile with these known failures.
fn bench(known: &str) -> Bench {
    let bench = Bench::new(&[GOOD, WRONG]);
    let profile = bench.read("specs/hosts/reference.yaml");
    bench.write(
        "specs/hosts/reference.yaml",
        &format!("{}\nknown:\n{known}", profile.trim_end()),
    );
    bench
}

const ENTRY: &str = "  # The one that is wrong.
  - cases: [demo/wrong/other]
    verdicts: [fail]
    seen: the value 1 # read
    why: the case is wrong
    source: not read
";

fn profile(bench: &Bench) -> String {
    let text = bench.read("specs/hosts/reference.yaml");
    text.split("\nknown:").nth(1).unwrap().to_owned()
}

/// Runs the command that a line of the output says.
fn mend(bench: &Bench, ran: &Ran) -> Ran {
    let line = ran
        .out
        .lines()
        .chain(ran.err.lines())
        .find_map(|l| l.trim().strip_prefix("mend: pwspec "));
    let line = line.unwrap_or_else(|| panic!("no command in {}", ran.out));
    let line = line
        .replace("'the cause'", "the_cause")
        .replace("YYYY-MM-DD", "2999-01-31");
    let words: Vec<&str> = line.split(' ').map(|w| w.trim_matches('\'')).collect();
    bench.run(&words)
}

#[test]
fn an_entry_that_holds_needs_nothing() {
    let bench = bench(ENTRY);
    let before = bench.read("specs/hosts/reference.yaml");
    let ran = bench.run(&["expect", "reference"]).code(0);
    assert!(
        ran.out.contains("1 known failures of reference: 0 to mend"),
        "{}",
        ran.out
    );
    let ran = bench
        .run(&["expect", "reference", "prune", "--fix"])
        .code(0);
    assert!(ran.out.contains("stays as it is"), "{}", ran.out);
    assert_eq!(bench.read("specs/hosts/reference.yaml"), before);
}

#[test]
fn a_stale_entry_is_pruned() {
    let bench = bench(&format!(
        "{ENTRY}  - {{cases: [demo/one/here], seen: s, why: w, source: s}} # gone\n"
    ));
    let ran = bench.run(&["expect", "reference", "check"]).code(1);
    assert!(
        ran.out.contains("stale, these pass: demo/one/here"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("mend: pwspec expect reference prune demo/one/here --fix"),
        "{}",
        ran.out
    );
    // The run says the same.
    let run = bench
        .run(&["run", "--snapshots", "off", "--abi", "0.2.1"])
        .code(1);
    assert!(
        run.err.contains("stale, these pass: demo/one/here"),
        "{}",
        run.err
    );
    assert!(run.err.contains("prune demo/one/here --fix"), "{}", run.err);
    // Without --fix it is shown only.
    let shown = bench
        .run(&["expect", "reference", "prune", "demo/one/here"])
        .code(0);
    assert!(
        shown.out.contains("-  - {cases: [demo/one/here]"),
        "{}",
        shown.out
    );
    assert!(profile(&bench).contains("demo/one/here"));
    mend(&bench, &ran).code(0);
    assert_eq!(profile(&bench), format!("\n{ENTRY}"));
    bench.run(&["expect", "reference", "check"]).code(0);
}

#[test]
fn an_over_broad_entry_is_cut_down() {
    let bench = bench(&ENTRY.replace("[demo/wrong/other]", "['demo/*/*her*']"));
    let ran = bench.run(&["expect", "reference", "check"]).code(1);
    assert!(
        ran.out.contains("over-broad, these pass: demo/one/here"),
        "{}",
        ran.out
    );
    mend(&bench, &ran).code(0);
    assert_eq!(profile(&bench), format!("\n{ENTRY}"));
}

#[test]
fn an_entry_for_a_case_that_is_no_more_is_unmatched() {
    let bench = bench(&ENTRY.replace("other]", "other, demo/old/case]"));
    let ran = bench.run(&["expect", "reference", "check"]).code(1);
    assert!(
        ran.out
            .contains("unmatched, no case of the suite: demo/old/case"),
        "{}",
        ran.out
    );
    // For a run it is an error of the profile.
    bench
        .run(&["run", "--snapshots", "off", "--abi", "0.2.1"])
        .code(2);
    mend(&bench, &ran).code(0);
    assert_eq!(profile(&bench), format!("\n{ENTRY}"));
}

#[test]
fn an_expired_entry_wants_a_new_day() {
    let bench = bench(&format!("{ENTRY}    expires: 2020-01-31 # look again\n"));
    let ran = bench.run(&["expect", "reference", "check"]).code(1);
    assert!(
        ran.out.contains("expired, it was to hold until 2020-01-31"),
        "{}",
        ran.out
    );
    let run = bench
        .run(&["run", "--snapshots", "off", "--abi", "0.2.1"])
        .code(1);
    assert!(run.err.contains("expired"), "{}", run.err);
    assert!(run.out.contains("· unexpected"), "{}", run.out);
    mend(&bench, &ran).code(0);
    assert!(
        profile(&bench).ends_with("    expires: 2999-01-31  # look again\n"),
        "{}",
        profile(&bench)
    );
    bench.run(&["expect", "reference", "check"]).code(0);
}

#[test]
fn an_entry_that_fails_otherwise_is_written_anew() {
    let bench = bench(&ENTRY.replace("[fail]", "[trap]"));
    let ran = bench.run(&["expect", "reference", "check"]).code(1);
    assert!(
        ran.out
            .contains("changed reason, demo/wrong/other (fail, not trap)"),
        "{}",
        ran.out
    );
    mend(&bench, &ran).code(0);
    let text = profile(&bench);
    assert!(
        text.starts_with(
            "\n  # The one that is wrong.\n  - cases: [demo/wrong/other]\n    verdicts: [fail]\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("    checks: [proxy_get_header_map_value/OK]\n"),
        "{text}"
    );
    assert!(
        text.contains("    seen: OK, value \"1\"\n    why: the_cause\n"),
        "{text}"
    );
    assert!(text.contains("    since: 20"), "{text}");
    bench.run(&["expect", "reference", "check"]).code(0);
}

#[test]
fn a_failure_is_added_and_needs_a_reason() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let refused = bench
        .run(&["expect", "reference", "add", "demo/", "--fix"])
        .code(2);
    assert!(refused.out.contains("OK, value \"1\""), "{}", refused.out);
    assert!(
        refused
            .err
            .contains("pwspec expect reference add demo/ --why 'the cause' --fix"),
        "{}",
        refused.err
    );
    bench
        .run(&[
            "expect",
            "reference",
            "add",
            "demo/",
            "--why",
            "a: b",
            "--class",
            "wrong",
            "--expires",
            "2999-01-31",
            "--fix",
        ])
        .code(0);
    let text = profile(&bench);
    assert!(text.contains("cases: [demo/wrong/other]"), "{text}");
    assert!(text.contains("why: 'a: b'"), "{text}");
    bench.run(&["run", "--snapshots", "off"]).code(0);
    let ran = bench
        .run(&["expect", "reference", "add", "demo/", "--why", "x", "--fix"])
        .code(0);
    assert!(ran.out.contains("nothing to add"), "{}", ran.out);
}

#[test]
fn an_entry_for_some_abis_is_cut_down_to_them() {
    // The case passes in one version and fails in another: the map is read there only.
    let only = WRONG.1.replace("value: \"2\"", "value: \"1\"").replace(
        "          expect: {status: OK, value: \"1\"}",
        "          per_abi:\n            0.2.0: {expect: {status: OK, value: \"2\"}}\n          expect: {status: OK, value: \"1\"}",
    );
    let bench = bench(ENTRY);
    bench.write("specs/cases/demo/wrong.yaml", &only);
    let ran = bench.run(&["expect", "reference", "check"]).code(1);
    assert!(ran.out.contains("over-broad"), "{}", ran.out);
    mend(&bench, &ran).code(0);
    assert!(
        profile(&bench).contains("cases: [demo/wrong/other]\n    abi: [0.2.0]\n"),
        "{}",
        profile(&bench)
    );
    bench.run(&["expect", "reference", "check"]).code(0);
}

#[test]
fn a_record_serves_as_well_as_a_run() {
    let bench = bench("  - {cases: [demo/one/here], seen: s, why: w, source: s}\n");
    bench
        .run(&["run", "--snapshots", "off", "--out", "out"])
        .code(1);
    let ran = bench
        .run(&["expect", "reference", "check", "--record", "out"])
        .code(1);
    assert!(ran.out.contains("stale"), "{}", ran.out);
    bench
        .run(&["expect", "reference", "check", "--record", "out", "--fix"])
        .code(0);
    assert!(
        bench
            .read("specs/hosts/reference.yaml")
            .contains("known: []")
    );
}

#[test]
fn an_embedded_profile_is_read_only() {
    let bench = Bench::new(&[]);
    std::fs::remove_dir_all(bench.path("specs")).unwrap();
    let ran = bench.run(&["expect", "envoy", "prune", "no/such/case", "--fix"]);
    // Whether Envoy is here or not, nothing is written.
    assert!([3, 4].contains(&ran.code), "{}", ran.err);
    let ran = bench
        .run(&[
            "expect",
            "reference",
            "add",
            "tutorial/",
            "--why",
            "w",
            "--fix",
        ])
        .code(0);
    assert!(ran.out.contains("nothing to add"), "{}", ran.out);
}
