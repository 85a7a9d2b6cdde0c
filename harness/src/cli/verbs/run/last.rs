//! `last:` in a filter: what the latest run said.

use std::collections::BTreeSet;

use crate::case::Earlier;
use crate::cli::verbs;
use crate::record::ResultLine;

/// Cases of the latest run, for `last:failed`.
pub(super) struct LastRun;

impl Earlier for LastRun {
    fn last(&self, group: &str) -> Option<BTreeSet<String>> {
        let record = verbs::last_run()?;
        let in_group = |r: &ResultLine| match group {
            "failed" => r.judgement.verdict.fails(),
            "unexpected" => r.gate.unexpected(),
            word => r.judgement.verdict.word() == word,
        };
        let known = ["failed", "unexpected"].contains(&group)
            || crate::judge::Verdict::ALL.iter().any(|v| v.word() == group);
        known.then(|| {
            record
                .results
                .iter()
                .filter(|r| in_group(r))
                .map(|r| r.case.clone())
                .collect()
        })
    }
}
