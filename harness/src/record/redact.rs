//! Keeps secrets of a profile out of everything that is made of a run: a listener that stands before the
//! others.
//!
//! Does not know what a secret looks like: it is told them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::record::{Event, RecordError, Sink};

/// What stands where a secret was.
const GONE: &str = "‹redacted›";

/// Tells another listener everything, without the secrets.
pub struct Redacting<'a> {
    inner: &'a mut dyn Sink,
    secrets: Vec<String>,
}

impl<'a> Redacting<'a> {
    /// Before `inner`.
    pub fn new(inner: &'a mut dyn Sink, secrets: Vec<String>) -> Redacting<'a> {
        Redacting { inner, secrets }
    }
}

impl Sink for Redacting<'_> {
    fn event(&mut self, event: &Event) -> Result<(), RecordError> {
        if self.secrets.is_empty() {
            return self.inner.event(event);
        }
        let s = &self.secrets;
        let event = match event {
            Event::CaseEnded(result) => Event::CaseEnded(Arc::new(clean(&**result, s))),
            Event::Started { header, cases } => Event::Started {
                header: Arc::new(clean(&**header, s)),
                cases: cases.clone(),
            },
            Event::Finished(footer) => Event::Finished(Arc::new(clean(&**footer, s))),
            Event::HostTrouble { column, what, help } => Event::HostTrouble {
                column: column.clone(),
                what: redact(what, s),
                help: help.as_ref().map(|h| redact(h, s)),
            },
            other => other.clone(),
        };
        self.inner.event(&event)
    }
}

/// A text without the secrets.
pub fn redact(text: &str, secrets: &[String]) -> String {
    let whole = || without(text.as_bytes().to_vec(), secrets);
    match secrets.is_empty() {
        true => text.to_owned(),
        false => String::from_utf8_lossy(&whole()).into_owned(),
    }
}

/// A part of a record without the secrets, wherever in it they stand.
fn clean<T: Serialize + DeserializeOwned + Clone>(part: &T, secrets: &[String]) -> T {
    rewritten(
        part,
        &Rewrite {
            text: &|text| redact(text, secrets),
            bytes: &|all| without(all, secrets),
        },
    )
}

/// What is done to every text and to all bytes of a part of a record.
pub(super) struct Rewrite<'a> {
    /// Texts.
    pub(super) text: &'a dyn Fn(&str) -> String,
    /// Bytes that are no text.
    pub(super) bytes: &'a dyn Fn(Vec<u8>) -> Vec<u8>,
}

/// A part of a record with its texts and bytes written anew.
pub(super) fn rewritten<T: Serialize + DeserializeOwned + Clone>(part: &T, how: &Rewrite<'_>) -> T {
    let Ok(mut value) = serde_json::to_value(part) else {
        return part.clone();
    };
    walk(&mut value, how);
    serde_json::from_value(value).unwrap_or_else(|_| part.clone())
}

fn walk(value: &mut Value, how: &Rewrite<'_>) {
    match value {
        Value::String(text) => *text = (how.text)(text),
        Value::Array(all) => all.iter_mut().for_each(|v| walk(v, how)),
        Value::Object(map) => {
            for (key, v) in map.iter_mut() {
                match (key.as_str(), &mut *v) {
                    ("b64", Value::String(text)) => *text = base64(text, how),
                    // Length, digest, both ends.
                    ("cut", Value::Array(parts)) => {
                        for end in parts.iter_mut().skip(2) {
                            if let Value::String(text) = end {
                                *text = base64(text, how);
                            }
                        }
                    }
                    _ => walk(v, how),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Bytes that stand in base64.
fn base64(text: &str, how: &Rewrite<'_>) -> String {
    match BASE64.decode(text) {
        Ok(all) => BASE64.encode((how.bytes)(all)),
        Err(_) => text.to_owned(),
    }
}

/// Of a longer secret any piece with so many bytes of its beginning or its end counts: long values are
/// cut, by guests and by records.
const PIECE: usize = 16;

/// Bytes without the secrets.
pub fn without(mut all: Vec<u8>, secrets: &[String]) -> Vec<u8> {
    for secret in secrets.iter().map(String::as_bytes) {
        let mut from = 0;
        while let Some((at, len)) = found(&all[from..], secret) {
            let at = from + at;
            all.splice(at..at + len, GONE.bytes());
            from = at + GONE.len();
        }
    }
    all
}

/// Where a secret, or the beginning or end of a long one, first stands, and how much of it.
fn found(all: &[u8], secret: &[u8]) -> Option<(usize, usize)> {
    if secret.is_empty() {
        return None;
    }
    let begins = |all: &[u8]| {
        let same = all.iter().zip(secret);
        same.take_while(|(a, b)| a == b).count()
    };
    let ends = |all: &[u8]| {
        let same = all.iter().rev().zip(secret.iter().rev());
        same.take_while(|(a, b)| a == b).count()
    };
    if secret.len() <= 2 * PIECE {
        let mut windows = all.windows(secret.len());
        return windows
            .position(|w| w == secret)
            .map(|at| (at, secret.len()));
    }
    let (head, tail) = (&secret[..PIECE], &secret[secret.len() - PIECE..]);
    let first = all.windows(PIECE).position(|w| w == head || w == tail)?;
    match all[first..].starts_with(head) {
        true => Some((first, begins(&all[first..]))),
        false => {
            let end = first + PIECE;
            let len = ends(&all[..end]);
            Some((end - len, len))
        }
    }
}
