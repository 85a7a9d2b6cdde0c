//! From checks and ends to the verdict on a case: what goes before what.

use super::build::*;
use crate::abi::Level;
use crate::case::*;
use crate::judge::*;
use crate::trace::*;

fn ok(n: u64) -> Attempt {
    let get = call(0, "proxy_get", n, &[]);
    attempt(vec![instance(0, stream(vec![get]))])
}

fn at(level: Level, kind: CheckKind) -> Check {
    Check {
        level,
        ..check(kind)
    }
}

fn control(kind: CheckKind) -> Check {
    Check {
        control: true,
        req: "proxy_ctl/OK".to_owned(),
        name: "call 1 status".to_owned(),
        ..check(kind)
    }
}

fn tick_status() -> CheckKind {
    CheckKind::Status {
        step: step(5, "proxy_on_tick"),
        expect: Matcher::Enum("OK".into(), 0),
    }
}

fn never_made() -> CheckKind {
    CheckKind::Status {
        step: step(5, HEADERS),
        expect: Matcher::Enum("OK".into(), 0),
    }
}

#[test]
fn checks_decide() {
    use Level::{Must, Should, Survey};
    let verdict = |checks: &[Check]| {
        let j = ask(checks, &ok(0));
        (j.verdict, j.level)
    };
    let (good, bad) = (|| wants_status(0), || wants_status(1));
    assert_eq!(verdict(&[at(Must, good())]), (Verdict::Pass, Must));
    assert_eq!(verdict(&[at(Must, bad())]), (Verdict::Fail, Must));
    assert_eq!(verdict(&[at(Should, good())]), (Verdict::Pass, Should));
    assert_eq!(verdict(&[at(Should, bad())]), (Verdict::Warn, Should));
    assert_eq!(
        verdict(&[at(Should, bad()), at(Must, good())]),
        (Verdict::Warn, Must)
    );
    assert_eq!(
        verdict(&[at(Should, bad()), at(Must, bad())]),
        (Verdict::Fail, Must)
    );
    assert_eq!(verdict(&[at(Survey, bad())]), (Verdict::Survey, Survey));
    assert_eq!(
        verdict(&[at(Survey, bad()), at(Must, good())]),
        (Verdict::Pass, Must)
    );
    assert_eq!(verdict(&[control(good())]), (Verdict::Survey, Survey));
    assert_eq!(
        verdict(&[control(good()), at(Should, good())]),
        (Verdict::Pass, Should)
    );
}

#[test]
fn a_failed_control_blocks() {
    let j = ask(&[check(wants_status(0)), control(wants_status(1))], &ok(0));
    assert_eq!(j.verdict, Verdict::Blocked);
    assert_eq!(j.blocked_by.as_deref(), Some("proxy_ctl/OK"));
    assert_eq!(
        j.reason.as_deref(),
        Some("the control call 1 status fails: OK")
    );
    assert!(j.checks[1].control && !j.checks[0].control);
    let j = ask(&[check(wants_status(1)), control(wants_status(1))], &ok(0));
    assert_eq!(j.verdict, Verdict::Blocked, "before a failure of its own");
    let j = ask(&[check(wants_status(1)), control(wants_status(0))], &ok(0));
    assert_eq!((j.verdict, j.blocked_by), (Verdict::Fail, None));
}

#[test]
fn an_unreached_must_check_never_passes() {
    let j = ask(&[check(wants_status(0)), check(tick_status())], &ok(0));
    assert_eq!(j.verdict, Verdict::Blocked);
    assert_eq!(j.blocked_by.as_deref(), Some("proxy_on_tick/called"));
    assert_eq!(
        j.reason.as_deref(),
        Some("the check was not reached: proxy_on_tick never came")
    );
    let j = ask(&[check(wants_status(0)), check(never_made())], &ok(0));
    assert_eq!((j.verdict, j.blocked_by), (Verdict::NotRun, None));
    let j = ask(&[check(wants_status(1)), check(tick_status())], &ok(0));
    assert_eq!(j.verdict, Verdict::Fail, "a failure is a failure");
    let j = ask(&[check(wants_status(0)), control(tick_status())], &ok(0));
    assert_eq!(
        j.verdict,
        Verdict::Blocked,
        "an unreached control blocks as well"
    );
}

#[test]
fn an_unreached_should_check_warns_beside_a_must_check() {
    let should = || at(Level::Should, tick_status());
    let j = ask(&[check(wants_status(0)), should()], &ok(0));
    assert_eq!(j.verdict, Verdict::Warn);
    assert_eq!(
        j.reason.as_deref(),
        Some("the check was not reached: proxy_on_tick never came")
    );
    let j = ask(&[should()], &ok(0));
    assert_eq!(j.verdict, Verdict::Blocked);
}

#[test]
fn an_effect_of_a_step_that_never_ran_shares_the_fate_of_its_callback() {
    let effect = |req: &str| Check {
        req: req.to_owned(),
        ..check(CheckKind::UpstreamCount {
            upstream: "main".to_owned(),
            expect: Matcher::Number(7),
        })
    };
    let j = ask(&[effect("proxy_get/effect"), check(tick_status())], &ok(0));
    assert_eq!(j.verdict, Verdict::Blocked);
    assert_eq!(j.blocked_by.as_deref(), Some("proxy_on_tick/called"));
    let of_its_own = [effect("proxy_on_tick/period"), check(tick_status())];
    assert_eq!(ask(&of_its_own, &ok(0)).verdict, Verdict::Blocked);
    // That the callback comes at all, and what a hostcall answered, is an answer of its own.
    let own = ask(
        &[effect("proxy_on_tick/called"), check(tick_status())],
        &ok(0),
    );
    assert_eq!(own.verdict, Verdict::Fail);
    let direct = ask(&[check(wants_status(1)), check(tick_status())], &ok(0));
    assert_eq!(direct.verdict, Verdict::Fail);
    // Without such a step the effect stands alone.
    assert_eq!(
        ask(&[effect("proxy_get/effect")], &ok(0)).verdict,
        Verdict::Fail
    );
}

#[test]
fn that_the_callback_comes_is_its_own_failure() {
    let own = |req: &str| Check {
        req: req.to_owned(),
        ..check(tick_status())
    };
    let j = ask(&[own("proxy_on_tick/called")], &ok(0));
    assert_eq!(
        (j.verdict, j.checks[0].outcome),
        (Verdict::Fail, Outcome::Fail)
    );
    assert_eq!(j.checks[0].got, "proxy_on_tick never came");
    assert_eq!(
        ask(&[own("proxy_on_tick/ticks")], &ok(0)).verdict,
        Verdict::Blocked
    );
}

#[test]
fn requirements_without_the_usual_name() {
    let in_callback = |callback: &str| {
        let kind = CheckKind::Status {
            step: step(5, callback),
            expect: Matcher::Present,
        };
        ask(&[check(kind)], &ok(0)).blocked_by.unwrap()
    };
    assert_eq!(in_callback("proxy_on_x"), "proxy_on_x/called");
    assert_eq!(in_callback("proxy_on_tic"), "proxy_on_tic/called");
    let started = attempt(vec![instance(0, start(vec![]))]);
    let kind = CheckKind::Never {
        who: STREAM,
        pattern: pattern("a"),
        after: None,
    };
    let j = ask(&[check(kind)], &started);
    assert_eq!(
        j.blocked_by.as_deref(),
        Some("proxy_on_context_create/stream")
    );
}

#[test]
fn faults_that_are_not_the_hosts_leave_no_verdict() {
    for (blame, word) in [
        (Blame::Adapter, "adapter"),
        (Blame::Environment, "environment"),
        (Blame::Harness, "harness"),
        (Blame::Case, "case"),
    ] {
        let mut a = ok(1);
        a.end = End::Crash("x".into());
        a.faults = vec![Fault::new(Blame::Host, "h"), Fault::new(blame, "what")];
        let j = ask(&[check(wants_status(0))], &a);
        assert_eq!(j.verdict, Verdict::NotRun);
        assert_eq!(j.reason, Some(format!("{word}: what")));
    }
    let mut a = ok(0);
    a.faults = vec![Fault::new(Blame::Host, "h")];
    assert_eq!(ask(&[check(wants_status(0))], &a).verdict, Verdict::Pass);
}

fn unlinked(import: &str) -> Attempt {
    let mut a = attempt(vec![]);
    a.load = Load::Unlinked {
        import: import.to_owned(),
        text: whole("no such import"),
    };
    a
}

#[test]
fn unlinked_only_where_a_check_is_about_it() {
    let j = ask(&[check(wants_status(0))], &unlinked("proxy_get"));
    assert_eq!(j.verdict, Verdict::Unlinked);
    assert_eq!(j.reason.as_deref(), Some("proxy_get: \"no such import\""));
    let wire = |req: &str| Check {
        req: req.to_owned(),
        ..check(CheckKind::Ends {
            any_of: vec!["normal".into()],
        })
    };
    let by_req = ask(&[wire("proxy_log/level")], &unlinked("proxy_log"));
    assert_eq!(
        by_req.verdict,
        Verdict::Unlinked,
        "by the check's requirement"
    );
    let out = Check {
        req: "functions/outputs".to_owned(),
        ..check(CheckKind::Out {
            step: step(0, HEADERS),
            out: "value".into(),
            expect: Matcher::Present,
        })
    };
    assert_eq!(
        ask(&[out], &unlinked("proxy_get")).verdict,
        Verdict::Unlinked
    );
    let j = ask(&[check(wants_status(0))], &unlinked("proxy_other"));
    assert_eq!(j.verdict, Verdict::Blocked);
    assert_eq!(
        j.blocked_by.as_deref(),
        Some("proxy_renamed/WORKS"),
        "by the text's name"
    );
    assert_eq!(
        j.reason.as_deref(),
        Some("the module needs proxy_renamed, which the host lacks: \"no such import\"")
    );
    let j = ask(&[check(wants_status(0))], &unlinked("proxy_new"));
    assert_eq!(j.blocked_by.as_deref(), Some("proxy_new/OK"));
    let controlled = Check {
        control: true,
        ..check(wants_status(0))
    };
    let j = ask(
        &[controlled, wire("proxy_log/level")],
        &unlinked("proxy_get"),
    );
    assert_eq!(
        j.blocked_by.as_deref(),
        Some("proxy_get/OK"),
        "a control is not about it"
    );
}

#[test]
fn ends_are_verdicts_unless_asked_for() {
    let load = || check(CheckKind::Load { loaded: true });
    let end = |word: &str| {
        check(CheckKind::Ends {
            any_of: vec![word.into()],
        })
    };
    let plain = || check(wants_status(0));
    let refused = |a: &mut Attempt| a.load = Load::Refused { text: whole("r") };
    let trap = |a: &mut Attempt| a.end = End::Trap(whole("t"));
    let crash = |a: &mut Attempt| a.end = End::Crash("c".into());
    let timeout = |a: &mut Attempt| a.end = End::Timeout("o".into());
    type Set = dyn Fn(&mut Attempt);
    let verdict = |checks: &[Check], set: &Set| {
        let mut a = ok(0);
        set(&mut a);
        let j = ask(checks, &a);
        (j.verdict, j.reason.unwrap_or_default())
    };
    let is = |v, t: &str| (v, t.to_owned());
    assert_eq!(verdict(&[plain()], &refused), is(Verdict::Refused, "\"r\""));
    assert_eq!(verdict(&[plain()], &trap), is(Verdict::Trap, "\"t\""));
    assert_eq!(verdict(&[plain()], &crash), is(Verdict::Crash, "c"));
    assert_eq!(verdict(&[plain()], &timeout), is(Verdict::Timeout, "o"));
    assert_eq!(verdict(&[end("trap")], &refused).0, Verdict::Refused);
    assert_eq!(verdict(&[load()], &refused).0, Verdict::Fail);
    assert_eq!(verdict(&[load()], &trap).0, Verdict::Pass);
    assert_eq!(verdict(&[load()], &timeout).0, Verdict::Pass);
    assert_eq!(
        verdict(&[load()], &crash).0,
        Verdict::Crash,
        "no load case asks for that"
    );
    for (word, set) in [
        ("trap", &trap as &Set),
        ("timeout", &timeout),
        ("crash", &crash),
    ] {
        assert_eq!(verdict(&[end(word)], set).0, Verdict::Pass);
        assert_eq!(verdict(&[end("normal")], set).0, Verdict::Fail);
        let controlled = Check {
            control: true,
            ..end(word)
        };
        assert!(
            verdict(&[plain(), controlled], set).0.fails(),
            "a control does not ask"
        );
    }
}

#[test]
fn no_frame_and_no_refusal_is_no_verdict() {
    let mut a = attempt(vec![]);
    a.load = Load::Unknown;
    let end = || {
        check(CheckKind::Ends {
            any_of: vec!["normal".into(), "timeout".into()],
        })
    };
    let why = "neither a frame nor a refusal was seen";
    for checks in [[end()], [check(CheckKind::Load { loaded: false })]] {
        let j = ask(&checks, &a);
        assert_eq!(
            (j.verdict, j.reason.as_deref()),
            (Verdict::NotRun, Some(why))
        );
    }
    a.end = End::Timeout("case".into());
    let j = ask(&[end()], &a);
    assert_eq!(j.verdict, Verdict::NotRun);
    assert_eq!(j.reason, Some(format!("{why} (case timed out)")));
    a.end = End::Crash("c".into());
    assert_eq!(ask(&[check(wants_status(0))], &a).verdict, Verdict::Crash);
    a.end = End::Trap(whole("t"));
    assert_eq!(ask(&[check(wants_status(0))], &a).verdict, Verdict::Trap);
    a.end = End::Normal;
    a.trace.instances = vec![instance(0, stream(vec![]))];
    assert_eq!(ask(&[end()], &a).verdict, Verdict::Pass, "it spoke");
    a.trace.instances.clear();
    a.load = Load::Loaded;
    assert_eq!(ask(&[end()], &a).verdict, Verdict::Pass);
}

#[test]
fn bad_ends_go_before_controls_and_checks() {
    let mut a = ok(1);
    a.end = End::Trap(whole("t"));
    let j = ask(&[check(wants_status(0)), control(wants_status(0))], &a);
    assert_eq!(j.verdict, Verdict::Trap);
    assert_eq!(j.checks.len(), 2, "the checks are kept");
    let j = ask(&[at(Level::Should, wants_status(0))], &a);
    assert_eq!((j.verdict, j.observed.len()), (Verdict::Warn, 0));
    assert_eq!(j.reason.as_deref(), Some("trap: \"t\""));
    assert_eq!(ask(&[check(wants_status(0))], &a).observed, []);
}

#[test]
fn a_trap_within_a_control_blocks() {
    let mut get = call(0, "proxy_get", 0, &[]);
    get.end = Returned::Never;
    let mut a = Attempt {
        end: End::Trap(whole("t")),
        ..attempt(vec![instance(0, stream(vec![get]))])
    };
    let own = check(never_made());
    let j = ask(&[control(wants_status(0)), own.clone()], &a);
    assert_eq!(j.verdict, Verdict::Blocked);
    assert_eq!(j.blocked_by.as_deref(), Some("proxy_ctl/OK"));
    let reason = "the control call 1 status trapped: \"t\"";
    assert_eq!(j.reason.as_deref(), Some(reason));
    let both = [control(wants_status(0)), check(wants_status(0))];
    let j = ask(&both, &a);
    assert_eq!(j.verdict, Verdict::Trap, "a check is about the same call");
    a.end = End::Crash("died".to_owned());
    let j = ask(&[control(wants_status(0)), own], &a);
    assert_eq!(j.verdict, Verdict::Crash, "a host that dies is no trap");
}

#[test]
fn words_and_gates() {
    let failing: Vec<&str> = Verdict::ALL
        .into_iter()
        .filter(|v| v.fails())
        .map(Verdict::word)
        .collect();
    assert_eq!(
        failing,
        ["fail", "unlinked", "refused", "trap", "crash", "timeout"]
    );
    for (n, v) in Verdict::ALL.into_iter().enumerate() {
        assert_eq!(v as usize, n);
        let json = serde_json::to_string(&v).unwrap();
        assert_eq!(json, format!("{:?}", v.word()));
        assert_eq!(format!("{v:>12}").trim(), v.word());
        assert_eq!(format!("{v:>12}").len(), 12);
    }
    let known = Gate::Known {
        entry: 0,
        why: String::new(),
        link: None,
    };
    assert!(!known.unexpected() && !Gate::Expected.unexpected());
    assert!(Gate::UnexpectedFailure.unexpected());
    assert!(Gate::UnexpectedPass { entry: 0 }.unexpected());
}
