//! Settling blocked cases of a column, counting, the verdict on the host.

use crate::abi::Level;
use crate::judge::*;

fn result(req: &str, outcome: Outcome) -> CheckResult {
    CheckResult {
        name: "c".to_owned(),
        req: req.to_owned(),
        level: Level::Must,
        control: false,
        outcome,
        expected: String::new(),
        got: String::new(),
        line: 1,
        column: 1,
        event: None,
    }
}

pub(super) fn judged(verdict: Verdict, checks: &[(&str, Outcome)]) -> Judgement {
    Judgement {
        verdict,
        level: Level::Must,
        checks: checks.iter().map(|(r, o)| result(r, *o)).collect(),
        observed: Vec::new(),
        blocked_by: None,
        reason: None,
    }
}

fn blocked(own: &str, by: &str) -> Judgement {
    Judgement {
        blocked_by: Some(by.to_owned()),
        ..judged(Verdict::Blocked, &[(own, Outcome::Unreached)])
    }
}

/// The reason of a case whose guest has trapped.
const TRAPPED: &str = "the control call 1 status trapped: unreachable";

const MARKER: &str = "abi_version/marker";

fn settling<'a>(all: &'a mut [(&'static str, bool, Judgement)]) -> Vec<Settling<'a>> {
    let one = |(case, loaded, judgement): &'a mut (&'static str, bool, Judgement)| Settling {
        case,
        loaded: *loaded,
        refused: !*loaded,
        trapped: judgement.reason.as_deref() == Some(TRAPPED),
        judgement,
    };
    all.iter_mut().map(one).collect()
}

fn settled(all: &mut [(&'static str, bool, Judgement)], last: bool) -> Vec<String> {
    settle(&mut settling(all), MARKER, &["z/linked"], last)
}

use Outcome::{Fail, Pass, Unreached};

#[test]
fn a_blocked_case_names_a_requirement_that_fails() {
    let mut all = [
        ("a", true, blocked("x/OK", "y/OK")),
        (
            "b",
            true,
            judged(Verdict::Fail, &[("y/OK", Fail), ("z/OK", Pass)]),
        ),
    ];
    assert_eq!(settled(&mut all, false), [""; 0]);
    assert_eq!(all[0].2.verdict, Verdict::Blocked);
    assert_eq!(all[0].2.blocked_by.as_deref(), Some("y/OK"));
}

#[test]
fn what_failed_for_want_of_a_callback_that_comes_elsewhere_is_a_failure() {
    let effect = |control| {
        let mut judgement = blocked("x/effect", "y/called");
        judgement.checks[0].outcome = Fail;
        judgement.checks.push(result("z/OK", Fail));
        judgement.checks[1].control = control;
        judgement
    };
    let elsewhere = || judged(Verdict::Pass, &[("y/called", Pass)]);
    let verdict = |control, loaded| {
        let mut all = [("a", loaded, effect(control)), ("b", true, elsewhere())];
        settled(&mut all, true);
        all[0].2.verdict
    };
    assert_eq!(verdict(false, true), Verdict::Fail);
    // Where the set-up was not as the case thinks, and where nothing was loaded, it is nobody's.
    assert_eq!(verdict(true, true), Verdict::NotRun);
    assert_eq!(verdict(false, false), Verdict::NotRun);
}

#[test]
fn else_it_is_not_run() {
    let mut first = blocked("x/OK", "z/OK");
    first.reason = Some("because".to_owned());
    let mut all = [
        ("a", true, first),
        (
            "b",
            true,
            judged(Verdict::Fail, &[("y/OK", Fail), ("z/OK", Pass)]),
        ),
        ("c", true, blocked("v/OK", "w/OK")),
        (
            "d",
            true,
            judged(Verdict::OutOfScope, &[("w/OK", Unreached)]),
        ),
    ];
    assert_eq!(settled(&mut all, false), [""; 0]);
    let j = &all[0].2;
    assert_eq!(
        (j.verdict, j.blocked_by.as_deref()),
        (Verdict::NotRun, None)
    );
    assert_eq!(
        j.reason.as_deref(),
        Some("because; blocked by z/OK, but b is fail")
    );
    assert_eq!(
        all[2].2.reason.as_deref(),
        Some("blocked by w/OK, but d is out-of-scope")
    );
}

#[test]
fn a_survey_that_was_not_reached_says_so_where_the_callback_comes_elsewhere() {
    let asked = |req| {
        let mut j = blocked("", req);
        j.checks.clear();
        j.observed = vec![("call 1 status".to_owned(), "not reached".to_owned())];
        j
    };
    let mut all = [
        ("a", true, asked("x/called")),
        ("b", true, judged(Verdict::Pass, &[("x/called", Pass)])),
        ("c", true, asked("y/called")),
        ("d", true, judged(Verdict::Fail, &[("y/called", Fail)])),
    ];
    settled(&mut all, false);
    assert_eq!(all[0].2.verdict, Verdict::Survey);
    assert_eq!(all[0].2.observed[0].1, "not reached");
    assert_eq!(all[0].2.blocked_by, None);
    assert_eq!(all[2].2.verdict, Verdict::Blocked);
    assert!(all[2].2.observed.is_empty());
}

#[test]
fn requirements_without_a_case_are_asked_for() {
    let make = || {
        [
            ("a", true, blocked("x/OK", "z/OK")),
            ("b", true, blocked("x/OK", "y/OK")),
            ("c", true, blocked("v/OK", "y/OK")),
        ]
    };
    let mut all = make();
    assert_eq!(settled(&mut all, false), ["y/OK", "z/OK"]);
    assert!(all.iter().all(|(_, _, j)| j.verdict == Verdict::Blocked));
    let mut all = make();
    assert_eq!(settled(&mut all, true), ["y/OK", "z/OK"]);
    assert!(all.iter().all(|(_, _, j)| j.verdict == Verdict::NotRun));
    assert_eq!(
        all[0].2.reason.as_deref(),
        Some("no case of z/OK can be run")
    );
    let mut none = [("a", true, judged(Verdict::Pass, &[("x/OK", Pass)]))];
    assert_eq!(settled(&mut none, true), [""; 0]);
}

#[test]
fn a_hostcall_of_another_form_blocks_and_no_host_is_judged_by_it() {
    let mut all = [
        ("a", false, blocked("x/OK", "z/OK")),
        ("b", true, blocked("x/OK", "z/OK")),
        ("c", false, blocked("x/OK", "zz/OK")),
    ];
    settled(&mut all, true);
    assert_eq!(all[0].2.verdict, Verdict::Blocked);
    assert_eq!(all[0].2.blocked_by.as_deref(), Some("z/linked"));
    assert_eq!(all[1].2.verdict, Verdict::NotRun, "it was loaded");
    assert_eq!(all[2].2.verdict, Verdict::NotRun, "another hostcall");
    let mut fails = [
        ("a", false, blocked("x/OK", "z/OK")),
        (
            "b",
            false,
            judged(Verdict::Unlinked, &[("z/OK", Unreached)]),
        ),
    ];
    settled(&mut fails, true);
    assert_eq!(fails[0].2.blocked_by.as_deref(), Some("z/OK"));
}

#[test]
fn a_missing_hostcall_that_no_case_asks_about_is_shown_by_the_case_that_links_all() {
    let mut all = [
        ("a", false, blocked("x/OK", "y/OK")),
        ("b", true, blocked("x/OK", "y/OK")),
        (
            "c",
            false,
            judged(Verdict::Fail, &[("functions/linked", Fail)]),
        ),
    ];
    settled(&mut all, true);
    let ends = |n: usize| (all[n].2.verdict, all[n].2.blocked_by.as_deref());
    assert_eq!(ends(0), (Verdict::Blocked, Some("functions/linked")));
    assert_eq!(ends(1), (Verdict::NotRun, None));
}

#[test]
fn chains_end_at_what_fails() {
    let mut all = [
        ("a", true, blocked("a/OK", "b/OK")),
        ("b", true, blocked("b/OK", "c/OK")),
        ("c", true, judged(Verdict::Trap, &[("c/OK", Unreached)])),
        ("d", true, judged(Verdict::Pass, &[("b/OK", Pass)])),
    ];
    settled(&mut all, false);
    assert_eq!(all[0].2.blocked_by.as_deref(), Some("c/OK"));
    assert_eq!(all[1].2.blocked_by.as_deref(), Some("c/OK"));
    let mut ring = [
        ("a", true, blocked("a/OK", "b/OK")),
        ("b", true, blocked("b/OK", "a/OK")),
    ];
    assert_eq!(settled(&mut ring, false), [""; 0]);
    assert_eq!(ring[0].2.verdict, Verdict::NotRun);
    let why = ring[0].2.reason.as_deref();
    assert_eq!(why, Some("blocked by b/OK, but its cases block each other"));
    let mut one = [
        ("a", true, blocked("a/OK", "c/OK")),
        ("p", true, judged(Verdict::Pass, &[("c/OK", Pass)])),
        ("f", true, judged(Verdict::Fail, &[("c/OK", Fail)])),
        ("q", true, judged(Verdict::Pass, &[("c/OK", Pass)])),
        ("r", true, blocked("c/OK", "a/OK")),
    ];
    settled(&mut one, false);
    assert_eq!(
        one[0].2.verdict,
        Verdict::Blocked,
        "one case that fails is enough"
    );
}

#[test]
fn which_requirements_a_result_fails() {
    let checks = [("p/OK", Pass), ("f/OK", Fail), ("u/OK", Unreached)];
    let of = |v: Verdict| {
        let j = judged(v, &checks);
        failed(&j).join(" ")
    };
    assert_eq!(of(Verdict::Fail), "f/OK");
    assert_eq!(of(Verdict::Warn), "f/OK");
    for v in [
        Verdict::Unlinked,
        Verdict::Refused,
        Verdict::Trap,
        Verdict::Crash,
        Verdict::Timeout,
    ] {
        assert_eq!(of(v), "f/OK u/OK");
    }
    for v in [
        Verdict::Pass,
        Verdict::Survey,
        Verdict::Blocked,
        Verdict::NotRun,
        Verdict::OutOfScope,
    ] {
        assert_eq!(of(v), "");
    }
    assert_eq!(
        failed(&judged(
            Verdict::Warn,
            &[("p/OK", Pass), ("u/OK", Unreached)]
        )),
        ["u/OK"]
    );
    let mut j = judged(Verdict::Fail, &checks);
    j.checks[1].control = true;
    assert!(failed(&j).is_empty());
}

#[test]
fn controls_are_no_cases_of_their_requirement() {
    let mut control = judged(Verdict::Pass, &[("y/OK", Pass)]);
    control.checks[0].control = true;
    let mut all = [("a", true, blocked("x/OK", "y/OK")), ("b", true, control)];
    assert_eq!(settled(&mut all, false), ["y/OK"]);
}

#[test]
fn a_host_that_loads_nothing_fails_the_marker_alone() {
    let refused = |req: &str| judged(Verdict::Refused, &[(req, Unreached)]);
    let mut all = [
        ("m", false, refused(MARKER)),
        ("a", false, refused("x/OK")),
        (
            "b",
            false,
            judged(Verdict::Unlinked, &[("y/OK", Unreached)]),
        ),
        (
            "c",
            false,
            judged(Verdict::OutOfScope, &[("z/OK", Unreached)]),
        ),
        ("d", false, blocked("v/OK", "x/OK")),
    ];
    assert_eq!(settled(&mut all, false), [""; 0]);
    let by = |n: usize| (all[n].2.verdict, all[n].2.blocked_by.as_deref());
    assert_eq!(by(0), (Verdict::Refused, None));
    assert_eq!(by(1), (Verdict::Blocked, Some(MARKER)));
    assert_eq!(by(2), (Verdict::Blocked, Some(MARKER)));
    assert_eq!(by(3), (Verdict::OutOfScope, None));
    assert_eq!(by(4), (Verdict::Blocked, Some(MARKER)));
    let mut alone = [("a", false, refused("x/OK"))];
    assert_eq!(
        settled(&mut alone, false),
        [MARKER],
        "the marker's case has to show it"
    );
    assert_eq!(alone[0].2.verdict, Verdict::Refused);
    let mut some = [
        ("m", false, refused(MARKER)),
        ("a", true, judged(Verdict::Pass, &[("x/OK", Pass)])),
        ("b", false, refused("y/OK")),
    ];
    assert_eq!(settled(&mut some, false), [""; 0]);
    assert_eq!(some[2].2.verdict, Verdict::Refused, "something was loaded");
    let mut other = [
        ("m", false, judged(Verdict::NotRun, &[(MARKER, Unreached)])),
        ("b", false, refused("y/OK")),
    ];
    assert_eq!(settled(&mut other, false), [""; 0]);
    assert_eq!(other[1].2.verdict, Verdict::Refused);
    let mut asked = [
        ("m", false, judged(Verdict::Fail, &[(MARKER, Fail)])),
        ("a", false, refused("x/OK")),
        ("s", false, judged(Verdict::Survey, &[])),
        ("p", false, judged(Verdict::Pass, &[("y/OK", Pass)])),
    ];
    asked[2].2.observed = vec![("load".to_owned(), "refused".to_owned())];
    assert_eq!(settled(&mut asked, false), [""; 0]);
    let by = |n: usize| (asked[n].2.verdict, asked[n].2.blocked_by.as_deref());
    assert_eq!(by(0), (Verdict::Fail, None), "it asks whether it is loaded");
    assert_eq!(by(1), (Verdict::Blocked, Some(MARKER)));
    assert_eq!(by(2), (Verdict::Blocked, Some(MARKER)));
    assert!(asked[2].2.observed.is_empty());
    assert_eq!(
        by(3),
        (Verdict::Pass, None),
        "a module that must be refused"
    );
    let mut dead = [("a", false, judged(Verdict::Crash, &[("x/OK", Unreached)]))];
    assert_eq!(settled(&mut dead, false), [""; 0]);
}

fn at(level: Level, verdict: Verdict) -> Judgement {
    Judgement {
        level,
        ..judged(verdict, &[])
    }
}

fn known() -> Gate {
    Gate::Known {
        entry: 0,
        why: String::new(),
        link: None,
    }
}

fn counted(all: &[(Level, Verdict, Gate)]) -> Tally {
    let judgements: Vec<Judgement> = all.iter().map(|(l, v, _)| at(*l, *v)).collect();
    let pairs = judgements.iter().zip(all);
    tally(pairs.map(|(judgement, (_, _, gate))| Counted {
        judgement,
        gate,
        added: false,
    }))
}

use Level::{Must, Should, Survey};

#[test]
fn counts() {
    let changed = Gate::ChangedReason {
        entry: 0,
        how: String::new(),
    };
    let t = counted(&[
        (Must, Verdict::Pass, Gate::UnexpectedPass { entry: 1 }),
        (Must, Verdict::Fail, known()),
        (Must, Verdict::Crash, Gate::UnexpectedFailure),
        (Must, Verdict::Trap, changed),
        (Must, Verdict::Blocked, Gate::Expected),
        (Must, Verdict::NotRun, Gate::Expected),
        (Should, Verdict::Warn, known()),
        (Survey, Verdict::Survey, Gate::Expected),
    ]);
    assert_eq!(t.selected, 8);
    let ones = |all: &ByVerdict| {
        let some = Verdict::ALL.iter().zip(all).filter(|(_, n)| **n == 1);
        some.map(|(v, _)| v.word()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        ones(&t.verdicts),
        "pass fail warn survey trap crash blocked not-run"
    );
    assert_eq!(ones(&t.must), "pass fail trap crash blocked not-run");
    assert_eq!(
        (ones(&t.should).as_str(), ones(&t.survey).as_str()),
        ("warn", "survey")
    );
    assert_eq!((t.must_failed, t.must_known, t.known), (3, 1, 2));
    assert_eq!((t.unexpected_failures, t.unexpected_passes), (2, 1));
    assert_eq!(
        (
            t.must_open(),
            t.count(Verdict::Warn),
            t.must_count(Verdict::Warn)
        ),
        (2, 1, 0)
    );
    assert!(t.unexpected());
    let j = at(Must, Verdict::Fail);
    let gate = Gate::UnexpectedFailure;
    let added = tally([Counted {
        judgement: &j,
        gate: &gate,
        added: true,
    }]);
    assert_eq!(added, Tally::default());
    assert!(!added.unexpected());
    assert!(counted(&[(Must, Verdict::Fail, gate)]).unexpected());
    assert!(counted(&[(Must, Verdict::Pass, Gate::UnexpectedPass { entry: 0 })]).unexpected());
}

#[test]
fn the_verdict_on_a_host() {
    let verdict = |all: &[Verdict]| {
        let all: Vec<_> = all.iter().map(|v| (Must, *v, Gate::Expected)).collect();
        counted(&all).verdict()
    };
    use Verdict::*;
    assert_eq!(
        verdict(&[Pass, OutOfScope, Warn]),
        Some(HostVerdict::Conformant)
    );
    assert_eq!(
        verdict(&[Pass, Fail, NotRun]),
        Some(HostVerdict::NotConformant)
    );
    assert_eq!(verdict(&[Pass, NotRun]), Some(HostVerdict::Incomplete));
    assert_eq!(verdict(&[Pass, Blocked]), Some(HostVerdict::Incomplete));
    assert_eq!(verdict(&[OutOfScope]), None);
    assert_eq!(verdict(&[]), None);
    let others = [
        (Should, Warn, Gate::Expected),
        (Level::Survey, NotRun, Gate::Expected),
        (Must, Pass, Gate::Expected),
    ];
    assert_eq!(counted(&others).verdict(), Some(HostVerdict::Conformant));
}

#[test]
fn both_words_in_one_line() {
    let of = |all: &[(Verdict, Gate)]| {
        let all: Vec<_> = all.iter().map(|(v, g)| (Must, *v, g.clone())).collect();
        counted(&all)
    };
    let plain = Manner::default();
    let pass = of(&[(Verdict::Pass, Gate::Expected)]);
    assert_eq!(pass.line(&plain), "conformant · as expected");
    let scoped = Manner {
        not_offered: &["TCP", "gRPC"],
        ..plain
    };
    let line = "conformant in scope; not offered: TCP, gRPC · as expected";
    assert_eq!(pass.line(&scoped), line);
    let two = of(&[(Verdict::Fail, known()), (Verdict::Trap, known())]);
    assert_eq!(
        two.line(&plain),
        "not conformant (2 must cases fail, 2 known) · as expected"
    );
    let one = of(&[(Verdict::Fail, Gate::UnexpectedFailure)]);
    assert_eq!(
        one.line(&plain),
        "not conformant (1 must case fails, 0 known) · unexpected"
    );
    assert_eq!(
        one.line(&scoped),
        "not conformant (1 must case fails, 0 known); not offered: TCP, gRPC · unexpected"
    );
    let open = of(&[(Verdict::NotRun, Gate::Expected)]);
    assert_eq!(
        open.line(&plain),
        "incomplete (1 must case could not be run) · as expected"
    );
    let open = of(&[
        (Verdict::NotRun, Gate::Expected),
        (Verdict::Blocked, Gate::Expected),
    ]);
    assert_eq!(
        open.line(&plain),
        "incomplete (2 must cases could not be run) · as expected"
    );
    let none = of(&[]);
    assert_eq!(
        none.line(&plain),
        "no verdict (no must case in scope) · as expected"
    );
    let dialect = Manner {
        dialect: Some("mosn-v2"),
        ..plain
    };
    let line = "mosn-v2 is a dialect: no verdict (2 must cases fail, 2 known) · as expected";
    assert_eq!(two.line(&dialect), line);
    let library = Manner {
        library: true,
        unexpected: true,
        ..plain
    };
    assert_eq!(
        pass.line(&library),
        "library, boundary only: conformant · unexpected"
    );
}

#[test]
fn a_trap_in_a_control_is_an_end_of_its_own_where_the_control_holds_elsewhere() {
    let trapped = |level| Judgement {
        level,
        reason: Some(TRAPPED.to_owned()),
        ..blocked("x/OK", "y/OK")
    };
    let ended = |other: Judgement, level| {
        let mut all = [("a", true, trapped(level)), ("b", true, other)];
        settled(&mut all, true);
        (all[0].2.verdict, all[0].2.blocked_by.is_some())
    };
    let fails = || judged(Verdict::Fail, &[("y/OK", Fail)]);
    let passes = || judged(Verdict::Pass, &[("y/OK", Pass)]);
    assert_eq!(ended(fails(), Level::Must), (Verdict::Blocked, true));
    assert_eq!(ended(passes(), Level::Must), (Verdict::Trap, false));
    assert_eq!(ended(passes(), Level::Should), (Verdict::Warn, false));
}
