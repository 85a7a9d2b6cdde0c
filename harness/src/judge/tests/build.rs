//! Short ways to make attempts, checks and a small ABI.

use crate::abi::{
    Abi, Callback, EnumDef, ExportKind, Hostcall, IdKind, Level, Param, Requirement, Returns, Seat,
    Type,
};
use crate::case::*;
use crate::judge::*;
use crate::trace::*;

pub(super) fn status_enum() -> EnumDef {
    EnumDef {
        name: "proxy_status_t".to_owned(),
        values: vec![
            ("OK".to_owned(), 0),
            ("NOT_FOUND".to_owned(), 1),
            ("BAD_ARGUMENT".to_owned(), 2),
        ],
        foreign: Vec::new(),
    }
}

fn param(name: &str, ty: Type) -> Param {
    Param {
        name: name.into(),
        ty,
        volatile: false,
        default: None,
    }
}

pub(super) fn requirement(id: &str) -> Requirement {
    Requirement {
        id: id.to_owned(),
        level: Level::Must,
        seat: Seat::Boundary,
        text: String::new(),
        section: String::new(),
        ruling: None,
        excluded: None,
    }
}

pub(super) fn abi() -> Abi {
    let hostcall = |name: &str, import: &str, params: Vec<Param>| Hostcall {
        name: name.to_owned(),
        import: ("env".to_owned(), import.to_owned()),
        params,
        returns: Returns::Enum("proxy_status_t".to_owned()),
        section: String::new(),
        absent: None,
    };
    let callback = |name: &str, kind, params: Vec<Param>| Callback {
        name: name.to_owned(),
        export: None,
        kind,
        plugin_types: Vec::new(),
        params,
        returns: Returns::Nothing,
        section: String::new(),
        absent: None,
    };
    Abi {
        id: "0.2.1".to_owned(),
        dialect_of: None,
        marker: "proxy_abi_version_0_2_1".to_owned(),
        hostcalls: vec![
            hostcall(
                "proxy_get",
                "proxy_get",
                vec![param("value", Type::OutBytes)],
            ),
            hostcall("proxy_renamed", "proxy_other", Vec::new()),
            hostcall(
                "proxy_mode",
                "proxy_mode",
                vec![param("mode", Type::OutEnum("mode_t".to_owned()))],
            ),
        ],
        callbacks: vec![
            callback("malloc", ExportKind::Allocator, Vec::new()),
            callback(
                "proxy_on_request_headers",
                ExportKind::Callback,
                vec![param("mode", Type::Enum("mode_t".to_owned()))],
            ),
        ],
        enums: vec![
            status_enum(),
            EnumDef {
                name: "mode_t".to_owned(),
                values: vec![("A".to_owned(), 0), ("B".to_owned(), 1)],
                foreign: Vec::new(),
            },
        ],
        requirements: [
            "proxy_get/OK",
            "proxy_renamed/WORKS",
            "proxy_on_tick/ticks",
            "proxy_on_tick/called",
        ]
        .map(requirement)
        .to_vec(),
        absent: Vec::new(),
        faults: Vec::new(),
        index: crate::abi::Index::default(),
    }
}

pub(super) fn whole(text: &str) -> Blob {
    Blob::Whole(text.as_bytes().to_vec())
}

pub(super) fn bytes(text: &str) -> Value {
    Value::Bytes(whole(text))
}

pub(super) fn is(text: &str) -> Matcher {
    Matcher::Bytes(text.as_bytes().to_vec())
}

pub(super) fn ctx(id: u64) -> Value {
    Value::Id(IdKind::Context, id)
}

pub(super) fn field(name: &str, value: Value) -> Field {
    Field {
        name: name.into(),
        value,
        volatile: false,
    }
}

pub(super) fn event(kind: EventKind, name: &str, args: Vec<Field>) -> Event {
    Event {
        kind,
        name: name.into(),
        step: None,
        args,
        outs: Vec::new(),
        end: Returned::Nothing,
        repeat: None,
        inner: Vec::new(),
    }
}

/// A callback on a context.
pub(super) fn cb(name: &str, id: u64, args: &[(&str, Value)]) -> Event {
    let mut all = vec![field("context_id", ctx(id))];
    all.extend(args.iter().map(|(n, v)| field(n, v.clone())));
    event(EventKind::Callback, name, all)
}

pub(super) fn entry(name: &str) -> Event {
    event(EventKind::Entry, name, Vec::new())
}

/// A body callback.
pub(super) fn body(id: u64, size: u64, end: bool) -> Event {
    let args = [
        ("body_size", Value::Number(size)),
        ("end_of_stream", Value::Bool(end)),
    ];
    cb("proxy_on_request_body", id, &args)
}

pub(super) fn status(n: u64) -> Value {
    let name = status_enum().name_of(n);
    Value::Enum(name, n)
}

/// Step `step`: a hostcall with its status and outputs.
pub(super) fn call(step: u32, name: &str, n: u64, outs: &[(&str, Value)]) -> Event {
    Event {
        step: Some(step),
        end: Returned::Value(status(n)),
        outs: outs.iter().map(|(n, v)| field(n, v.clone())).collect(),
        ..event(EventKind::Hostcall, name, Vec::new())
    }
}

pub(super) fn holds(mut e: Event, inner: Vec<Event>) -> Event {
    e.inner = inner;
    e
}

pub(super) fn create(id: u64, parent: u64) -> Event {
    cb("proxy_on_context_create", id, &[("parent", ctx(parent))])
}

pub(super) fn instance(vm: u32, events: Vec<Event>) -> Instance {
    Instance {
        vm,
        label: String::new(),
        events,
    }
}

/// Start-up of a VM with root 1, with these hostcalls in vm_start.
pub(super) fn start(inner: Vec<Event>) -> Vec<Event> {
    vec![
        create(1, 0),
        holds(cb("proxy_on_vm_start", 1, &[]), inner),
        cb("proxy_on_configure", 1, &[]),
    ]
}

/// Start-up, then stream 2 with these hostcalls in request_headers.
pub(super) fn stream(inner: Vec<Event>) -> Vec<Event> {
    let mut all = start(Vec::new());
    all.push(create(2, 1));
    all.push(holds(cb("proxy_on_request_headers", 2, &[]), inner));
    all
}

pub(super) fn attempt(instances: Vec<Instance>) -> Attempt {
    Attempt {
        load: Load::Loaded,
        trace: Trace { instances },
        ..Attempt::empty(Isolation::Alone)
    }
}

pub(super) fn step(index: u32, callback: &str) -> StepRef {
    StepRef {
        vm: 0,
        index,
        call: index + 1,
        hostcall: "proxy_get".to_owned(),
        callback: callback.to_owned(),
    }
}

pub(super) const HEADERS: &str = "proxy_on_request_headers";

pub(super) fn check(kind: CheckKind) -> Check {
    Check {
        name: "the check".to_owned(),
        req: "proxy_get/OK".to_owned(),
        level: Level::Must,
        line: 7,
        column: 9,
        control: false,
        kind,
    }
}

/// The status of step 0 in request_headers.
pub(super) fn wants_status(n: u64) -> CheckKind {
    let name = status_enum().name_of(n).unwrap();
    CheckKind::Status {
        step: step(0, HEADERS),
        expect: Matcher::Enum(name.into(), n),
    }
}

pub(super) fn pattern(name: &str) -> CallbackPattern {
    CallbackPattern {
        name: name.to_owned(),
        plus: false,
        args: Vec::new(),
    }
}

pub(super) fn with_arg(name: &str, arg: &str, m: Matcher) -> CallbackPattern {
    CallbackPattern {
        args: vec![(arg.to_owned(), m)],
        ..pattern(name)
    }
}

pub(super) fn plus(p: CallbackPattern) -> CallbackPattern {
    CallbackPattern { plus: true, ..p }
}

pub(super) const STREAM: Who = Who::Stream { vm: 0, nth: 1 };
pub(super) const PLUGIN: Who = Who::Plugin { vm: 0, nth: 1 };
pub(super) const VM: Who = Who::Vm { vm: 0 };

pub(super) fn ask(checks: &[Check], a: &Attempt) -> Judgement {
    judge(&Question {
        abi: &abi(),
        checks,
        observations: &[],
        attempt: a,
    })
}

/// Judges one must check; its result.
pub(super) fn one(kind: CheckKind, a: &Attempt) -> CheckResult {
    ask(&[check(kind)], a).checks.remove(0)
}

/// Outcome and words of one must check.
pub(super) fn came(kind: CheckKind, a: &Attempt) -> (Outcome, String) {
    let r = one(kind, a);
    (r.outcome, r.got)
}

pub(super) fn passes(kind: CheckKind, a: &Attempt) -> bool {
    let (outcome, got) = came(kind, a);
    assert_eq!(outcome == Outcome::Pass, got.is_empty(), "{got}");
    outcome == Outcome::Pass
}

pub(super) fn fields(all: &[(&str, &str)]) -> Vec<(Blob, Blob)> {
    all.iter().map(|(k, v)| (whole(k), whole(v))).collect()
}

pub(super) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> ClientSaw {
    ClientSaw {
        stream: 1,
        response: Some(Message {
            status: Some(status),
            headers: fields(headers),
            body: whole(body),
            complete: true,
            ..Message::default()
        }),
        trouble: None,
    }
}

pub(super) fn request(upstream: &str, path: &str) -> UpstreamSaw {
    UpstreamSaw {
        upstream: upstream.to_owned(),
        request: Message {
            method: Some("GET".to_owned()),
            path: Some(path.to_owned()),
            complete: true,
            ..Message::default()
        },
    }
}

pub(super) fn line(level: Option<&str>, text: &str) -> LogLine {
    LogLine {
        level: level.map(str::to_owned),
        text: whole(text),
    }
}
