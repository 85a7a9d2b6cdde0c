//! One case in one column: from its checks and an attempt to a verdict.
//!
//! Does not know other cases, nor what was expected of this host.

use crate::abi::{Abi, Level};
use crate::case::{Check, CheckKind, Observation, Observe, StepRef};
use crate::judge::found::Found;
use crate::judge::view::View;
use crate::judge::{
    CheckResult, Judgement, Outcome, Verdict, callbacks, grpc, observe, steps, wire, words,
};
use crate::trace::{Attempt, Blame, CONTEXT_CREATE, End, Load, Returned};

/// What is asked of the judge.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The ABI or dialect of the column.
    pub abi: &'a Abi,
    /// The case's checks, in order.
    pub checks: &'a [Check],
    /// What it observes; only surveys have these.
    pub observations: &'a [Observation],
    /// What was recorded.
    pub attempt: &'a Attempt,
}

/// Looks at one check.
pub(super) fn look(view: &View<'_>, kind: &CheckKind) -> Found {
    match kind {
        CheckKind::Status { step, expect } => steps::status(view, step, expect),
        CheckKind::Out { step, out, expect } => steps::out(view, step, out, expect),
        CheckKind::Callbacks { who, order } => callbacks::in_order(view, *who, order),
        CheckKind::Never {
            who,
            pattern,
            after,
        } => callbacks::never(view, *who, pattern, after.as_ref()),
        CheckKind::Body {
            who,
            callback,
            expect,
        } => callbacks::body(view, *who, callback, expect),
        CheckKind::Upstream {
            upstream,
            nth,
            expect,
        } => wire::upstream(view, upstream, *nth, expect),
        CheckKind::UpstreamCount { upstream, expect } => wire::count(view, upstream, expect),
        CheckKind::Grpc {
            upstream,
            nth,
            expect,
        } => grpc::call(view, upstream, *nth, expect),
        CheckKind::GrpcCount { upstream, expect } => grpc::count(view, upstream, expect),
        CheckKind::Client { stream, expect } => wire::client(view, *stream, expect),
        CheckKind::Log {
            text,
            log_level,
            times,
        } => wire::log(view, text, log_level, *times),
        CheckKind::Load { loaded } => wire::load(view.attempt, *loaded),
        CheckKind::Ends { any_of } => wire::ends(view.attempt, any_of),
    }
}

/// Looks at one check; that the callback it is about never came is its failure.
pub(super) fn settled(view: &View<'_>, abi: &Abi, check: &Check) -> Found {
    let mut found = look(view, &check.kind);
    if let Some(callback) = &found.lacks
        && called(abi, callback) == check.req
    {
        found.outcome = Outcome::Fail;
        found.lacks = None;
    }
    found
}

/// The requirement that this callback comes at all.
fn called(abi: &Abi, callback: &str) -> String {
    let last = match callback {
        CONTEXT_CREATE => "stream",
        _ => "called",
    };
    row(abi, callback, last)
}

/// The requirement `NAME/LAST`; where the table has none, the first of `NAME` that a host can fail.
fn row(abi: &Abi, name: &str, last: &str) -> String {
    let id = format!("{name}/{last}");
    if abi.requirement(&id).is_some() {
        return id;
    }
    let own = |id: &str| id.strip_prefix(name).is_some_and(|r| r.starts_with('/'));
    let own = abi.requirements.iter().filter(|r| own(&r.id));
    let first = own.clone().find(|r| r.level == Level::Must);
    first.or(own.clone().next()).map_or(id, |r| r.id.clone())
}

/// The function that a requirement belongs to.
pub(super) fn function_of(req: &str) -> &str {
    req.split('/').next().unwrap_or(req)
}

/// Judges one case by the text alone.
pub fn judge(q: &Question<'_>) -> Judgement {
    let view = View::new(q.attempt);
    let founds: Vec<Found> = q.checks.iter().map(|c| settled(&view, q.abi, c)).collect();
    let results = q.checks.iter().zip(&founds).map(|(c, f)| CheckResult {
        name: c.name.clone(),
        req: c.req.clone(),
        level: c.level,
        control: c.control,
        outcome: f.outcome,
        expected: words::expected(&c.kind),
        got: f.got.clone(),
        line: c.line,
        column: c.column,
        event: f.event,
    });
    let mut judgement = Judgement {
        verdict: Verdict::Pass,
        level: level(q.checks),
        checks: results.collect(),
        observed: Vec::new(),
        blocked_by: None,
        reason: None,
    };
    let answers = q
        .observations
        .iter()
        .map(|o| observe::observe(&view, q.abi, &o.what));
    let answers: Vec<Result<String, Found>> = answers.collect();
    let ended = not_ours(q)
        .or_else(|| trapped_in_control(q, &view))
        .or_else(|| bad_end(q))
        .or_else(|| control_failed(q, &founds))
        .or_else(|| never_came(q, &founds));
    match ended {
        None => by_checks(q, &founds, &mut judgement),
        Some(Ended::NotRun(reason)) => {
            judgement.verdict = Verdict::NotRun;
            judgement.reason = Some(reason);
        }
        Some(Ended::Blocked(req, reason)) => block(&mut judgement, req, reason),
        Some(Ended::Bad(verdict, answer, reason)) => {
            let (verdict, reason) = match judgement.level {
                Level::Must => (verdict, reason),
                Level::Should => (Verdict::Warn, format!("{verdict}: {reason}")),
                Level::Survey => (Verdict::Survey, format!("{verdict}: {reason}")),
            };
            judgement.verdict = verdict;
            judgement.reason = Some(reason);
            if judgement.level == Level::Survey {
                judgement.observed = observed(q, &answers, Some(&answer));
            }
            return judgement;
        }
    }
    if matches!(
        judgement.verdict,
        Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Survey
    ) {
        survey(q, &answers, &mut judgement);
    }
    judgement
}

/// The highest level of the checks; controls are not checks of the host.
fn level(checks: &[Check]) -> Level {
    let own = checks.iter().filter(|c| !c.control);
    own.map(|c| c.level).max().unwrap_or(Level::Survey)
}

fn block(judgement: &mut Judgement, req: String, reason: String) {
    judgement.verdict = Verdict::Blocked;
    judgement.blocked_by = Some(req);
    judgement.reason = Some(reason);
}

/// Why the checks do not decide.
enum Ended {
    NotRun(String),
    /// By a requirement, because.
    Blocked(String, String),
    /// A failing verdict, its word in a survey, the host's words.
    Bad(Verdict, String, String),
}

/// Something other than the host's answer went wrong.
fn not_ours(q: &Question<'_>) -> Option<Ended> {
    let faults = q.attempt.faults.iter();
    let mut own = faults.filter(|f| f.blame != Blame::Host);
    own.next().map(|f| {
        let whose = match f.blame {
            Blame::Host => "host",
            Blame::Adapter => "adapter",
            Blame::Environment => "environment",
            Blame::Harness => "harness",
            Blame::Case => "case",
        };
        Ended::NotRun(format!("{whose}: {}", f.what))
    })
}

/// What the case asks about by itself, so that it is an answer and not a verdict.
struct Asks {
    load: bool,
    end: bool,
}

fn asks(q: &Question<'_>) -> Asks {
    let own = || q.checks.iter().filter(|c| !c.control).map(|c| &c.kind);
    let watched = |w: &Observe| q.observations.iter().any(|o| o.what == *w);
    Asks {
        load: own().any(|k| matches!(k, CheckKind::Load { .. })) || watched(&Observe::Load),
        end: own().any(|k| matches!(k, CheckKind::Ends { .. })) || watched(&Observe::End),
    }
}

/// The module did not load, or the guest or host did not end as they should.
fn bad_end(q: &Question<'_>) -> Option<Ended> {
    let asks = asks(q);
    let a = q.attempt;
    let bad = |v: Verdict, why: String| Some(Ended::Bad(v, v.word().to_owned(), why));
    match &a.load {
        Load::Unlinked { import, text } if !asks.load => {
            return Some(unlinked(q, import, text.display()));
        }
        Load::Refused { text } if !asks.load => return bad(Verdict::Refused, text.display()),
        _ => {}
    }
    match &a.end {
        End::Crash(how) if !asks.end => return bad(Verdict::Crash, how.clone()),
        End::Trap(text) if !asks.end && !asks.load => return bad(Verdict::Trap, text.display()),
        End::Crash(_) | End::Trap(_) => return None,
        End::Normal | End::Timeout(_) => {}
    }
    if a.load == Load::Unknown && a.trace.instances.is_empty() {
        let mut why = "neither a frame nor a refusal was seen".to_owned();
        if let End::Timeout(which) = &a.end {
            why.push_str(&format!(" ({which} timed out)"));
        }
        return Some(Ended::NotRun(why));
    }
    match &a.end {
        End::Timeout(which) if !asks.end && !asks.load => bad(Verdict::Timeout, which.clone()),
        _ => None,
    }
}

/// The module needs an import that the host lacks: is one of the checks about it?
fn unlinked(q: &Question<'_>, import: &str, text: String) -> Ended {
    let known = q.abi.hostcalls.iter().find(|h| h.import.1 == import);
    let hostcall = known.map_or(import, |h| h.name.as_str());
    let own = q.checks.iter().filter(|c| !c.control);
    let mut names: Vec<&str> = own.clone().map(|c| function_of(&c.req)).collect();
    names.extend(q.observations.iter().map(|o| function_of(&o.req)));
    for c in own {
        if let CheckKind::Status { step, .. } | CheckKind::Out { step, .. } = &c.kind {
            names.push(&step.hostcall);
        }
    }
    for o in q.observations {
        match &o.what {
            Observe::Status(step) | Observe::Out(step, _) => names.push(&step.hostcall),
            Observe::Against(one, two, _) => names.extend([&*one.hostcall, &*two.hostcall]),
            _ => {}
        }
    }
    if names.contains(&hostcall) {
        let answer = format!("unlinked {hostcall}");
        return Ended::Bad(Verdict::Unlinked, answer, format!("{hostcall}: {text}"));
    }
    let reason = format!("the module needs {hostcall}, which the host lacks: {text}");
    Ended::Blocked(row(q.abi, hostcall, "OK"), reason)
}

/// The guest trapped within a call that is there for the set-up only. Whether another case of that
/// requirement fails is not known here: if none does, the trap is what this case ends with.
fn trapped_in_control(q: &Question<'_>, view: &View<'_>) -> Option<Ended> {
    let End::Trap(text) = &q.attempt.end else {
        return None;
    };
    let asks = asks(q);
    if asks.end || asks.load || level(q.checks) == Level::Survey {
        return None;
    }
    let step = |c: &Check| match &c.kind {
        CheckKind::Status { step, .. } | CheckKind::Out { step, .. } => Some(step.clone()),
        _ => None,
    };
    let open = |step: &StepRef| {
        let mut all = view.executions(step).into_iter();
        all.any(|place| view.event(place).end == Returned::Never)
    };
    let own = |at: &StepRef| {
        let mut checks = q.checks.iter().filter(|c| !c.control);
        checks.any(|c| step(c).as_ref() == Some(at))
    };
    let control = q.checks.iter().filter(|c| c.control).find(|c| {
        let at = step(c);
        at.is_some_and(|at| open(&at) && !own(&at))
    })?;
    let reason = format!("the control {} trapped: {}", control.name, text.display());
    Some(Ended::Blocked(control.req.clone(), reason))
}

/// A control shows that the set-up is not as the case thinks.
fn control_failed(q: &Question<'_>, founds: &[Found]) -> Option<Ended> {
    let controls = q.checks.iter().zip(founds).filter(|(c, _)| c.control);
    let mut failed = controls.filter(|(_, f)| f.outcome == Outcome::Fail);
    failed.next().map(|(c, f)| {
        let reason = format!("the control {} fails: {}", c.name, f.got);
        Ended::Blocked(c.req.clone(), reason)
    })
}

/// A step stands in a callback that never came. What client, upstream or log then lack is no answer of
/// its own: it shares the fate of that callback, unless a failing check is about it.
fn never_came(q: &Question<'_>, founds: &[Found]) -> Option<Ended> {
    let all = || q.checks.iter().zip(founds);
    let (check, found) = all().find(|(c, f)| {
        let step = matches!(c.kind, CheckKind::Status { .. } | CheckKind::Out { .. });
        step && f.outcome == Outcome::Unreached && f.lacks.is_some()
    })?;
    let callback = found.lacks.as_deref()?;
    let failing: Vec<&Check> = all()
        .filter(|(c, f)| !c.control && f.outcome == Outcome::Fail)
        .map(|(c, _)| c)
        .collect();
    let answers = failing.iter().any(|c| {
        let direct = matches!(
            c.kind,
            CheckKind::Status { .. }
                | CheckKind::Out { .. }
                | CheckKind::Load { .. }
                | CheckKind::Ends { .. }
        );
        direct || c.req == called(q.abi, callback)
    });
    if answers || failing.is_empty() {
        return None;
    }
    let reason = format!("{} was not reached: {}", check.name, found.got);
    Some(Ended::Blocked(called(q.abi, callback), reason))
}

/// No end of its own: the checks decide.
fn by_checks(q: &Question<'_>, founds: &[Found], judgement: &mut Judgement) {
    let own = || q.checks.iter().zip(founds).filter(|(c, _)| !c.control);
    let at = |l: Level, o: Outcome| own().find(|(c, f)| c.level == l && f.outcome == o);
    if at(Level::Must, Outcome::Fail).is_some() {
        judgement.verdict = Verdict::Fail;
        return;
    }
    let mut all = q.checks.iter().zip(founds);
    let top = judgement.level;
    let open = all.find(|(c, f)| (c.control || c.level == top) && f.outcome == Outcome::Unreached);
    if let Some((c, f)) = open {
        return unreached(q, &c.name, f, judgement);
    }
    judgement.verdict = match top {
        Level::Survey => Verdict::Survey,
        _ if at(Level::Should, Outcome::Fail).is_some() => Verdict::Warn,
        _ => match at(Level::Should, Outcome::Unreached) {
            None => Verdict::Pass,
            Some((c, f)) => {
                judgement.reason = Some(format!("{} was not reached: {}", c.name, f.got));
                Verdict::Warn
            }
        },
    };
}

/// What a case needs was never reached: another requirement's failure, or nobody knows.
fn unreached(q: &Question<'_>, name: &str, found: &Found, judgement: &mut Judgement) {
    let reason = format!("{name} was not reached: {}", found.got);
    match &found.lacks {
        Some(callback) => block(judgement, called(q.abi, callback), reason),
        None => {
            judgement.verdict = Verdict::NotRun;
            judgement.reason = Some(reason);
        }
    }
}

/// Fills in what a survey observed. A callback that never came blocks it, until it is known whether
/// the host fails to call it in other cases too.
fn survey(q: &Question<'_>, answers: &[Result<String, Found>], judgement: &mut Judgement) {
    let lacking = answers.iter().zip(q.observations).find_map(|(a, o)| {
        let found = a.as_ref().err()?;
        found.lacks.as_ref().map(|_| (o, found))
    });
    if judgement.verdict == Verdict::Survey
        && let Some((o, found)) = lacking
    {
        unreached(q, &o.name, found, judgement);
    }
    judgement.observed = observed(q, answers, None);
}

/// The answers by name; where a bad end left one open, its word.
fn observed(
    q: &Question<'_>,
    answers: &[Result<String, Found>],
    word: Option<&str>,
) -> Vec<(String, String)> {
    let named = q.observations.iter().zip(answers).map(|(o, a)| {
        let answer = match a {
            Ok(answer) => answer.clone(),
            Err(_) => word.unwrap_or("not reached").to_owned(),
        };
        (o.name.clone(), answer)
    });
    let mut all: Vec<(String, String)> = named.collect();
    let told = |w: &str| all.iter().any(|(_, a)| a == w);
    if let Some(w) = word
        && !told(w)
    {
        all.push(("end".to_owned(), w.to_owned()));
    }
    all
}
