//! Bytes as a record keeps them: whole when short, else length, digest and both ends.
//!
//! Does not know what the bytes mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trace::sums::{START, digest_on};

/// Values longer than this leave the guest as length, digest and ends.
pub const WHOLE: usize = 256;
/// How many bytes of each end of a long value are kept.
pub const ENDS: usize = 32;

/// Bytes, whole or cut.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blob {
    /// All bytes.
    Whole(Vec<u8>),
    /// A long value of which the ends are kept.
    Cut {
        /// Length in bytes of the whole value.
        len: u64,
        /// [`digest`] of the whole value.
        digest: u64,
        /// The first [`ENDS`] bytes.
        head: Vec<u8>,
        /// The last [`ENDS`] bytes.
        tail: Vec<u8>,
    },
}

/// The 64-bit FNV-1a digest that guest and harness share. Not cryptographic: it tells an intact
/// value from a damaged one, nobody forges it.
pub fn digest(bytes: &[u8]) -> u64 {
    digest_on(START, bytes)
}

/// Bytes that come piece by piece, of which no more is kept than the [`Blob`] will have.
#[derive(Debug, Clone)]
pub struct Growing {
    limit: usize,
    len: u64,
    digest: u64,
    /// All bytes up to `limit`, else the first [`ENDS`].
    head: Vec<u8>,
    /// The last [`ENDS`], once there are more than `limit`.
    tail: Vec<u8>,
}

impl Growing {
    /// Nothing yet; kept whole up to `limit` bytes, which must hold both ends.
    pub fn new(limit: usize) -> Growing {
        Growing {
            limit: limit.max(2 * ENDS),
            len: 0,
            digest: START,
            head: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// The next piece.
    pub fn push(&mut self, bytes: &[u8]) {
        let was_whole = self.len <= self.limit as u64;
        self.len += bytes.len() as u64;
        self.digest = digest_on(self.digest, bytes);
        if self.len <= self.limit as u64 {
            return self.head.extend_from_slice(bytes);
        }
        if was_whole {
            self.tail.clone_from(&self.head);
            let missing = ENDS.saturating_sub(self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..missing]);
            self.head.truncate(ENDS);
        }
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(ENDS)..]);
        self.tail.drain(..self.tail.len().saturating_sub(ENDS));
    }

    /// What has come so far.
    pub fn blob(&self) -> Blob {
        match self.len <= self.limit as u64 {
            true => Blob::Whole(self.head.clone()),
            false => Blob::Cut {
                len: self.len,
                digest: self.digest,
                head: self.head.clone(),
                tail: self.tail.clone(),
            },
        }
    }
}

impl Blob {
    /// Keeps `bytes` whole up to [`WHOLE`] bytes, else cuts them.
    pub fn new(bytes: &[u8]) -> Blob {
        Blob::with_limit(bytes, WHOLE)
    }

    /// Keeps `bytes` whole up to `limit` bytes, else cuts them.
    pub fn with_limit(bytes: &[u8], limit: usize) -> Blob {
        Blob::with_ends(bytes, limit, ENDS)
    }

    /// Keeps `bytes` whole up to `limit` bytes, else `ends` bytes of each end.
    pub fn with_ends(bytes: &[u8], limit: usize, ends: usize) -> Blob {
        if bytes.len() <= limit || bytes.len() < 2 * ends {
            return Blob::Whole(bytes.to_vec());
        }
        Blob::Cut {
            len: bytes.len() as u64,
            digest: digest(bytes),
            head: bytes[..ends].to_vec(),
            tail: bytes[bytes.len() - ends..].to_vec(),
        }
    }

    /// Length in bytes of the whole value.
    pub fn len(&self) -> u64 {
        match self {
            Blob::Whole(b) => b.len() as u64,
            Blob::Cut { len, .. } => *len,
        }
    }

    /// Whether the value has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, when they were kept whole.
    pub fn whole(&self) -> Option<&[u8]> {
        match self {
            Blob::Whole(b) => Some(b),
            Blob::Cut { .. } => None,
        }
    }

    /// Whether this is the value `bytes`: byte by byte, or by length and digest when cut.
    pub fn is(&self, bytes: &[u8]) -> bool {
        match self {
            Blob::Whole(b) => b == bytes,
            Blob::Cut { len, digest: d, .. } => *len == bytes.len() as u64 && *d == digest(bytes),
        }
    }

    /// The value as text for people: invalid UTF-8 and control characters escaped, never raw.
    pub fn display(&self) -> String {
        match self {
            Blob::Whole(b) => quote(b),
            Blob::Cut {
                len,
                digest,
                head,
                tail,
            } => {
                format!(
                    "{} … {} ({len} bytes, digest {digest:016x})",
                    quote(head),
                    quote(tail)
                )
            }
        }
    }
}

/// `bytes` in double quotes; everything that is not a printable character is escaped.
pub fn quote(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() || is_invisible(c) => {
                    out.push_str(&format!("\\u{{{:x}}}", c as u32));
                }
                c => out.push(c),
            }
        }
        for b in chunk.invalid() {
            out.push_str(&format!("\\x{b:02x}"));
        }
    }
    out.push('"');
    out
}

/// Characters that change how the text around them is shown (bidirectional marks and the like).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How a blob stands in a record.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Stored {
    /// UTF-8.
    Text(String),
    /// Not UTF-8: base64.
    B64(String),
    /// Length, digest (hexadecimal), both ends in base64.
    Cut(u64, String, String, String),
}

impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Blob::Whole(b) => match std::str::from_utf8(b) {
                Ok(t) => Stored::Text(t.to_owned()),
                Err(_) => Stored::B64(BASE64.encode(b)),
            },
            Blob::Cut {
                len,
                digest,
                head,
                tail,
            } => Stored::Cut(
                *len,
                format!("{digest:016x}"),
                BASE64.encode(head),
                BASE64.encode(tail),
            ),
        }
        .serialize(s)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Blob, D::Error> {
        use serde::de::Error as _;
        let decode = |t: &str| BASE64.decode(t).map_err(D::Error::custom);
        Ok(match Stored::deserialize(d)? {
            Stored::Text(t) => Blob::Whole(t.into_bytes()),
            Stored::B64(t) => Blob::Whole(decode(&t)?),
            Stored::Cut(len, hex, head, tail) => Blob::Cut {
                len,
                digest: u64::from_str_radix(&hex, 16).map_err(D::Error::custom)?,
                head: decode(&head)?,
                tail: decode(&tail)?,
            },
        })
    }
}

/// In a record a blob is a `Stored`.
impl JsonSchema for Blob {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Blob".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Stored::json_schema(generator)
    }
}

impl Default for Blob {
    fn default() -> Blob {
        Blob::Whole(Vec::new())
    }
}

#[cfg(test)]
mod tests;
