//! What differs between two tables: hostcalls, callbacks, numbers of enums, requirements.
//!
//! Does not know which version is the newer one, nor how the difference is shown.

use crate::abi::{Abi, Callback, Hostcall, Param, Requirement};

/// What kind of thing differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A function that the host exposes.
    Hostcall,
    /// A function that the plugin exposes: callback, allocator, entry point, marker.
    Callback,
    /// A member of an enum.
    EnumValue,
    /// A row of the catalogue.
    Requirement,
}

/// One thing that differs. What is in both tables and the same in both makes none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What kind of thing.
    pub kind: Kind,
    /// Its name: `proxy_log`, `proxy_buffer_type_t VM_CONFIGURATION`, a requirement's id.
    pub name: String,
    /// What the first table says of it; nothing: it is not there.
    pub before: Option<String>,
    /// What the second table says of it; nothing: it is not there. Never both nothing.
    pub after: Option<String>,
}

/// All that differs, kind by kind; within a kind what the first table has in its order, then what only
/// the second one has in its own.
pub fn differences(a: &Abi, b: &Abi) -> Vec<Difference> {
    type Says = fn(&Abi) -> Vec<(String, String)>;
    let kinds: [(Kind, Says); 4] = [
        (Kind::Hostcall, |t| {
            named(&t.hostcalls, |h| h.name.clone(), hostcall)
        }),
        (Kind::Callback, |t| {
            named(&t.callbacks, |c| c.name.clone(), callback)
        }),
        (Kind::EnumValue, enum_values),
        (Kind::Requirement, |t| {
            named(&t.requirements, |r| r.id.clone(), requirement)
        }),
    ];
    let each = kinds
        .into_iter()
        .flat_map(|(kind, says)| compare(kind, &says(a), &says(b)));
    each.collect()
}

fn compare(kind: Kind, a: &[(String, String)], b: &[(String, String)]) -> Vec<Difference> {
    let says = |all: &[(String, String)], name: &str| {
        let found = all.iter().find(|(n, _)| n == name);
        found.map(|(_, text)| text.clone())
    };
    let only_there = b.iter().filter(|(name, _)| says(a, name).is_none());
    let names = a.iter().chain(only_there).map(|(name, _)| name);
    let both = names.map(|name| Difference {
        kind,
        name: name.clone(),
        before: says(a, name),
        after: says(b, name),
    });
    both.filter(|d| d.before != d.after).collect()
}

fn named<T>(
    all: &[T],
    name: fn(&T) -> String,
    says: fn(&T) -> Option<String>,
) -> Vec<(String, String)> {
    let there = all.iter().filter_map(|t| Some((name(t), says(t)?)));
    there.collect()
}

/// A hostcall as a table has it: `(message: bytes) -> proxy_status_t`; nothing: the dialect has no
/// counterpart.
fn hostcall(h: &Hostcall) -> Option<String> {
    let own = (h.import.1 != h.name).then(|| format!("{}.{} ", h.import.0, h.import.1));
    let signature = format!("{}{}", list(&h.params), h.returns);
    h.absent
        .is_none()
        .then(|| format!("{}{signature}", own.unwrap_or_default()))
}

fn callback(c: &Callback) -> Option<String> {
    let own = c.export.as_ref().filter(|e| **e != c.name);
    let own = own.map(|e| format!("{e} "));
    let signature = format!("{}{}", list(&c.params), c.returns);
    c.absent
        .is_none()
        .then(|| format!("{}{signature}", own.unwrap_or_default()))
}

fn list(params: &[Param]) -> String {
    let each = params.iter().map(|p| format!("{}: {}", p.name, p.ty));
    format!("({})", each.collect::<Vec<_>>().join(", "))
}

fn enum_values(t: &Abi) -> Vec<(String, String)> {
    let all = t.enums.iter().flat_map(|e| {
        let values = e.values.iter().chain(&e.foreign);
        values.map(|(name, number)| (format!("{} {name}", e.name), number.to_string()))
    });
    all.collect()
}

/// All that is said of a row but its heading, which moves without meaning anything.
fn requirement(r: &Requirement) -> Option<String> {
    let mut out = format!("{}, {}: {}", r.level, r.seat, r.text);
    if let Some(ruling) = &r.ruling {
        out.push_str(&format!("\nruling: {ruling}"));
    }
    if let Some(why) = &r.excluded {
        out.push_str(&format!("\nexcluded: {why}"));
    }
    Some(out)
}
