//! Bytes made by repeating a pattern (`{fill: ab, len: 10MiB}`), and large pieces kept once.
//!
//! Does not know where the bytes are used.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use crate::case::Chunk;

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
    if let Some(there) = made.get(&key).and_then(Weak::upgrade) {
        return there;
    }
    made.retain(|_, held| held.strong_count() > 0);
    let chunk: Chunk = filled(pattern, len).into();
    made.insert(key, Arc::downgrade(&chunk));
    chunk
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
        assert!(Arc::ptr_eq(&one, &shared(b"xyz", 8192)));
        assert!(!Arc::ptr_eq(&one, &shared(b"xyz", 8193)));
    }
}
