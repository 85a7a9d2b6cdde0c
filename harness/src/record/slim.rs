//! The form in which a record is published: passing cases without log and wire.
//!
//! Does not know where it is published.

use crate::judge::Verdict;
use crate::record::{Record, ResultLine};

/// Drops what only somebody who looks for a failure needs: host log and wire of results that
/// neither fail nor are not-run, and the attempts before the judged one of those that pass.
pub fn slim(record: &mut Record) {
    record.results.iter_mut().for_each(slim_result);
}

/// [`slim`] for one result.
pub fn slim_result(result: &mut ResultLine) {
    let verdict = result.judgement.verdict;
    if verdict.fails() || verdict == Verdict::NotRun {
        return;
    }
    for attempt in &mut result.attempts {
        attempt.host_log = None;
        attempt.wire = None;
    }
    if verdict == Verdict::Pass && !result.company && result.attempts.len() > 1 {
        result.attempts.drain(..result.attempts.len() - 1);
    }
}
