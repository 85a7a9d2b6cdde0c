//! Plays cases on one host and judges them: batches, second attempts alone, blocked cases.
//!
//! Does not know how a host is reached, nor how a run is shown.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::abi::Abi;
use crate::case::{Case, Suite};
use crate::host::{Driver, Early, Stop, Trouble};
use crate::judge::{self, Judgement, Question, Verdict};
use crate::record::{CanaryLine, ResultLine};
use crate::runner::canaries::canaries;
use crate::runner::clock;
use crate::runner::plan::{
    ColumnPlan, Deadlines, HostPlan, Planned, Prepared, prepare, scope, token,
};
use crate::trace::{Attempt, Blame, Fault, Isolation, Load};

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

/// One result in the making.
pub(super) struct Slot<'p> {
    column: usize,
    planned: &'p Planned,
    prepared: Result<Prepared, String>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) judgement: Option<Judgement>,
    company: bool,
    added: bool,
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
            slots.push(slot(suite, plan, c, column, planned, options, slots.len()));
        }
    }
    let (mut canaries, mut trouble) = canaries(suite, plan, driver, options, stop, &[]);
    if trouble.is_none() {
        trouble = play_slots(&mut slots, plan, driver, options, stop, watch).err();
    }
    if trouble.is_none() && options.isolate == Isolate::Auto && !stop.asked() {
        trouble = again_alone(suite, plan, &mut slots, driver, options, stop, watch).err();
    }
    let extra = settle(suite, plan, &mut slots, false);
    let mut added: Vec<Slot> = Vec::new();
    for (i, (c, planned)) in extra.iter().enumerate() {
        let mut s = slot(suite, plan, *c, &plan.columns[*c], planned, options, i);
        s.added = true;
        added.push(s);
    }
    if trouble.is_none() && !added.is_empty() && !stop.asked() {
        trouble = play_slots(&mut added, plan, driver, options, stop, &Silent).err();
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

pub(super) fn slot<'p>(
    suite: &Suite,
    plan: &HostPlan,
    c: usize,
    column: &ColumnPlan,
    planned: &'p Planned,
    options: &Playing,
    index: usize,
) -> Slot<'p> {
    let token = token(options.seed, &column.column.name, &planned.case.id, 1);
    let prepared = match &planned.resolved {
        Ok(_) => prepare(
            suite,
            planned,
            &column.abi,
            &plan.profile,
            &token,
            index,
            &options.deadlines,
        )
        .map(|mut p| {
            p.job.alone |= options.isolate == Isolate::Alone;
            p
        }),
        Err(why) => Err(why.clone()),
    };
    let judgement = match (&planned.resolved, &prepared) {
        (Err(why), _) => Some(verdict_only(planned, Verdict::OutOfScope, why.clone())),
        (Ok(_), Err(why)) => Some(verdict_only(
            planned,
            Verdict::NotRun,
            format!("harness: {why}"),
        )),
        _ => None,
    };
    Slot {
        column: c,
        planned,
        prepared,
        attempts: Vec::new(),
        judgement,
        company: false,
        added: false,
    }
}

fn verdict_only(planned: &Planned, verdict: Verdict, reason: String) -> Judgement {
    Judgement {
        verdict,
        level: planned.case.level,
        checks: Vec::new(),
        observed: Vec::new(),
        blocked_by: None,
        reason: Some(reason),
    }
}

/// Plays every slot that has a job and no judgement yet, and judges it.
pub(super) fn play_slots(
    slots: &mut [Slot],
    plan: &HostPlan,
    driver: &mut dyn Driver,
    options: &Playing,
    stop: &Stop,
    watch: &dyn Watch,
) -> Result<(), Trouble> {
    let mut jobs = Vec::new();
    let mut owner = Vec::new();
    for (i, slot) in slots.iter().enumerate() {
        if let (Ok(prepared), None) = (&slot.prepared, &slot.judgement) {
            let mut job = prepared.job.clone();
            job.index = owner.len();
            owner.push(i);
            jobs.push(job);
        }
    }
    if jobs.is_empty() {
        return Ok(());
    }
    let played: Mutex<Vec<(usize, Attempt, Judgement)>> = Mutex::new(Vec::new());
    let failures = Mutex::new(0u32);
    let shared: &[Slot] = slots;
    let done = |index: usize, attempt: Attempt| {
        let i = owner[index];
        let slot = &shared[i];
        let Ok(prepared) = &slot.prepared else { return };
        let column = &plan.columns[slot.column];
        let judgement = judge_attempt(&column.abi, prepared, &attempt, &slot.planned.case);
        watch.result(&column.column.name, &slot.planned.case, &judgement);
        if watch.unexpected(&column.column.name, &slot.planned.case, &judgement) {
            let mut n = failures
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *n += 1;
            if options.max_fail.is_some_and(|max| *n >= max) {
                stop.ask_for(Early::Failures);
            }
        }
        played
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push((i, attempt, judgement));
    };
    let out = driver.play(jobs, stop, &done);
    for (i, attempt, judgement) in played
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
    {
        slots[i].attempts.push(attempt);
        slots[i].judgement = Some(judgement);
    }
    out
}

/// Judges an attempt, and says where in the case file the checks stand that did not pass.
pub fn judge_attempt(abi: &Abi, prepared: &Prepared, attempt: &Attempt, case: &Case) -> Judgement {
    let mut judgement = judge::judge(&Question {
        abi,
        checks: &prepared.resolved.checks,
        observations: &prepared.resolved.observations,
        attempt,
    });
    // A place is looked up only where somebody will look at it: it costs a walk through the file.
    for (i, check) in judgement.checks.iter_mut().enumerate() {
        if check.outcome != judge::Outcome::Pass {
            (check.line, check.column) = case.place(&prepared.resolved, i);
        }
    }
    judgement
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
    let mut again: Vec<usize> = Vec::new();
    for (i, slot) in slots.iter().enumerate() {
        let Some(attempt) = slot.attempts.last() else {
            continue;
        };
        let Some(judgement) = &slot.judgement else {
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
        let column = &plan.columns[old.column];
        let token = token(options.seed, &column.column.name, &old.planned.case.id, 2);
        let prepared = prepare(
            suite,
            old.planned,
            &column.abi,
            &plan.profile,
            &token,
            0,
            &options.deadlines,
        );
        let prepared = prepared.map(|mut p| {
            p.job.alone = true;
            p
        });
        alone.push(Slot {
            column: old.column,
            planned: old.planned,
            prepared,
            attempts: Vec::new(),
            judgement: None,
            company: false,
            added: false,
        });
    }
    let out = play_slots(&mut alone, plan, driver, options, stop, &Silent);
    for (i, new) in again.into_iter().zip(alone) {
        let old = &mut slots[i];
        let (Some(mut judgement), Some(attempt)) = (new.judgement, new.attempts.into_iter().next())
        else {
            continue;
        };
        let before = old.judgement.as_ref().map(|j| j.verdict);
        let was_fault = old.attempts.last().is_some_and(|a| !a.faults.is_empty());
        old.attempts.push(attempt);
        old.prepared = new.prepared;
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
            if let Some(judgement) = &mut slot.judgement {
                rows.push(judge::Settling {
                    case,
                    loaded,
                    refused,
                    judgement,
                });
            }
        }
        for req in judge::settle(&mut rows, MARKER, last) {
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
        let resolved = scope(suite, case, abi, profile)?;
        resolved.is_ok().then(|| Planned {
            case: Arc::new(case.clone()),
            resolved,
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
        let (program_digest, module_digest) = match &slot.prepared {
            Ok(p) => (p.program_digest.clone(), p.module_digest.clone()),
            Err(_) => (String::new(), String::new()),
        };
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
            program_digest,
            module_digest,
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
