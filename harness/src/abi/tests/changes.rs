//! What differs between two tables.

use super::version;
use crate::abi::{Abi, Difference, Kind, differences};

fn of(kind: Kind, a: &Abi, b: &Abi) -> Vec<(String, Option<String>, Option<String>)> {
    let all = differences(a, b).into_iter().filter(|d| d.kind == kind);
    all.map(|d| (d.name, d.before, d.after)).collect()
}

#[test]
fn a_table_does_not_differ_from_itself() {
    let table = version("0.2.1");
    assert_eq!(differences(&table, &table), []);
}

#[test]
fn added_removed_and_changed_are_told_apart() {
    let (old, new) = (version("0.1.0"), version("0.2.0"));
    let hostcalls = of(Kind::Hostcall, &old, &new);
    assert!(hostcalls.contains(&(
        "proxy_get_configuration".to_owned(),
        Some("(value: out bytes) -> proxy_status_t".to_owned()),
        None
    )));
    assert!(hostcalls.contains(&(
        "proxy_continue_stream".to_owned(),
        None,
        Some("(stream_type: proxy_stream_type_t) -> proxy_status_t".to_owned())
    )));
    let headers = "(stream_context_id: context, num_headers: size";
    assert!(of(Kind::Callback, &old, &new).contains(&(
        "proxy_on_request_headers".to_owned(),
        Some(format!("{headers}) -> proxy_action_t")),
        Some(format!("{headers}, end_of_stream: bool) -> proxy_action_t"))
    )));
    let values = of(Kind::EnumValue, &old, &new);
    assert_eq!(
        values[0],
        (
            "proxy_buffer_type_t VM_CONFIGURATION".to_owned(),
            None,
            Some("6".to_owned())
        )
    );
    // The other way round the same things differ, and what was added is gone.
    let turned = differences(&new, &old).into_iter().map(|d| Difference {
        before: d.after,
        after: d.before,
        ..d
    });
    let sorted = |mut all: Vec<Difference>| {
        all.sort_by(|x, y| (x.kind, &x.name).cmp(&(y.kind, &y.name)));
        all
    };
    assert_eq!(sorted(turned.collect()), sorted(differences(&old, &new)));
}

#[test]
fn a_row_changes_with_its_ruling() {
    let old = version("0.2.1");
    let mut new = old.clone();
    let row = new.requirements.iter_mut().find(|r| r.ruling.is_some());
    let row = row.expect("one has a ruling");
    row.ruling = Some("another one".to_owned());
    let id = row.id.clone();
    let found = differences(&old, &new);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind, &found[0].name), (Kind::Requirement, &id));
    let after = found[0].after.as_deref().expect("still there");
    assert!(after.ends_with("\nruling: another one"), "{after}");
}

#[test]
fn a_dialect_names_its_own_functions_and_has_no_counterpart_of_some() {
    let (text, dialect) = (version("0.2.0"), version("mosn-v2"));
    let hostcalls = of(Kind::Hostcall, &text, &dialect);
    let after = |name: &str| {
        let found = hostcalls.iter().find(|(n, ..)| n == name);
        found.expect(name).2.clone()
    };
    assert_eq!(
        after("proxy_done").as_deref(),
        Some("env.proxy_context_finalize () -> proxy_status_t")
    );
    assert_eq!(after("proxy_get_status"), None);
}
