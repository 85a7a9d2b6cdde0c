//! What the loader says of bad tables: every problem, each at its place.

use super::{committed, lines};
use crate::abi::{Abi, DialectFile, TableFile, load};

const GOOD: &str = "\
version: 1
abi: 9.9.9
marker: proxy_abi_version_9_9_9
enums:
  proxy_status_t: {OK: 0, NOT_FOUND: 1}
hostcalls:
  - name: proxy_ask
    section: Asking
    params: [[key, bytes], [value, out bytes]]
    returns: proxy_status_t
callbacks:
  - name: proxy_abi_version_9_9_9
    kind: marker
    section: Integration
requirements:
  - id: proxy_ask/OK
    text: when asked, the host answers OK
faults:
  - fault: silent
    req: proxy_ask/OK
    says: the host does not answer
";

fn of(text: &str) -> Result<Vec<Abi>, String> {
    load(&[("abi/x.yaml".to_owned(), text.to_owned())]).map_err(|problems| lines(&problems))
}

/// The problems of the good table with one text in place of another.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    of(&GOOD.replacen(from, to, 1)).expect_err("a bad table")
}

#[test]
fn a_small_table_loads_with_its_defaults() {
    let abi = of(GOOD).expect("a good table").remove(0);
    let requirement = abi.requirement("proxy_ask/OK").expect("the row");
    assert_eq!(requirement.section, "Asking: proxy_ask");
    assert_eq!(abi.hostcalls[0].import.0, "env");
    assert_eq!(abi.faults.len(), 1);
}

#[test]
fn what_yaml_or_the_form_refuses_has_a_place() {
    assert!(with("abi: 9.9.9\n", "abi: 9.9.9\nabi: 9.9.8\n").contains("duplicate field `abi`"));
    let twice = with("{OK: 0, NOT_FOUND: 1}", "{OK: 0, OK: 1}");
    assert!(twice.starts_with("abi/x.yaml:5:"), "{twice}");
    assert!(twice.contains("duplicate key `OK`"), "{twice}");
    let unknown = with("    section: Asking", "    sektion: Asking");
    assert!(unknown.starts_with("abi/x.yaml:8:5: "), "{unknown}");
    assert!(unknown.contains("unknown field `sektion`"), "{unknown}");
    assert!(with("version: 1", "version: 2").starts_with("abi/x.yaml:1:1: version 2"));
}

#[test]
fn what_the_table_contradicts_is_told_at_its_place() {
    let all = |from: &str, to: &str| with(from, to);
    assert_eq!(
        all("out bytes", "out byte"),
        "abi/x.yaml:9:36: unknown type `out byte`\n"
    );
    assert_eq!(
        all("returns: proxy_status_t", "returns: proxy_state_t"),
        "abi/x.yaml:10:14: unknown enum `proxy_state_t`\n"
    );
    assert_eq!(
        all("id: proxy_ask/OK", "id: proxy_ask/EMPTY"),
        "abi/x.yaml:16:9: `proxy_status_t` has no `EMPTY`\n\
         abi/x.yaml:20:10: no requirement `proxy_ask/OK`\n"
    );
    assert_eq!(
        all("id: proxy_ask/OK", "id: asking/OK"),
        "abi/x.yaml:16:9: `asking/OK` needs a section: `asking` is no function of this version\n\
         abi/x.yaml:17:5: `asking/OK` has an empty field\n\
         abi/x.yaml:20:10: no requirement `proxy_ask/OK`\n"
    );
    assert_eq!(
        all("when asked, the host answers OK", "When asked, it answers."),
        "abi/x.yaml:17:5: `proxy_ask/OK` does not say what the host does\n\
         abi/x.yaml:17:5: `proxy_ask/OK` is worded as a sentence, not as a fragment\n"
    );
    assert_eq!(
        all(
            "faults:\n",
            "  - id: proxy_ask/OK\n    text: when asked, the host answers\nfaults:\n"
        ),
        "abi/x.yaml:18:9: requirement `proxy_ask/OK` stands twice\n"
    );
    assert_eq!(
        all("kind: marker", "kind: callback"),
        "abi/x.yaml:3:1: `proxy_abi_version_9_9_9` is not the one export of kind marker\n"
    );
}

/// The committed file of this name, to be changed.
fn file<'f>(files: &'f mut [(String, String)], name: &str) -> &'f mut String {
    let found = files.iter_mut().find(|(path, _)| path.ends_with(name));
    &mut found.expect("a committed file").1
}

#[test]
fn problems_of_several_files_come_at_once() {
    let mut files = committed();
    let dialect = file(&mut files, "mosn-v2.yaml");
    *dialect = dialect.replace("base: 0.2.0", "base: 0.3.0");
    let table = file(&mut files, "v0_1_0.yaml");
    *table = table.replace("extends: 0.2.0", "extends: 0.2.9");
    let problems = load(&files).expect_err("two bad files");
    assert_eq!(
        lines(&problems),
        "abi/v0_1_0.yaml:5:10: no version `0.2.9` to extend\n\
         abi/dialects/mosn-v1.yaml:8:7: no version `0.1.0`\n\
         abi/dialects/mosn-v2.yaml:8:7: no version `0.3.0`\n"
    );
}

#[test]
fn a_dialect_is_asked_for_every_hostcall_and_for_defaults() {
    let mut files = committed();
    let dialect = file(&mut files, "mosn-v2.yaml");
    let text = dialect
        .replace("  proxy_log: {}\n", "")
        .replace("bool default 1]", "bool]")
        .replace("shared_queue/vm_id: its", "shared_queue/vm: its");
    *dialect = text.replace("proxy_resume_stream}", "proxy_resume_stream, absent: why}");
    let problems = lines(&load(&files).expect_err("a bad dialect"));
    for part in [
        "says nothing of `proxy_log`",
        "`create_if_not_exist` is no parameter of the text's `proxy_register_shared_queue`",
        "`absent` excludes a counterpart",
        "0.2.0 has no requirement `proxy_resolve_shared_queue/vm`",
    ] {
        assert!(problems.contains(part), "{part} in\n{problems}");
    }
}

#[test]
fn a_difference_must_differ_from_something() {
    let mut files = committed();
    let table = file(&mut files, "v0_2_0.yaml");
    *table = table.replace("[proxy_get_log_level]", "[proxy_get_log_lever]");
    let problems = lines(&load(&files).expect_err("a bad difference"));
    assert!(
        problems.starts_with("abi/v0_2_0.yaml:8:15: nothing to drop under the name"),
        "{problems}"
    );
}

#[test]
fn a_faulty_version_does_not_repeat_itself_in_those_that_extend_it() {
    let mut files = committed();
    let table = file(&mut files, "v0_2_1.yaml");
    *table = table.replace("id: proxy_log/OK", "id: proxy_log/FINE");
    let problems = load(&files).expect_err("a bad table");
    let messages: Vec<&str> = problems.iter().map(|p| p.message.as_str()).collect();
    let told = [
        "`proxy_status_t` has no `FINE`",
        "no requirement `proxy_log/OK`",
    ];
    assert_eq!(messages, told, "the row, and its fault");

    let table = file(&mut files, "v0_2_1.yaml");
    *table = table.replace("version: 1", "version: one");
    let problems = load(&files).expect_err("a table that is no table");
    assert_eq!(problems.len(), 1, "{}", lines(&problems));
}

#[test]
fn the_schemas_know_the_keys_and_no_others() {
    let table = schemars::schema_for!(TableFile).to_value();
    let dialect = schemars::schema_for!(DialectFile).to_value();
    for (schema, key) in [(&table, "extends"), (&dialect, "foreign")] {
        assert!(schema["properties"][key].is_object(), "{key}");
        assert_eq!(schema["additionalProperties"], false, "{key}");
    }
    let numbers = &table["properties"]["enums"]["additionalProperties"]["additionalProperties"];
    assert_eq!(numbers["type"], "integer");
}
