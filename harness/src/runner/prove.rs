//! Proof that the checks can fail: planted faults, and changed records.
//!
//! Every fault of the reference host whose requirement has a case must be noticed by a check of that
//! requirement and by no other. Every check must be noticed to fail at least once. Does not know how
//! the proof is shown.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::abi::{Abi, FaultRow, Level};
use crate::case::{Filter, Profile, Suite};
use crate::host::reference::Reference;
use crate::host::{Driver as _, Trouble};
use crate::judge::{self, Outcome, Question, Verdict};
use crate::runner::plan::{Deadlines, Prepared, plan_host, prepare, token};
use crate::trace::Attempt;

/// A check that noticed something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Noticed {
    /// Case id.
    pub case: String,
    /// The check's name in the case.
    pub check: String,
    /// Its requirement.
    pub req: String,
}

/// What became of one fault.
#[derive(Debug, Clone)]
pub struct Planted {
    /// The fault.
    pub fault: FaultRow,
    /// Checks of its own requirement that noticed it.
    pub own: Vec<Noticed>,
    /// Checks of other requirements that noticed it, without a stated reason.
    pub others: Vec<Noticed>,
}

impl Planted {
    /// Whether it is noticed by its own requirement and by nobody else.
    pub fn killed(&self) -> bool {
        !self.own.is_empty() && self.others.is_empty()
    }
}

/// The proof of a suite in one ABI version.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// Faults whose requirement a selected case tests.
    pub planted: Vec<Planted>,
    /// Faults whose requirement no selected case tests: nothing is claimed of them.
    pub waiting: Vec<String>,
    /// Must and should checks that nothing made fail: `(case, check)`.
    pub unproved: Vec<(String, String)>,
    /// Must and should cases none of whose checks was made to fail.
    pub idle_cases: Vec<String>,
    /// Surveys that no change moved.
    pub idle_surveys: Vec<String>,
    /// Cases that do not pass on the reference host as it is: nothing can be proved with them.
    pub broken: Vec<String>,
}

/// One case with its attempt on the unchanged host.
struct Subject {
    id: String,
    level: Level,
    prepared: Prepared,
    plain: Attempt,
    verdict: Verdict,
}

/// Proves the selected cases of one ABI version.
///
/// # Errors
/// The reference host has no fault that the table names.
pub fn prove(
    suite: &Suite,
    profile: &Profile,
    filter: &Filter,
    abi: &str,
    host: &Reference,
    workers: usize,
) -> Result<Proof, Trouble> {
    let plan = plan_host(suite, filter, profile, &host.identity(), &[abi.to_owned()], None);
    let Some(column) = plan.columns.first() else { return Ok(Proof::default()) };
    let deadlines = Deadlines {
        shared: std::time::Duration::from_secs(2),
        alone: std::time::Duration::from_millis(300),
    };
    let mut subjects = Vec::new();
    for planned in column.cases.iter().filter(|p| p.resolved.is_ok()) {
        let token = token(0, &column.column.name, &planned.case.id, 1);
        let Ok(prepared) = prepare(suite, planned, &column.abi, profile, &token, 0, &deadlines) else {
            continue;
        };
        let plain = host.play_one(&prepared.job)?;
        let judgement = judge(&column.abi, &prepared, &plain);
        subjects.push(Subject {
            id: planned.case.id.clone(),
            level: judgement.level,
            verdict: judgement.verdict,
            prepared,
            plain,
        });
    }
    let mut proof = Proof::default();
    for s in &subjects {
        if !matches!(s.verdict, Verdict::Pass | Verdict::Survey) {
            proof.broken.push(s.id.clone());
        }
    }
    let tested = tested(&subjects);
    let rows = faults(suite, &column.abi);
    let (rows, waiting): (Vec<FaultRow>, Vec<FaultRow>) =
        rows.into_iter().partition(|f| tested.contains(f.req.as_str()));
    proof.waiting = waiting.into_iter().map(|f| f.fault).collect();
    let mut killed: BTreeSet<(String, String)> = BTreeSet::new();
    for planted in share(&rows, workers, |row| plant(row, &subjects, &column.abi, host)) {
        let planted = planted?;
        let all = planted.own.iter().chain(&planted.others);
        killed.extend(all.map(|n| (n.case.clone(), n.check.clone())));
        proof.planted.push(planted);
    }
    let changed = share(&subjects, workers, |s| {
        let q = question(&column.abi, &s.prepared, &s.plain);
        let moved = s.prepared.resolved.observations.is_empty() || judge::prove_survey(&q).is_some();
        (judge::prove_checks(&q), moved)
    });
    for (subject, (kills, moved)) in subjects.iter().zip(changed) {
        let checks = subject.prepared.resolved.checks.iter().zip(kills);
        let own: Vec<_> =
            checks.filter(|(c, _)| !c.control && c.level > Level::Survey).collect();
        let proved = |c: &crate::case::Check, kill: &Option<String>| {
            kill.is_some() || killed.contains(&(subject.id.clone(), c.name.clone()))
        };
        for (check, kill) in &own {
            if !proved(check, kill) {
                proof.unproved.push((subject.id.clone(), check.name.clone()));
            }
        }
        if !own.is_empty() && !own.iter().any(|(c, k)| proved(c, k)) {
            proof.idle_cases.push(subject.id.clone());
        }
        if subject.level == Level::Survey && !moved {
            proof.idle_surveys.push(subject.id.clone());
        }
    }
    Ok(proof)
}

fn question<'a>(abi: &'a Abi, prepared: &'a Prepared, attempt: &'a Attempt) -> Question<'a> {
    Question {
        abi,
        checks: &prepared.resolved.checks,
        observations: &prepared.resolved.observations,
        attempt,
    }
}

fn judge(abi: &Abi, prepared: &Prepared, attempt: &Attempt) -> judge::Judgement {
    judge::judge(&question(abi, prepared, attempt))
}

/// Requirements of which a selected case has a check.
fn tested(subjects: &[Subject]) -> BTreeSet<&str> {
    let checks = subjects.iter().flat_map(|s| &s.prepared.resolved.checks);
    checks.filter(|c| !c.control).map(|c| c.req.as_str()).collect()
}

/// The faults of a version: its own rows, and those of the version that has them all, as far as
/// their requirement exists here.
fn faults(suite: &Suite, abi: &Abi) -> Vec<FaultRow> {
    let mut out: Vec<FaultRow> = abi.faults.clone();
    for other in &suite.abis {
        for row in &other.faults {
            let here = abi.requirement(&row.req).is_some();
            if here && !out.iter().any(|o| o.fault == row.fault) {
                out.push(row.clone());
            }
        }
    }
    out
}

/// Plays every case with one fault and sees which checks notice.
fn plant(row: &FaultRow, subjects: &[Subject], abi: &Abi, host: &Reference) -> Result<Planted, Trouble> {
    let mut out = Planted { fault: row.clone(), own: Vec::new(), others: Vec::new() };
    for subject in subjects.iter().filter(|s| s.verdict == Verdict::Pass) {
        let attempt = host.play_with_fault(&subject.prepared.job, &row.fault)?;
        let judgement = judge(abi, &subject.prepared, &attempt);
        for check in judgement.checks.iter().filter(|c| !c.control && c.outcome == Outcome::Fail) {
            let noticed = Noticed {
                case: subject.id.clone(),
                check: check.name.clone(),
                req: check.req.clone(),
            };
            if check.req == row.req {
                out.own.push(noticed);
            } else if !row.also.iter().any(|(req, _)| *req == check.req) {
                out.others.push(noticed);
            }
        }
        // A start that is refused or a trap leaves no failing check; the case still ended badly
        // because of its own requirement.
        let ended = judgement.verdict.fails() && judgement.verdict != Verdict::Fail;
        let own = judgement.checks.iter().find(|c| !c.control && c.req == row.req);
        if let (true, Some(check)) = (ended, own) {
            let noticed = Noticed {
                case: subject.id.clone(),
                check: check.name.clone(),
                req: check.req.clone(),
            };
            if !out.own.contains(&noticed) {
                out.own.push(noticed);
            }
        }
    }
    Ok(out)
}

/// Does `work` for every item on some threads; the results come in the order of the items.
fn share<T: Sync, R: Send>(items: &[T], workers: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(i) else { break };
                    let result = work(item);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((i, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, r)| r).collect()
}
