//! Known failures: versions, globs, and what each entry comes to.

use super::column::judged;
use crate::judge::*;

use EntryState::{ChangedReason, Expired, Fine, OverBroad, Stale, Unmatched};
use Outcome::{Fail, Pass, Unreached};

fn entry(cases: &[&str]) -> Known {
    Known {
        cases: cases.iter().map(|c| (*c).to_owned()).collect(),
        why: "the host's cause".to_owned(),
        link: Some("https://example.org/1".to_owned()),
        ..Known::default()
    }
}

const SUITE: [&str; 4] = ["f/g/a", "f/g/b", "f/h/c", "z/z/z"];

struct World {
    known: Vec<Known>,
    lacks: Lacks,
    missing: Option<&'static str>,
    strict: bool,
}

fn world(known: Vec<Known>) -> World {
    World {
        known,
        lacks: Lacks::default(),
        missing: None,
        strict: false,
    }
}

impl World {
    fn gate(&self, results: &[(&str, Judgement)]) -> Gating {
        let gated = results.iter().map(|(case, judgement)| Gated {
            case,
            judgement,
            missing: self.missing,
        });
        let gated: Vec<Gated<'_>> = gated.collect();
        let expectation = Expectation {
            abi: "0.2.1",
            version: "1.40.0",
            known: &self.known,
            lacks: &self.lacks,
            suite: &SUITE,
            strict: self.strict,
            today: "2026-11-28",
        };
        gate(&gated, &expectation).unwrap()
    }
}

fn fails(req: &str) -> Judgement {
    judged(Verdict::Fail, &[("p/OK", Pass), (req, Fail)])
}

fn passes() -> Judgement {
    judged(Verdict::Pass, &[("x/OK", Pass)])
}

fn known(entry: u32) -> Gate {
    Gate::Known {
        entry,
        why: "the host's cause".to_owned(),
        link: Some("https://example.org/1".to_owned()),
    }
}

fn changed(entry: u32, how: &str) -> Gate {
    Gate::ChangedReason {
        entry,
        how: how.to_owned(),
    }
}

#[test]
fn version_ranges() {
    let holds = |range: &str, version: &str| VersionRange::parse(range).unwrap().holds(version);
    for (range, version, want) in [
        (">=1.36 <1.40", "1.36", true),
        (">=1.36 <1.40", "1.36.0", true),
        (">=1.36 <1.40", "1.39.9", true),
        (">=1.36 <1.40", "1.40", false),
        (">=1.36 <1.40", "1.35.9", false),
        (">=1.36, <1.40", "1.37", true),
        (">1.36", "1.36.0", false),
        (">1.36", "1.36.1", true),
        ("<=1.36", "1.36", true),
        ("<=1.36", "1.36.1", false),
        ("=1.36", "1.36.0", true),
        ("1.36", "1.36.1", false),
        ("<1.9", "1.10", false),
        ("1.40", "v1.40.0-dev", true),
        ("<2", "1.99.99", true),
        (">1", "local", false),
    ] {
        assert_eq!(holds(range, version), want, "{range} {version}");
    }
    for bad in ["", " ", ">=", ">=x", "1..2", "~1.2", ">=1.2 <"] {
        assert!(VersionRange::parse(bad).is_err(), "{bad:?}");
    }
    let e = VersionRange::parse(">=1 ~2").unwrap_err();
    assert_eq!(e.to_string(), "read the version range part \"~2\"");
}

#[test]
fn nothing_known() {
    let g = world(vec![]).gate(&[("f/g/a", passes()), ("f/g/b", fails("x/OK"))]);
    assert_eq!(g.gates, [Gate::Expected, Gate::UnexpectedFailure]);
    assert!(g.unexpected() && g.entries.is_empty());
    assert!(!world(vec![]).gate(&[("f/g/a", passes())]).unexpected());
}

#[test]
fn a_known_failure_that_fails() {
    let g = world(vec![entry(&["z/z/z"]), entry(&["f/g/a"])]).gate(&[("f/g/a", fails("x/OK"))]);
    assert_eq!(g.gates, [known(1)]);
    assert_eq!(g.entries, [Fine, Fine]);
    assert!(!g.unexpected());
}

#[test]
fn a_known_failure_that_passes_is_stale() {
    let g = world(vec![entry(&["f/g/a", "f/g/b"])]).gate(&[("f/g/a", passes())]);
    assert_eq!(g.gates, [Gate::UnexpectedPass { entry: 0 }]);
    assert_eq!(g.entries, [Stale(vec!["f/g/a".into()])]);
    assert!(g.unexpected());
    let survey = judged(Verdict::Survey, &[]);
    let g = world(vec![entry(&["f/g/a"])]).gate(&[("f/g/a", survey)]);
    assert_eq!(g.gates, [Gate::UnexpectedPass { entry: 0 }]);
}

#[test]
fn some_fail_some_pass_is_over_broad() {
    let g = world(vec![entry(&["f/g/*"])]).gate(&[("f/g/a", passes()), ("f/g/b", fails("x/OK"))]);
    assert_eq!(g.gates, [Gate::UnexpectedPass { entry: 0 }, known(0)]);
    assert_eq!(g.entries, [OverBroad(vec!["f/g/a".into()])]);
}

#[test]
fn only_selected_cases_with_a_verdict_are_looked_at() {
    let w = world(vec![entry(&["f/**"])]);
    assert_eq!(w.gate(&[]).entries, [Fine]);
    for v in [Verdict::OutOfScope, Verdict::Blocked, Verdict::NotRun] {
        let g = w.gate(&[("f/g/a", judged(v, &[("x/OK", Unreached)]))]);
        assert_eq!((g.gates, g.entries), (vec![Gate::Expected], vec![Fine]));
    }
}

#[test]
fn globs() {
    let matched = |glob: &str, case: &str| {
        let g = world(vec![entry(&[glob])]).gate(&[(case, fails("x/OK"))]);
        g.gates[0] == known(0)
    };
    assert!(matched("f/g/a", "f/g/a") && matched("f/*/a", "f/g/a") && matched("f/**", "f/g/a"));
    assert!(!matched("f/g", "f/g/a") && !matched("f/*", "f/g/a") && !matched("f/g/a", "f/g/ab"));
    let bad = Known::default();
    let bad = Known {
        cases: vec!["f/[".into()],
        ..bad
    };
    let expectation = Expectation {
        abi: "0.2.1",
        version: "1",
        known: &[bad],
        lacks: &Lacks::default(),
        suite: &SUITE,
        strict: false,
        today: "2026-11-28",
    };
    let e = gate(&[], &expectation).unwrap_err();
    assert!(e.to_string().starts_with("read the glob \"f/[\": "), "{e}");
    let bad = Known {
        versions: Some("x".into()),
        ..entry(&["f/g/a"])
    };
    assert!(
        gate(
            &[],
            &Expectation {
                known: &[bad],
                ..expectation
            }
        )
        .is_err()
    );
}

#[test]
fn patterns_that_name_nothing_in_the_suite() {
    let g = world(vec![entry(&["f/g/a", "q/*", "q/q"])]).gate(&[("f/g/a", passes())]);
    assert_eq!(g.entries, [Unmatched(vec!["q/*".into(), "q/q".into()])]);
    let g = world(vec![entry(&["f/g/a", "q/q"])]).gate(&[("f/g/a", fails("x/OK"))]);
    assert!(!g.unexpected(), "a usage error, not a gate");
}

#[test]
fn entries_of_other_columns() {
    let here = |abi: &[&str], versions: Option<&str>| {
        let k = Known {
            abi: abi.iter().map(|a| (*a).to_owned()).collect(),
            versions: versions.map(str::to_owned),
            ..entry(&["f/g/a"])
        };
        world(vec![k]).gate(&[("f/g/a", fails("x/OK"))]).gates[0] == known(0)
    };
    assert!(here(&[], None) && here(&["0.2.0", "0.2.1"], None) && here(&[], Some(">=1.40")));
    assert!(!here(&["0.2.0"], None) && !here(&[], Some("<1.40")));
    assert!(!here(&["0.2.1"], Some("<1.40")) && !here(&["0.2.0"], Some(">=1.40")));
}

#[test]
fn another_verdict_is_another_reason() {
    let k = Known {
        verdicts: vec![Verdict::Trap, Verdict::Crash],
        ..entry(&["f/g/a"])
    };
    let g = world(vec![k.clone()]).gate(&[("f/g/a", fails("x/OK"))]);
    let how = "fail, not trap or crash";
    assert_eq!(g.gates, [changed(0, how)]);
    assert_eq!(
        g.entries,
        [ChangedReason(vec![("f/g/a".into(), how.into())])]
    );
    assert!(g.unexpected());
    let crash = judged(Verdict::Crash, &[("x/OK", Unreached)]);
    assert_eq!(world(vec![k]).gate(&[("f/g/a", crash)]).gates, [known(0)]);
}

#[test]
fn another_check_is_another_reason() {
    let k = |req: &str| Known {
        checks: vec![req.to_owned()],
        ..entry(&["f/g/a"])
    };
    let both = || judged(Verdict::Fail, &[("x/OK", Fail), ("y/OK", Fail)]);
    assert_eq!(
        world(vec![k("x/OK")])
            .gate(&[("f/g/a", fails("x/OK"))])
            .gates,
        [known(0)]
    );
    let g = world(vec![k("x/OK")]).gate(&[("f/g/a", both())]);
    assert_eq!(g.gates, [changed(0, "y/OK fails")]);
    let g = world(vec![k("q/OK")]).gate(&[("f/g/a", fails("x/OK"))]);
    assert_eq!(g.gates, [changed(0, "x/OK fails")]);
    let g = world(vec![k("x/OK"), k("y/OK")]).gate(&[("f/g/a", both())]);
    assert_eq!((g.gates, g.entries), (vec![known(0)], vec![Fine, Fine]));
    let g = world(vec![k("q/OK"), k("x/OK")]).gate(&[("f/g/a", fails("x/OK"))]);
    assert_eq!(g.gates, [known(1)], "the one that explains it");
    assert_eq!(g.entries, [Stale(vec!["f/g/a".into()]), Fine]);
    let mut controlled = fails("x/OK");
    controlled.checks[0].outcome = Fail;
    controlled.checks[0].control = true;
    assert_eq!(
        world(vec![k("x/OK")]).gate(&[("f/g/a", controlled)]).gates,
        [known(0)]
    );
    let trap = judged(Verdict::Trap, &[("x/OK", Unreached)]);
    assert_eq!(
        world(vec![k("x/OK")]).gate(&[("f/g/a", trap)]).gates,
        [known(0)]
    );
}

#[test]
fn warnings() {
    let warn = || judged(Verdict::Warn, &[("x/OK", Fail)]);
    assert_eq!(
        world(vec![]).gate(&[("f/g/a", warn())]).gates,
        [Gate::Expected]
    );
    let mut strict = world(vec![]);
    strict.strict = true;
    assert_eq!(
        strict.gate(&[("f/g/a", warn())]).gates,
        [Gate::UnexpectedFailure]
    );
    strict.lacks.callbacks = vec!["x".into()];
    assert_eq!(strict.gate(&[("f/g/a", warn())]).gates, [Gate::Expected]);
    let g = world(vec![entry(&["f/g/a"])]).gate(&[("f/g/a", warn())]);
    assert_eq!(g.gates, [known(0)]);
}

#[test]
fn what_the_profile_says_that_the_host_lacks() {
    let mut w = world(vec![entry(&["z/z/z"])]);
    w.lacks = Lacks {
        hostcalls: vec!["h".into()],
        callbacks: vec!["proxy_on_x".into()],
    };
    let is_known = |w: &World, j: Judgement| match &w.gate(&[("f/g/a", j)]).gates[0] {
        Gate::Known { entry, why, link } => {
            assert_eq!((*entry, link), (1, &None));
            assert_eq!(why, "the profile says that the host lacks it");
            true
        }
        other => {
            assert_eq!(*other, Gate::UnexpectedFailure);
            false
        }
    };
    let unlinked = |req: &str| judged(Verdict::Unlinked, &[(req, Unreached)]);
    assert!(is_known(&w, unlinked("h/OK")) && !is_known(&w, unlinked("hh/OK")));
    assert!(!is_known(&w, unlinked("proxy_on_x/called")));
    assert!(is_known(&w, fails("proxy_on_x/called")) && !is_known(&w, fails("h/OK")));
    let more = judged(
        Verdict::Fail,
        &[("proxy_on_x/called", Fail), ("y/OK", Fail)],
    );
    assert!(!is_known(&w, more));
    let trap = judged(Verdict::Trap, &[("proxy_on_x/called", Unreached)]);
    assert!(!is_known(&w, trap));
    assert!(!is_known(
        &w,
        judged(Verdict::Fail, &[("proxy_on_x/called", Pass)])
    ));
    w.missing = Some("other");
    assert!(!is_known(&w, unlinked("h/OK")));
    w.missing = Some("h");
    assert!(is_known(&w, unlinked("y/OK")));
}

#[test]
fn an_entry_that_is_over_is_asked_for_again() {
    let until = |day: &str| Known {
        expires: Some(day.to_owned()),
        ..entry(&["f/g/a"])
    };
    let gate = |day: &str, j: Judgement| world(vec![until(day)]).gate(&[("f/g/a", j)]);
    let over = gate("2026-11-27", fails("x/OK"));
    assert_eq!(over.gates, [known(0)], "the failure itself is no news");
    assert_eq!(over.entries, [Expired("2026-11-27".into())]);
    assert!(over.unexpected());
    // The day itself is the last one on which it holds.
    assert_eq!(gate("2026-11-28", fails("x/OK")).entries, [Fine]);
    assert_eq!(
        gate("2026-11-27", passes()).entries,
        [Stale(vec!["f/g/a".into()])]
    );
    let nothing = world(vec![until("2020-01-01")]).gate(&[("f/g/b", passes())]);
    assert_eq!(nothing.entries, [Fine], "it names nothing that was run");
}

#[test]
fn the_ledger_has_every_case_with_a_verdict_of_its_own() {
    let results = [
        ("f/g/a", fails("x/OK")),
        ("f/g/b", passes()),
        ("f/h/c", judged(Verdict::Trap, &[("x/OK", Unreached)])),
        ("z/z/z", judged(Verdict::NotRun, &[])),
    ];
    let k = Known {
        verdicts: vec![Verdict::Fail],
        ..entry(&["f/**", "z/**"])
    };
    let ledger = &world(vec![k]).gate(&results).ledgers[0];
    assert_eq!(ledger.failed, ["f/g/a"]);
    assert_eq!(ledger.passed, ["f/g/b"]);
    assert_eq!(
        ledger.changed,
        [("f/h/c".to_owned(), "trap, not fail".to_owned())]
    );
}
