//! Results in the making: each case's modules are built when its turn comes, played and judged.
//!
//! Does not know which cases belong together, nor what becomes of a result.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::Abi;
use crate::case::{Case, Suite};
use crate::host::{Driver, Early, Job, Stop, Trouble};
use crate::judge::{self, Judgement, Question, Verdict};
use crate::runner::plan::{HostPlan, Planned, Prepared, prepare, token};
use crate::runner::play::{Isolate, Playing, Watch};
use crate::trace::Attempt;

/// One result in the making.
pub(super) struct Slot<'p> {
    /// Its column's place in the plan.
    pub(super) column: usize,
    /// What is played.
    pub(super) planned: &'p Planned,
    /// Which attempt at it this is, from 1.
    pub(super) nth: u32,
    /// In a process of its own.
    pub(super) alone: bool,
    /// Of the modules that were played last.
    pub(super) module_digest: String,
    /// What came of it.
    pub(super) attempts: Vec<Attempt>,
    /// What it means.
    pub(super) judgement: Option<Judgement>,
    /// It fails in company only.
    pub(super) company: bool,
    /// Nobody selected it: another result needs it.
    pub(super) added: bool,
}

/// A slot for a first attempt. What is out of scope is judged already.
pub(super) fn slot<'p>(column: usize, planned: &'p Planned, options: &Playing) -> Slot<'p> {
    let scope = planned.program.as_ref().err();
    Slot {
        column,
        planned,
        nth: 1,
        alone: options.isolate == Isolate::Alone,
        module_digest: String::new(),
        attempts: Vec::new(),
        judgement: scope.map(|why| verdict_only(planned, Verdict::OutOfScope, why.clone())),
        company: false,
        added: false,
    }
}

/// A judgement without a check.
pub(super) fn verdict_only(planned: &Planned, verdict: Verdict, reason: String) -> Judgement {
    Judgement {
        verdict,
        level: planned.case.level,
        checks: Vec::new(),
        observed: Vec::new(),
        blocked_by: None,
        reason: Some(reason),
    }
}

/// Plays every slot that has no judgement yet, as many at once as the driver takes, and judges it.
pub(super) fn play_slots(
    suite: &Suite,
    slots: &mut [Slot<'_>],
    plan: &HostPlan,
    driver: &mut dyn Driver,
    options: &Playing,
    stop: &Stop,
    watch: &dyn Watch,
) -> Result<(), Trouble> {
    let mut due: Vec<&mut Slot<'_>> = slots.iter_mut().filter(|s| s.judgement.is_none()).collect();
    if driver.one_by_one() {
        // A case that says how long it may take takes long: at the end all others would wait for it.
        due.sort_by_key(|s| !s.planned.case.is_long());
    }
    let failures = Mutex::new(0u32);
    let size = driver.batch().min(due.len()).max(1);
    for batch in due.chunks_mut(size) {
        if stop.asked() {
            break;
        }
        play_batch(suite, batch, plan, driver, options, stop, watch, &failures)?;
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "the inside of play_slots")]
fn play_batch(
    suite: &Suite,
    batch: &mut [&mut Slot<'_>],
    plan: &HostPlan,
    driver: &mut dyn Driver,
    options: &Playing,
    stop: &Stop,
    watch: &dyn Watch,
    failures: &Mutex<u32>,
) -> Result<(), Trouble> {
    let built: Vec<Mutex<Option<Result<Prepared, String>>>> =
        batch.iter().map(|_| Mutex::default()).collect();
    let shared: &[&mut Slot<'_>] = batch;
    let make = |i: usize| {
        let made = made(suite, shared[i], plan, options);
        let job = made.as_ref().ok().map(|prepared| Job {
            index: i,
            ..prepared.job.clone()
        });
        *locked(&built[i]) = Some(made);
        job
    };
    let played: Mutex<Vec<(usize, Done)>> = Mutex::default();
    let done = |i: usize, attempt: Attempt| {
        // Once judged it is not needed again: only what is being played is in memory.
        let Some(Ok(prepared)) = locked(&built[i]).take() else {
            return;
        };
        let slot = &shared[i];
        let column = &plan.columns[slot.column];
        let judgement = judge_attempt(&column.abi, &prepared, &attempt, &slot.planned.case);
        watch.result(&column.column.name, &slot.planned.case, &judgement);
        if watch.unexpected(&column.column.name, &slot.planned.case, &judgement) {
            let mut n = locked(failures);
            *n += 1;
            if options.max_fail.is_some_and(|max| *n >= max) {
                stop.ask_for(Early::Failures);
            }
        }
        let module_digest = prepared.module_digest;
        let done = Done {
            module_digest,
            attempt,
            judgement,
        };
        locked(&played).push((i, done));
    };
    let out = driver.play_made(shared.len(), &make, stop, &done);
    for (i, done) in played.into_inner().unwrap_or_else(PoisonError::into_inner) {
        batch[i].module_digest = done.module_digest;
        batch[i].attempts.push(done.attempt);
        batch[i].judgement = Some(done.judgement);
    }
    for (slot, built) in batch.iter_mut().zip(built) {
        match built.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(prepared)) => slot.module_digest = prepared.module_digest,
            Some(Err(why)) => {
                let why = format!("harness: {why}");
                slot.judgement = Some(verdict_only(slot.planned, Verdict::NotRun, why));
            }
            None => {}
        }
    }
    out
}

/// What came of one job.
struct Done {
    module_digest: String,
    attempt: Attempt,
    judgement: Judgement,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The modules of a slot's attempt.
fn made(
    suite: &Suite,
    slot: &Slot<'_>,
    plan: &HostPlan,
    options: &Playing,
) -> Result<Prepared, String> {
    let column = &plan.columns[slot.column];
    let token = token(
        options.seed,
        &column.column.name,
        &slot.planned.case.id,
        slot.nth,
    );
    let mut prepared = prepare(
        suite,
        slot.planned,
        &column.abi,
        &plan.profile,
        &token,
        0,
        &options.deadlines,
    )?;
    prepared.job.alone |= slot.alone;
    Ok(prepared)
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
