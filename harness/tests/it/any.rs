//! Anything that a trace, a record's line or a map can hold, however unlikely.
//!
//! Does not know what is done with it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use pwspec::abi::{IdKind, Level};
use pwspec::judge::{CheckResult, Gate, Judgement, Outcome, Verdict};
use pwspec::record::{Drift, ResultLine};
use pwspec::trace::{
    Attempt, Blame, Blob, ClientSaw, End, Event, EventKind, Fault, Field, GrpcSaw, Instance,
    Isolation, Load, LogLine, Message, Repeat, Returned, Seen, Trace, UpstreamSaw, Value,
};

/// Few cases each: every one of them is large.
pub fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

/// Bytes of any kind; half of them are text, so that quotes, escapes and marks come up.
pub fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..80),
        any::<String>().prop_map(String::into_bytes),
        select(hostile()).prop_map(<[u8]>::to_vec),
        (any::<u8>(), 250usize..400).prop_map(|(b, n)| vec![b; n]),
    ]
}

/// What has broken outputs of other programs.
fn hostile() -> Vec<&'static [u8]> {
    vec![
        b"\x1b[2J\x1b]0;x\x07",
        b"a\0b\r\nc: d",
        b"\xff\xfe\xed\xa0\x80",
        b"<script>alert(1)</script>]]>",
        b"::error::x%0A",
        "\u{202e}evil\u{200b}\u{2028}\u{85}\u{9b}31m".as_bytes(),
    ]
}

/// Text of any kind, as a host's words may be.
pub fn words() -> impl Strategy<Value = String> {
    bytes().prop_map(|b| String::from_utf8_lossy(&b).into_owned())
}

/// Whole or cut.
pub fn blob() -> impl Strategy<Value = Blob> {
    bytes().prop_map(|b| Blob::new(&b))
}

/// A serialised map's pairs.
pub fn pairs() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    vec((bytes(), bytes()), 0..6)
}

fn fields() -> impl Strategy<Value = Vec<(Blob, Blob)>> {
    vec((blob(), blob()), 0..4)
}

fn ids() -> impl Strategy<Value = IdKind> {
    select(vec![
        IdKind::Context,
        IdKind::Call,
        IdKind::Queue,
        IdKind::Metric,
    ])
}

/// A name of the tables.
fn name() -> impl Strategy<Value = String> {
    "[a-z_]{1,24}"
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::Number),
        any::<i64>().prop_map(Value::Signed),
        any::<bool>().prop_map(Value::Bool),
        (option::of(name()), any::<u64>()).prop_map(|(n, v)| Value::Enum(n.map(Into::into), v)),
        (ids(), any::<u64>()).prop_map(|(k, n)| Value::Id(k, n)),
        (ids(), 0u64..4).prop_map(|(k, n)| Value::Id(k, n)),
        any::<u64>().prop_map(Value::Pointer),
        blob().prop_map(Value::Bytes),
        fields().prop_map(Value::Pairs),
        Just(Value::Untouched),
        name().prop_map(Value::Unreadable),
    ]
}

fn field() -> impl Strategy<Value = Field> {
    (name(), value(), any::<bool>()).prop_map(|(name, value, volatile)| Field {
        name: name.into(),
        value,
        volatile,
    })
}

fn returned() -> impl Strategy<Value = Returned> {
    prop_oneof![
        Just(Returned::Never),
        Just(Returned::Nothing),
        value().prop_map(Returned::Value),
    ]
}

fn leaf() -> impl Strategy<Value = Event> {
    let kind = select(vec![
        EventKind::Callback,
        EventKind::Entry,
        EventKind::Hostcall,
    ]);
    let named = prop_oneof![
        name(),
        select(vec![
            "proxy_on_context_create".to_owned(),
            "proxy_on_request_body".to_owned(),
        ]),
    ];
    let repeat = option::of((any::<u32>(), any::<u32>()))
        .prop_map(|r| r.map(|(times, same)| Repeat { times, same }));
    (
        kind,
        named,
        option::of(any::<u32>()),
        vec(field(), 0..3),
        vec(field(), 0..3),
        returned(),
        repeat,
    )
        .prop_map(|(kind, name, step, args, outs, end, repeat)| Event {
            kind,
            name: name.into(),
            step,
            args,
            outs,
            end,
            repeat,
            inner: Vec::new(),
        })
}

/// An event with what happened inside it, three deep.
fn event() -> impl Strategy<Value = Event> {
    leaf().prop_recursive(3, 12, 3, |inside| {
        (leaf(), vec(inside, 0..3)).prop_map(|(event, inner)| Event { inner, ..event })
    })
}

/// The boundary, of some instances.
pub fn trace() -> impl Strategy<Value = Trace> {
    let instance = (0u32..3, words(), vec(event(), 0..4))
        .prop_map(|(vm, label, events)| Instance { vm, label, events });
    vec(instance, 0..3).prop_map(|instances| Trace { instances })
}

fn message() -> impl Strategy<Value = Message> {
    (
        option::of(words()),
        option::of(words()),
        option::of(any::<u16>()),
        fields(),
        blob(),
        fields(),
        any::<bool>(),
    )
        .prop_map(
            |(method, path, status, headers, body, trailers, complete)| Message {
                method,
                path,
                status,
                headers,
                body,
                trailers,
                complete,
            },
        )
}

/// The wire.
pub fn seen() -> impl Strategy<Value = Seen> {
    let client = (any::<u32>(), option::of(message()), option::of(words())).prop_map(
        |(stream, response, trouble)| ClientSaw {
            stream,
            response,
            trouble,
        },
    );
    let upstream =
        (name(), message()).prop_map(|(upstream, request)| UpstreamSaw { upstream, request });
    let grpc = (
        (name(), words(), words()),
        (fields(), vec(blob(), 0..3)),
        (any::<bool>(), any::<bool>()),
    );
    let grpc = grpc.prop_map(
        |((upstream, service, method), (metadata, messages), (ended, cancelled))| GrpcSaw {
            upstream,
            service,
            method,
            metadata,
            messages,
            ended,
            cancelled,
        },
    );
    (vec(client, 0..3), vec(upstream, 0..3), vec(grpc, 0..3)).prop_map(
        |(client, upstream, grpc)| Seen {
            client,
            upstream,
            grpc,
        },
    )
}

fn load() -> impl Strategy<Value = Load> {
    prop_oneof![
        Just(Load::Loaded),
        (words(), blob()).prop_map(|(import, text)| Load::Unlinked { import, text }),
        blob().prop_map(|text| Load::Refused { text }),
        Just(Load::Unknown),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Normal),
        blob().prop_map(End::Trap),
        words().prop_map(End::Crash),
        words().prop_map(End::Timeout),
    ]
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let blame = select(vec![
        Blame::Host,
        Blame::Adapter,
        Blame::Environment,
        Blame::Harness,
        Blame::Case,
    ]);
    vec((blame, words()).prop_map(|(b, w)| Fault::new(b, w)), 0..3)
}

/// One attempt.
pub fn attempt() -> impl Strategy<Value = Attempt> {
    let log = (option::of(words()), blob()).prop_map(|(level, text)| LogLine { level, text });
    (
        (
            select(vec![Isolation::Shared, Isolation::Alone]),
            load(),
            end(),
        ),
        (trace(), seen(), vec(log, 0..3), faults()),
        (option::of(blob()), option::of(blob()), 0..1u64 << 40),
    )
        .prop_map(
            |((isolation, load, end), (trace, seen, logs, faults), (host_log, wire, micros))| {
                Attempt {
                    isolation,
                    load,
                    end,
                    trace,
                    seen,
                    logs,
                    faults,
                    host_log,
                    wire,
                    micros,
                }
            },
        )
}

fn level() -> impl Strategy<Value = Level> {
    select(vec![Level::Survey, Level::Should, Level::Must])
}

fn judgement() -> impl Strategy<Value = Judgement> {
    let outcome = select(vec![Outcome::Pass, Outcome::Fail, Outcome::Unreached]);
    let place = option::of((any::<u32>(), any::<u32>()));
    let check = (
        (words(), name(), level(), any::<bool>()),
        (outcome, words(), words()),
        (any::<u32>(), any::<u32>(), place),
    )
        .prop_map(
            |((name, req, level, control), (outcome, expected, got), (line, column, event))| {
                CheckResult {
                    name,
                    req,
                    level,
                    control,
                    outcome,
                    expected,
                    got,
                    line,
                    column,
                    event,
                }
            },
        );
    (
        select(Verdict::ALL.to_vec()),
        level(),
        vec(check, 0..3),
        vec((words(), words()), 0..3),
        option::of(name()),
        option::of(words()),
    )
        .prop_map(
            |(verdict, level, checks, observed, blocked_by, reason)| Judgement {
                verdict,
                level,
                checks,
                observed,
                blocked_by,
                reason,
            },
        )
}

fn gate() -> impl Strategy<Value = Gate> {
    prop_oneof![
        Just(Gate::Expected),
        (any::<u32>(), words(), option::of(words())).prop_map(|(entry, why, link)| Gate::Known {
            entry,
            why,
            link
        }),
        Just(Gate::UnexpectedFailure),
        any::<u32>().prop_map(|entry| Gate::UnexpectedPass { entry }),
        (any::<u32>(), words()).prop_map(|(entry, how)| Gate::ChangedReason { entry, how }),
    ]
}

/// One result; its column and case are those of the fixture.
pub fn result(column: &'static str, case: &'static str) -> impl Strategy<Value = ResultLine> {
    let drift = option::of((any::<bool>(), words()).prop_map(|(new, diff)| Drift { new, diff }));
    (
        (words(), words(), words()),
        vec(attempt(), 0..3),
        (judgement(), gate(), any::<bool>(), any::<bool>()),
        (drift, faults()),
    )
        .prop_map(
            move |(
                (case_digest, program_digest, module_digest),
                attempts,
                (judgement, gate, company, added),
                (drift, faults),
            )| ResultLine {
                column: column.to_owned(),
                case: case.to_owned(),
                case_digest,
                program_digest,
                module_digest,
                attempts,
                judgement,
                gate,
                seed: None,
                company,
                added,
                drift,
                faults,
            },
        )
}
