//! Values, matchers and messages in words for people.
//!
//! Does not know whether they match.

use crate::case::{
    BodyExpect, CallbackPattern, CheckKind, FieldExpect, GrpcExpect, Matcher, MessageExpect, Who,
};
use crate::judge::matching::Got;
use crate::trace::{End, Event, Load, Returned, Value, quote};

/// Long constants in expectations are shortened to this many bytes.
const SHOWN: usize = 80;

pub(super) fn value(v: &Value) -> String {
    match v {
        Value::Number(n) | Value::Id(_, n) => n.to_string(),
        Value::Signed(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Enum(Some(name), _) => name.to_string(),
        Value::Enum(None, n) => format!("{n} (not in the text)"),
        Value::Pointer(n) => format!("{n:#x}"),
        Value::Bytes(b) => b.display(),
        Value::Pairs(pairs) => {
            let all = pairs
                .iter()
                .map(|(k, v)| format!("{}: {}", k.display(), v.display()));
            format!("[{}]", all.collect::<Vec<_>>().join(", "))
        }
        Value::Untouched => "untouched".to_owned(),
        Value::Unreadable(why) => format!("unreadable ({why})"),
    }
}

pub(super) fn got(g: Got<'_>) -> String {
    match g {
        Got::Missing => "absent".to_owned(),
        Got::Value(v) => value(v),
        Got::Bytes(b) => b.display(),
        Got::Number(n) => n.to_string(),
    }
}

/// The result of a call and what was written: `OK, value ""`.
pub(super) fn result(e: &Event) -> String {
    let mut out = match &e.end {
        Returned::Never => "no return".to_owned(),
        Returned::Nothing => "no result".to_owned(),
        Returned::Value(v) => value(v),
    };
    for f in &e.outs {
        if f.value != Value::Untouched {
            out.push_str(&format!(", {} {}", f.name, value(&f.value)));
        }
    }
    out
}

fn constant(b: &[u8]) -> String {
    if b.len() <= SHOWN {
        return quote(b);
    }
    format!("{} … ({} bytes)", quote(&b[..SHOWN / 2]), b.len())
}

fn map(pairs: &[(Vec<u8>, Vec<u8>)]) -> String {
    let all = pairs
        .iter()
        .map(|(k, v)| format!("{}: {}", constant(k), constant(v)));
    format!("[{}]", all.collect::<Vec<_>>().join(", "))
}

pub(super) fn matcher(m: &Matcher) -> String {
    match m {
        Matcher::Number(n) => n.to_string(),
        Matcher::Signed(n) => n.to_string(),
        Matcher::Bool(b) => b.to_string(),
        Matcher::Enum(name, _) => name.clone(),
        Matcher::Bytes(b) => constant(b),
        Matcher::Fill { pattern, len } => format!("{len} bytes of {}", constant(pattern)),
        Matcher::Pairs(p) => map(p),
        Matcher::HasPairs(p) => format!("a map with {}", map(p)),
        Matcher::Saved { step, out } => format!("{out} of call {}", step.call),
        Matcher::AtLeast { step, out } => format!("at least {out} of call {}", step.call),
        Matcher::CountIs(arg) => format!("as many pairs as {arg} says"),
        Matcher::PluginContext(n) => format!("plugin context {n}"),
        Matcher::StreamContext(n) => format!("stream context {n}"),
        Matcher::AnyOf(all) => {
            let all: Vec<String> = all.iter().map(matcher).collect();
            all.join(" or ")
        }
        Matcher::Not(m) => format!("not {}", matcher(m)),
        Matcher::Absent => "absent".to_owned(),
        Matcher::Present => "present".to_owned(),
        Matcher::Prefix(b) => format!("begins with {}", constant(b)),
        Matcher::Contains(b) => format!("contains {}", constant(b)),
        Matcher::Between(a, b) => format!("{a} to {b}"),
        Matcher::Untouched => "untouched".to_owned(),
    }
}

pub(super) fn field(f: &FieldExpect) -> String {
    match f {
        FieldExpect::Value(m) => matcher(m),
        FieldExpect::List(all) => {
            let all: Vec<String> = all.iter().map(|v| quote(v.as_bytes())).collect();
            format!("[{}]", all.join(", "))
        }
    }
}

pub(super) fn who(w: Who) -> String {
    match w {
        Who::Stream { nth, .. } => format!("stream {nth}"),
        Who::Plugin { nth, .. } => format!("plugin {nth}"),
        Who::Vm { .. } => "the VM".to_owned(),
    }
}

pub(super) fn pattern(p: &CallbackPattern) -> String {
    let mut out = p.name.clone();
    if !p.args.is_empty() {
        let args = p.args.iter().map(|(n, m)| format!("{n}={}", matcher(m)));
        out.push_str(&format!("[{}]", args.collect::<Vec<_>>().join(", ")));
    }
    if p.plus {
        out.push('+');
    }
    out
}

fn message(what: &str, e: &MessageExpect) -> String {
    if e.present == Some(false) {
        return format!("no {what}");
    }
    let mut parts = Vec::new();
    let scalars = [
        ("method", &e.method),
        ("path", &e.path),
        ("status", &e.status),
    ];
    for (name, m) in scalars {
        parts.extend(m.as_ref().map(|m| format!("{name} {}", matcher(m))));
    }
    for (name, f) in &e.headers {
        parts.push(format!("header {name} {}", field(f)));
    }
    parts.extend(e.body.as_ref().map(|m| format!("body {}", matcher(m))));
    for (name, f) in &e.trailers {
        parts.push(format!("trailer {name} {}", field(f)));
    }
    parts.extend(e.complete.map(|c| completeness(c).to_owned()));
    parts.extend(e.closed.map(|c| openness(c).to_owned()));
    if parts.is_empty() {
        return format!("a {what}");
    }
    parts.join(", ")
}

fn call(e: &GrpcExpect) -> String {
    if e.present == Some(false) {
        return "no call".to_owned();
    }
    let mut parts = Vec::new();
    for (name, m) in [("service", &e.service), ("method", &e.method)] {
        parts.extend(m.as_ref().map(|m| format!("{name} {}", matcher(m))));
    }
    for (name, f) in &e.metadata {
        parts.push(format!("metadata {name} {}", field(f)));
    }
    if let Some(all) = &e.messages {
        let all: Vec<String> = all.iter().map(matcher).collect();
        parts.push(match all.as_slice() {
            [] => "no message".to_owned(),
            all => format!("messages {}", all.join(", ")),
        });
    }
    let ends = [
        (e.ended, "ended"),
        (e.cancelled, "cancelled"),
        (e.over, "over"),
    ];
    for (want, word) in ends {
        parts.extend(want.map(|yes| {
            if yes {
                word.to_owned()
            } else {
                format!("not {word}")
            }
        }));
    }
    if parts.is_empty() {
        return "a call".to_owned();
    }
    parts.join(", ")
}

pub(super) fn completeness(complete: bool) -> &'static str {
    if complete { "complete" } else { "incomplete" }
}

/// Of a TCP connection.
pub(super) fn openness(closed: bool) -> &'static str {
    if closed { "closed" } else { "open" }
}

pub(super) fn load(l: &Load) -> String {
    match l {
        Load::Loaded => "loaded".to_owned(),
        Load::Unlinked { import, .. } => format!("unlinked {import}"),
        Load::Refused { .. } => "refused".to_owned(),
        Load::Unknown => "unknown".to_owned(),
    }
}

pub(super) fn end(e: &End) -> &'static str {
    match e {
        End::Normal => "normal",
        End::Trap(_) => "trap",
        End::Crash(_) => "crash",
        End::Timeout(_) => "timeout",
    }
}

/// The end with the words that came with it.
pub(super) fn end_in_full(e: &End) -> String {
    match e {
        End::Normal => "normal".to_owned(),
        End::Trap(text) => format!("trap: {}", text.display()),
        End::Crash(how) => format!("crash: {how}"),
        End::Timeout(which) => format!("timeout: {which}"),
    }
}

/// What a check expects.
pub(super) fn expected(kind: &CheckKind) -> String {
    match kind {
        CheckKind::Status { expect, .. } => matcher(expect),
        CheckKind::Out { out, expect, .. } => format!("{out} {}", matcher(expect)),
        CheckKind::Callbacks { who: w, order } => {
            let all: Vec<String> = order.iter().map(pattern).collect();
            format!("{}: {}", who(*w), all.join(", "))
        }
        CheckKind::Never {
            who: w,
            pattern: p,
            after,
        } => {
            let mut out = format!("{}: never {}", who(*w), pattern(p));
            if let Some(a) = after {
                out.push_str(&format!(" after {}", pattern(a)));
            }
            out
        }
        CheckKind::Body { expect, .. } => match expect {
            BodyExpect::Bytes(b) => format!("the bytes {}", constant(b)),
            BodyExpect::Total(n) => format!("{n} bytes in all"),
            BodyExpect::GrowsTo(n) => format!("a size that grows to {n}"),
            BodyExpect::EndsOnce => "end_of_stream once, at the end".to_owned(),
        },
        CheckKind::Upstream { expect, .. } => message("request", expect),
        CheckKind::UpstreamCount { expect, .. } => format!("{} requests", matcher(expect)),
        CheckKind::Grpc { expect, .. } => call(expect),
        CheckKind::GrpcCount { expect, .. } => format!("{} calls", matcher(expect)),
        CheckKind::Client { expect, .. } => message("response", expect),
        CheckKind::Log {
            text,
            log_level,
            times,
        } => {
            let mut out = format!("a log line {}", matcher(text));
            if !log_level.is_empty() {
                out.push_str(&format!(" at {}", log_level.join(" or ")));
            }
            out.extend(times.iter().map(|n| format!(", {n} times")));
            out
        }
        CheckKind::Load { loaded: true } => "loaded".to_owned(),
        CheckKind::Load { loaded: false } => "not loaded".to_owned(),
        CheckKind::Ends { any_of } => any_of.join(" or "),
    }
}
