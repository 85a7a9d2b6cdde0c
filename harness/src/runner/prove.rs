//! Proof that the checks can fail: planted faults, and changed records.
//!
//! Every fault of the reference host whose requirement has a case must be noticed by a check of that
//! requirement and by no other. Every check must be noticed to fail at least once. Does not know how
//! the proof is shown.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::abi::{Abi, FaultRow, Level};
use crate::case::{Filter, Profile, Suite};
use crate::host::reference::Reference;
use crate::host::{Driver as _, Trouble};
use crate::judge::{self, CheckResult, Outcome, Question, Verdict};
use crate::runner::plan::{Deadlines, Prepared, plan_host, prepare, token};
use crate::trace::{Attempt, End};

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
    /// Faults whose requirement no selected case tests, and those that no selected case notices while
    /// other cases of the requirement are not selected: nothing is claimed of them.
    pub waiting: Vec<String>,
    /// Must and should checks that nothing made fail: `(case, check)`.
    pub unproved: Vec<(String, String)>,
    /// Must and should cases none of whose checks was made to fail.
    pub idle_cases: Vec<String>,
    /// Surveys that no change moved.
    pub idle_surveys: Vec<String>,
    /// Must requirements that a selected case tests and that no fault breaks.
    pub without_fault: Vec<String>,
    /// Cases that do not pass on the reference host as it is: nothing can be proved with them.
    pub broken: Vec<String>,
}

/// One case with its attempt on the unchanged host.
struct Subject {
    id: String,
    level: Level,
    prepared: Prepared,
    plain: Attempt,
    /// The faults that can show in it.
    may_show: BTreeSet<String>,
    verdict: Verdict,
}

/// What became of one case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseProof {
    /// Its must and should checks that nothing made fail.
    pub unproved: Vec<String>,
    /// It has must or should checks, and none was made to fail.
    pub idle: bool,
    /// It is a survey that no change moved.
    pub idle_survey: bool,
    /// It does not pass on the host as it is.
    pub broken: bool,
}

/// A suite in one ABI version, played once on the unchanged host: what faults are planted against.
pub struct Ground<'h> {
    abi: Arc<Abi>,
    host: &'h Reference,
    subjects: Vec<Subject>,
    rows: Vec<FaultRow>,
    waiting: Vec<String>,
}

impl<'h> Ground<'h> {
    /// Plays the selected cases on the unchanged host; `None`: its profile has not this version.
    pub fn lay(
        suite: &Suite,
        profile: &Profile,
        filter: &Filter,
        abi: &str,
        host: &'h Reference,
    ) -> Option<Ground<'h>> {
        let plan = plan_host(
            suite,
            filter,
            profile,
            &host.identity(),
            &[abi.to_owned()],
            None,
        );
        let column = plan.columns.first()?;
        let deadlines = Deadlines {
            shared: std::time::Duration::from_secs(2),
            alone: std::time::Duration::from_millis(300),
        };
        let mut subjects = Vec::new();
        for planned in column.cases.iter().filter(|p| p.program.is_ok()) {
            let token = token(0, &column.column.name, &planned.case.id, 1);
            let Ok(prepared) = prepare(suite, planned, &column.abi, profile, &token, 0, &deadlines)
            else {
                continue;
            };
            let (plain, may_show) = host.play_and_note(&prepared.job);
            let judgement = judge(&column.abi, &prepared, &plain);
            subjects.push(Subject {
                id: planned.case.id.clone(),
                level: judgement.level,
                verdict: judgement.verdict,
                prepared,
                plain,
                may_show,
            });
        }
        let tested = tested(&subjects);
        let (rows, waiting): (Vec<FaultRow>, Vec<FaultRow>) = faults(suite, &column.abi)
            .into_iter()
            .partition(|f| tested.contains(f.req.as_str()));
        Some(Ground {
            abi: column.abi.clone(),
            host,
            subjects,
            rows,
            waiting: waiting.into_iter().map(|f| f.fault).collect(),
        })
    }

    /// Faults whose requirement a selected case tests.
    pub fn faults(&self) -> &[FaultRow] {
        &self.rows
    }

    /// Must requirements that a case tests and that no fault breaks.
    pub fn without_fault(&self) -> Vec<String> {
        let tested = tested(&self.subjects);
        let broken: BTreeSet<&str> = self.rows.iter().map(|r| r.req.as_str()).collect();
        let rows = self.abi.requirements.iter();
        let must = rows.filter(|r| r.level == Level::Must && tested.contains(r.id.as_str()));
        must.filter(|r| !broken.contains(r.id.as_str()))
            .map(|r| r.id.clone())
            .collect()
    }

    /// The cases, by their ids.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.subjects.iter().map(|s| s.id.as_str())
    }

    /// Plays every case with one fault and sees which checks notice.
    ///
    /// # Errors
    /// The reference host has no such fault.
    pub fn plant(&self, row: &FaultRow) -> Result<Planted, Trouble> {
        let mut out = Planted {
            fault: row.clone(),
            own: Vec::new(),
            others: Vec::new(),
        };
        for subject in &self.subjects {
            self.plant_in(row, subject, &mut out)?;
        }
        Ok(out)
    }

    /// One case by itself: changed records, and every fault where those are not enough.
    ///
    /// # Errors
    /// The table names a fault that the reference host does not have.
    pub fn case(&self, id: &str) -> Result<CaseProof, Trouble> {
        let Some(subject) = self.subjects.iter().find(|s| s.id == id) else {
            return Ok(CaseProof::default());
        };
        let changed = self.changed(subject);
        let mut killed = BTreeSet::new();
        if !self.sum_up(subject, &changed, &killed).unproved.is_empty() {
            for row in &self.rows {
                let mut planted = Planted {
                    fault: row.clone(),
                    own: Vec::new(),
                    others: Vec::new(),
                };
                self.plant_in(row, subject, &mut planted)?;
                killed.extend(noticed(&planted));
            }
        }
        Ok(self.sum_up(subject, &changed, &killed))
    }

    /// What one fault does to one case. Of a case with a guest that is not the scripted one, each check
    /// rests on all the hostcalls that this guest makes: it may notice the faults of other requirements.
    fn plant_in(
        &self,
        row: &FaultRow,
        subject: &Subject,
        out: &mut Planted,
    ) -> Result<(), Trouble> {
        if subject.verdict != Verdict::Pass || !subject.may_show.contains(&row.fault) {
            return Ok(());
        }
        let play = || self.host.play_with_fault(&subject.prepared.job, &row.fault);
        let mut attempt = play()?;
        // On a busy machine the deadline may pass though nothing hangs; what hangs does so again.
        if matches!(attempt.end, End::Timeout(_)) {
            attempt = play()?;
        }
        let judgement = judge(&self.abi, &subject.prepared, &attempt);
        // A blocked case accuses nobody: it shares the fate of another requirement.
        if matches!(judgement.verdict, Verdict::Blocked | Verdict::NotRun) {
            return Ok(());
        }
        let noticed = |check: &CheckResult| Noticed {
            case: subject.id.clone(),
            check: check.name.clone(),
            req: check.req.clone(),
        };
        let vms = &subject.prepared.resolved.vms;
        let fixed = vms.iter().any(|vm| vm.module.guest.is_some());
        let mut checks = judgement.checks.iter().filter(|c| !c.control);
        for check in checks.clone().filter(|c| c.outcome == Outcome::Fail) {
            if check.req == row.req {
                out.own.push(noticed(check));
            } else if !fixed && !row.also.iter().any(|(req, _)| *req == check.req) {
                out.others.push(noticed(check));
            }
        }
        // A start that is refused or a trap leaves no failing check; the case still ended badly
        // because of its own requirement.
        let ended = judgement.verdict.fails() && judgement.verdict != Verdict::Fail;
        if let (true, Some(check)) = (ended, checks.find(|c| c.req == row.req)) {
            let noticed = noticed(check);
            if !out.own.contains(&noticed) {
                out.own.push(noticed);
            }
        }
        Ok(())
    }

    /// Which checks a changed record makes fail, and whether one moves the survey.
    fn changed(&self, subject: &Subject) -> Changed {
        let q = question(&self.abi, &subject.prepared, &subject.plain);
        let observations = &subject.prepared.resolved.observations;
        Changed {
            kills: judge::prove_checks(&q),
            moved: observations.is_empty() || judge::prove_survey(&q).is_some(),
        }
    }

    fn sum_up(
        &self,
        subject: &Subject,
        changed: &Changed,
        killed: &BTreeSet<(String, String)>,
    ) -> CaseProof {
        let checks = subject
            .prepared
            .resolved
            .checks
            .iter()
            .zip(&changed.kills)
            .filter(|(c, _)| !c.control && c.level > Level::Survey);
        let mut any = false;
        let mut proved = false;
        let mut unproved = Vec::new();
        for (check, kill) in checks {
            any = true;
            if kill.is_some() || killed.contains(&(subject.id.clone(), check.name.clone())) {
                proved = true;
            } else {
                unproved.push(check.name.clone());
            }
        }
        CaseProof {
            unproved,
            idle: any && !proved,
            idle_survey: subject.level == Level::Survey && !changed.moved,
            broken: !matches!(subject.verdict, Verdict::Pass | Verdict::Survey),
        }
    }
}

/// What changed records did to a case.
struct Changed {
    kills: Vec<Option<String>>,
    moved: bool,
}

/// The checks that noticed a fault: `(case, check)`.
fn noticed(planted: &Planted) -> impl Iterator<Item = (String, String)> {
    let all = planted.own.iter().chain(&planted.others);
    all.map(|n| (n.case.clone(), n.check.clone()))
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
    let Some(ground) = Ground::lay(suite, profile, filter, abi, host) else {
        return Ok(Proof::default());
    };
    let mut proof = Proof {
        waiting: ground.waiting.clone(),
        without_fault: ground.without_fault(),
        ..Proof::default()
    };
    let mut killed: BTreeSet<(String, String)> = BTreeSet::new();
    let left_out = |req: &str| {
        let mut cases = suite
            .cases
            .iter()
            .filter(|c| c.abi.iter().any(|a| a == abi));
        cases.any(|c| !filter.matches(c) && c.covers.iter().any(|r| r == req))
    };
    for planted in share(&ground.rows, workers, |row| ground.plant(row)) {
        let planted = planted?;
        let unnoticed = planted.own.is_empty() && planted.others.is_empty();
        if unnoticed && left_out(&planted.fault.req) {
            proof.waiting.push(planted.fault.fault);
            continue;
        }
        killed.extend(noticed(&planted));
        proof.planted.push(planted);
    }
    let changed = share(&ground.subjects, workers, |s| ground.changed(s));
    for (subject, changed) in ground.subjects.iter().zip(changed) {
        let case = ground.sum_up(subject, &changed, &killed);
        let id = || subject.id.clone();
        let unproved = case.unproved.into_iter().map(|check| (id(), check));
        proof.unproved.extend(unproved);
        proof.idle_cases.extend(case.idle.then(id));
        proof.idle_surveys.extend(case.idle_survey.then(id));
        proof.broken.extend(case.broken.then(id));
    }
    Ok(proof)
}

/// Plants the faults of these names, and nothing else; `None`: the profile has not this version, or
/// no selected case tests what one of them breaks.
///
/// # Errors
/// The reference host has no fault that the table names.
pub fn plant(
    suite: &Suite,
    profile: &Profile,
    filter: &Filter,
    abi: &str,
    host: &Reference,
    (names, workers): (&[String], usize),
) -> Result<Option<Vec<Planted>>, Trouble> {
    let Some(ground) = Ground::lay(suite, profile, filter, abi, host) else {
        return Ok(None);
    };
    let named = |name: &String| ground.rows.iter().find(|r| r.fault == *name).cloned();
    let Some(rows) = names.iter().map(named).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let planted = share(&rows, workers, |row| ground.plant(row));
    planted.into_iter().collect::<Result<_, _>>().map(Some)
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
    checks
        .filter(|c| !c.control)
        .map(|c| c.req.as_str())
        .collect()
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
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((i, result));
                }
            });
        }
    });
    let mut done = done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, r)| r).collect()
}
