//! Cases that were never played, by column and reason: of many of a kind a few are shown, the rest is
//! counted.
//!
//! Does not know how they are shown.

use std::collections::BTreeMap;

use crate::judge::Verdict;
use crate::record::ResultLine;
use crate::report::words;

/// So many of a kind are shown.
const SHOWN: u32 = 3;

/// What has been shown so far.
#[derive(Debug, Clone, Default)]
pub struct Unplayed(BTreeMap<(String, String), u32>);

impl Unplayed {
    /// Whether a result is only counted, because enough of its kind were shown.
    pub fn only_counts(&mut self, result: &ResultLine) -> bool {
        let never = result.judgement.verdict == Verdict::NotRun && result.attempts.is_empty();
        if !never || result.gate.unexpected() {
            return false;
        }
        let key = (result.column.clone(), words(result).join("; "));
        let n = self.0.entry(key).or_default();
        *n += 1;
        *n > SHOWN
    }

    /// Column and reason of what was only counted, and how many.
    pub fn rest(&self) -> impl Iterator<Item = (&str, &str, u32)> {
        let all = self.0.iter().filter(|(_, n)| **n > SHOWN);
        all.map(|((column, why), n)| (column.as_str(), why.as_str(), n - SHOWN))
    }
}
