//! One record out of several: shards of one run, or runs of other columns with the same cases.
//!
//! Judges nothing again: verdicts and gates are those of the parts.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::{Counted, tally};
use crate::record::{
    ColumnSummary, Counts, FaultCounts, Footer, Header, Record, ResultLine, Shard,
};

/// Which code goes before which when several apply.
const CODES: [u8; 7] = [70, 2, 130, 3, 1, 4, 5];

/// Merges records; each comes with the name that errors call it.
///
/// # Errors
/// A fragment: they are not parts of one run, or a part is missing or there twice.
pub fn merge(parts: &[(String, Record)]) -> Result<Record, String> {
    let Some(((first_name, first), rest)) = parts.split_first() else {
        return Err("there is no record to merge".to_owned());
    };
    for (name, other) in rest {
        same(first_name, &first.header, name, &other.header)?;
    }
    complete(parts)?;
    let mut header = first.header.clone();
    header.shard = None;
    header.command = without_shard(&header.command);
    for (_, part) in parts {
        header.began = header.began.min(part.header.began.clone());
        for column in &part.header.columns {
            if !header.columns.iter().any(|c| c.name == column.name) {
                header.columns.push(column.clone());
            }
        }
    }
    let mut cases = Vec::new();
    for (_, part) in parts {
        for case in &part.cases {
            if !cases.contains(case) {
                cases.push(case.clone());
            }
        }
    }
    cases.sort_by(|a, b| (&a.file, a.line, &a.id).cmp(&(&b.file, b.line, &b.id)));
    let results = results(parts, &header)?;
    let footer = footer(parts, &header, &results);
    let used: BTreeSet<&str> = results.iter().map(|r| r.case.as_str()).collect();
    cases.retain(|c| used.contains(c.id.as_str()));
    Ok(Record {
        header,
        cases,
        results,
        footer,
    })
}

/// Whether two records are parts of one run.
fn same(a: &str, x: &Header, b: &str, y: &Header) -> Result<(), String> {
    let differ =
        |what: &str, l: &str, r: &str| Err(format!("{a} and {b} differ in {what}: {l} and {r}"));
    if x.suite_digest != y.suite_digest {
        let short = |h: &Header| {
            let digest: String = h.suite_digest.chars().take(12).collect();
            format!("{} ({digest}…)", h.suite)
        };
        return differ("their suite", &short(x), &short(y));
    }
    if x.pwspec != y.pwspec {
        return differ("the version of pwspec", &x.pwspec, &y.pwspec);
    }
    if x.filters != y.filters {
        return differ("their filters", &x.filters.join(" "), &y.filters.join(" "));
    }
    let pin = |h: &Header| {
        h.pinned
            .as_ref()
            .map_or("none".to_owned(), |p| p.suite.clone())
    };
    if pin(x) != pin(y) {
        return differ("--suite", &pin(x), &pin(y));
    }
    for c in &x.columns {
        if let Some(d) = y.columns.iter().find(|d| d.name == c.name)
            && d.host_digest != c.host_digest
        {
            return differ(
                &format!("the build behind {}", c.name),
                &c.host_digest,
                &d.host_digest,
            );
        }
    }
    Ok(())
}

/// Whether the parts of each set of columns are there, each of them once.
fn complete(parts: &[(String, Record)]) -> Result<(), String> {
    let mut groups: BTreeMap<Vec<&str>, Vec<(&str, Option<Shard>)>> = BTreeMap::new();
    for (name, part) in parts {
        let columns: Vec<&str> = part
            .header
            .columns
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        groups
            .entry(columns)
            .or_default()
            .push((name, part.header.shard));
    }
    for members in groups.values() {
        let shards: Vec<(&str, Shard)> = members
            .iter()
            .filter_map(|(n, s)| Some((*n, (*s)?)))
            .collect();
        let Some((_, Shard { of, .. })) = shards.first().copied() else {
            if let [(a, _), (b, _), ..] = members[..] {
                return Err(format!(
                    "{a} and {b} are two whole runs of the same columns"
                ));
            }
            continue;
        };
        if let Some((whole, _)) = members.iter().find(|(_, s)| s.is_none()) {
            return Err(format!("{whole} is a whole run, not one of {of} shards"));
        }
        if let Some((name, s)) = shards.iter().find(|(_, s)| s.of != of) {
            return Err(format!(
                "{name} is shard {}/{}, not one of {of}",
                s.index, s.of
            ));
        }
        let mut missing = Vec::new();
        for index in 1..=of {
            let own: Vec<&str> = shards
                .iter()
                .filter(|(_, s)| s.index == index)
                .map(|(n, _)| *n)
                .collect();
            match own[..] {
                [] => missing.push(format!("{index}/{of}")),
                [_] => {}
                [a, b, ..] => return Err(format!("{a} and {b} are both shard {index}/{of}")),
            }
        }
        if !missing.is_empty() {
            return Err(format!("the shards {} are missing", missing.join(", ")));
        }
    }
    Ok(())
}

/// The results in the order of columns, then cases. What a shard added for another case counts only
/// where no shard has it by right.
fn results(parts: &[(String, Record)], header: &Header) -> Result<Vec<ResultLine>, String> {
    let mut by: BTreeMap<(usize, String), (ResultLine, &str)> = BTreeMap::new();
    for (name, part) in parts {
        for r in &part.results {
            let column = header.columns.iter().position(|c| c.name == r.column);
            let key = (column.unwrap_or(usize::MAX), r.case.clone());
            let mut mine = r.clone();
            if part.header.seed != header.seed {
                mine.seed = mine.seed.or(Some(part.header.seed));
            }
            match by.get(&key) {
                Some((had, _)) if !had.added && mine.added => {}
                Some((had, other)) if !had.added => {
                    let (case, column) = (&had.case, &had.column);
                    return Err(format!("{name} and {other} both have {case} in {column}"));
                }
                _ => {
                    by.insert(key, (mine, name));
                }
            }
        }
    }
    Ok(by.into_values().map(|(r, _)| r).collect())
}

fn footer(parts: &[(String, Record)], header: &Header, results: &[ResultLine]) -> Footer {
    let all = || parts.iter().map(|(_, p)| &p.footer);
    let codes = || all().map(|f| f.exit_code);
    let columns = header.columns.iter().map(|c| {
        let own: Vec<&ColumnSummary> = all()
            .flat_map(|f| &f.columns)
            .filter(|s| s.column == c.name)
            .collect();
        let tally = tally(
            results
                .iter()
                .filter(|r| r.column == c.name)
                .map(|r| Counted {
                    judgement: &r.judgement,
                    gate: &r.gate,
                    added: r.added,
                }),
        );
        let sum = |of: &dyn Fn(&ColumnSummary) -> u32| own.iter().map(|s| of(s)).sum::<u32>();
        ColumnSummary {
            column: c.name.clone(),
            host: c.host.clone(),
            host_version: c.host_version.clone(),
            abi: c.abi.clone(),
            verdict: if c.dialect { None } else { tally.verdict() },
            gate: match own.iter().any(|s| s.gate == "unexpected") {
                true => "unexpected".to_owned(),
                false => "as expected".to_owned(),
            },
            seconds: own.iter().map(|s| s.seconds).sum(),
            must_failed: sum(&|s| s.must_failed),
            cases: Counts {
                selected: sum(&|s| s.cases.selected),
                pass: sum(&|s| s.cases.pass),
                fail: sum(&|s| s.cases.fail),
                warn: sum(&|s| s.cases.warn),
                survey: sum(&|s| s.cases.survey),
                unlinked: sum(&|s| s.cases.unlinked),
                refused: sum(&|s| s.cases.refused),
                trap: sum(&|s| s.cases.trap),
                crash: sum(&|s| s.cases.crash),
                timeout: sum(&|s| s.cases.timeout),
                out_of_scope: sum(&|s| s.cases.out_of_scope),
                blocked: sum(&|s| s.cases.blocked),
                not_run: sum(&|s| s.cases.not_run),
            },
            known: sum(&|s| s.known),
            unexpected_failures: sum(&|s| s.unexpected_failures),
            unexpected_passes: sum(&|s| s.unexpected_passes),
            drift: sum(&|s| s.drift),
            company: sum(&|s| s.company),
            faults: FaultCounts {
                harness: sum(&|s| s.faults.harness),
                environment: sum(&|s| s.faults.environment),
                adapter: sum(&|s| s.faults.adapter),
                case: sum(&|s| s.faults.case),
            },
        }
    });
    Footer {
        ended: all().map(|f| f.ended.clone()).max().unwrap_or_default(),
        seconds: all().map(|f| f.seconds).fold(0.0, f64::max),
        interrupted: all().any(|f| f.interrupted),
        trouble: all().flat_map(|f| f.trouble.clone()).collect(),
        canaries: all().flat_map(|f| f.canaries.clone()).collect(),
        columns: columns.collect(),
        exit_code: CODES
            .into_iter()
            .find(|c| codes().any(|x| x == *c))
            .unwrap_or(0),
    }
}

/// The command of the whole run.
fn without_shard(command: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut skip = false;
    for word in command.split(' ') {
        if std::mem::take(&mut skip) || word.starts_with("--shard=") {
            continue;
        }
        skip = word == "--shard";
        if !skip {
            out.push(word);
        }
    }
    out.join(" ")
}
