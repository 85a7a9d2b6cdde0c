//! Bytes made by repeating a pattern (`{fill: ab, len: 10MiB}`), and large pieces kept once.
//!
//! Does not know where the bytes are used.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, Weak};

/// A piece of a body. Large ones that are alike are kept once, however many columns play them.
#[derive(Clone, PartialEq, Eq)]
pub struct Chunk {
    bytes: Arc<[u8]>,
    /// Pattern and length of a repeated one: its short form.
    made_of: Option<(Arc<[u8]>, u64)>,
}

impl Deref for Chunk {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Borrow<[u8]> for Chunk {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl<B: Into<Arc<[u8]>>> From<B> for Chunk {
    fn from(bytes: B) -> Chunk {
        Chunk {
            bytes: bytes.into(),
            made_of: None,
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.made_of {
            Some((pattern, len)) => write!(f, "{pattern:?} filled to {len}"),
            None => self.bytes.fmt(f),
        }
    }
}

/// From this length on, pieces that are alike share their bytes.
const LARGE: u64 = 4096;

/// `pattern` again and again, `len` bytes in all; nothing where the pattern is empty.
pub fn filled(pattern: &[u8], len: u64) -> Vec<u8> {
    let len = len as usize;
    let mut out = Vec::with_capacity(len);
    out.extend_from_slice(&pattern[..pattern.len().min(len)]);
    while !out.is_empty() && out.len() < len {
        // What is there is a whole number of patterns, so it can be doubled.
        out.extend_from_within(..out.len().min(len - out.len()));
    }
    out
}

/// The same as a piece of a body; a large one is made once while anybody holds it.
pub(super) fn shared(pattern: &[u8], len: u64) -> Chunk {
    static MADE: Mutex<Option<Made>> = Mutex::new(None);
    if len < LARGE {
        return filled(pattern, len).into();
    }
    let mut made = MADE.lock().unwrap_or_else(|broken| broken.into_inner());
    let made = made.get_or_insert_default();
    let key = (pattern.to_vec(), len);
    let bytes = made.get(&key).and_then(Weak::upgrade).unwrap_or_else(|| {
        made.retain(|_, held| held.strong_count() > 0);
        let bytes: Arc<[u8]> = filled(pattern, len).into();
        made.insert(key, Arc::downgrade(&bytes));
        bytes
    });
    Chunk {
        bytes,
        made_of: Some((pattern.into(), len)),
    }
}

/// Pattern and length, and the bytes while they are held.
type Made = HashMap<(Vec<u8>, u64), Weak<[u8]>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_repeated_and_cut() {
        assert_eq!(filled(b"abc", 8), b"abcabcab");
        assert_eq!(filled(b"abc", 2), b"ab");
        assert_eq!(filled(b"abc", 0), b"");
        assert_eq!(filled(b"", 5), b"");
        let long: Vec<u8> = b"abcde".iter().copied().cycle().take(12_345).collect();
        assert_eq!(filled(b"abcde", 12_345), long);
    }

    #[test]
    fn large_pieces_that_are_alike_share_their_bytes() {
        let one = shared(b"xyz", 8192);
        assert!(Arc::ptr_eq(&one.bytes, &shared(b"xyz", 8192).bytes));
        assert!(!Arc::ptr_eq(&one.bytes, &shared(b"xyz", 8193).bytes));
        assert!(format!("{one:?}").len() < 100, "{one:?}");
    }
}
