//! A made-up record for tests: every verdict, every gate, and hostile text wherever a host speaks.

use crate::abi::{IdKind, Level, Seat};
use crate::judge::{CheckResult, Counted, Gate, HostVerdict, Judgement, Outcome, Verdict, tally};
use crate::record::{
    CanaryLine, CaseLine, Column, ColumnSummary, Counts, FaultCounts, Footer, Header,
    RECORD_VERSION, Record, ReqLine, ResultLine,
};
use crate::trace::{
    Attempt, Blame, Blob, ClientSaw, End, Event, EventKind, Fault, Field, Instance, Isolation,
    Load, Message, Returned, Seen, Trace, UpstreamSaw, Value,
};

/// What a hostile host says.
pub(super) const HOSTILE: &[u8] =
    b"<script>alert(1)</script> \x1b[31mred\x1b[0m\n::error::pwned ]]> \x00 \xff\xfe \xe2\x80\xaeoverride</script><!-- ##[error]x";

/// [`HOSTILE`] as far as it is UTF-8.
pub(super) fn hostile() -> String {
    String::from_utf8_lossy(HOSTILE).into_owned()
}

/// Area, section of the text, hostcall or callback, behaviours: status and what it is about.
type Topic = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const TOPICS: &[Topic] = &[
    (
        "lifecycle",
        "Context lifecycle",
        "proxy_on_context_create",
        &[
            ("root", "the plugin context comes before its streams"),
            ("order", "a stream context names its plugin context"),
        ],
    ),
    (
        "lifecycle",
        "Context lifecycle",
        "proxy_on_done",
        &[
            ("true", "a stream that is done is deleted"),
            ("log", "proxy_on_log comes between done and delete"),
        ],
    ),
    (
        "log",
        "Logging",
        "proxy_log",
        &[
            ("OK", "a line reaches the log at its level"),
            ("BAD_ARGUMENT", "an unknown level is refused"),
            ("INVALID_MEMORY_ACCESS", "a message outside memory"),
        ],
    ),
    (
        "fields",
        "HTTP fields",
        "proxy_get_header_map_value",
        &[
            ("OK", "one value of the request"),
            ("NOT_FOUND", "a key that the map does not hold"),
            ("BAD_ARGUMENT", "an unknown map id"),
            ("INVALID_MEMORY_ACCESS", "a key outside memory"),
        ],
    ),
    (
        "fields",
        "HTTP fields",
        "proxy_add_header_map_value",
        &[
            ("OK", "upstream sees both values"),
            ("effect", "an added field is seen by the client"),
        ],
    ),
    (
        "fields",
        "HTTP fields",
        "proxy_replace_header_map_value",
        &[
            ("OK", "upstream sees only the new value"),
            ("empty", "an empty value is kept"),
        ],
    ),
    (
        "fields",
        "HTTP fields",
        "proxy_remove_header_map_value",
        &[
            ("OK", "upstream does not see the field"),
            ("absent", "removing what is not there"),
        ],
    ),
    (
        "body",
        "Buffers",
        "proxy_get_buffer_bytes",
        &[
            ("OK", "a slice of the request body"),
            ("NOT_FOUND", "a buffer that is not there now"),
            ("tail", "a slice past the end"),
        ],
    ),
    (
        "body",
        "Buffers",
        "proxy_set_buffer_bytes",
        &[
            ("OK", "upstream sees the new body"),
            ("prepend", "bytes put in front"),
        ],
    ),
    (
        "local_response",
        "Common HTTP functions",
        "proxy_send_local_response",
        &[
            ("OK", "the client sees status, fields and body"),
            ("upstream", "upstream sees nothing"),
            ("twice", "a second answer to one stream"),
        ],
    ),
    (
        "http_call",
        "HTTP calls",
        "proxy_http_call",
        &[
            ("OK", "the answer comes in a callback"),
            ("BAD_ARGUMENT.upstream", "an upstream that does not exist"),
            ("timeout", "an upstream that hangs"),
        ],
    ),
    (
        "shared_data",
        "Shared key-value store",
        "proxy_set_shared_data",
        &[
            ("OK", "another context reads the value"),
            ("CAS_MISMATCH", "an old version is refused"),
        ],
    ),
    (
        "queues",
        "Shared queue",
        "proxy_dequeue_shared_queue",
        &[
            ("OK", "first in, first out"),
            ("EMPTY", "nothing in the queue"),
        ],
    ),
    (
        "metrics",
        "Metrics",
        "proxy_increment_metric",
        &[
            ("OK", "a counter grows"),
            ("NOT_FOUND", "a metric that was not defined"),
        ],
    ),
    (
        "timers",
        "Timers",
        "proxy_set_tick_period_milliseconds",
        &[("OK", "ticks come"), ("zero", "zero stops the ticks")],
    ),
    (
        "properties",
        "Properties",
        "proxy_get_property",
        &[
            ("path", "request.path"),
            ("absent", "a property that nobody has"),
        ],
    ),
    (
        "pause",
        "HTTP streams",
        "proxy_on_request_headers",
        &[
            ("PAUSE", "upstream sees nothing while paused"),
            ("resume", "the stream goes on after proxy_continue_stream"),
        ],
    ),
];

fn requirement(topic: &Topic, behaviour: &(&str, &str)) -> ReqLine {
    let (area, section, name, _) = topic;
    let level = match (*area, behaviour.0) {
        ("properties", _) | (_, "twice" | "absent") => Level::Survey,
        ("log", "OK") | (_, "zero") => Level::Should,
        _ => Level::Must,
    };
    ReqLine {
        id: format!("{name}/{}", behaviour.0),
        level,
        seat: match *area {
            "pause" | "http_call" | "lifecycle" => Seat::Proxy,
            _ => Seat::Boundary,
        },
        text: format!("when this is {}, the host answers so", behaviour.1),
        section: (*section).to_owned(),
        ruling: (behaviour.0 == "CAS_MISMATCH").then(|| {
            "The text does not say whether 0 matches everything; it does in all SDKs, so a case never passes 0."
                .to_owned()
        }),
    }
}

/// The cases, `n` of them (at least one round of the topics is about 40).
fn cases(n: usize) -> Vec<CaseLine> {
    let mut out = Vec::new();
    for round in 0.. {
        for topic in TOPICS {
            let (area, _, name, behaviours) = topic;
            let suite = format!("{area}/{}", name.trim_start_matches("proxy_"));
            for (i, behaviour) in behaviours.iter().enumerate() {
                if out.len() == n {
                    return out;
                }
                let slug = behaviour.0.to_lowercase().replace('.', "_");
                let slug = if round == 0 {
                    slug
                } else {
                    format!("{slug}_{round}")
                };
                let status = behaviour.0.to_uppercase();
                out.push(CaseLine {
                    id: format!("{suite}/{slug}"),
                    suite: suite.clone(),
                    area: (*area).to_owned(),
                    about: behaviour.1.to_owned(),
                    file: format!("specs/cases/{suite}.yaml"),
                    line: 6 + 11 * i as u32,
                    yaml: format!(
                        "- id: {slug}\n  about: {}\n  program:\n    request_headers:\n      - call: {name}\n        with: {{map_id: HTTP_REQUEST_HEADERS, key: x-absent}}\n        expect: {{status: {status}}}\n  exchange:\n    request: {{method: GET, path: /, headers: [[x-here, \"1\"]]}}\n    upstream: {{status: 200}}\n",
                        behaviour.1
                    ),
                    indent: 2,
                    requirements: vec![requirement(topic, behaviour)],
                    tags: if *area == "http_call" { vec!["callout".to_owned()] } else { Vec::new() },
                });
            }
        }
    }
    out
}

fn field(name: &str, value: Value) -> Field {
    Field {
        name: name.to_owned(),
        value,
        volatile: false,
    }
}

fn text(t: &str) -> Value {
    Value::Bytes(Blob::new(t.as_bytes()))
}

fn call(name: &str, key: &str, status: (&str, u64), value: Option<Value>) -> Event {
    Event {
        kind: EventKind::Hostcall,
        name: name.to_owned(),
        step: Some(0),
        args: vec![
            field(
                "map_id",
                Value::Enum(Some("HTTP_REQUEST_HEADERS".into()), 0),
            ),
            field("key", text(key)),
        ],
        outs: value.into_iter().map(|v| field("value", v)).collect(),
        end: Returned::Value(Value::Enum(Some(status.0.to_owned()), status.1)),
        repeat: None,
        inner: Vec::new(),
    }
}

fn attempt(case: &CaseLine, column: usize, verdict: Verdict) -> Attempt {
    let mut a = Attempt::empty(Isolation::Shared);
    let name = case.suite.rsplit('/').next().unwrap_or_default();
    let bad = verdict.fails() || verdict == Verdict::Warn;
    let mut allocate = call("proxy_on_memory_allocate", "", ("OK", 0), None);
    allocate.kind = EventKind::Entry;
    allocate.args = vec![field("memory_size", Value::Number(1))];
    allocate.end = Returned::Value(Value::Pointer(4096));
    let mut first = call(
        "proxy_get_header_map_value",
        "x-here",
        ("OK", 0),
        Some(text("1")),
    );
    first.inner = vec![allocate];
    let second = match bad {
        true => call(
            &format!("proxy_{name}"),
            "x-absent",
            ("OK", 0),
            Some(Value::Bytes(Blob::new(HOSTILE))),
        ),
        false => call(&format!("proxy_{name}"), "x-absent", ("NOT_FOUND", 1), None),
    };
    let callback = |name: &str, inner: Vec<Event>| Event {
        kind: EventKind::Callback,
        name: name.to_owned(),
        step: None,
        args: vec![
            field("context_id", Value::Id(IdKind::Context, 2 + column as u64)),
            field("num_headers", Value::Number(4)),
            field("end_of_stream", Value::Bool(true)),
        ],
        outs: Vec::new(),
        end: Returned::Value(Value::Enum(Some("CONTINUE".into()), 0)),
        repeat: None,
        inner,
    };
    a.trace = Trace {
        instances: vec![Instance {
            vm: 0,
            label: "1".into(),
            events: vec![callback("proxy_on_request_headers", vec![first, second])],
        }],
    };
    let pair = |k: &str, v: &str| (Blob::new(k.as_bytes()), Blob::new(v.as_bytes()));
    a.seen = Seen {
        client: vec![ClientSaw {
            stream: 1,
            response: Some(Message {
                status: Some(200),
                headers: vec![
                    pair("date", "Tue, 24 Nov 2026 10:00:00 GMT"),
                    pair("server", &format!("host{column}")),
                ],
                complete: true,
                ..Message::default()
            }),
            trouble: None,
        }],
        upstream: vec![UpstreamSaw {
            upstream: "main".into(),
            request: Message {
                method: Some("GET".into()),
                path: Some("/".into()),
                headers: vec![
                    pair("x-here", "1"),
                    pair("x-request-id", &format!("{column}-{}", case.id)),
                ],
                complete: true,
                ..Message::default()
            },
        }],
    };
    a.load = Load::Loaded;
    a.micros = 900 + (case.id.len() as u64 * 37 + column as u64 * 911) % 5000;
    match verdict {
        Verdict::Unlinked => {
            a.trace = Trace::default();
            a.load = Load::Unlinked {
                import: format!("proxy_{name}"),
                text: Blob::with_limit(HOSTILE, 2048),
            };
        }
        Verdict::Refused => {
            a.trace = Trace::default();
            a.load = Load::Refused {
                text: Blob::with_limit(HOSTILE, 2048),
            };
        }
        Verdict::Trap => a.end = End::Trap(Blob::with_limit(HOSTILE, 2048)),
        Verdict::Crash => a.end = End::Crash("signal 11 (SIGSEGV)".into()),
        Verdict::Timeout => a.end = End::Timeout("no end of the stream within 5 s".into()),
        Verdict::NotRun => a.faults.push(Fault::new(Blame::Environment, hostile())),
        _ => {}
    }
    if verdict.fails() || verdict == Verdict::NotRun {
        let log = format!(
            "[2026-11-24 10:00:00.123][wasm][info] wasm log {}: frame\n{}\n",
            case.id,
            hostile()
        );
        a.host_log = Some(Blob::with_limit(log.as_bytes(), 2048));
        a.wire = Some(Blob::with_limit(
            b"client 1 > GET / HTTP/1.1\\r\\nx-here: 1\nclient 1 < HTTP/1.1 200 OK\\r\\n\n",
            2048,
        ));
    }
    a
}

/// Which verdict a case has in a column: all of them come, the reference host passes.
fn verdict(case: usize, column: usize, level: Level) -> Verdict {
    use Verdict::*;
    if level == Level::Survey {
        return Survey;
    }
    let some = [
        Fail, Pass, Unlinked, Pass, Refused, Trap, Pass, Crash, Timeout, Pass, OutOfScope, Blocked,
        NotRun, Fail,
    ];
    match (column, (case + column * 3) % 9) {
        (0, _) => Pass,
        (1, 0..=6) => Pass,
        (2, 0..=3) => Pass,
        _ if level == Level::Should => Warn,
        _ => some[(case * 5 + column) % some.len()],
    }
}

fn result(case: &CaseLine, column: &Column, nth: usize, at: usize) -> ResultLine {
    let req = &case.requirements[0];
    let verdict = verdict(nth, at, req.level);
    let outcome = match verdict {
        Verdict::Pass => Outcome::Pass,
        Verdict::Fail | Verdict::Warn => Outcome::Fail,
        _ => Outcome::Unreached,
    };
    let mut control = CheckResult {
        name: "call 1 status".into(),
        req: "proxy_get_header_map_value/OK".into(),
        level: Level::Must,
        control: true,
        outcome: Outcome::Pass,
        expected: "OK".into(),
        got: String::new(),
        line: case.line + 5,
        column: 11,
        event: Some((0, 1)),
    };
    if outcome == Outcome::Unreached {
        control.outcome = Outcome::Unreached;
        control.event = None;
    }
    let check = CheckResult {
        name: "call 2 status".into(),
        req: req.id.clone(),
        level: req.level,
        control: false,
        outcome,
        expected: req.id.rsplit('/').next().unwrap_or_default().to_owned(),
        got: match outcome {
            Outcome::Fail => format!("OK, value {}", crate::trace::quote(HOSTILE)),
            _ => String::new(),
        },
        line: case.line + 6,
        column: 20,
        event: (outcome != Outcome::Unreached).then_some((0, 3)),
    };
    let survey = verdict == Verdict::Survey;
    let gate = match (verdict.fails(), nth % 5) {
        (true, 0 | 1) => Gate::UnexpectedFailure,
        (true, 2) => Gate::ChangedReason {
            entry: 3,
            how: "trap, not fail".into(),
        },
        (true, _) => Gate::Known {
            entry: 1,
            why: "the host keeps an empty value for a missing key".into(),
            link: None,
        },
        (false, 4) if at == 1 && verdict == Verdict::Pass && nth.is_multiple_of(3) => {
            Gate::UnexpectedPass { entry: 2 }
        }
        _ => Gate::Expected,
    };
    let played = !matches!(verdict, Verdict::OutOfScope);
    ResultLine {
        column: column.name.clone(),
        case: case.id.clone(),
        case_digest: "0123456789abcdef".into(),
        program_digest: "0123456789abcdef".into(),
        module_digest: "0123456789abcdef".into(),
        attempts: if played {
            vec![attempt(case, at, verdict)]
        } else {
            Vec::new()
        },
        judgement: Judgement {
            verdict,
            level: req.level,
            checks: if survey || !played {
                Vec::new()
            } else {
                vec![control, check]
            },
            observed: match survey {
                true => vec![(
                    "call 2 status".into(),
                    if at == 0 { "NOT_FOUND" } else { "OK" }.into(),
                )],
                false => Vec::new(),
            },
            blocked_by: (verdict == Verdict::Blocked).then(|| "proxy_http_call/OK".to_owned()),
            reason: match verdict {
                Verdict::OutOfScope => Some("not offered: several_vms: one VM a process".into()),
                Verdict::NotRun => Some(format!("the host was killed: {}", hostile())),
                _ => None,
            },
        },
        gate,
        company: false,
        added: false,
        drift: None,
        faults: Vec::new(),
    }
}

fn columns(n: usize) -> Vec<Column> {
    let column = |host: &str, version: &str, abi: &str, driver: &str| Column {
        name: format!("{host}-{version}-{abi}"),
        host: host.into(),
        host_version: version.into(),
        host_digest: "9f2c1e7a55d0c3b84f6a9f2c1e7a55d0c3b84f6a9f2c1e7a55d0c3b84f6a1234".into(),
        abi: abi.into(),
        dialect: abi.starts_with("mosn"),
        driver: driver.into(),
        not_offered: match driver {
            "network" => vec![("several_vms".into(), "one VM a process".into())],
            _ => Vec::new(),
        },
    };
    let mut all = vec![
        column("reference", "0.1.0", "0.2.1", "reference"),
        column("envoy", "1.40.0", "0.2.1", "network"),
        column("mosn", "1.6.1", "mosn-v2", "network"),
    ];
    all.extend((3..n).map(|i| column(&format!("host{i}"), "1.0", "0.2.1", "network")));
    all.truncate(n);
    all
}

fn summarise(record: &Record, column: &Column) -> ColumnSummary {
    let results = record.results.iter().filter(|r| r.column == column.name);
    let t = tally(results.map(|r| Counted {
        judgement: &r.judgement,
        gate: &r.gate,
        added: r.added,
    }));
    let n = |v| t.count(v);
    ColumnSummary {
        column: column.name.clone(),
        host: column.host.clone(),
        host_version: column.host_version.clone(),
        abi: column.abi.clone(),
        verdict: t.verdict().filter(|_: &HostVerdict| !column.dialect),
        gate: if t.unexpected() {
            "unexpected"
        } else {
            "as expected"
        }
        .into(),
        seconds: 4.25,
        must_failed: t.must_failed,
        cases: Counts {
            selected: t.selected,
            pass: n(Verdict::Pass),
            fail: n(Verdict::Fail),
            warn: n(Verdict::Warn),
            survey: n(Verdict::Survey),
            unlinked: n(Verdict::Unlinked),
            refused: n(Verdict::Refused),
            trap: n(Verdict::Trap),
            crash: n(Verdict::Crash),
            timeout: n(Verdict::Timeout),
            out_of_scope: n(Verdict::OutOfScope),
            blocked: n(Verdict::Blocked),
            not_run: n(Verdict::NotRun),
        },
        known: t.known,
        unexpected_failures: t.unexpected_failures,
        unexpected_passes: t.unexpected_passes,
        drift: 0,
        company: 0,
        faults: FaultCounts {
            environment: n(Verdict::NotRun),
            ..FaultCounts::default()
        },
    }
}

/// A record of `n` columns and `m` cases.
pub(super) fn record_of(n: usize, m: usize) -> Record {
    let columns = columns(n);
    let cases = cases(m);
    let mut results = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        results.extend(
            cases
                .iter()
                .enumerate()
                .map(|(i, c)| result(c, column, i, at)),
        );
    }
    let canaries = columns.iter().flat_map(|c| {
        ["passes", "fails"].map(|canary| CanaryLine {
            column: c.name.clone(),
            canary: canary.into(),
            ok: true,
            what: format!("{canary}, as it must"),
        })
    });
    let mut record = Record {
        footer: Footer {
            ended: "2026-11-24T10:00:09Z".into(),
            seconds: 9.5,
            interrupted: false,
            trouble: vec![(
                columns[n - 1].name.clone(),
                format!("died twice: {}", hostile()),
            )],
            canaries: canaries.collect(),
            columns: Vec::new(),
            exit_code: 1,
        },
        header: Header {
            version: RECORD_VERSION,
            pwspec: "0.1.0".into(),
            suite: "0.1".into(),
            suite_digest: "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00".into(),
            began: "2026-11-24T10:00:00Z".into(),
            command: "pwspec run --host reference --host envoy --host mosn".into(),
            filters: Vec::new(),
            seed: 7,
            columns: columns.clone(),
        },
        cases,
        results,
    };
    record.footer.columns = columns.iter().map(|c| summarise(&record, c)).collect();
    record
}

/// Three columns, about 40 cases.
pub(super) fn record() -> Record {
    record_of(3, 40)
}
