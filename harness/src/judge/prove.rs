//! Which changes of a recorded attempt a case notices: the second half of `prove`.
//!
//! One recorded answer is changed at a time and the judge is asked again; no host runs.

use crate::abi::{Abi, IdKind};
use crate::case::{CallbackPattern, Check, CheckKind, FieldExpect, Matcher, Who};
use crate::judge::edit::{CallPart, Edit, Part, Side};
use crate::judge::other::{
    STRANGE, blobs, lists, maps, members, others, refused, refused_field, taken,
};
use crate::judge::question::{judge, settled};
use crate::judge::view::{View, vm_of};
use crate::judge::{Outcome, Question, Verdict};
use crate::trace::{
    Attempt, Blob, End, Event, EventKind, Field, GrpcSaw, Load, LogLine, Message, Returned,
    UpstreamSaw, Value,
};

/// Every change that is tried, one at a time: what it is, and the attempt with it. The attempts come
/// without host log and wire bytes.
pub fn changes<'a>(q: &Question<'a>) -> impl Iterator<Item = (String, Attempt)> + use<'a> {
    let base = slim(q.attempt);
    edits(q).into_iter().map(move |e| {
        let mut changed = base.clone();
        e.apply(&mut changed);
        (e.says(&base), changed)
    })
}

/// For each check, in order, the first change that makes it fail. None: nothing does, or it does
/// not pass as recorded.
pub fn prove_checks(q: &Question<'_>) -> Vec<Option<String>> {
    let base = slim(q.attempt);
    let view = View::new(&base);
    let passes = |c: &Check| settled(&view, q.abi, c).outcome == Outcome::Pass;
    let mut open: Vec<usize> = (0..q.checks.len())
        .filter(|n| passes(&q.checks[*n]))
        .collect();
    let mut killed = vec![None; q.checks.len()];
    for e in edits(q) {
        if open.is_empty() {
            break;
        }
        let mut changed = base.clone();
        e.apply(&mut changed);
        let view = View::new(&changed);
        open.retain(|n| {
            let fails = settled(&view, q.abi, &q.checks[*n]).outcome == Outcome::Fail;
            if fails {
                killed[*n] = Some(e.says(&base));
            }
            !fails
        });
    }
    killed
}

/// The first change that moves a survey's observation to another group.
pub fn prove_survey(q: &Question<'_>) -> Option<String> {
    let base = slim(q.attempt);
    let ask = |attempt: &Attempt| judge(&Question { attempt, ..*q });
    let before = ask(&base);
    if before.verdict != Verdict::Survey {
        return None;
    }
    let moves = |e: &Edit| {
        let mut changed = base.clone();
        e.apply(&mut changed);
        let after = ask(&changed);
        after.verdict == Verdict::Survey && after.observed != before.observed
    };
    edits(q).iter().find(|e| moves(e)).map(|e| e.says(&base))
}

/// The attempt without what no check looks at.
fn slim(a: &Attempt) -> Attempt {
    Attempt {
        host_log: None,
        wire: None,
        ..a.clone()
    }
}

fn edits(q: &Question<'_>) -> Vec<Edit> {
    let mut all = Vec::new();
    boundary(q.abi, q.attempt, &mut all);
    wire(q.attempt, &mut all);
    rest(q.attempt, &mut all);
    for c in q.checks {
        towards(q.attempt, &c.kind, &mut all);
    }
    all
}

fn boundary(abi: &Abi, a: &Attempt, all: &mut Vec<Edit>) {
    for (i, instance) in a.trace.instances.iter().enumerate() {
        for (o, e) in instance.walk().into_iter().enumerate() {
            if e.kind == EventKind::Hostcall {
                if let Returned::Value(v) = &e.end {
                    let other = others(v, members(abi, e, None));
                    all.extend(other.into_iter().map(|v| Edit::Result(i, o, v)));
                }
                for (n, f) in e.outs.iter().enumerate() {
                    let mut other = others(&f.value, members(abi, e, Some(&f.name)));
                    if f.value != Value::Untouched {
                        other.push(Value::Untouched);
                    }
                    all.extend(other.into_iter().map(|v| Edit::Out(i, o, n, v)));
                }
                if e.repeat.is_some() {
                    all.push(Edit::Repeat(i, o));
                }
            } else {
                for (n, f) in e.args.iter().enumerate() {
                    let other = others(&f.value, members(abi, e, Some(&f.name)));
                    all.extend(other.into_iter().map(|v| Edit::Arg(i, o, n, v)));
                }
            }
        }
        let count = instance.events.len();
        for n in 0..count {
            all.push(Edit::Gone(i, n));
            all.push(Edit::Twice(i, n));
            if n + 1 < count {
                all.push(Edit::Swapped(i, n));
            }
        }
    }
}

fn wire(a: &Attempt, all: &mut Vec<Edit>) {
    for (n, c) in a.seen.client.iter().enumerate() {
        match &c.response {
            None => all.push(Edit::Response(n)),
            Some(m) => {
                message(Side::Client(n), m, all);
                all.push(Edit::NoResponse(n));
            }
        }
    }
    for (n, u) in a.seen.upstream.iter().enumerate() {
        message(Side::Upstream(n), &u.request, all);
        all.push(Edit::NoRequest(n));
        all.push(Edit::RequestTwice(n));
    }
    for (n, g) in a.seen.grpc.iter().enumerate() {
        grpc_call(n, g, all);
        all.push(Edit::NoCall(n));
        all.push(Edit::CallTwice(n));
    }
}

fn grpc_call(n: usize, g: &GrpcSaw, all: &mut Vec<Edit>) {
    let mut parts = vec![CallPart::Service, CallPart::Method];
    parts.extend(maps(&g.metadata).into_iter().map(CallPart::Metadata));
    parts.extend(lists(&g.messages).into_iter().map(CallPart::Messages));
    parts.extend([CallPart::Ended, CallPart::Cancelled, CallPart::Over]);
    all.extend(parts.into_iter().map(|p| Edit::Call(n, p)));
}

fn message(side: Side, m: &Message, all: &mut Vec<Edit>) {
    let mut parts = Vec::new();
    if m.method.is_some() {
        parts.push(Part::Method);
    }
    if m.path.is_some() {
        parts.push(Part::Path);
    }
    if let Some(s) = m.status {
        parts.extend([s ^ 1, 599].map(Part::Status));
    }
    parts.extend(maps(&m.headers).into_iter().map(Part::Headers));
    parts.extend(maps(&m.trailers).into_iter().map(Part::Trailers));
    parts.extend(blobs(&m.body).into_iter().map(Part::Body));
    parts.push(Part::Complete);
    all.extend(parts.into_iter().map(|p| Edit::Wire(side, p)));
}

fn rest(a: &Attempt, all: &mut Vec<Edit>) {
    for (n, l) in a.logs.iter().enumerate() {
        all.push(Edit::NoLog(n));
        all.push(Edit::LogTwice(n));
        let level = match l.level.as_deref() {
            Some("INFO") => "ERROR",
            _ => "INFO",
        };
        let level = LogLine {
            level: Some(level.to_owned()),
            text: l.text.clone(),
        };
        all.push(Edit::Log(n, level));
        let text = blobs(&l.text).into_iter().map(|text| LogLine {
            level: l.level.clone(),
            text,
        });
        all.extend(text.map(|l| Edit::Log(n, l)));
    }
    let text = || Blob::new(STRANGE);
    let loads = [
        Load::Loaded,
        Load::Refused { text: text() },
        Load::Unlinked {
            import: "pwspec_changed".to_owned(),
            text: text(),
        },
    ];
    let same = |l: &Load| std::mem::discriminant(l) != std::mem::discriminant(&a.load);
    all.extend(loads.into_iter().filter(same).map(Edit::Load));
    let word = || "changed".to_owned();
    let ends = [
        End::Normal,
        End::Trap(text()),
        End::Timeout(word()),
        End::Crash(word()),
    ];
    let same = |e: &End| std::mem::discriminant(e) != std::mem::discriminant(&a.end);
    all.extend(ends.into_iter().filter(same).map(Edit::End));
}

/// Changes that bring what a check says must not be there, and values that it refuses by name.
fn towards(a: &Attempt, kind: &CheckKind, all: &mut Vec<Edit>) {
    match kind {
        CheckKind::Status { step, expect } | CheckKind::Out { step, expect, .. } => {
            let name = match kind {
                CheckKind::Out { out, .. } => Some(out),
                _ => None,
            };
            let of_vm = a.trace.instances.iter().enumerate();
            for (i, instance) in of_vm.filter(|(_, i)| i.vm == step.vm) {
                for (o, e) in instance.walk().into_iter().enumerate() {
                    if e.kind != EventKind::Hostcall || e.step != Some(step.index) {
                        continue;
                    }
                    let at = name.map(|name| e.outs.iter().position(|f| f.name == *name));
                    let edits = refused(expect).into_iter().filter_map(|v| match at {
                        None => Some(Edit::Result(i, o, v)),
                        Some(n) => Some(Edit::Out(i, o, n?, v)),
                    });
                    all.extend(edits);
                }
            }
        }
        CheckKind::Never {
            who,
            pattern,
            after,
        } => came(a, *who, pattern, after.as_ref(), all),
        CheckKind::Upstream {
            upstream, expect, ..
        } => {
            all.push(extra(upstream));
            for (n, u) in a.seen.upstream.iter().enumerate() {
                if u.upstream == *upstream {
                    fields(Side::Upstream(n), &u.request, &expect.headers, false, all);
                    fields(Side::Upstream(n), &u.request, &expect.trailers, true, all);
                }
            }
        }
        CheckKind::UpstreamCount { upstream, .. } => all.push(extra(upstream)),
        CheckKind::Grpc {
            upstream, expect, ..
        } => {
            all.push(extra_call(upstream));
            for (n, g) in a.seen.grpc.iter().enumerate() {
                if g.upstream != *upstream {
                    continue;
                }
                let changed = changed_fields(&g.metadata, &expect.metadata);
                all.extend(changed.map(|m| Edit::Call(n, CallPart::Metadata(m))));
            }
        }
        CheckKind::GrpcCount { upstream, .. } => all.push(extra_call(upstream)),
        CheckKind::Client { stream, expect } => {
            for (n, c) in a.seen.client.iter().enumerate() {
                if let Some(m) = c.response.as_ref().filter(|_| c.stream == *stream) {
                    fields(Side::Client(n), m, &expect.headers, false, all);
                    fields(Side::Client(n), m, &expect.trailers, true, all);
                }
            }
        }
        CheckKind::Log {
            text, log_level, ..
        } => {
            if let Some(Value::Bytes(text)) = taken(text) {
                all.push(Edit::LogToo(LogLine {
                    level: log_level.first().cloned(),
                    text,
                }));
            }
        }
        CheckKind::Callbacks { .. }
        | CheckKind::Body { .. }
        | CheckKind::Load { .. }
        | CheckKind::Ends { .. } => {}
    }
}

/// A request that nobody asked for.
fn extra(upstream: &str) -> Edit {
    Edit::Request(Box::new(UpstreamSaw {
        upstream: upstream.to_owned(),
        request: Message::default(),
    }))
}

/// A gRPC call that nobody asked for.
fn extra_call(upstream: &str) -> Edit {
    Edit::CallToo(Box::new(GrpcSaw {
        upstream: upstream.to_owned(),
        ..GrpcSaw::default()
    }))
}

/// Fields that a message must not have, or not with this value.
fn fields(
    side: Side,
    m: &Message,
    wants: &[(String, FieldExpect)],
    trailers: bool,
    all: &mut Vec<Edit>,
) {
    let (have, part): (_, fn(_) -> Part) = match trailers {
        true => (&m.trailers, Part::Trailers),
        false => (&m.headers, Part::Headers),
    };
    all.extend(changed_fields(have, wants).map(|fields| Edit::Wire(side, part(fields))));
}

/// `have` with each value in turn that an expectation refuses by name.
fn changed_fields<'a>(
    have: &'a [(Blob, Blob)],
    wants: &'a [(String, FieldExpect)],
) -> impl Iterator<Item = Vec<(Blob, Blob)>> {
    wants.iter().flat_map(move |(name, want)| {
        refused_field(want).into_iter().map(move |value| {
            let name = Blob::Whole(name.clone().into_bytes());
            let others = have.iter().filter(|(k, _)| !same_name(k, &name));
            let mut fields: Vec<_> = others.cloned().collect();
            fields.push((name, value));
            fields
        })
    })
}

fn same_name(a: &Blob, b: &Blob) -> bool {
    matches!((a.whole(), b.whole()), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
}

/// The callback that must not come comes: at the end of every instance of the VM, on every context
/// that may be meant.
fn came(
    a: &Attempt,
    who: Who,
    pattern: &CallbackPattern,
    after: Option<&CallbackPattern>,
    all: &mut Vec<Edit>,
) {
    for (i, instance) in a.trace.instances.iter().enumerate() {
        if instance.vm != vm_of(who) {
            continue;
        }
        let (plugins, streams) = instance.contexts();
        let contexts = match who {
            Who::Stream { .. } => streams,
            Who::Plugin { .. } => plugins,
            Who::Vm { .. } => plugins.into_iter().chain(streams).chain([0]).collect(),
        };
        let callback = pattern.name.starts_with("proxy_on_");
        for context in contexts {
            let mut args = Vec::new();
            if callback {
                args.push(Field {
                    name: "context_id".into(),
                    value: Value::Id(IdKind::Context, context),
                    volatile: false,
                });
            }
            let wanted = pattern.args.iter().filter(|(n, _)| n != "context_id");
            args.extend(wanted.filter_map(|(name, m)| argument(instance, name, m)));
            let event = Event {
                kind: if callback {
                    EventKind::Callback
                } else {
                    EventKind::Entry
                },
                name: (&pattern.name).into(),
                step: None,
                args,
                outs: Vec::new(),
                end: Returned::Nothing,
                repeat: None,
                inner: Vec::new(),
            };
            let came = |e: &Event| after.is_none_or(|p| e.name == p.name);
            let at = instance.events.iter().rposition(came);
            let at = at.map_or(instance.events.len(), |n| n + 1);
            all.push(Edit::Came(i, at, Box::new(event.clone())));
            all.push(Edit::Came(i, instance.events.len(), Box::new(event)));
        }
    }
}

fn argument(instance: &crate::trace::Instance, name: &str, m: &Matcher) -> Option<Field> {
    let (plugins, streams) = instance.contexts();
    let nth = |all: &[u64], n: u32| all.get(n.checked_sub(1)? as usize).copied();
    let id = |n| Value::Id(IdKind::Context, n);
    let value = match m {
        Matcher::PluginContext(n) => id(nth(&plugins, *n)?),
        Matcher::StreamContext(n) => id(nth(&streams, *n)?),
        m => taken(m)?,
    };
    Some(Field {
        name: name.into(),
        value,
        volatile: false,
    })
}
