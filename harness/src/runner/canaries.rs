//! Plays canaries: in each column those that show that the way to the host works and that a wrong
//! answer would be seen.
//!
//! A host may depart from the text so far that a column can't show it: it takes no module of that ABI,
//! or does not call what a canary rests on. That is its answer, as long as it said so itself and
//! another of its columns shows all. Does not know what canaries are made of.

use std::sync::Arc;

use crate::case::Suite;
use crate::host::{Driver, Stop, Trouble, TroubleKind};
use crate::judge::{self, Judgement, Verdict};
use crate::record::{CanaryLine, NOT_PLAYED};
use crate::runner::canary::{self, Canary};
use crate::runner::plan::{ColumnPlan, HostPlan, Planned, column, scope};
use crate::runner::play::{Playing, Silent};
use crate::runner::slots::{Slot, play_slots, slot};
use crate::trace::{Attempt, Blame};

/// Plays the canaries of a run in every column, and where no column shows all, in those that were not
/// asked for until one does; then `more` in the first that did.
pub fn canaries(
    suite: &Suite,
    plan: &HostPlan,
    driver: &mut dyn Driver,
    options: &Playing,
    stop: &Stop,
    more: &[Canary],
) -> (Vec<CanaryLine>, Option<Trouble>) {
    let cases = match canary::suite(suite.abis.clone(), options.seed) {
        Ok(cases) => cases,
        Err(problems) => {
            let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let trouble = Trouble::new(TroubleKind::Canary, all.join("; "));
            return (Vec::new(), Some(trouble));
        }
    };
    let mut aviary = Aviary {
        cases: &cases,
        driver,
        options,
        stop,
        lines: Vec::new(),
        excused: Vec::new(),
        wrong: None,
    };
    let trouble = aviary.all(suite, plan, more).err();
    let trouble = trouble.or_else(|| {
        let wrong = aviary.wrong.take().filter(|_| !stop.asked())?;
        let doctor = format!("pwspec doctor {}", plan.profile.name);
        Some(Trouble::new(TroubleKind::Canary, wrong).help(doctor))
    });
    (aviary.lines, trouble)
}

/// How a canary came out.
enum Sang {
    /// As it must.
    Due,
    /// Otherwise, in the host's own words or by a guest that spoke.
    Answered(String),
    /// Otherwise, and nobody knows why.
    Wrong(String),
}

struct Aviary<'a> {
    cases: &'a Suite,
    driver: &'a mut dyn Driver,
    options: &'a Playing,
    stop: &'a Stop,
    lines: Vec<CanaryLine>,
    /// Lines that another column excuses.
    excused: Vec<usize>,
    /// The first that was wrong.
    wrong: Option<String>,
}

impl Aviary<'_> {
    fn all(&mut self, suite: &Suite, plan: &HostPlan, more: &[Canary]) -> Result<(), Trouble> {
        let mut shown = self.play(plan, &Canary::RUN)?;
        if plan.columns.is_empty() {
            return Ok(());
        }
        let asked = |id: &str| plan.columns.iter().any(|c| c.abi.id == id);
        for id in plan.profile.abi.iter().filter(|id| !asked(id)) {
            if shown.is_some() || self.wrong.is_some() {
                break;
            }
            let Some(abi) = suite.abi(id) else { continue };
            let other = HostPlan {
                columns: vec![ColumnPlan {
                    column: column(&plan.profile, &plan.identity, abi),
                    abi: abi.clone(),
                    cases: Vec::new(),
                }],
                ..plan.clone()
            };
            shown = self.play(&other, &Canary::RUN)?;
        }
        let Some(shown) = shown else {
            for n in std::mem::take(&mut self.excused) {
                let line = &mut self.lines[n];
                line.ok = false;
                let words = format!("canary `{}` of {}: {}", line.canary, line.column, line.what);
                self.wrong.get_or_insert(words);
            }
            return Ok(());
        };
        if !more.is_empty() {
            let one = HostPlan {
                columns: vec![shown],
                ..plan.clone()
            };
            self.play(&one, more)?;
        }
        Ok(())
    }

    /// Plays these canaries in every column; the first column in which all came out as they must.
    fn play(&mut self, plan: &HostPlan, which: &[Canary]) -> Result<Option<ColumnPlan>, Trouble> {
        let mut planned = Vec::new();
        for (c, column) in plan.columns.iter().enumerate() {
            for canary in which {
                let case = self.cases.case(&format!("canary/{}", canary.name()));
                let Some(case) = case else { continue };
                let Some(program) = scope(self.cases, case, &column.abi, &plan.profile) else {
                    continue;
                };
                let case = Arc::new(case.clone());
                planned.push((c, *canary, Planned { case, program }));
            }
        }
        let mut slots: Vec<Slot<'_>> = Vec::new();
        for (c, _, p) in &planned {
            slots.push(slot(*c, p, self.options));
        }
        let (driver, options) = (&mut *self.driver, self.options);
        let played = play_slots(
            self.cases, &mut slots, plan, driver, options, self.stop, &Silent,
        );
        let mut good = vec![true; plan.columns.len()];
        for ((c, canary, _), slot) in planned.iter().zip(&slots) {
            let name = plan.columns[*c].column.name.clone();
            let (ok, what) = match sang(*canary, slot.judgement.as_ref(), slot.attempts.last()) {
                Sang::Due => (true, format!("{}, as it must be", verdict(slot))),
                Sang::Answered(what) => {
                    good[*c] = false;
                    self.excused.push(self.lines.len());
                    (true, what)
                }
                Sang::Wrong(what) => {
                    good[*c] = false;
                    let words = format!("canary `{}` of {name}: {what}", canary.name());
                    self.wrong.get_or_insert(words);
                    (false, what)
                }
            };
            self.lines.push(CanaryLine {
                column: name,
                canary: canary.name().to_owned(),
                ok,
                what,
            });
        }
        played?;
        let first = good.iter().position(|g| *g);
        Ok(first.map(|c| plan.columns[c].clone()))
    }
}

fn verdict(slot: &Slot<'_>) -> Verdict {
    slot.judgement
        .as_ref()
        .map_or(Verdict::NotRun, |j| j.verdict)
}

/// How a canary came out in one column.
fn sang(canary: Canary, judgement: Option<&Judgement>, attempt: Option<&Attempt>) -> Sang {
    let Some(j) = judgement else {
        return Sang::Wrong(NOT_PLAYED.to_owned());
    };
    if canary.accepts(j.verdict) {
        return Sang::Due;
    }
    let what = format!("{} instead of {}: {}", j.verdict, canary.due(), story(j));
    let what = what.trim_end_matches([' ', ':']).to_owned();
    let undue = canary == Canary::Fails && j.verdict == Verdict::Pass;
    let answered = attempt.is_some_and(|a| {
        let refused = a.load.refused();
        let mut instances = a.trace.instances.iter();
        let spoke = instances.any(|i| !i.callbacks().is_empty());
        a.faults.iter().all(|f| f.blame == Blame::Host) && (refused || spoke)
    });
    if answered && !undue && j.verdict != Verdict::NotRun {
        Sang::Answered(what)
    } else {
        Sang::Wrong(what)
    }
}

fn story(j: &Judgement) -> String {
    let failed = j.checks.iter().find(|c| c.outcome != judge::Outcome::Pass);
    let check = failed.map(|c| format!("{}: expected {}, {}", c.name, c.expected, c.got));
    let all: Vec<String> = [j.reason.clone(), check].into_iter().flatten().collect();
    all.join("; ")
}
