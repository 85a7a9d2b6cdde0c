//! Surveys: what is observed, and what a bad end makes of it.

use super::build::*;
use crate::abi::Level;
use crate::case::*;
use crate::judge::*;
use crate::trace::*;

fn observing(what: Observe) -> Observation {
    Observation {
        req: "proxy_get/silent".to_owned(),
        name: "it".to_owned(),
        what,
    }
}

fn survey(what: Observe, a: &Attempt) -> Judgement {
    judge(&Question {
        abi: &abi(),
        checks: &[],
        observations: &[observing(what)],
        attempt: a,
    })
}

fn sees(what: Observe, a: &Attempt) -> String {
    let j = survey(what, a);
    assert_eq!(
        (j.verdict, j.level),
        (Verdict::Survey, Level::Survey),
        "{j:?}"
    );
    assert_eq!(j.observed.len(), 1);
    assert_eq!(j.observed[0].0, "it");
    j.observed[0].1.clone()
}

fn status_of() -> Observe {
    Observe::Status(step(0, HEADERS))
}

fn out_of(name: &str) -> Observe {
    Observe::Out(step(0, HEADERS), name.to_owned())
}

fn calls(all: Vec<Event>) -> Attempt {
    attempt(vec![instance(0, stream(all))])
}

fn get(n: u64) -> Event {
    call(0, "proxy_get", n, &[("value", bytes("v"))])
}

#[test]
fn statuses_and_outputs() {
    assert_eq!(sees(status_of(), &calls(vec![get(1)])), "NOT_FOUND");
    let odd = calls(vec![call(0, "proxy_get", 99, &[])]);
    assert_eq!(sees(status_of(), &odd), "99 (not in the text)");
    let two = calls(vec![get(0), get(1), get(0)]);
    assert_eq!(sees(status_of(), &two), "OK, then NOT_FOUND");
    assert_eq!(sees(out_of("value"), &two), "\"v\"");
    assert_eq!(sees(out_of("other"), &two), "absent");
    let mut never = get(0);
    never.end = Returned::Never;
    assert_eq!(sees(status_of(), &calls(vec![get(1), never])), "NOT_FOUND");
    let mut nothing = get(0);
    nothing.end = Returned::Nothing;
    assert_eq!(sees(status_of(), &calls(vec![nothing])), "no result");
}

#[test]
fn outputs_that_vary_by_nature_group_by_kind() {
    let out = |v: Value, volatile| {
        let mut e = call(0, "proxy_get", 0, &[("value", v)]);
        e.outs[0].volatile = volatile;
        sees(out_of("value"), &calls(vec![e]))
    };
    assert_eq!(out(Value::Number(5), false), "5");
    assert_eq!(out(Value::Number(5), true), "a value");
    assert_eq!(out(Value::Untouched, true), "untouched");
    assert_eq!(
        out(Value::Unreadable("far".into()), true),
        "unreadable (far)"
    );
    assert_eq!(out(Value::Pointer(5), false), "a pointer");
    assert_eq!(out(Value::Pointer(0), false), "0x0");
    assert_eq!(out(ctx(5), false), "an id");
    assert_eq!(out(ctx(0), false), "0");
}

#[test]
fn callbacks_without_allocations() {
    let mut events = start(vec![holds(call(9, "x", 0, &[]), vec![entry("malloc")])]);
    events.insert(0, entry("_initialize"));
    let a = attempt(vec![
        instance(0, vec![entry("main")]),
        instance(0, events.clone()),
    ]);
    let names = "_initialize, proxy_on_context_create, proxy_on_vm_start, proxy_on_configure";
    assert_eq!(sees(Observe::Callbacks(VM), &a), names);
    let a = attempt(vec![instance(0, stream(vec![])), instance(0, events)]);
    let own = "proxy_on_context_create, proxy_on_request_headers";
    assert_eq!(sees(Observe::Callbacks(STREAM), &a), own);
    assert_eq!(
        sees(Observe::Callbacks(Who::Stream { vm: 0, nth: 2 }), &a),
        "none"
    );
    let j = survey(Observe::Callbacks(VM), &attempt(vec![]));
    assert_eq!(j.observed[0].1, "not reached");
}

#[test]
fn the_wire() {
    let mut a = calls(vec![]);
    a.seen.client = vec![response(503, &[("a", "1"), ("A", "2")], "body")];
    a.seen.upstream = vec![request("main", "/")];
    a.seen.upstream[0].request.headers = fields(&[("h", "x")]);
    a.seen.upstream[0].request.body = whole("up");
    assert_eq!(sees(Observe::ClientStatus(1), &a), "503");
    assert_eq!(sees(Observe::ClientBody(1), &a), "\"body\"");
    assert_eq!(sees(Observe::ClientHeader(1, "a".into()), &a), "\"1, 2\"");
    assert_eq!(sees(Observe::ClientHeader(1, "b".into()), &a), "absent");
    assert_eq!(sees(Observe::ClientStatus(2), &a), "not reached");
    assert_eq!(
        sees(Observe::UpstreamHeader("main".into(), "H".into()), &a),
        "\"x\""
    );
    assert_eq!(sees(Observe::UpstreamBody("main".into()), &a), "\"up\"");
    assert_eq!(sees(Observe::UpstreamCount("main".into()), &a), "1");
    assert_eq!(sees(Observe::UpstreamCount("x".into()), &a), "0");
    assert_eq!(sees(Observe::UpstreamBody("x".into()), &a), "no request");
    assert_eq!(
        sees(Observe::UpstreamHeader("x".into(), "h".into()), &a),
        "no request"
    );
    let headers = &mut a.seen.client[0].response.as_mut().unwrap().headers;
    headers[1].1 = Blob::new(&[b'x'; 300]);
    let long = sees(Observe::ClientHeader(1, "a".into()), &a);
    assert!(long.starts_with("\"1\", \"xxx"), "{long}");
    a.seen.client[0].response = None;
    for what in [
        Observe::ClientStatus(1),
        Observe::ClientBody(1),
        Observe::ClientHeader(1, "a".into()),
    ] {
        assert_eq!(sees(what, &a), "no response");
    }
}

#[test]
fn the_log() {
    let mut a = calls(vec![]);
    let line = |level: Option<&str>, text: &str| LogLine {
        level: level.map(str::to_owned),
        text: whole(text),
    };
    a.logs = vec![
        line(Some("INFO"), "one"),
        line(None, "two ones"),
        line(Some("WARN"), "three"),
    ];
    let of = |text: &str| sees(Observe::Log(text.to_owned()), &a);
    assert_eq!(of("one"), "INFO \"one\", then no level \"two ones\"");
    assert_eq!(of("four"), "no line");
}

#[test]
fn an_output_against_another() {
    let of = |one: Value, two: Value| {
        let at = |index: u32, v: Value| {
            let mut e = call(0, "proxy_get", 0, &[("time", v)]);
            e.step = Some(index);
            e
        };
        let what = Observe::Against(step(0, HEADERS), step(1, HEADERS), "time".to_owned());
        sees(what, &calls(vec![at(0, one), at(1, two)]))
    };
    let n = Value::Number;
    assert_eq!(of(n(7), n(7)), "the same");
    assert_eq!(of(n(8), n(7)), "after");
    assert_eq!(of(n(7), n(8)), "before");
    assert_eq!(of(n(1), n(60_000_000_002)), "far before");
    assert_eq!(of(n(60_000_000_002), n(1)), "far after");
    assert_eq!(of(n(60_000_000_001), n(1)), "after", "a minute is near");
    assert_eq!(of(n(1), Value::Untouched), "not reached");
}

#[test]
fn load_and_end() {
    let mut a = calls(vec![]);
    assert_eq!(sees(Observe::Load, &a), "loaded");
    assert_eq!(sees(Observe::End, &a), "normal");
    a.end = End::Crash("x".into());
    assert_eq!(sees(Observe::End, &a), "crash");
    a.end = End::Normal;
    a.load = Load::Refused { text: whole("r") };
    assert_eq!(sees(Observe::Load, &a), "refused");
    a.load = Load::Unlinked {
        import: "f".into(),
        text: whole("r"),
    };
    assert_eq!(sees(Observe::Load, &a), "unlinked f");
    a.load = Load::Unknown;
    a.trace.instances.clear();
    a.end = End::Trap(whole("t"));
    assert_eq!(sees(Observe::Load, &a), "refused");
    a.end = End::Normal;
    assert_eq!(survey(Observe::Load, &a).verdict, Verdict::NotRun);
}

#[test]
fn a_bad_end_is_the_observation() {
    let answers = |what: Observe, a: &Attempt| {
        let j = survey(what, a);
        assert_eq!(j.verdict, Verdict::Survey);
        j.observed
    };
    let mut never = get(0);
    never.end = Returned::Never;
    let mut a = calls(vec![never]);
    a.end = End::Trap(whole("t"));
    assert_eq!(
        answers(status_of(), &a),
        [("it".to_owned(), "trap".to_owned())]
    );
    let mut a = calls(vec![get(0)]);
    a.end = End::Timeout("t".into());
    let both = [("it", "OK"), ("end", "timeout")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(answers(status_of(), &a), both);
    let mut a = attempt(vec![]);
    a.load = Load::Unlinked {
        import: "proxy_get".into(),
        text: whole("r"),
    };
    assert_eq!(answers(status_of(), &a)[0].1, "unlinked proxy_get");
    assert_eq!(
        survey(Observe::End, &a).observed[1].1,
        "unlinked proxy_get",
        "by its requirement"
    );
    let mut other = observing(status_of());
    other.req = "functions/silent".to_owned();
    let j = judge(&Question {
        abi: &abi(),
        checks: &[],
        observations: &[other],
        attempt: &a,
    });
    assert_eq!(j.observed[0].1, "unlinked proxy_get", "by its step");
    a.load = Load::Refused { text: whole("r") };
    assert_eq!(answers(status_of(), &a)[0].1, "refused");
}

#[test]
fn a_callback_that_never_came_blocks_a_survey() {
    let j = survey(Observe::Status(step(0, "proxy_on_tick")), &calls(vec![]));
    assert_eq!(j.verdict, Verdict::Blocked);
    assert_eq!(j.blocked_by.as_deref(), Some("proxy_on_tick/called"));
    assert_eq!(
        j.reason.as_deref(),
        Some("it was not reached: proxy_on_tick never came")
    );
    assert_eq!(j.observed[0].1, "not reached");
    assert_eq!(sees(status_of(), &calls(vec![])), "not reached");
}

#[test]
fn observations_stand_beside_checks() {
    let a = calls(vec![get(0)]);
    let j = judge(&Question {
        abi: &abi(),
        checks: &[check(wants_status(1))],
        observations: &[observing(status_of())],
        attempt: &a,
    });
    assert_eq!(j.verdict, Verdict::Fail);
    assert_eq!(j.observed, [("it".to_owned(), "OK".to_owned())]);
}
