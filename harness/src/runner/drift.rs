//! Results held against the snapshots of their column.
//!
//! Changes no verdict.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::case::{Adds, Profile};
use crate::judge::Verdict;
use crate::record::{Column, ResultLine, redact};
use crate::runner::Specs;
use crate::runner::plan::{ColumnPlan, token};
use crate::runner::run::{RunOptions, Snapshots};
use crate::runner::snapshot::{self, Sections};
use crate::trace::{self, CanonOptions};

/// Compares with snapshots; `true`: drift that decides.
pub(super) fn drift(
    specs: &Specs,
    profile: &Profile,
    column: &ColumnPlan,
    results: &mut [ResultLine],
    options: &RunOptions,
) -> Result<bool, String> {
    let mode = match options.snapshots {
        Snapshots::Default if profile.is_reference() => Snapshots::Check,
        Snapshots::Default => Snapshots::Report,
        mode => mode,
    };
    if mode == Snapshots::Off {
        return Ok(false);
    }
    let of = &column.column;
    let name = column_name(profile, &of.host, &of.host_version, &column.abi.id);
    let secrets = profile.secrets();
    let mut suites: BTreeMap<String, (Sections, Sections)> = BTreeMap::new();
    let mut decided = false;
    for result in results.iter_mut().filter(|r| !r.added) {
        let Some(text) = snapshot_text(&profile.adds, result, options.playing.seed) else {
            continue;
        };
        let text = redact(&text, &secrets);
        let suite = result
            .case
            .rsplit_once('/')
            .map_or("", |(s, _)| s)
            .to_owned();
        let (known, now) = suites
            .entry(suite.clone())
            .or_insert_with(|| (load(specs, profile, &name, &suite), Sections::new()));
        now.insert(result.case.clone(), text.clone());
        result.drift = snapshot::compare(known, &result.case, &text);
        decided |= mode == Snapshots::Check && result.drift.is_some();
    }
    let writes = mode == Snapshots::New || (mode == Snapshots::Check && decided);
    if let (true, Some(folder)) = (writes, &home(specs, profile)) {
        for (suite, (known, now)) in suites {
            let differs = now
                .iter()
                .any(|(case, text)| snapshot::compare(&known, case, text).is_some());
            if differs {
                snapshot::write_new(folder, &name, &suite, known, &now)?;
            }
        }
    }
    Ok(decided)
}

/// Writes down in the pending snapshot that the trace of a case is this one too.
///
/// # Errors
/// The folder is not writable.
pub fn varying(
    specs: &Specs,
    profile: &Profile,
    column: &Column,
    case: &str,
    text: &str,
) -> Result<(), String> {
    let Some(folder) = home(specs, profile) else {
        return Ok(());
    };
    let name = column_name(profile, &column.host, &column.host_version, &column.abi);
    let suite = case.rsplit_once('/').map_or("", |(suite, _)| suite);
    snapshot::write_varying(&folder, &name, suite, case, text)
}

/// The column whose snapshots are looked at: that of the one version that has some.
fn column_name(profile: &Profile, host: &str, version: &str, abi: &str) -> String {
    let version = profile.snapshots.as_deref().unwrap_or(version);
    format!("{host}-{version}-{abi}")
}

/// The folder in which the snapshots of a host lie: beside the profile where that is the user's own.
fn home(specs: &Specs, profile: &Profile) -> Option<PathBuf> {
    let folder = profile.file.as_ref().and_then(|f| f.parent());
    match folder {
        Some(own) if specs.folder.as_ref().is_none_or(|f| own != f.join("hosts")) => {
            Some(own.to_owned())
        }
        _ => specs.folder.clone(),
    }
}

/// The snapshot of a suite: the user's own, else the one that comes with the cases.
fn load(specs: &Specs, profile: &Profile, column: &str, suite: &str) -> Sections {
    let own = home(specs, profile).map(|h| h.join(snapshot::path(column, suite)));
    let own = own.and_then(|path| std::fs::read_to_string(path).ok());
    match own {
        Some(text) => snapshot::sections(&text),
        None => snapshot::load(specs, column, suite),
    }
}

/// What a snapshot keeps of a result: the same in each run of a host that does the same, whatever the
/// seed. `None`: nothing was observed.
pub fn snapshot_text(adds: &Adds, result: &ResultLine, seed: u64) -> Option<String> {
    let attempt = result.attempts.last()?;
    if result.judgement.verdict == Verdict::NotRun {
        return None;
    }
    let options = CanonOptions {
        client_adds: &adds.client,
        upstream_adds: &adds.upstream,
        aliases: &[],
        only_full: true,
    };
    let text = trace::canonical(&attempt.trace, &attempt.seen, &options);
    // Names that are unique to an attempt end with its token.
    let nth = result.attempts.len() as u32;
    Some(text.replace(
        &token(
            result.seed.unwrap_or(seed),
            &result.column,
            &result.case,
            nth,
        ),
        "‹token›",
    ))
}
