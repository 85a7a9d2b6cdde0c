//! Other values than a recorded one, and values that a matcher takes.
//!
//! Does not know where they go.

use crate::abi::{Abi, EnumDef, Returns, Type};
use crate::case::{FieldExpect, Matcher};
use crate::trace::{Blob, Event, EventKind, Value};

/// Bytes that no case expects.
pub(super) const STRANGE: &[u8] = b"pwspec-changed";

/// Every other value that is tried in the place of `v`.
pub(super) fn others(v: &Value, members: Option<&EnumDef>) -> Vec<Value> {
    match v {
        Value::Number(n) => numbers(*n).into_iter().map(Value::Number).collect(),
        Value::Signed(n) => vec![Value::Signed(n.wrapping_add(1)), Value::Signed(i64::MIN)],
        Value::Bool(b) => vec![Value::Bool(!b)],
        Value::Id(kind, n) => numbers(*n)
            .into_iter()
            .map(|n| Value::Id(*kind, n))
            .collect(),
        Value::Pointer(n) => vec![Value::Pointer(n.wrapping_add(1))],
        Value::Enum(_, n) => {
            let all = members.iter().flat_map(|d| &d.values);
            let mut all: Vec<Value> = all
                .filter(|(_, v)| v != n)
                .map(|(name, v)| Value::Enum(Some(name.into()), *v))
                .collect();
            all.push(Value::Enum(None, n.wrapping_add(1000)));
            all
        }
        Value::Bytes(b) => blobs(b).into_iter().map(Value::Bytes).collect(),
        Value::Pairs(p) => maps(p).into_iter().map(Value::Pairs).collect(),
        Value::Untouched | Value::Unreadable(_) => vec![
            Value::Bytes(Blob::new(STRANGE)),
            Value::Bytes(Blob::default()),
            Value::Number(0),
        ],
    }
}

fn numbers(n: u64) -> Vec<u64> {
    let mut all = vec![n.wrapping_add(1), n.wrapping_sub(1), 0, u64::MAX >> 1];
    all.retain(|m| *m != n);
    all
}

/// Other bytes: one changed, one fewer, one more, none, quite others.
pub(super) fn blobs(b: &Blob) -> Vec<Blob> {
    let mut all = Vec::new();
    if let Some(w) = b.whole() {
        if let Some((first, rest)) = w.split_first() {
            all.push(Blob::Whole([&[first ^ 1], rest].concat()));
            all.push(Blob::Whole(w[..w.len() - 1].to_vec()));
        }
        all.push(Blob::Whole([w, b"x"].concat()));
    } else if let Blob::Cut {
        len,
        digest,
        head,
        tail,
    } = b
    {
        for (len, digest) in [(*len, digest ^ 1), (len + 1, *digest)] {
            all.push(Blob::Cut {
                len,
                digest,
                head: head.clone(),
                tail: tail.clone(),
            });
        }
    }
    all.push(Blob::default());
    all.push(Blob::new(STRANGE));
    all.retain(|o| o != b);
    all
}

type Map = Vec<(Blob, Blob)>;

/// Other maps: each pair gone, each name and value changed, the first two swapped, one added.
pub(super) fn maps(pairs: &Map) -> Vec<Map> {
    let mut all = Vec::new();
    for i in 0..pairs.len() {
        let mut gone = pairs.clone();
        gone.remove(i);
        all.push(gone);
        let mut value = pairs.clone();
        value[i].1 = Blob::new(STRANGE);
        all.push(value);
        let mut name = pairs.clone();
        name[i].0 = Blob::new(STRANGE);
        all.push(name);
    }
    if pairs.len() > 1 {
        let mut swapped = pairs.clone();
        swapped.swap(0, 1);
        all.push(swapped);
    }
    let mut more = pairs.clone();
    more.push((Blob::new(STRANGE), Blob::default()));
    all.push(more);
    all
}

/// Other lists: each element gone and changed, the first two swapped, one added.
pub(super) fn lists(all: &[Blob]) -> Vec<Vec<Blob>> {
    let mut out = Vec::new();
    for i in 0..all.len() {
        let mut gone = all.to_vec();
        gone.remove(i);
        out.push(gone);
        for other in blobs(&all[i]) {
            let mut changed = all.to_vec();
            changed[i] = other;
            out.push(changed);
        }
    }
    if all.len() > 1 {
        let mut swapped = all.to_vec();
        swapped.swap(0, 1);
        out.push(swapped);
    }
    out.push([all, &[Blob::new(STRANGE)]].concat());
    out
}

/// The enum of a result, an argument or an output.
pub(super) fn members<'a>(abi: &'a Abi, e: &Event, field: Option<&str>) -> Option<&'a EnumDef> {
    let (params, returns) = match e.kind {
        EventKind::Hostcall => abi.hostcall(&e.name).map(|h| (&h.params, &h.returns))?,
        _ => abi.callback(&e.name).map(|c| (&c.params, &c.returns))?,
    };
    let name = match field {
        None => match returns {
            Returns::Enum(name) => name,
            _ => return None,
        },
        Some(f) => match &params.iter().find(|p| p.name == f)?.ty {
            Type::Enum(name) | Type::OutEnum(name) => name,
            _ => return None,
        },
    };
    abi.enumeration(name)
}

/// A value that the matcher takes, as far as one can be made without the trace.
pub(super) fn taken(m: &Matcher) -> Option<Value> {
    Some(match m {
        Matcher::Number(n) | Matcher::Between(n, _) => Value::Number(*n),
        Matcher::Signed(n) => Value::Signed(*n),
        Matcher::Bool(b) => Value::Bool(*b),
        Matcher::Enum(name, n) => Value::Enum(Some(name.into()), *n),
        Matcher::Bytes(b) | Matcher::Prefix(b) | Matcher::Contains(b) => {
            Value::Bytes(Blob::Whole(b.clone()))
        }
        Matcher::Pairs(p) | Matcher::HasPairs(p) => {
            let all = p.iter();
            let all = all.map(|(k, v)| (Blob::Whole(k.clone()), Blob::Whole(v.clone())));
            Value::Pairs(all.collect())
        }
        Matcher::Present => Value::Bytes(Blob::new(STRANGE)),
        Matcher::AnyOf(all) => all.iter().find_map(taken)?,
        Matcher::Not(m) => others(&taken(m)?, None).into_iter().next()?,
        Matcher::Absent | Matcher::Untouched => Value::Untouched,
        Matcher::Fill { .. }
        | Matcher::Saved { .. }
        | Matcher::AtLeast { .. }
        | Matcher::CountIs(_)
        | Matcher::PluginContext(_)
        | Matcher::StreamContext(_) => return None,
    })
}

/// Values that the matcher refuses and that a change of the recorded value need not hit.
pub(super) fn refused(m: &Matcher) -> Vec<Value> {
    match m {
        Matcher::Not(m) => match &**m {
            Matcher::AnyOf(all) => all.iter().filter_map(taken).collect(),
            m => taken(m).into_iter().collect(),
        },
        Matcher::AnyOf(all) => all.iter().flat_map(refused).collect(),
        Matcher::Absent | Matcher::Untouched => vec![Value::Bytes(Blob::new(STRANGE))],
        _ => Vec::new(),
    }
}

/// Field values that the expectation refuses by name.
pub(super) fn refused_field(f: &FieldExpect) -> Vec<Blob> {
    let all = match f {
        FieldExpect::Value(m) => refused(m),
        FieldExpect::List(_) => Vec::new(),
    };
    let blobs = all.into_iter().filter_map(|v| match v {
        Value::Bytes(b) => Some(b),
        _ => None,
    });
    blobs.collect()
}
