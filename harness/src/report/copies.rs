//! The copies of a result's trace, host log and wire in `traces/`, for people to read in a terminal; the
//! record has the bytes.
//!
//! Does not know where they are written.

use crate::record::ResultLine;
use crate::report::{safe_bytes, safe_lines, trace_text};
use crate::trace::Blob;

/// The copies of a result: the end of each one's name, and its text, harmless whatever the host said.
/// Empty: nothing was played.
pub fn copies(result: &ResultLine) -> Vec<(&'static str, String)> {
    let Some(attempt) = result.attempts.last() else {
        return Vec::new();
    };
    let mut out = vec![("trace", safe_lines(&trace_text(attempt).text))];
    for (end, blob) in [("host.log", &attempt.host_log), ("wire.txt", &attempt.wire)] {
        out.extend(blob.as_ref().map(|b| (end, readable(b, usize::MAX))));
    }
    out
}

/// Bytes for people: line ends stay, everything else that is not a printable character is escaped. Of
/// more than `most` bytes both ends are shown, and how much is left out.
pub(super) fn readable(blob: &Blob, most: usize) -> String {
    let (head, tail) = match blob {
        Blob::Whole(b) if b.len() > most => (&b[..most / 2], &b[b.len() - most / 2..]),
        Blob::Whole(b) => (b.as_slice(), [].as_slice()),
        Blob::Cut { head, tail, .. } => (head.as_slice(), tail.as_slice()),
    };
    let mut out = safe_bytes(head);
    if !tail.is_empty() {
        let left = blob.len() - (head.len() + tail.len()) as u64;
        out.push_str(&format!("\n… {left} bytes left out …\n"));
        out.push_str(&safe_bytes(tail));
    }
    out
}
