//! Values in words that are the same on every host that does the same.

use crate::trace::{Blob, Event, Field, Returned, Value};

/// Fields that a program uses; all others are the proxy's own business.
pub(super) fn own_field(name: &[u8]) -> bool {
    let named = |prefix: &str| name.to_ascii_lowercase().starts_with(prefix.as_bytes());
    named("x-") && !named("x-envoy-") && !named("x-forwarded-") && !named("x-request-id")
}

/// How a call ended.
pub(super) fn ended(event: &Event) -> String {
    match &event.end {
        Returned::Never => "never returned".to_owned(),
        Returned::Nothing => "no result".to_owned(),
        Returned::Value(Value::Enum(Some(name), _)) => name.to_string(),
        Returned::Value(v) => value(v),
    }
}

/// An output; `None`: it says nothing that can be compared.
pub(super) fn out(field: &Field) -> Option<String> {
    match &field.value {
        Value::Untouched | Value::Unreadable(_) => Some(value(&field.value)),
        _ if field.volatile => None,
        // One that the text calls unused.
        _ if field.name == "unused" => None,
        v => Some(value(v)),
    }
}

fn value(v: &Value) -> String {
    match v {
        Value::Number(n) => n.to_string(),
        Value::Signed(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Enum(Some(name), _) => name.to_string(),
        Value::Enum(None, n) => n.to_string(),
        Value::Id(_, 0) | Value::Pointer(0) => "0".to_owned(),
        Value::Id(..) => "an id".to_owned(),
        Value::Pointer(_) => "a pointer".to_owned(),
        Value::Bytes(bytes) => bytes.display(),
        Value::Pairs(pairs) => own_pairs(pairs),
        Value::Untouched => "untouched".to_owned(),
        Value::Unreadable(why) => format!("unreadable ({why})"),
    }
}

/// The fields that a program uses, by name: their order is free, but for values of one name.
fn own_pairs(pairs: &[(Blob, Blob)]) -> String {
    let name = |k: &Blob| {
        k.whole()
            .map(<[u8]>::to_ascii_lowercase)
            .unwrap_or_default()
    };
    let mut own: Vec<(Vec<u8>, &Blob)> = pairs.iter().map(|(k, v)| (name(k), v)).collect();
    own.retain(|(k, _)| own_field(k));
    own.sort_by(|a, b| a.0.cmp(&b.0));
    let shown = own
        .iter()
        .map(|(k, v)| format!("{}: {}", String::from_utf8_lossy(k), v.display()));
    shown.collect::<Vec<_>>().join(", ")
}
