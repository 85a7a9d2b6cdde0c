//! What a record keeps of a result: log and wire only where somebody looks for a failure, and of long
//! ones the ends.
//!
//! Does not know where the record goes.

use crate::judge::Verdict;
use crate::record::{Record, ResultLine};
use crate::trace::{Attempt, Blob, End, Load};

/// Longer host logs, wires and load texts are cut.
const LONG: usize = 2048;
/// Of them this many bytes of each end are kept.
const KEPT: usize = 1024;

/// [`slim_result`] for every result.
pub fn slim(record: &mut Record) {
    record.results.iter_mut().for_each(slim_result);
}

/// Drops host log and wire of results that neither fail nor are not-run; cuts what is long.
pub fn slim_result(result: &mut ResultLine) {
    let verdict = result.judgement.verdict;
    let looked_at = verdict.fails() || verdict == Verdict::NotRun;
    for attempt in &mut result.attempts {
        if !looked_at {
            attempt.host_log = None;
            attempt.wire = None;
        }
        texts(attempt).for_each(cut);
    }
}

fn texts(attempt: &mut Attempt) -> impl Iterator<Item = &mut Blob> {
    let load = match &mut attempt.load {
        Load::Unlinked { text, .. } | Load::Refused { text } => Some(text),
        Load::Loaded | Load::Unknown => None,
    };
    let end = match &mut attempt.end {
        End::Trap(text) => Some(text),
        End::Normal | End::Crash(_) | End::Timeout(_) => None,
    };
    [load, end, attempt.host_log.as_mut(), attempt.wire.as_mut()]
        .into_iter()
        .flatten()
}

fn cut(blob: &mut Blob) {
    if let Blob::Whole(bytes) = blob {
        *blob = Blob::with_ends(bytes, LONG, KEPT);
    }
}
