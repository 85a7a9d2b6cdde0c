//! Earlier runs in `target/pwspec`: the last one of some hosts, and what `last:` in a filter means.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use crate::case::{Earlier, nearest};
use crate::judge::Verdict;
use crate::record::{Line, Record, ResultLine, Verdicts, verdicts};

/// Where runs are kept.
const ROOT: &str = "target/pwspec";

/// The last run of any of these hosts; of no names, the last run.
pub(crate) fn last_run(hosts: &[String]) -> Option<Record> {
    last(hosts, &|path| Record::read(path).ok())
}

/// What the last run of any of these hosts said.
pub(crate) fn last_verdicts(hosts: &[String]) -> Option<Verdicts> {
    last(hosts, &|path| verdicts(path).ok())
}

fn last<T>(hosts: &[String], read: &dyn Fn(&Path) -> Option<T>) -> Option<T> {
    if hosts.is_empty() {
        return read(&Path::new(ROOT).join("latest/record.jsonl"));
    }
    let entries = std::fs::read_dir(ROOT).ok()?.flatten();
    let mut runs: Vec<PathBuf> = entries
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
        .map(|e| e.path().join("record.jsonl"))
        .collect();
    // Their names begin with the time.
    runs.sort();
    let mut own = runs.iter().rev().filter(|r| has(r, hosts));
    own.find_map(|r| read(r))
}

/// Whether a record has a column of one of these hosts; only its first line is read.
fn has(record: &Path, hosts: &[String]) -> bool {
    let Ok(file) = std::fs::File::open(record) else {
        return false;
    };
    let mut first = String::new();
    let read = std::io::BufReader::new(file).read_line(&mut first);
    if read.is_err() {
        return false;
    }
    let Ok(Line::Header(header)) = serde_json::from_str(&first) else {
        return false;
    };
    header.columns.iter().any(|c| hosts.contains(&c.host))
}

/// The last run of the hosts that are run now.
pub(crate) struct LastRun {
    /// Their names.
    pub(crate) hosts: Vec<String>,
}

/// Groups of results that have no verdict of this name.
const GROUPS: [&str; 5] = ["failed", "unexpected", "passed", "known", "drifted"];

impl Earlier for LastRun {
    fn last(&self, group: &str) -> Result<BTreeSet<String>, String> {
        let words = Verdict::ALL.iter().map(|v| v.word());
        let all: Vec<&str> = GROUPS.into_iter().chain(words).collect();
        if !all.contains(&group) {
            let help = nearest(group, all.iter().copied());
            let help = help.unwrap_or_else(|| format!("one of {}", all.join(", ")));
            return Err(format!("names no group of results: {help}"));
        }
        let record = last_run(&self.hosts).ok_or("has no earlier run to look at")?;
        let in_group = |r: &ResultLine| match group {
            "failed" => r.judgement.verdict.fails(),
            "unexpected" => r.gate.unexpected(),
            "passed" => r.judgement.verdict == Verdict::Pass,
            "known" => matches!(r.gate, crate::judge::Gate::Known { .. }),
            "drifted" => r.drift.is_some(),
            word => r.judgement.verdict.word() == word,
        };
        let column = |r: &ResultLine| record.header.columns.iter().find(|c| c.name == r.column);
        let here = |r: &ResultLine| {
            self.hosts.is_empty() || column(r).is_some_and(|c| self.hosts.contains(&c.host))
        };
        let own = record
            .results
            .iter()
            .filter(|r| !r.added && here(r) && in_group(r));
        Ok(own.map(|r| r.case.clone()).collect())
    }

    fn hosts(&self) -> Vec<String> {
        self.hosts.clone()
    }
}
