//! A column held against its profile, and summed up.
//!
//! Plays nothing and changes no verdict.

use crate::case::{Profile, Suite};
use std::time::SystemTime;

use crate::judge::{self, EntryState, Gate, Verdict};
use crate::record::{Column, ColumnSummary, Counts, Drift, FaultCounts, ResultLine};
use crate::runner::clock;
use crate::runner::entries::EntryNote;
use crate::runner::plan::ColumnPlan;
use crate::runner::run::Outcome;
use crate::trace::{Blame, Load};

fn known(profile: &Profile) -> Vec<judge::Known> {
    let entries = profile.known.iter();
    entries
        .map(|k| judge::Known {
            cases: k.cases.clone(),
            abi: k.abi.clone(),
            versions: k.versions.clone(),
            verdicts: k
                .verdicts
                .iter()
                .filter_map(|w| Verdict::ALL.into_iter().find(|v| v.word() == w))
                .collect(),
            checks: k.checks.clone(),
            why: k.why.clone(),
            link: k.link.clone(),
            expires: k.expires.clone(),
        })
        .collect()
}

/// What a profile says that the host lacks in a column.
pub fn lacks(profile: &Profile, abi: &str) -> judge::Lacks {
    let here = profile.lacks.within(abi);
    judge::Lacks {
        hostcalls: here.hostcalls,
        callbacks: here.callbacks,
    }
}

/// Holds the results of a column against its profile as it stands today.
pub(super) fn hold(
    suite: &Suite,
    profile: &Profile,
    column: &Column,
    results: &[&ResultLine],
    strict: bool,
) -> Result<judge::Gating, String> {
    let ids: Vec<&str> = suite.cases.iter().map(|c| c.id.as_str()).collect();
    let known = known(profile);
    let lacks = lacks(profile, &column.abi);
    let version = match column.host_version.as_str() {
        // The known failures of the newest version hold for a build of one's own.
        "local" => profile.snapshots.clone().unwrap_or_default(),
        v => v.to_owned(),
    };
    let today = clock::rfc3339(SystemTime::now());
    let expectation = judge::Expectation {
        abi: &column.abi,
        version: &version,
        known: &known,
        lacks: &lacks,
        suite: &ids,
        strict,
        today: today.split('T').next().unwrap_or_default(),
    };
    let gated: Vec<judge::Gated> = results
        .iter()
        .map(|r| judge::Gated {
            case: &r.case,
            judgement: &r.judgement,
            missing: r.attempts.last().and_then(|a| match &a.load {
                Load::Unlinked { import, .. } => Some(import.as_str()),
                _ => None,
            }),
        })
        .collect();
    judge::gate(&gated, &expectation).map_err(|e| format!("failed to {e}"))
}

/// Holds a column against its profile and sums it up.
pub(super) fn gate_column(
    suite: &Suite,
    profile: &Profile,
    column: &ColumnPlan,
    results: &mut [ResultLine],
    strict: bool,
    seconds: f64,
    outcome: &mut Outcome,
) -> Result<ColumnSummary, String> {
    let all: Vec<&ResultLine> = results.iter().collect();
    let gating = hold(suite, profile, &column.column, &all, strict)?;
    outcome.unexpected |= gating.unexpected();
    for (i, entry) in gating.entries.iter().enumerate() {
        match entry {
            EntryState::Fine => {}
            EntryState::Unmatched(patterns) => {
                outcome
                    .unmatched
                    .extend(patterns.iter().map(|p| (profile.name.clone(), p.clone())));
            }
            state => outcome
                .entries
                .push(EntryNote::new(profile, &column.column.name, i, state)),
        }
    }
    let moved = gating.unexpected();
    for (result, gate) in results.iter_mut().zip(gating.gates) {
        result.gate = if result.added { Gate::Expected } else { gate };
    }
    let mut summary = summary(column, results, seconds);
    if moved {
        summary.gate = "unexpected".to_owned();
    }
    Ok(summary)
}

fn summary(column: &ColumnPlan, results: &[ResultLine], seconds: f64) -> ColumnSummary {
    let tally = judge::tally(results.iter().map(|r| judge::Counted {
        judgement: &r.judgement,
        gate: &r.gate,
        added: r.added,
    }));
    let count = |v| tally.count(v);
    let own = || results.iter().filter(|r| !r.added);
    let drifted = |d: &Option<Drift>| d.is_some();
    let unexpected = own().any(|r| r.gate.unexpected());
    let mut faults = FaultCounts::default();
    // A fault that a later attempt did not have again is no fault of the result.
    for fault in own().flat_map(|r| {
        r.attempts
            .last()
            .into_iter()
            .flat_map(|a| &a.faults)
            .chain(&r.faults)
    }) {
        match fault.blame {
            Blame::Harness => faults.harness += 1,
            Blame::Environment => faults.environment += 1,
            Blame::Adapter => faults.adapter += 1,
            Blame::Case => faults.case += 1,
            Blame::Host => {}
        }
    }
    ColumnSummary {
        column: column.column.name.clone(),
        host: column.column.host.clone(),
        host_version: column.column.host_version.clone(),
        abi: column.abi.id.clone(),
        verdict: if column.column.dialect {
            None
        } else {
            tally.verdict()
        },
        gate: if unexpected {
            "unexpected"
        } else {
            "as expected"
        }
        .to_owned(),
        seconds,
        must_failed: tally.must_failed,
        cases: Counts {
            selected: tally.selected,
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            warn: count(Verdict::Warn),
            survey: count(Verdict::Survey),
            unlinked: count(Verdict::Unlinked),
            refused: count(Verdict::Refused),
            trap: count(Verdict::Trap),
            crash: count(Verdict::Crash),
            timeout: count(Verdict::Timeout),
            out_of_scope: count(Verdict::OutOfScope),
            blocked: count(Verdict::Blocked),
            not_run: count(Verdict::NotRun),
        },
        known: tally.known,
        unexpected_failures: tally.unexpected_failures,
        unexpected_passes: tally.unexpected_passes,
        drift: own().filter(|r| drifted(&r.drift)).count() as u32,
        company: own().filter(|r| r.company).count() as u32,
        faults,
    }
}
