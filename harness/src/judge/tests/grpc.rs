//! What gRPC upstreams saw: checks, what surveys observe, and that changes of it are noticed.

use super::build::*;
use crate::case::*;
use crate::judge::*;
use crate::trace::*;

use Outcome::{Fail, Pass, Unreached};

fn seen() -> Attempt {
    let mut a = attempt(vec![instance(0, stream(vec![]))]);
    a.seen.grpc = vec![GrpcSaw {
        upstream: "grpc_a".to_owned(),
        service: "pkg.Test".to_owned(),
        method: "Do".to_owned(),
        metadata: fields(&[("x-one", "1"), ("x-two", "a"), ("X-Two", "b")]),
        messages: vec![whole("first"), whole("")],
        ended: true,
        cancelled: false,
    }];
    a
}

fn wants(f: &dyn Fn(&mut GrpcExpect)) -> CheckKind {
    let mut expect = GrpcExpect::default();
    f(&mut expect);
    CheckKind::Grpc {
        upstream: "grpc_a".to_owned(),
        nth: 1,
        expect,
    }
}

fn metadata(name: &str, f: FieldExpect) -> CheckKind {
    wants(&|e| e.metadata = vec![(name.to_owned(), f.clone())])
}

fn list(all: &[&str]) -> FieldExpect {
    FieldExpect::List(all.iter().map(|s| (*s).to_owned()).collect())
}

fn messages(all: &[&str]) -> CheckKind {
    wants(&|e| e.messages = Some(all.iter().map(|m| is(m)).collect()))
}

fn count(upstream: &str, n: u64) -> CheckKind {
    CheckKind::GrpcCount {
        upstream: upstream.to_owned(),
        expect: Matcher::Number(n),
    }
}

/// Kinds of checks that hold.
fn holding() -> Vec<CheckKind> {
    vec![
        wants(&|e| e.present = Some(true)),
        wants(&|e| e.service = Some(is("pkg.Test"))),
        wants(&|e| e.method = Some(is("Do"))),
        metadata("x-one", FieldExpect::Value(is("1"))),
        metadata("x-two", list(&["a", "b"])),
        metadata("absent", FieldExpect::Value(Matcher::Absent)),
        messages(&["first", ""]),
        wants(&|e| e.ended = Some(true)),
        wants(&|e| e.cancelled = Some(false)),
        wants(&|e| e.over = Some(true)),
        count("grpc_a", 1),
        count("grpc_b", 0),
        CheckKind::Grpc {
            upstream: "grpc_b".to_owned(),
            nth: 1,
            expect: GrpcExpect {
                present: Some(false),
                ..GrpcExpect::default()
            },
        },
    ]
}

#[test]
fn what_holds_and_what_it_is_called_when_it_does_not() {
    let a = seen();
    for kind in holding() {
        assert_eq!(came(kind.clone(), &a).0, Pass, "{kind:?}");
    }
    let fails = [
        (
            wants(&|e| e.service = Some(is("x"))),
            "service \"pkg.Test\"",
        ),
        (wants(&|e| e.method = Some(is("x"))), "method \"Do\""),
        (
            metadata("x-one", FieldExpect::Value(is("2"))),
            "metadata x-one \"1\"",
        ),
        (metadata("x-no", list(&["1"])), "metadata x-no absent"),
        (messages(&[]), "messages \"first\", \"\""),
        (messages(&["first"]), "messages \"first\", \"\""),
        (messages(&["", "first"]), "messages \"first\", \"\""),
        (wants(&|e| e.ended = Some(false)), "ended"),
        (wants(&|e| e.cancelled = Some(true)), "ended"),
        (wants(&|e| e.over = Some(false)), "ended"),
        (
            wants(&|e| e.present = Some(false)),
            "pkg.Test Do was called",
        ),
        (count("grpc_a", 2), "1 calls at grpc_a"),
    ];
    for (kind, got) in fails {
        assert_eq!(came(kind.clone(), &a), (Fail, got.to_owned()), "{kind:?}");
    }
    let second = CheckKind::Grpc {
        upstream: "grpc_a".to_owned(),
        nth: 2,
        expect: GrpcExpect::default(),
    };
    assert_eq!(came(second, &a), (Fail, "1 calls at grpc_a".to_owned()));
    let open = wants(&|e| e.method = Some(Matcher::StreamContext(9)));
    let got = "method \"Do\": cannot be compared";
    assert_eq!(came(open, &a), (Unreached, got.to_owned()));
}

#[test]
fn ends_in_words() {
    let mut a = seen();
    for (ended, cancelled, word) in [
        (false, false, "open"),
        (true, false, "ended"),
        (false, true, "cancelled"),
        (true, true, "ended, then cancelled"),
    ] {
        (a.seen.grpc[0].ended, a.seen.grpc[0].cancelled) = (ended, cancelled);
        assert_eq!(observed(Observe::GrpcOver("grpc_a".into()), &a), word);
        let over = came(wants(&|e| e.over = Some(true)), &a).0;
        assert_eq!(over == Pass, ended || cancelled);
    }
}

fn question(what: Observe) -> Vec<Observation> {
    vec![Observation {
        req: "proxy_get/silent".to_owned(),
        name: "it".to_owned(),
        what,
    }]
}

fn observed(what: Observe, a: &Attempt) -> String {
    let judgement = judge(&Question {
        abi: &abi(),
        checks: &[],
        observations: &question(what),
        attempt: a,
    });
    judgement.observed[0].1.clone()
}

#[test]
fn surveys_see_the_first_call_and_notice_changes() {
    let a = seen();
    let all = [
        (Observe::GrpcCount("grpc_a".into()), "1"),
        (
            Observe::GrpcMetadata("grpc_a".into(), "x-two".into()),
            "\"a, b\"",
        ),
        (
            Observe::GrpcMessages("grpc_a".into()),
            "messages \"first\", \"\"",
        ),
        (Observe::GrpcOver("grpc_a".into()), "ended"),
    ];
    for (what, word) in all {
        assert_eq!(observed(what.clone(), &a), word);
        let moved = prove_survey(&Question {
            abi: &abi(),
            checks: &[],
            observations: &question(what.clone()),
            attempt: &a,
        });
        assert!(moved.is_some(), "{what:?}");
    }
    assert_eq!(observed(Observe::GrpcOver("grpc_b".into()), &a), "no call");
    assert_eq!(observed(Observe::GrpcCount("grpc_b".into()), &a), "0");
}

#[test]
fn every_kind_of_check_is_killed_by_some_change() {
    let a = seen();
    for kind in holding() {
        let killed = prove_checks(&Question {
            abi: &abi(),
            checks: &[check(kind.clone())],
            observations: &[],
            attempt: &a,
        });
        assert!(killed[0].is_some(), "nothing kills {kind:?}");
    }
}
