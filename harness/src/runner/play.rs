//! Plays cases on one host and judges them: batches, second attempts alone, blocked cases.
//!
//! Does not know how a host is reached, nor how a run is shown.

use std::sync::Arc;
use std::time::Instant;

use crate::abi::Abi;
use crate::case::{Case, Suite};
use crate::host::{Driver, Early, Stop, Trouble};
use crate::judge::{self, Judgement, Verdict};
use crate::record::{CanaryLine, ResultLine};
use crate::runner::canaries::canaries;
use crate::runner::clock;
use crate::runner::plan::{Deadlines, HostPlan, Planned, scope};
use crate::runner::slots::{Slot, play_slots, slot, verdict_only};
use crate::trace::{Attempt, Blame, End, Fault, Isolation, Load};

/// How cases are played.
#[derive(Debug, Clone, Copy)]
pub struct Playing {
    /// Seed of tokens and canaries.
    pub seed: u64,
    /// Whether cases share a process.
    pub isolate: Isolate,
    /// Deadlines of attempts.
    pub deadlines: Deadlines,
    /// Stop after this many results for which `unexpected` says yes.
    pub max_fail: Option<u32>,
}

/// Whether cases share a host process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolate {
    /// In company; what fails unexpectedly again alone.
    Auto,
    /// In company only.
    Shared,
    /// Each in a fresh process.
    Alone,
}

/// What came of a host.
#[derive(Debug)]
pub struct Played {
    /// Per column, in order: its results, in the order of its cases; added ones at the end.
    pub columns: Vec<Vec<ResultLine>>,
    /// Per column: wall seconds of its attempts.
    pub seconds: Vec<f64>,
    /// The canaries.
    pub canaries: Vec<CanaryLine>,
    /// The host could not be driven, or left something behind.
    pub trouble: Option<Trouble>,
}

/// Is told as results come in, and knows what was announced.
pub trait Watch: Sync {
    /// A case of a column is judged. It may be judged again, alone.
    fn result(&self, column: &str, case: &Case, judgement: &Judgement);
    /// Whether nobody announced this.
    fn unexpected(&self, column: &str, case: &Case, judgement: &Judgement) -> bool;
}

/// Plays everything that is planned for one host.
pub fn play_host(
    suite: &Suite,
    plan: &HostPlan,
    driver: &mut dyn Driver,
    options: &Playing,
    stop: &Stop,
    watch: &dyn Watch,
) -> Played {
    let began = Instant::now();
    let mut slots = Vec::new();
    for (c, column) in plan.columns.iter().enumerate() {
        for planned in &column.cases {
            slots.push(slot(c, planned, options));
        }
    }
    let (mut canaries, mut trouble) = canaries(suite, plan, driver, options, stop, &[]);
    if trouble.is_none() {
        trouble = play_slots(suite, &mut slots, plan, driver, options, stop, watch).err();
    }
    if trouble.is_none() && options.isolate == Isolate::Auto && !stop.asked() {
        trouble = again_alone(suite, plan, &mut slots, driver, options, stop, watch).err();
    }
    let extra = settle(suite, plan, &mut slots, false);
    let mut added: Vec<Slot> = Vec::new();
    for (c, planned) in &extra {
        let mut s = slot(*c, planned, options);
        s.added = true;
        added.push(s);
    }
    if trouble.is_none() && !added.is_empty() && !stop.asked() {
        trouble = play_slots(suite, &mut added, plan, driver, options, stop, &Silent).err();
    }
    slots.extend(added);
    settle(suite, plan, &mut slots, true);
    if let Err(t) = driver.close() {
        trouble.get_or_insert(t);
    }
    for canary in &mut canaries {
        canary.what = canary.what.trim().to_owned();
    }
    finish(
        plan,
        slots,
        canaries,
        trouble,
        stop,
        began.elapsed().as_secs_f64(),
    )
}

/// Nobody watches.
pub(super) struct Silent;

impl Watch for Silent {
    fn result(&self, _: &str, _: &Case, _: &Judgement) {}
    fn unexpected(&self, _: &str, _: &Case, _: &Judgement) -> bool {
        false
    }
}

/// What failed in company is played again in a fresh process. If it passes there, something that is
/// not the host's answer went wrong in company.
fn again_alone(
    suite: &Suite,
    plan: &HostPlan,
    slots: &mut [Slot],
    driver: &mut dyn Driver,
    options: &Playing,
    stop: &Stop,
    watch: &dyn Watch,
) -> Result<(), Trouble> {
    // What shares the fate of another case is no surprise of its own.
    let so_far = settled(suite, plan, slots);
    let mut again: Vec<usize> = Vec::new();
    for (i, (slot, judgement)) in slots.iter().zip(&so_far).enumerate() {
        let (Some(attempt), Some(judgement)) = (slot.attempts.last(), judgement) else {
            continue;
        };
        let column = &plan.columns[slot.column].column.name;
        let bad = watch.unexpected(column, &slot.planned.case, judgement);
        if attempt.isolation == Isolation::Shared && bad {
            again.push(i);
        }
    }
    if again.is_empty() {
        return Ok(());
    }
    let mut alone: Vec<Slot> = Vec::new();
    for i in &again {
        let old = &slots[*i];
        alone.push(Slot {
            nth: 2,
            alone: true,
            ..slot(old.column, old.planned, options)
        });
    }
    let out = play_slots(suite, &mut alone, plan, driver, options, stop, &Silent);
    for (i, new) in again.into_iter().zip(alone) {
        let old = &mut slots[i];
        let (Some(mut judgement), Some(attempt)) = (new.judgement, new.attempts.into_iter().next())
        else {
            continue;
        };
        let before = old.judgement.as_ref().map(|j| j.verdict);
        let was_fault = old.attempts.last().is_some_and(|a| !a.faults.is_empty());
        old.attempts.push(attempt);
        old.module_digest = new.module_digest;
        if !judgement.verdict.fails() && before.is_some_and(Verdict::fails) {
            old.company = true;
            judgement.reason = Some(format!(
                "harness: it ended as {} in company and as {} alone; until that is explained it has no verdict",
                before.map_or("", Verdict::word),
                judgement.verdict
            ));
            judgement.verdict = Verdict::NotRun;
            if let Some(last) = old.attempts.last_mut() {
                last.faults.push(Fault::new(
                    Blame::Harness,
                    "passed alone, failed in company",
                ));
            }
        } else if was_fault && judgement.verdict != Verdict::NotRun && killed(&old.attempts) {
            // The host was killed from outside in company: that is the machine's doing, and said so.
            judgement.reason = Some(
                "environment: the host was killed from outside; alone it ended normally".into(),
            );
            judgement.verdict = Verdict::NotRun;
            old.company = true;
        }
        old.judgement = Some(judgement);
    }
    out
}

fn killed(attempts: &[Attempt]) -> bool {
    attempts
        .iter()
        .any(|a| a.faults.iter().any(|f| f.blame == Blame::Environment))
}

/// What the judgements would be if no case came any more; the slots stay as they are.
fn settled(suite: &Suite, plan: &HostPlan, slots: &mut [Slot]) -> Vec<Option<Judgement>> {
    let before: Vec<Option<Judgement>> = slots.iter().map(|s| s.judgement.clone()).collect();
    settle(suite, plan, slots, false);
    let put_back =
        |(slot, judgement): (&mut Slot, _)| std::mem::replace(&mut slot.judgement, judgement);
    slots.iter_mut().zip(before).map(put_back).collect()
}

/// Makes the blocked results of each column consistent. Where no case of the requirement that blocks
/// them was selected, returns one to add.
fn settle(suite: &Suite, plan: &HostPlan, slots: &mut [Slot], last: bool) -> Vec<(usize, Planned)> {
    let mut out: Vec<(usize, Planned)> = Vec::new();
    for (c, column) in plan.columns.iter().enumerate() {
        let mut rows = Vec::new();
        for slot in slots.iter_mut().filter(|s| s.column == c) {
            let case = slot.planned.case.id.as_str();
            let load = slot.attempts.last().map_or(&Load::Unknown, |a| &a.load);
            let (loaded, refused) = (*load == Load::Loaded, load.refused());
            let trapped = slot.attempts.last();
            let trapped = trapped.is_some_and(|a| matches!(a.end, End::Trap(_)));
            if let Some(judgement) = &mut slot.judgement {
                rows.push(judge::Settling {
                    case,
                    loaded,
                    refused,
                    trapped,
                    judgement,
                });
            }
        }
        for req in judge::settle(&mut rows, MARKER, &judge::forms(&column.abi), last) {
            let added = case_of(suite, &req, &column.abi, &plan.profile);
            out.extend(added.map(|planned| (c, planned)));
        }
    }
    out
}

/// The requirement that a host takes a module of this ABI at all.
pub(super) const MARKER: &str = "abi_version/marker";

/// A case that shows whether a requirement holds in a column.
fn case_of(suite: &Suite, req: &str, abi: &Abi, profile: &crate::case::Profile) -> Option<Planned> {
    let mut cases = suite
        .cases
        .iter()
        .filter(|case| case.covers.iter().any(|c| c == req));
    cases.find_map(|case| {
        let program = scope(suite, case, abi, profile)?;
        program.is_ok().then(|| Planned {
            case: Arc::new(case.clone()),
            program,
        })
    })
}

/// Why something was not played though its host was there.
fn ended_before(why: Option<Early>) -> &'static str {
    match why {
        Some(Early::User) => "environment: the run was interrupted before it was played",
        Some(Early::Failures) => "environment: enough had failed before it was played",
        Some(Early::Time) => "environment: the time of the run was over before it was played",
        None => "environment: the run ended before it was played",
    }
}

fn finish(
    plan: &HostPlan,
    slots: Vec<Slot>,
    canaries: Vec<CanaryLine>,
    trouble: Option<Trouble>,
    stop: &Stop,
    wall: f64,
) -> Played {
    let mut columns: Vec<Vec<ResultLine>> = plan.columns.iter().map(|_| Vec::new()).collect();
    let total: u64 = slots
        .iter()
        .flat_map(|s| &s.attempts)
        .map(|a| a.micros)
        .sum();
    let mut micros = vec![0u64; plan.columns.len()];
    for slot in slots {
        let column = &plan.columns[slot.column];
        micros[slot.column] += slot.attempts.iter().map(|a| a.micros).sum::<u64>();
        let judgement = slot.judgement.unwrap_or_else(|| {
            let why = match &trouble {
                Some(t) => format!("environment: {t}"),
                None => ended_before(stop.why()).to_owned(),
            };
            verdict_only(slot.planned, Verdict::NotRun, why)
        });
        columns[slot.column].push(ResultLine {
            column: column.column.name.clone(),
            case: slot.planned.case.id.clone(),
            case_digest: slot.planned.case.digest(),
            program_digest: slot.planned.program.clone().unwrap_or_default(),
            module_digest: slot.module_digest,
            attempts: slot.attempts,
            judgement,
            gate: judge::Gate::Expected,
            company: slot.company,
            seed: None,
            added: slot.added,
            drift: None,
            faults: Vec::new(),
        });
    }
    // Columns of one host are played together: each gets its share of the wall time.
    let seconds = micros
        .iter()
        .map(|m| clock::milliseconds(wall * (*m as f64) / (total.max(1) as f64)))
        .collect();
    Played {
        columns,
        seconds,
        canaries,
        trouble,
    }
}
