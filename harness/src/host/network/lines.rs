//! From the bytes of a host's log to lines: what a guest wrote, and what the host says itself.
//!
//! Does not know cases or frames.

use std::collections::BTreeMap;

use regex::bytes::Regex;

use crate::case::{Profile, log_pattern};

/// One line of a host's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The line as it is, escapes undone.
    pub whole: Vec<u8>,
    /// The host's thread, where it shows one.
    pub thread: String,
    /// What a guest wrote, if one may have written it.
    pub guest: Option<Guest>,
}

/// What a guest wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The level in the text's names; the host's word where the profile has no name for it.
    pub level: Option<String>,
    /// The VM's id, where the host shows one.
    pub vm: Option<String>,
    /// The text.
    pub text: Vec<u8>,
    /// The host marks guests' lines, or its own; else this one may be the host's own.
    pub certain: bool,
}

/// How the lines of one host are read.
#[derive(Debug, Clone)]
pub struct Grammar {
    line: Regex,
    guest: Option<Regex>,
    own: Vec<Regex>,
    levels: BTreeMap<String, String>,
    escaped: bool,
}

impl Grammar {
    /// From a profile that has a `log`; `None` where it has none or its expressions are none.
    pub fn new(profile: &Profile) -> Option<Grammar> {
        let log = profile.log.as_ref()?;
        Some(Grammar {
            line: log_pattern(&log.line).ok()?,
            guest: match &log.guest {
                Some(guest) => Some(log_pattern(guest).ok()?),
                None => None,
            },
            own: log
                .own
                .iter()
                .map(|own| log_pattern(own).ok())
                .collect::<Option<_>>()?,
            levels: log.levels.clone(),
            escaped: log.escaped,
        })
    }

    /// Reads one line, without its end.
    pub fn read(&self, raw: &[u8]) -> Line {
        let whole = if self.escaped {
            unescape(raw)
        } else {
            raw.to_vec()
        };
        let Some(found) = self.line.captures(&whole) else {
            return Line {
                whole,
                ..Line::default()
            };
        };
        let text = found.name("text").map_or(&[] as &[u8], |m| m.as_bytes());
        let level = word(&found, "level");
        let level = level.map(|l| self.levels.get(&l).cloned().unwrap_or(l));
        let guest = match &self.guest {
            None if self.own.iter().any(|own| own.is_match(text)) => None,
            None => Some(Guest {
                level,
                vm: None,
                text: text.to_vec(),
                certain: !self.own.is_empty(),
            }),
            Some(regex) => regex.captures(text).map(|own| Guest {
                level,
                vm: word(&own, "vm").and_then(|v| v.split_whitespace().last().map(str::to_owned)),
                text: own
                    .name("text")
                    .map(|m| m.as_bytes().to_vec())
                    .unwrap_or_default(),
                certain: true,
            }),
        };
        Line {
            thread: word(&found, "thread").unwrap_or_default(),
            guest,
            whole,
        }
    }
}

fn word(found: &regex::bytes::Captures<'_>, name: &str) -> Option<String> {
    let part = found.name(name)?;
    Some(String::from_utf8_lossy(part.as_bytes()).into_owned())
}

/// Undoes backslash escapes as C writes them: `\n`, `\'`, `\\`, octal, hexadecimal. What is no
/// escape stays as it is.
pub fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if b != b'\\' {
            out.push(b);
            continue;
        }
        let Some((&kind, tail)) = rest.split_first() else {
            out.push(b'\\');
            break;
        };
        let plain = match kind {
            b'n' => Some(b'\n'),
            b'r' => Some(b'\r'),
            b't' => Some(b'\t'),
            b'a' => Some(7),
            b'b' => Some(8),
            b'f' => Some(12),
            b'v' => Some(11),
            b'\\' | b'\'' | b'"' | b'?' => Some(kind),
            _ => None,
        };
        if let Some(c) = plain {
            out.push(c);
            rest = tail;
            continue;
        }
        let (digits, radix, most) = match kind {
            b'0'..=b'7' => (rest, 8, 3),
            b'x' => (tail, 16, 2),
            _ => (rest, 0, 0),
        };
        let count = digits
            .iter()
            .take(most)
            .take_while(|d| char::from(**d).is_digit(radix.max(2)))
            .count();
        let number = std::str::from_utf8(&digits[..count])
            .ok()
            .filter(|t| !t.is_empty())
            .and_then(|t| u8::from_str_radix(t, radix).ok());
        match number {
            Some(n) => {
                out.push(n);
                rest = &digits[count..];
            }
            None => out.push(b'\\'),
        }
    }
    out
}
