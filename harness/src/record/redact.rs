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
    let mut out = text.to_owned();
    for secret in secrets.iter().filter(|s| !s.is_empty()) {
        out = out.replace(secret.as_str(), GONE);
    }
    out
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

/// Bytes without the secrets.
fn without(mut all: Vec<u8>, secrets: &[String]) -> Vec<u8> {
    for secret in secrets
        .iter()
        .map(|s| s.as_bytes())
        .filter(|s| !s.is_empty())
    {
        let mut from = 0;
        while let Some(at) = all[from..].windows(secret.len()).position(|w| w == secret) {
            let at = from + at;
            all.splice(at..at + secret.len(), GONE.bytes());
            from = at + GONE.len();
        }
    }
    all
}
