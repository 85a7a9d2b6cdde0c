//! The encoding of maps (HTTP fields, gRPC metadata) at the boundary: the text's Serialization.
//!
//! Little-endian `u32` number of pairs, then the length of each key and value, then each key and
//! value with a zero byte behind it. Does not know which map it reads, and keeps order, repeated
//! keys and bytes that are not UTF-8.
//!
//! Rulings: the text's example shows one-byte integers although it says 32 bits, and decimal codes
//! with a hex prefix; we read u32 and ASCII. For an empty map it names no bytes and one zero
//! byte; four zero bytes follow from the format itself, so all three are taken.

use std::fmt;

/// A map: pairs in order; a key may come again.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Why bytes are not a serialised map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairsError {
    kind: Kind,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Short,
    Unterminated,
    Trailing,
}

impl PairsError {
    /// The offset at which the bytes stop being a map.
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl fmt::Display for PairsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::Short => "the map ends early",
            Kind::Unterminated => "no zero byte behind a key or value",
            Kind::Trailing => "bytes behind the last pair",
        };
        write!(f, "{what}, at byte {}", self.at)
    }
}

impl std::error::Error for PairsError {}

/// The bytes of a map; an empty one as count 0.
///
/// # Panics
/// If there are more than `u32::MAX` pairs or a key or value is longer: no guest memory holds that.
pub fn encode(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let word = |n: usize| {
        u32::try_from(n)
            .expect("fits a 32-bit memory")
            .to_le_bytes()
    };
    let body: usize = pairs.iter().map(|(k, v)| k.len() + v.len() + 2).sum();
    let mut bytes = Vec::with_capacity(4 + 8 * pairs.len() + body);
    bytes.extend(word(pairs.len()));
    for (key, value) in pairs {
        bytes.extend(word(key.len()));
        bytes.extend(word(value.len()));
    }
    for part in pairs.iter().flat_map(|(key, value)| [key, value]) {
        bytes.extend_from_slice(part);
        bytes.push(0);
    }
    bytes
}

/// The map in `bytes`. Strict about zero bytes and about what stands behind the last pair; reserves
/// nothing for a length that the bytes do not bear out.
pub fn decode(bytes: &[u8]) -> Result<Pairs, PairsError> {
    if matches!(bytes, [] | [0]) {
        return Ok(Vec::new());
    }
    let short = || PairsError {
        kind: Kind::Short,
        at: bytes.len(),
    };
    let word = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(four.try_into().ok()?) as usize)
    };
    let count = word(0).ok_or_else(short)?;
    let lengths_end = count
        .checked_mul(8)
        .and_then(|n| n.checked_add(4))
        .ok_or_else(short)?;
    if lengths_end > bytes.len() {
        return Err(short());
    }
    let mut at = lengths_end;
    let mut part = |length_at: usize| {
        let length = word(length_at).ok_or_else(short)?;
        let end = at.checked_add(length).ok_or_else(short)?;
        let value = bytes.get(at..end).ok_or_else(short)?;
        match bytes.get(end) {
            Some(0) => at = end + 1,
            Some(_) => {
                return Err(PairsError {
                    kind: Kind::Unterminated,
                    at: end,
                });
            }
            None => return Err(short()),
        }
        Ok(value.to_vec())
    };
    let mut pairs = Vec::with_capacity(count);
    for n in 0..count {
        pairs.push((part(4 + 8 * n)?, part(8 + 8 * n)?));
    }
    if at < bytes.len() {
        return Err(PairsError {
            kind: Kind::Trailing,
            at,
        });
    }
    Ok(pairs)
}
