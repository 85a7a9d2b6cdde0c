//! Checks on hostcall steps, and which instances they are judged in.

use super::build::*;
use crate::case::{CheckKind, Matcher};
use crate::judge::{Outcome, Verdict};
use crate::trace::{EventKind, Repeat, Returned, Value};

fn get(n: u64) -> crate::trace::Event {
    call(0, "proxy_get", n, &[("value", bytes("1"))])
}

fn wants_out(m: Matcher) -> CheckKind {
    CheckKind::Out {
        step: step(0, HEADERS),
        out: "value".to_owned(),
        expect: m,
    }
}

#[test]
fn a_status_that_is_right_passes() {
    let a = attempt(vec![instance(0, stream(vec![get(0)]))]);
    let r = one(wants_status(0), &a);
    assert_eq!(r.outcome, Outcome::Pass);
    assert_eq!((r.expected.as_str(), r.got.as_str()), ("OK", ""));
    assert_eq!((r.line, r.column, r.event), (7, 9, Some((0, 5))));
    assert_eq!(
        (r.name.as_str(), r.req.as_str()),
        ("the check", "proxy_get/OK")
    );
}

#[test]
fn a_wrong_status_says_what_was_written() {
    let e = call(
        0,
        "proxy_get",
        0,
        &[("value", bytes("")), ("x", Value::Untouched)],
    );
    let a = attempt(vec![instance(0, stream(vec![e]))]);
    let r = one(wants_status(1), &a);
    assert_eq!(r.outcome, Outcome::Fail);
    assert_eq!(
        (r.expected.as_str(), r.got.as_str()),
        ("NOT_FOUND", "OK, value \"\"")
    );
    assert_eq!(r.event, Some((0, 5)));
}

#[test]
fn every_execution_must_match() {
    let a = attempt(vec![instance(0, stream(vec![get(0), get(1), get(0)]))]);
    let r = one(wants_status(0), &a);
    assert_eq!(r.outcome, Outcome::Fail);
    assert_eq!(r.got, "NOT_FOUND, value \"1\" (execution 2 of 3)");
    assert_eq!(r.event, Some((0, 6)));
    assert!(!passes(wants_status(1), &a));
}

#[test]
fn outputs_are_judged_at_each_execution() {
    let a = attempt(vec![instance(0, stream(vec![get(0), get(0)]))]);
    assert!(passes(wants_out(is("1")), &a));
    assert_eq!(one(wants_out(is("1")), &a).expected, "value \"1\"");
    let r = one(wants_out(is("2")), &a);
    assert_eq!(r.got, "OK, value \"1\" (execution 1 of 2)");
    let none = CheckKind::Out {
        step: step(0, HEADERS),
        out: "other".to_owned(),
        expect: Matcher::Absent,
    };
    assert!(passes(none, &a));
}

#[test]
fn other_steps_and_callbacks_of_the_same_number_do_not_count() {
    let mut odd = get(1);
    odd.step = Some(1);
    let mut guest = get(1);
    guest.kind = EventKind::Entry;
    let a = attempt(vec![instance(0, stream(vec![odd, guest, get(0)]))]);
    assert!(passes(wants_status(0), &a));
}

#[test]
fn a_call_that_never_returned_is_unreached() {
    let mut never = get(0);
    never.end = Returned::Never;
    let a = attempt(vec![instance(0, stream(vec![get(0), never.clone()]))]);
    let r = one(wants_status(0), &a);
    assert_eq!(r.outcome, Outcome::Unreached);
    assert_eq!(r.got, "the call never returned");
    assert_eq!(r.event, Some((0, 6)));
    let a = attempt(vec![instance(0, stream(vec![never, get(1)]))]);
    assert_eq!(one(wants_status(0), &a).outcome, Outcome::Fail);
}

#[test]
fn a_repeat_must_be_the_same_throughout() {
    let repeat = |times, same| {
        let mut e = get(0);
        e.repeat = Some(Repeat { times, same });
        attempt(vec![instance(0, stream(vec![e]))])
    };
    assert!(passes(wants_status(0), &repeat(5, 5)));
    assert!(!passes(wants_status(1), &repeat(5, 5)));
    let (outcome, got) = came(wants_status(0), &repeat(5, 4));
    assert_eq!(outcome, Outcome::Fail);
    assert_eq!(got, "OK, value \"1\" in 4 of 5 calls, then another");
    assert_eq!(came(wants_status(0), &repeat(0, 0)).0, Outcome::Unreached);
    assert!(passes(wants_out(is("1")), &repeat(5, 4)));
}

#[test]
fn a_value_that_cannot_be_compared_is_unreached() {
    let saved = Matcher::Saved {
        step: step(3, HEADERS),
        out: "value".to_owned(),
    };
    let a = attempt(vec![instance(0, stream(vec![get(0)]))]);
    let (outcome, got) = came(wants_out(saved), &a);
    assert_eq!(outcome, Outcome::Unreached);
    assert_eq!(got, "OK, value \"1\": cannot be compared");
}

#[test]
fn a_call_without_a_result_has_none() {
    let mut e = get(0);
    e.end = Returned::Nothing;
    let a = attempt(vec![instance(0, stream(vec![e]))]);
    assert_eq!(came(wants_status(0), &a).1, "no result, value \"1\"");
}

#[test]
fn instances_that_saw_no_stream_do_not_count() {
    let mut ticked = start(vec![]);
    ticked.push(holds(cb("proxy_on_tick", 1, &[]), vec![get(1)]));
    let streamed = stream(vec![get(0)]);
    let a = attempt(vec![
        instance(0, ticked.clone()),
        instance(0, streamed.clone()),
    ]);
    assert!(passes(wants_status(0), &a));
    let a = attempt(vec![instance(0, streamed), instance(0, ticked)]);
    assert!(passes(wants_status(0), &a));
}

#[test]
fn every_instance_that_saw_a_stream_counts() {
    let a = attempt(vec![
        instance(0, stream(vec![get(1)])),
        instance(0, stream(vec![get(0)])),
    ]);
    let r = one(wants_status(0), &a);
    assert_eq!((r.outcome, r.event), (Outcome::Fail, Some((0, 5))));
    let a = attempt(vec![
        instance(0, stream(vec![get(0)])),
        instance(0, stream(vec![get(1)])),
    ]);
    assert_eq!(one(wants_status(0), &a).event, Some((1, 5)));
}

#[test]
fn start_up_is_judged_in_every_instance() {
    let early = |n| instance(0, start(vec![get(n)]));
    let a = attempt(vec![early(0), instance(0, stream(vec![])), early(0)]);
    assert!(passes(wants_status(0), &a));
    for bad in [0, 1, 2] {
        let n = |i| u64::from(i == bad);
        let mut mid = start(vec![get(n(1))]);
        mid.push(create(2, 1));
        mid.push(cb(HEADERS, 2, &[]));
        let a = attempt(vec![early(n(0)), instance(0, mid), early(n(2))]);
        let r = one(wants_status(0), &a);
        assert_eq!(r.outcome, Outcome::Fail);
        assert_eq!(r.event, Some((bad, 2)));
    }
}

#[test]
fn what_counts_as_start_up() {
    let with =
        |top: crate::trace::Event, n| instance(0, vec![create(1, 0), holds(top, vec![get(n)])]);
    let judged = |top: &dyn Fn() -> crate::trace::Event| {
        let a = attempt(vec![with(top(), 1), instance(0, stream(vec![get(0)]))]);
        !passes(wants_status(0), &a)
    };
    assert!(judged(&|| cb("proxy_on_vm_start", 1, &[])));
    assert!(judged(&|| cb("proxy_on_configure", 1, &[])));
    assert!(judged(&|| create(2, 0)));
    assert!(judged(&|| entry("_initialize")));
    assert!(!judged(&|| create(2, 1)));
    assert!(!judged(&|| cb("proxy_on_tick", 1, &[])));
    let hostcall = || call(9, "proxy_log", 0, &[]);
    assert!(!judged(&hostcall));
}

#[test]
fn without_a_stream_the_last_instance_that_made_the_call_counts() {
    let ticked = |n| {
        let mut all = start(vec![]);
        all.push(holds(cb("proxy_on_tick", 1, &[]), vec![get(n)]));
        instance(0, all)
    };
    let idle = || instance(0, start(vec![]));
    assert!(passes(
        wants_status(0),
        &attempt(vec![ticked(1), ticked(0), idle()])
    ));
    assert!(!passes(
        wants_status(0),
        &attempt(vec![ticked(0), ticked(1), idle()])
    ));
    let r = one(
        wants_status(0),
        &attempt(vec![ticked(1), ticked(0), idle()]),
    );
    assert_eq!(r.event, Some((1, 4)));
}

#[test]
fn other_vms_do_not_count() {
    let a = attempt(vec![
        instance(1, stream(vec![get(1)])),
        instance(0, stream(vec![get(0)])),
    ]);
    assert!(passes(wants_status(0), &a));
    let a = attempt(vec![instance(1, stream(vec![get(0)]))]);
    let j = ask(&[check(wants_status(0))], &a);
    assert_eq!(
        j.verdict,
        Verdict::Blocked,
        "{HEADERS} never came in this VM"
    );
}

#[test]
fn a_step_that_was_not_made_although_its_callback_came_is_not_run() {
    let a = attempt(vec![instance(0, stream(vec![]))]);
    let j = ask(&[check(wants_status(0))], &a);
    assert_eq!(j.verdict, Verdict::NotRun);
    assert_eq!(
        j.reason.as_deref(),
        Some("the check was not reached: call 1 was never made")
    );
    assert_eq!(j.checks[0].event, None);
}
