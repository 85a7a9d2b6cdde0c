//! Tests of the line map, on a text and a table that nobody but these tests uses, and of the
//! committed maps as far as that goes without the texts.

use super::read::sha256;
use crate::abi::{Abi, LineMeaning, Reading, TextMap, load};

const TABLE: &str = "\
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
  - name: ask_time
    module: wasi_snapshot_preview1
    section: Asking
    params: [[unused, i64 default 0]]
    returns: proxy_status_t
callbacks:
  - name: proxy_abi_version_9_9_9
    kind: marker
    section: Integration
requirements:
  - {id: functions/linked, text: 'when imported, the host links it', section: Asking}
  - {id: abi_version/marker, text: 'when exported, the host loads it', section: Integration}
  - {id: proxy_ask/OK, text: 'when asked, the host answers OK'}
  - {id: proxy_ask/NOT_FOUND.key, text: 'when the key is unknown, the host answers NOT_FOUND'}
  - {id: proxy_ask/silent.empty, level: survey, text: 'when empty, the host answers', ruling: silent}
  - {id: ask_time/OK, text: 'when asked, the host answers OK'}
";

const TEXT: &str = "\
# Asking

---

A plugin asks.

### Functions exposed by the host

#### `proxy_ask`

* params:
  - `i32 (const char *) key_data`
  - `i32 (size_t) key_size`
  - `i32 (uint8_t **) return_value_data`
  - `i32 (size_t *) return_value_size`
* returns:
  - `i32 (`[`proxy_status_t`]`) status`

Answers the question
(`key_data`, `key_size`).

Returned `status` value is:
- `OK` on success.
- `NOT_FOUND` when nobody knows
  the answer.

#### `wasi_snapshot_preview1.ask_time`

* params:
  - `i64 (uint64_t) unused`
* returns:
  - `i32 (`[`proxy_status_t`]`) status`

Returned `status` value is:
- `OK` on success.

#### `proxy_abi_version_9_9_9`

* params:
  - none
* returns:
  - none

#### `proxy_status_t`

- `OK` = `0`
- `NOT_FOUND` =`1`

[`proxy_ask`]: #proxy_ask
";

const MAP: &str = "\
version: 1
abi: 9.9.9
text: https://example.invalid/text
sha256: DIGEST
signature: [functions/linked]
sections:
  Asking:
    rest: says what the plugin does
  proxy_ask:
    10-11: [proxy_ask/OK, proxy_ask/silent.*]
  proxy_abi_version_9_9_9:
    signature: [abi_version/marker]
  proxy_status_t:
    rest: [proxy_ask/OK]
";

fn table(text: &str) -> Abi {
    let file = ("abi/v9.yaml".to_owned(), text.to_owned());
    let mut all = load(&[file]).unwrap_or_else(|p| panic!("{p:?}"));
    all.remove(0)
}

fn map(text: &str) -> Result<TextMap, String> {
    let text = text.replace("DIGEST", &sha256(TEXT));
    TextMap::load(&[("abi/text/v9.yaml".to_owned(), text)], "9.9.9")
        .map_err(|problems| problems.iter().map(|p| format!("{p}\n")).collect())
}

fn read(map_text: &str, text: &str, table_text: &str) -> Reading {
    let map = map(map_text).unwrap_or_else(|p| panic!("{p}"));
    map.read(text, &table(table_text))
}

fn problems(reading: &Reading) -> String {
    reading.problems.iter().map(|p| format!("{p}\n")).collect()
}

/// The problems of the good map, text and table with one piece of the text in place of another.
fn with_text(from: &str, to: &str) -> String {
    assert!(TEXT.contains(from), "{from}");
    problems(&read(MAP, &TEXT.replacen(from, to, 1), TABLE))
}

fn with_map(from: &str, to: &str) -> String {
    assert!(MAP.contains(from), "{from}");
    problems(&read(&MAP.replacen(from, to, 1), TEXT, TABLE))
}

fn with_table(from: &str, to: &str) -> String {
    assert!(TABLE.contains(from), "{from}");
    problems(&read(MAP, TEXT, &TABLE.replace(from, to)))
}

/// The number of the first line with these words.
fn line(words: &str) -> usize {
    TEXT.lines().position(|l| l.contains(words)).expect(words) + 1
}

#[test]
fn each_line_of_a_known_text_has_its_meaning() {
    let reading = read(MAP, TEXT, TABLE);
    assert_eq!(problems(&reading), "");
    assert!(reading.known);
    let meaning = |words: &str| reading.lines[line(words) - 1].meaning.clone();
    let reqs = |ids: &[&str]| LineMeaning::Reqs(ids.iter().map(|id| id.to_string()).collect());
    let idle = |why: &str| LineMeaning::Informative(why.to_owned());
    assert_eq!(meaning("# Asking"), idle("heading"));
    assert_eq!(meaning("---"), idle("rule"));
    assert_eq!(meaning("A plugin asks."), idle("says what the plugin does"));
    assert_eq!(meaning("#### `proxy_ask`"), reqs(&["functions/linked"]));
    assert_eq!(meaning("key_size`"), reqs(&["functions/linked"]));
    let both = reqs(&["proxy_ask/OK", "proxy_ask/silent.empty"]);
    assert_eq!(meaning("(`key_data`, `key_size`)."), both);
    assert_eq!(meaning("Returned"), idle("head of the list below"));
    assert_eq!(meaning("- `OK` on success"), reqs(&["proxy_ask/OK"]));
    assert_eq!(meaning("the answer."), reqs(&["proxy_ask/NOT_FOUND.key"]));
    assert_eq!(meaning("[`proxy_ask`]: #"), idle("link target"));
    assert_eq!(reading.lines.len(), TEXT.lines().count());
}

#[test]
fn a_text_with_another_digest_is_called_so_and_read_all_the_same() {
    let found = with_text("A plugin asks.", "A plugin asks often.");
    assert!(
        found.starts_with("this is not the text of 9.9.9"),
        "{found}"
    );
    assert_eq!(found.lines().count(), 1, "{found}");
}

#[test]
fn a_line_that_the_map_does_not_speak_of_is_named_by_its_number() {
    let found = with_map("10-11: [", "10: [");
    let number = line("(`key_data`, `key_size`).");
    let expected = format!("line {number}: the map does not speak of it\n");
    assert_eq!(found, expected);
    let found = with_text("\n---", "\nA rule.\n\n## New\n\nMore.\n");
    assert!(found.contains("line 7: the map does not"), "{found}");
}

#[test]
fn an_id_that_does_not_exist_and_a_requirement_without_a_line_are_errors() {
    let found = with_map("proxy_ask/silent.*", "proxy_ask/shouts.*");
    assert!(found.contains("names no requirement: `proxy_ask/shouts.*`"));
    assert!(found.contains("no line is behind `proxy_ask/silent.empty`"));
}

#[test]
fn a_map_that_speaks_of_what_is_not_there_is_an_error() {
    let found = with_map("10-11: [", "10-70: [");
    assert!(
        found.contains("lines 10-70 of `proxy_ask`, which has"),
        "{found}"
    );
    let found = with_map(
        "  proxy_status_t:",
        "  proxy_other_t: {rest: none}\n  proxy_status_t:",
    );
    assert!(
        found.contains("the text has no section `proxy_other_t`"),
        "{found}"
    );
}

#[test]
fn a_row_of_the_list_without_a_requirement_of_its_own_is_an_error() {
    let added = "- `OK` on success.\n- `BUSY` when asked too often.\n";
    let found = with_text("- `OK` on success.\n", added);
    assert!(found.contains("the map does not speak of it"), "{found}");
    let mapped = "proxy_ask:\n    14: [proxy_ask/NOT_FOUND.key]";
    let found = with_map("proxy_ask:", mapped);
    assert_eq!(
        found,
        format!(
            "line {}: no requirement `proxy_ask/OK` for this row\n",
            line("- `OK` on")
        )
    );
}

#[test]
fn the_text_and_the_table_must_agree() {
    let found = with_text("  - `i32 (size_t) key_size`", "  - `i64 (size_t) key_size`");
    assert!(
        found.contains("`proxy_ask` is (i32 i64 i32 i32) -> i32 in the text and"),
        "{found}"
    );
    let found = with_text("=`1`", "= `2`");
    assert!(found.contains("`proxy_status_t` is"), "{found}");
    let found = with_text("= `0`", "is nought");
    assert!(found.contains("has no number"), "{found}");
    let found = with_table("ask_time", "ask_place");
    assert!(found.contains("has no function `ask_time`"), "{found}");
    assert!(found.contains("no section on `ask_place`"), "{found}");
    let found = with_table("enums:", "enums:\n  proxy_new_t: {A: 0}");
    assert!(found.contains("no section on `proxy_new_t`"), "{found}");
}

#[test]
fn a_departure_that_is_none_is_an_error() {
    let found = with_map("sections:", "departs: {proxy_ask: because}\nsections:");
    assert!(
        found.contains("`proxy_ask` is said to depart from the text and does not"),
        "{found}"
    );
}

#[test]
fn a_map_is_laid_over_the_one_that_it_extends() {
    let newer = "\
version: 1
abi: 9.9.10
extends: 9.9.9
text: https://example.invalid/newer
sha256: '00'
drop: [Asking]
sections:
  proxy_status_t: {2: [proxy_ask/NOT_FOUND.key], 3: [proxy_ask/OK]}
";
    let files = |newer: &str| {
        vec![
            ("abi/text/v9.yaml".to_owned(), MAP.to_owned()),
            ("abi/text/w.yaml".to_owned(), newer.to_owned()),
        ]
    };
    let map = TextMap::load(&files(newer), "9.9.10").expect("a good map");
    let reading = map.read(TEXT, &table(TABLE));
    let found = problems(&reading);
    let number = line("A plugin asks.");
    assert!(
        found.contains(&format!("line {number}: the map does")),
        "{found}"
    );
    let meaning = &reading.lines[line("- `OK` = `0`") - 1].meaning;
    let key = LineMeaning::Reqs(vec!["proxy_ask/NOT_FOUND.key".to_owned()]);
    assert_eq!(*meaning, key);
    let refused = |text: &str| TextMap::load(&files(text), "9.9.10").expect_err("a bad map");
    let circle = newer.replace("extends: 9.9.9", "extends: 9.9.10");
    assert!(refused(&circle)[0].message.contains("extends itself"));
    let nothing = newer.replace("[Asking]", "[Asking, Telling]");
    let found = refused(&nothing);
    assert!(found[0].message.contains("no section `Telling`"));
    assert_eq!(found[0].line, 6);
}

#[test]
fn what_the_form_refuses_has_a_place() {
    let refused = |from: &str, to: &str| map(&MAP.replacen(from, to, 1)).expect_err("a bad map");
    let found = refused("10-11:", "tail:");
    assert!(
        found.starts_with("abi/text/v9.yaml:10:5: `tail`"),
        "{found}"
    );
    assert!(refused("10-11:", "11-10:").contains("is no line"));
    let twice = refused("10-11:", "11: [proxy_ask/OK]\n    10-11:");
    assert!(twice.contains("speaks of a line again"), "{twice}");
    assert!(refused("[proxy_ask/OK]", "[]").contains("the list is empty"));
    assert!(refused("says what the plugin does", "''").contains("the reason is empty"));
    assert!(refused("version: 1", "version: 7").contains("version 7"));
    assert!(refused("abi: 9.9.9", "abi: 9.9.8").contains("no line map of `9.9.9`"));
}

#[test]
fn the_committed_maps_name_every_requirement_and_no_other() {
    let files: Vec<(String, String)> = [
        (
            "v0_1_0",
            include_str!("../../../../specs/abi/text/v0_1_0.yaml"),
        ),
        (
            "v0_2_0",
            include_str!("../../../../specs/abi/text/v0_2_0.yaml"),
        ),
        (
            "v0_2_1",
            include_str!("../../../../specs/abi/text/v0_2_1.yaml"),
        ),
    ]
    .map(|(name, text)| (format!("abi/text/{name}.yaml"), text.to_owned()))
    .into();
    for id in ["0.1.0", "0.2.0", "0.2.1"] {
        let map = TextMap::load(&files, id).unwrap_or_else(|p| panic!("{p:?}"));
        let wrong = map.check(&crate::abi::tests::version(id));
        assert!(wrong.is_empty(), "{id}:\n{}", wrong.join("\n"));
    }
}
