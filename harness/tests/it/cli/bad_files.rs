//! Bad input: every problem at once, at its place, exit 2.

use crate::cli::{Bench, GOOD};

/// A suite `demo/bad` with these cases.
fn suite(cases: &str) -> String {
    format!("version: 1\nsuite: demo/bad\nabout: Demo\nsince: 0.1.0\ncases:\n{cases}")
}

/// One case of the suite whose steps in `request_headers` are these.
fn case(id: &str, steps: &str) -> String {
    format!("  - id: {id}\n    about: demo\n    program:\n      request_headers:\n{steps}")
}

const FINE: &str = "        - call: proxy_get_log_level
          expect: {status: OK}
";

/// Lists a suite with these cases; it must be refused. Returns what was said.
fn refused(cases: &str) -> String {
    let text = suite(cases);
    let ran = Bench::new(&[GOOD, ("demo/bad.yaml", &text)])
        .run(&["list"])
        .code(2);
    assert_eq!(ran.out, "", "nothing is listed beside problems");
    ran.err
}

#[test]
fn an_unknown_key_with_the_nearest_one() {
    let err = refused(&case(
        "a",
        "        - cal: proxy_get_log_level\n          expect: {status: OK}\n",
    ));
    assert!(err.contains("unknown key `cal`"), "{err}");
    assert!(err.contains("specs/cases/demo/bad.yaml:10:11"), "{err}");
    assert!(err.contains("did you mean `call`?"), "{err}");
    insta::assert_snapshot!(err);
}

#[test]
fn a_duplicate_key() {
    let steps = "        - call: proxy_get_log_level\n          call: proxy_done\n          expect: {status: OK}\n";
    let err = refused(&case("a", steps));
    assert!(err.contains("duplicate key `call`"), "{err}");
    assert!(err.contains("specs/cases/demo/bad.yaml:11:11"), "{err}");
}

#[test]
fn a_duplicate_id() {
    let err = refused(&format!("{}{}", case("a", FINE), case("a", FINE)));
    assert!(err.contains("duplicate case id `demo/bad/a`"), "{err}");
    assert!(
        err.contains("first at specs/cases/demo/bad.yaml:6"),
        "{err}"
    );
}

#[test]
fn an_unknown_hostcall_with_the_nearest_one() {
    let err = refused(&case(
        "a",
        "        - call: proxy_get_log_levle\n          expect: {status: OK}\n",
    ));
    assert!(
        err.contains("unknown hostcall `proxy_get_log_levle`"),
        "{err}"
    );
    assert!(err.contains("specs/cases/demo/bad.yaml:10:17"), "{err}");
    assert!(err.contains("did you mean `proxy_get_log_level`?"), "{err}");
}

#[test]
fn an_argument_of_the_wrong_type_and_one_that_does_not_exist() {
    let steps = "        - call: proxy_set_tick_period_milliseconds
          with: {tick_period: [1], tick: 2}
          expect: {status: OK}
";
    let err = refused(&case("a", steps));
    assert!(err.contains("expected a number, found a list"), "{err}");
    assert!(err.contains("specs/cases/demo/bad.yaml:11:31"), "{err}");
    assert!(
        err.contains("proxy_set_tick_period_milliseconds has no parameter `tick`"),
        "{err}"
    );
    assert!(err.contains("specs/cases/demo/bad.yaml:11:36"), "{err}");
}

#[test]
fn an_unknown_value_of_an_enum() {
    let steps = "        - call: proxy_log
          with: {log_level: LOUD, message: hello}
          expect: {status: OK}
";
    let err = refused(&case("a", steps));
    assert!(
        err.contains("unknown value of proxy_log_level_t `LOUD`"),
        "{err}"
    );
    assert!(err.contains("specs/cases/demo/bad.yaml:11:29"), "{err}");
}

#[test]
fn a_callback_that_no_abi_has() {
    let cases =
        "  - id: a\n    about: demo\n    program:\n      request_heders:\n".to_owned() + FINE;
    let err = refused(&cases);
    assert!(
        err.contains("unknown callback `proxy_on_request_heders`"),
        "{err}"
    );
    assert!(
        err.contains("did you mean `proxy_on_request_headers`?"),
        "{err}"
    );
    assert!(err.contains("specs/cases/demo/bad.yaml:9:7"), "{err}");
}

#[test]
fn a_callback_that_the_named_abi_lacks() {
    let cases = "  - id: a\n    about: demo\n    abi: [0.1.0]\n    program:\n      foreign_function:\n        - call: proxy_done\n          expect: {status: OK}\n";
    let err = refused(cases);
    assert!(
        err.contains("0.1.0 has no callback proxy_on_foreign_function"),
        "{err}"
    );
}

#[test]
fn a_requirement_that_does_not_exist() {
    let steps = "        - call: proxy_get_log_level
          expect: {status: EMPTY}
";
    let err = refused(&case("a", steps));
    assert!(
        err.contains("unknown requirement `proxy_get_log_level/EMPTY`"),
        "{err}"
    );
    assert!(err.contains("specs/cases/demo/bad.yaml:11:28"), "{err}");
}

#[test]
fn a_case_without_a_check() {
    let err = refused(&case("a", "        - call: proxy_get_log_level\n"));
    assert!(err.contains("a case without a check"), "{err}");
    assert!(err.contains("specs/cases/demo/bad.yaml:6:5"), "{err}");
}

#[test]
fn a_check_of_a_survey_row() {
    let cases = case(
        "a",
        "        - call: proxy_get_property\n          with: {path: plugin_root_id}\n          expect: {status: OK}\n",
    );
    let err = refused(&cases);
    assert!(
        err.contains("is a survey here: nothing can be demanded"),
        "{err}"
    );
    assert!(err.contains("use `observe`"), "{err}");
}

#[test]
fn every_problem_of_every_file_at_once() {
    let one = suite(&format!(
        "{}{}",
        case(
            "a",
            "        - cal: proxy_done\n          expect: {status: OK}\n"
        ),
        case(
            "b",
            "        - call: proxy_dome\n          expect: {status: OK}\n"
        ),
    ));
    let two = suite(&case("c", "        - call: proxy_get_log_level\n"))
        .replace("demo/bad", "demo/worse");
    let bench = Bench::new(&[("demo/bad.yaml", &one), ("demo/worse.yaml", &two)]);
    let err = bench.run(&["run"]).code(2).err;
    for part in [
        "unknown key `cal`",
        "unknown hostcall `proxy_dome`",
        "demo/worse.yaml:6:5",
        "nothing was run",
    ] {
        assert!(err.contains(part), "no {part} in {err}");
    }
    assert!(
        !bench.path("target").exists(),
        "a run that is refused leaves nothing"
    );
}

#[test]
fn yaml_that_is_none() {
    let bench = Bench::new(&[("demo/bad.yaml", "version: 1\nsuite: [demo\n")]);
    let err = bench.run(&["list"]).code(2).err;
    assert!(err.contains("specs/cases/demo/bad.yaml:"), "{err}");
}

#[test]
fn an_unknown_guest_with_the_nearest_one() {
    let err = refused(
        "  - id: a
    about: demo
    guest: handmade/emty.wasm
    expect: {load: [{req: abi_version/marker, loaded: true}]}
",
    );
    assert!(err.contains("unknown guest `handmade/emty.wasm`"), "{err}");
    assert!(err.contains("specs/cases/demo/bad.yaml:8:12"), "{err}");
    assert!(err.contains("did you mean `handmade/empty.wasm`?"), "{err}");
}

#[test]
fn a_guest_beside_a_program_and_a_look_inside_it() {
    let err = refused(
        "  - id: a
    about: demo
    guest: handmade/plain.wasm
    program: {request_headers: [{trap: true}]}
    exports: {without: [malloc]}
    module: {start: trap}
    expect: {callbacks: [{req: proxy_on_log/called, order: [log]}]}
    observe: [{req: abi_version/silent.missing, what: callbacks any}]
",
    );
    for key in ["program", "exports", "module"] {
        let told = format!("`guest` takes the place of `{key}`");
        assert!(err.contains(&told), "{err}");
    }
    assert_eq!(err.matches("error: a guest that").count(), 2, "{err}");
}

#[test]
fn an_odd_module_that_cannot_be() {
    let err = refused(
        "  - id: a
    about: demo
    program: {}
    module:
      memory: {pages: 65537}
      signatures: {request_header: {params: [i32]}}
    observe: [{req: abi_version/silent.missing, what: load}]
",
    );
    assert!(err.contains("expected 1 to 65536 pages"), "{err}");
    assert!(err.contains("specs/cases/demo/bad.yaml:10:23"), "{err}");
    assert!(err.contains("unknown callback"), "{err}");
}

#[test]
fn a_known_failure_that_names_no_case_or_lacks_its_reason() {
    let bench = Bench::new(&[GOOD]);
    let profile = bench.read("specs/hosts/reference.yaml");
    let entry = "known:\n  - {cases: [demo/one/nowhere], seen: x, why: y, source: not read}\n";
    bench.write("specs/hosts/reference.yaml", &format!("{profile}{entry}"));
    let ran = bench.run(&["run", "--snapshots", "off"]).code(2);
    assert!(
        ran.err
            .contains("the known failure `demo/one/nowhere` names no case of the suite"),
        "{}",
        ran.err
    );

    let entry = "known:\n  - {cases: [demo/one/here], seen: x, source: not read}\n";
    bench.write("specs/hosts/reference.yaml", &format!("{profile}{entry}"));
    let ran = bench.run(&["run", "--snapshots", "off"]).code(2);
    assert!(ran.err.contains("why"), "{}", ran.err);
    assert!(
        ran.err.contains("specs/hosts/reference.yaml:"),
        "{}",
        ran.err
    );
}

#[test]
fn a_filter_with_an_unknown_name() {
    let bench = Bench::new(&[GOOD]);
    let err = bench.run(&["run", "area:dmo"]).code(2).err;
    assert!(
        err.contains("unknown area `dmo`: did you mean `demo`?"),
        "{err}"
    );
    let err = bench.run(&["run", "demo/one/her"]).code(2).err;
    assert!(err.contains("did you mean `demo/one/here`?"), "{err}");
    let err = bench.run(&["run", "levl:must"]).code(2).err;
    assert!(err.contains("unknown filter key `levl`"), "{err}");
}
