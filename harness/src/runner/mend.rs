//! A profile's known failures over all columns of a record: what each comes to, and how it would have
//! to read.
//!
//! Edits no file.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::{Known, KnownAs, Profile, Suite};
use crate::judge::{self, EntryState};
use crate::record::{Record, ResultLine};
use crate::runner::gating::hold;

/// How a case of an entry ended in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It fails as the entry says, or otherwise.
    Fails,
    /// It does not.
    Passes,
}

/// What one entry comes to over all columns.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// `(case, ABI)` → host version → fate. What has no verdict of its own is not here.
    pub cells: BTreeMap<(String, String), BTreeMap<String, Fate>>,
    /// Fail otherwise: case, what is different.
    pub changed: Vec<(String, String)>,
    /// Patterns that name no case of the suite.
    pub unmatched: Vec<String>,
    /// The day that is over.
    pub expired: Option<String>,
}

impl Seen {
    /// The entry's state over all columns: an entry that holds in one of them is not stale.
    pub fn state(&self) -> EntryState {
        let with = |fate: Fate| {
            let has = self
                .cells
                .iter()
                .filter(|(_, by)| by.values().any(|f| *f == fate));
            has.map(|((case, _), _)| case.clone())
                .collect::<BTreeSet<_>>()
        };
        let (fails, passes) = (with(Fate::Fails), with(Fate::Passes));
        let passes: Vec<String> = passes.into_iter().collect();
        if !self.unmatched.is_empty() {
            EntryState::Unmatched(self.unmatched.clone())
        } else if !self.changed.is_empty() {
            EntryState::ChangedReason(self.changed.clone())
        } else if passes.is_empty() {
            match (&self.expired, fails.is_empty()) {
                (Some(day), false) => EntryState::Expired(day.clone()),
                _ => EntryState::Fine,
            }
        } else if fails.is_empty() {
            EntryState::Stale(passes)
        } else {
            EntryState::OverBroad(passes)
        }
    }
}

/// What each entry of the profile comes to in a record of its host, in order.
///
/// # Errors
/// An entry cannot be read.
pub fn seen(suite: &Suite, profile: &Profile, record: &Record) -> Result<Vec<Seen>, String> {
    let mut out: Vec<Seen> = profile.known.iter().map(|_| Seen::default()).collect();
    for column in record
        .header
        .columns
        .iter()
        .filter(|c| c.host == profile.name)
    {
        let own = record
            .results
            .iter()
            .filter(|r| r.column == column.name && !r.added);
        let own: Vec<&ResultLine> = own.collect();
        let gating = hold(suite, profile, column, &own, false)?;
        for ((seen, ledger), state) in out.iter_mut().zip(gating.ledgers).zip(gating.entries) {
            let mut tell = |case: &str, fate| {
                let cell = (case.to_owned(), column.abi.clone());
                let by = seen.cells.entry(cell).or_default();
                by.insert(column.host_version.clone(), fate);
            };
            ledger.passed.iter().for_each(|c| tell(c, Fate::Passes));
            ledger.failed.iter().for_each(|c| tell(c, Fate::Fails));
            ledger
                .changed
                .iter()
                .for_each(|(c, _)| tell(c, Fate::Fails));
            for c in ledger.changed {
                if !seen.changed.contains(&c) {
                    seen.changed.push(c);
                }
            }
            match state {
                EntryState::Unmatched(p) => seen.unmatched = p,
                EntryState::Expired(day) => seen.expired = Some(day),
                _ => {}
            }
        }
    }
    Ok(out)
}

/// Where an entry shall still hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// As before.
    All,
    /// In these versions of the host only, out of those that were looked at.
    Versions(BTreeSet<String>),
    /// Nowhere.
    Nowhere,
}

/// The entry without the patterns that name nothing and without what passes.
///
/// # Errors
/// It holds in versions that are no range.
pub fn pruned(
    suite: &Suite,
    profile: &Profile,
    entry: &Known,
    seen: &Seen,
) -> Result<Vec<Known>, String> {
    let mut entry = entry.clone();
    entry.cases.retain(|c| !seen.unmatched.contains(c));
    let versions: BTreeSet<&String> = seen.cells.values().flat_map(BTreeMap::keys).collect();
    narrowed(suite, profile, &entry, &versions, &|case, abi| {
        let Some(by) = seen.cells.get(&(case.to_owned(), abi.to_owned())) else {
            return Keep::All;
        };
        let fails: BTreeSet<String> = by
            .iter()
            .filter(|(_, f)| **f == Fate::Fails)
            .map(|(v, _)| v.clone())
            .collect();
        match fails.len() {
            0 => Keep::Nowhere,
            n if n == by.len() => Keep::All,
            _ => Keep::Versions(fails),
        }
    })
}

/// The ABIs in which a case of an entry stays, and how.
type Shape<'a> = (Vec<&'a String>, Keep);

/// An entry cut down to where it shall hold: nothing, itself, or itself in parts.
///
/// # Errors
/// See [`pruned`].
pub fn narrowed(
    suite: &Suite,
    profile: &Profile,
    entry: &Known,
    versions: &BTreeSet<&String>,
    keep: &dyn Fn(&str, &str) -> Keep,
) -> Result<Vec<Known>, String> {
    let scope: Vec<&String> = match entry.abi.is_empty() {
        true => profile.abi.iter().collect(),
        false => entry.abi.iter().collect(),
    };
    let named = named(suite, entry)?;
    if named.is_empty() && !entry.cases.is_empty() {
        return Ok(vec![entry.clone()]);
    }
    // The cases of each shape: the ABIs and versions in which they stay.
    let mut shapes: Vec<(Shape<'_>, Vec<&str>)> = Vec::new();
    for case in &named {
        let mut by: BTreeMap<Keep, Vec<&String>> = BTreeMap::new();
        for abi in &scope {
            by.entry(keep(case, abi)).or_default().push(abi);
        }
        for (kept, abis) in by.into_iter().filter(|(k, _)| *k != Keep::Nowhere) {
            let shape = (abis, kept);
            match shapes.iter_mut().find(|(s, _)| *s == shape) {
                Some((_, cases)) => cases.push(case),
                None => shapes.push((shape, vec![case])),
            }
        }
    }
    let mut out = Vec::new();
    for ((abis, kept), cases) in shapes {
        let mut part = entry.clone();
        part.cases = cases_as(entry, &named, &cases)?;
        if abis != scope {
            part.abi = abis.into_iter().cloned().collect();
        }
        if let Keep::Versions(fails) = kept {
            let range = range(versions, &fails).ok_or_else(|| {
                let fails: Vec<String> = fails.into_iter().collect();
                format!(
                    "{} fail in {}, which is no range of versions",
                    cases.join(", "),
                    fails.join(", ")
                )
            })?;
            part.versions = Some(match &entry.versions {
                Some(before) => format!("{before} {range}"),
                None => range,
            });
        }
        out.push(part);
    }
    Ok(out)
}

/// The cases of the suite that an entry names.
fn named<'s>(suite: &'s Suite, entry: &Known) -> Result<Vec<&'s str>, String> {
    let globs = entry.cases.iter().map(|c| judge::case_glob(c));
    let globs: Vec<_> = globs
        .collect::<Result<_, _>>()
        .map_err(|e| format!("failed to {e}"))?;
    let ids = suite.cases.iter().map(|c| c.id.as_str());
    Ok(ids
        .filter(|id| globs.iter().any(|g| g.is_match(id)))
        .collect())
}

/// The patterns of an entry for some of its cases: a pattern stays where all that it names stay.
fn cases_as(entry: &Known, named: &[&str], cases: &[&str]) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = Vec::new();
    for pattern in &entry.cases {
        let glob = judge::case_glob(pattern).map_err(|e| format!("failed to {e}"))?;
        let own: Vec<&str> = named.iter().copied().filter(|c| glob.is_match(c)).collect();
        let mut push = |text: &str| {
            if !out.iter().any(|o| o == text) {
                out.push(text.to_owned());
            }
        };
        if own.iter().all(|c| cases.contains(c)) {
            push(pattern);
        } else {
            own.iter()
                .filter(|c| cases.contains(c))
                .for_each(|c| push(c));
        }
    }
    Ok(out)
}

/// `>=1.37 <1.40`: the range that holds these of all versions that were looked at.
fn range(all: &BTreeSet<&String>, these: &BTreeSet<String>) -> Option<String> {
    let mut all: Vec<&String> = all.iter().copied().collect();
    all.sort_by_key(|v| crate::host::version_numbers(v));
    let first = all.iter().position(|v| these.contains(*v))?;
    let last = all.iter().rposition(|v| these.contains(*v))?;
    if last - first + 1 != these.len() {
        return None;
    }
    let from = (first > 0).then(|| format!(">={}", all[first]));
    let to = all.get(last + 1).map(|v| format!("<{v}"));
    let parts: Vec<String> = from.into_iter().chain(to).collect();
    Some(parts.join(" "))
}

/// The whole list of a profile with some entries pruned: those for which `which` says yes.
///
/// # Errors
/// See [`pruned`].
pub fn prune_list(
    suite: &Suite,
    profile: &Profile,
    seen: &[Seen],
    which: &dyn Fn(usize) -> bool,
) -> Result<Vec<KnownAs>, String> {
    let mut out = Vec::new();
    for (i, (entry, seen)) in profile.known.iter().zip(seen).enumerate() {
        let parts = match which(i) {
            true => pruned(suite, profile, entry, seen)?,
            false => vec![entry.clone()],
        };
        out.extend(parts.into_iter().map(|entry| KnownAs {
            from: Some(i),
            entry,
        }));
    }
    Ok(out)
}

/// The whole list with `fresh` added at its end, and taken out of the entries that named the same
/// cases in the same ABIs before.
///
/// # Errors
/// See [`pruned`].
pub fn add_to_list(
    suite: &Suite,
    profile: &Profile,
    fresh: &Known,
) -> Result<Vec<KnownAs>, String> {
    let abis = match fresh.abi.is_empty() {
        true => &profile.abi,
        false => &fresh.abi,
    };
    let mut out = Vec::new();
    for (i, entry) in profile.known.iter().enumerate() {
        let parts = narrowed(suite, profile, entry, &BTreeSet::new(), &|case, abi| {
            let moved = fresh.cases.iter().any(|c| c == case) && abis.iter().any(|a| a == abi);
            if moved { Keep::Nowhere } else { Keep::All }
        })?;
        out.extend(parts.into_iter().map(|entry| KnownAs {
            from: Some(i),
            entry,
        }));
    }
    out.push(KnownAs {
        from: None,
        entry: fresh.clone(),
    });
    Ok(out)
}
