//! Does a value match? With three answers, since a long value is kept as its ends only.
//!
//! Does not know which check asks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::case::{Matcher, filled};
use crate::judge::view::{Place, View};
use crate::trace::{Blob, Value, digest};

/// What is held against a matcher.
#[derive(Debug, Clone, Copy)]
pub(super) enum Got<'a> {
    /// No such thing.
    Missing,
    /// A value of the boundary.
    Value(&'a Value),
    /// Bytes of the wire or the log.
    Bytes(&'a Blob),
    /// A number of the wire.
    Number(u64),
}

/// Whether it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// It cannot be said: the value was cut, or what it is compared with never came.
    Unknown,
}

impl From<bool> for Answer {
    fn from(b: bool) -> Answer {
        if b { Answer::Yes } else { Answer::No }
    }
}

/// Where the value stands: contexts and saved values are looked up from there.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v, 'a> {
    pub(super) view: &'v View<'a>,
    /// `None`: on the wire.
    pub(super) at: Option<Place>,
}

impl Scope<'_, '_> {
    fn instance(&self) -> Option<usize> {
        let wire = || {
            let streamed = self.view.instances.iter().position(|i| i.saw_stream);
            streamed.or(self.view.instances.len().checked_sub(1))
        };
        self.at.map(|p| p.0).or_else(wire)
    }

    fn context(&self, nth: u32, stream: bool) -> Option<u64> {
        let i = &self.view.instances[self.instance()?];
        let all = if stream { &i.streams } else { &i.plugins };
        all.get(nth.checked_sub(1)? as usize).copied()
    }

    pub(super) fn matches(&self, matcher: &Matcher, got: Got<'_>) -> Answer {
        use Answer::{No, Unknown, Yes};
        match matcher {
            Matcher::Number(n) => (number(got) == Some(i128::from(*n))).into(),
            Matcher::Signed(n) => (number(got) == Some(i128::from(*n))).into(),
            Matcher::Bool(b) => (number(got) == Some(i128::from(*b))).into(),
            Matcher::Enum(_, n) => (number(got) == Some(i128::from(*n))).into(),
            Matcher::Between(low, high) => number(got)
                .is_some_and(|n| (i128::from(*low)..=i128::from(*high)).contains(&n))
                .into(),
            Matcher::Bytes(b) => bytes(got).is_some_and(|g| g.is(b)).into(),
            Matcher::Fill { pattern, len } => {
                bytes(got).is_some_and(|g| is_fill(g, pattern, *len)).into()
            }
            Matcher::Prefix(p) => bytes(got).map_or(No, |g| prefix(g, p)),
            Matcher::Contains(c) => bytes(got).map_or(No, |g| contains(g, c)),
            Matcher::Pairs(want) => pairs(got)
                .is_some_and(|g| {
                    g.len() == want.len() && g.iter().zip(want).all(|(g, w)| same_pair(g, w))
                })
                .into(),
            Matcher::HasPairs(want) => pairs(got).is_some_and(|g| has_pairs(g, want)).into(),
            Matcher::Saved { step, out } => {
                let saved = self.view.last_before(step, self.at);
                match saved.and_then(|p| self.view.event(p).out(out)) {
                    None | Some(Value::Untouched | Value::Unreadable(_)) => Unknown,
                    Some(v) => same_value(got, v).into(),
                }
            }
            Matcher::AtLeast { step, out } => {
                let saved = self.view.last_before(step, self.at);
                let saved = saved.and_then(|p| self.view.event(p).out(out));
                match (number(got), saved.and_then(|v| number(Got::Value(v)))) {
                    (_, None) => Unknown,
                    (got, Some(least)) => got.is_some_and(|n| n >= least).into(),
                }
            }
            Matcher::CountIs(arg) => {
                let within = self
                    .at
                    .and_then(|p| self.view.instances[p.0].events[p.1].within);
                let count = within.and_then(|e| e.arg(arg));
                match count.and_then(|v| number(Got::Value(v))) {
                    None => Unknown,
                    Some(n) => pairs(got).is_some_and(|p| p.len() as i128 == n).into(),
                }
            }
            Matcher::PluginContext(n) | Matcher::StreamContext(n) => {
                let stream = matches!(matcher, Matcher::StreamContext(_));
                self.context(*n, stream)
                    .map_or(Unknown, |id| (number(got) == Some(i128::from(id))).into())
            }
            Matcher::AnyOf(all) => {
                let answers: Vec<Answer> = all.iter().map(|m| self.matches(m, got)).collect();
                match (answers.contains(&Yes), answers.contains(&Unknown)) {
                    (true, _) => Yes,
                    (false, true) => Unknown,
                    (false, false) => No,
                }
            }
            Matcher::Not(m) => match self.matches(m, got) {
                Yes => No,
                No => Yes,
                Unknown => Unknown,
            },
            Matcher::Absent | Matcher::Untouched => nothing(got).into(),
            Matcher::Present => (!nothing(got)).into(),
        }
    }
}

/// Whether nothing is there: a missing field, an output that was not written.
fn nothing(got: Got<'_>) -> bool {
    matches!(got, Got::Missing | Got::Value(Value::Untouched))
}

fn number(got: Got<'_>) -> Option<i128> {
    Some(match got {
        Got::Number(n) => i128::from(n),
        Got::Value(v) => match v {
            Value::Number(n) | Value::Enum(_, n) | Value::Id(_, n) | Value::Pointer(n) => {
                i128::from(*n)
            }
            Value::Signed(n) => i128::from(*n),
            Value::Bool(b) => i128::from(*b),
            _ => return None,
        },
        _ => return None,
    })
}

fn bytes(got: Got<'_>) -> Option<&Blob> {
    match got {
        Got::Bytes(b) | Got::Value(Value::Bytes(b)) => Some(b),
        _ => None,
    }
}

fn pairs(got: Got<'_>) -> Option<&[(Blob, Blob)]> {
    match got {
        Got::Value(Value::Pairs(p)) => Some(p),
        _ => None,
    }
}

fn same_pair(got: &(Blob, Blob), want: &(Vec<u8>, Vec<u8>)) -> bool {
    let name = match got.0.whole() {
        Some(n) => n.eq_ignore_ascii_case(&want.0),
        None => got.0.is(&want.0),
    };
    name && got.1.is(&want.1)
}

fn has_pairs(got: &[(Blob, Blob)], want: &[(Vec<u8>, Vec<u8>)]) -> bool {
    let mut left: Vec<&(Blob, Blob)> = got.iter().collect();
    want.iter().all(|w| {
        let at = left.iter().position(|g| same_pair(g, w));
        at.map(|i| left.remove(i)).is_some()
    })
}

fn same_value(got: Got<'_>, saved: &Value) -> bool {
    let other = Got::Value(saved);
    if let (Some(a), Some(b)) = (number(got), number(other)) {
        return a == b;
    }
    if let (Some(a), Some(b)) = (bytes(got), bytes(other)) {
        return same_blob(a, b);
    }
    matches!((pairs(got), pairs(other)), (Some(a), Some(b)) if a == b)
}

/// Whether two blobs are the same value, though one may be kept whole and the other cut.
fn same_blob(a: &Blob, b: &Blob) -> bool {
    match (a.whole(), b.whole()) {
        (Some(a), _) => b.is(a),
        (_, Some(b)) => a.is(b),
        _ => a == b,
    }
}

fn prefix(got: &Blob, want: &[u8]) -> Answer {
    match got {
        Blob::Whole(b) => b.starts_with(want).into(),
        Blob::Cut { len, .. } if *len < want.len() as u64 => Answer::No,
        Blob::Cut { head, .. } if want.len() <= head.len() => head.starts_with(want).into(),
        Blob::Cut { head, .. } if !want.starts_with(head) => Answer::No,
        Blob::Cut { .. } => Answer::Unknown,
    }
}

fn contains(got: &Blob, want: &[u8]) -> Answer {
    let within = |b: &[u8]| want.is_empty() || b.windows(want.len()).any(|w| w == want);
    match got {
        Blob::Whole(b) => within(b).into(),
        Blob::Cut { len, .. } if *len < want.len() as u64 => Answer::No,
        Blob::Cut { head, tail, .. } if within(head) || within(tail) => Answer::Yes,
        Blob::Cut { .. } => Answer::Unknown,
    }
}

fn is_fill(got: &Blob, pattern: &[u8], len: u64) -> bool {
    if got.len() != len {
        return false;
    }
    match got {
        Blob::Whole(b) => fill(pattern, len).eq(b.iter().copied()),
        Blob::Cut { digest, .. } => *digest == fill_digest(pattern, len),
    }
}

fn fill(pattern: &[u8], len: u64) -> impl Iterator<Item = u8> {
    let len = if pattern.is_empty() { 0 } else { len as usize };
    pattern.iter().copied().cycle().take(len)
}

/// Digests of large fills, by pattern and length: the same few are asked for again and again.
static FILLS: Mutex<Option<Digests>> = Mutex::new(None);

/// See [`FILLS`].
type Digests = HashMap<(Vec<u8>, u64), u64>;

fn fill_digest(pattern: &[u8], len: u64) -> u64 {
    let mut fills = FILLS.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (pattern.to_vec(), len);
    let known = fills.get_or_insert_default();
    *known
        .entry(key)
        .or_insert_with(|| digest(&filled(pattern, len)))
}
