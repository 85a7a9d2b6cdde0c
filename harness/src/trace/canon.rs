//! The canonical text of a trace: one event a line, indentation is nesting, `<` is the host calling
//! back into the guest. What differs from run to run by nature has a canonical name.
//!
//! Names come by type and first appearance, never by pattern. Does not know what was expected.

mod grpc;

use std::collections::HashMap;

use crate::abi::IdKind;
use crate::trace::{
    Blob, ClientSaw, Event, EventKind, Field, Instance, Message, Returned, Seen, Trace,
    UpstreamSaw, Value, quote,
};

/// What stands for a value that differs from run to run.
pub const VARIES: &str = "‹varies›";
/// Results line up within a callback, but not behind a line longer than this.
const ALIGN: usize = 76;

/// How a trace is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct CanonOptions<'a> {
    /// Response fields that the proxy adds on its own.
    pub client_adds: &'a [String],
    /// Request fields that the proxy adds on its own.
    pub upstream_adds: &'a [String],
    /// Values that are made for each attempt, with what to write instead (`{unique: name}`).
    pub aliases: &'a [(Vec<u8>, String)],
    /// Leave out the instances that did not see the stream (snapshots).
    pub only_full: bool,
}

/// The text, and where each event stands in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Canon {
    /// The text; ends with a newline unless empty.
    pub text: String,
    /// Line from 1, by instance index and ordinal in [`Instance::walk`].
    pub lines: HashMap<(u32, u32), u32>,
}

/// Writes a trace and what was seen on the wire.
pub fn canon(trace: &Trace, seen: &Seen, options: &CanonOptions<'_>) -> Canon {
    let mut w = Writer {
        options,
        names: Names::default(),
        canon: Canon::default(),
        line: 0,
        block: Vec::new(),
    };
    let full = trace.full();
    // Which VM starts first is the host's affair: where only some instances are shown they stand and
    // count by their VMs.
    let mut order: Vec<usize> = (0..trace.instances.len()).collect();
    if options.only_full {
        order.retain(|n| full.contains(n));
        order.sort_by_key(|n| trace.instances[*n].vm);
    }
    let shown = order.len();
    for (at, n) in order.into_iter().enumerate() {
        let instance = &trace.instances[n];
        if full.contains(&n) {
            if shown > 1 {
                w.text(0, format!("instance {}{}", at + 1, vm(instance)));
            }
            w.instance(n as u32, instance);
        } else {
            w.folded(n, instance);
        }
    }
    for c in &seen.client {
        w.client(c);
    }
    for u in &seen.upstream {
        w.upstream(u);
    }
    for g in &seen.grpc {
        w.grpc(g);
    }
    w.canon
}

/// Only the text of [`canon`].
pub fn canonical(trace: &Trace, seen: &Seen, options: &CanonOptions<'_>) -> String {
    canon(trace, seen, options).text
}

fn vm(instance: &Instance) -> String {
    match instance.vm {
        0 => String::new(),
        n => format!(" (VM {})", n + 1),
    }
}

/// Canonical names by first appearance. Contexts and addresses are an instance's own.
#[derive(Default)]
struct Names {
    contexts: Vec<u64>,
    pointers: Vec<u64>,
    calls: Vec<u64>,
    queues: Vec<u64>,
    metrics: Vec<u64>,
}

fn nth(known: &mut Vec<u64>, id: u64) -> usize {
    let at = known.iter().position(|k| *k == id);
    at.unwrap_or_else(|| {
        known.push(id);
        known.len() - 1
    }) + 1
}

impl Names {
    fn id(&mut self, kind: IdKind, id: u64) -> String {
        match kind {
            IdKind::Context if id == 0 => "0".to_owned(),
            IdKind::Context => format!("ctx#{}", nth(&mut self.contexts, id)),
            IdKind::Call => format!("call#{}", nth(&mut self.calls, id)),
            IdKind::Queue => format!("queue#{}", nth(&mut self.queues, id)),
            IdKind::Metric => format!("metric#{}", nth(&mut self.metrics, id)),
        }
    }

    fn pointer(&mut self, at: u64) -> String {
        match at {
            0 => "0".to_owned(),
            _ => format!("ptr#{}", nth(&mut self.pointers, at)),
        }
    }
}

/// One line before its results are lined up.
struct Row {
    indent: usize,
    left: String,
    right: Option<String>,
    events: Vec<(u32, u32)>,
}

struct Writer<'a> {
    options: &'a CanonOptions<'a>,
    names: Names,
    canon: Canon,
    line: u32,
    block: Vec<Row>,
}

impl Writer<'_> {
    fn row(&mut self, indent: usize, left: String, right: Option<String>, event: (u32, u32)) {
        self.block.push(Row {
            indent,
            left,
            right,
            events: vec![event],
        });
    }

    /// A line of its own.
    fn text(&mut self, indent: usize, left: String) {
        self.block.push(Row {
            indent,
            left,
            right: None,
            events: Vec::new(),
        });
        self.flush();
    }

    /// Writes the rows of one top-level event, results lined up.
    fn flush(&mut self) {
        let width = |r: &Row| r.indent + r.left.chars().count();
        let aligned = self.block.iter().filter(|r| r.right.is_some()).map(width);
        let column = aligned.filter(|w| *w <= ALIGN).max().unwrap_or(0);
        for row in std::mem::take(&mut self.block) {
            let pad = column.saturating_sub(width(&row));
            let text = &mut self.canon.text;
            text.push_str(&" ".repeat(row.indent));
            text.push_str(&row.left);
            if let Some(right) = &row.right {
                text.push_str(&" ".repeat(pad));
                text.push_str(" = ");
                text.push_str(right);
            }
            text.push('\n');
            self.line += 1;
            let lines = row.events.into_iter().map(|e| (e, self.line));
            self.canon.lines.extend(lines);
        }
    }

    fn folded(&mut self, n: usize, instance: &Instance) {
        let kind = if instance.only_started() {
            "start-up only"
        } else {
            "no stream"
        };
        let count = instance.callbacks().len();
        let s = if count == 1 { "" } else { "s" };
        let vm = vm(instance);
        let left = format!("instance {}{vm} ({kind}): {count} callback{s}", n + 1);
        let events = (0..instance.walk().len()).map(|o| (n as u32, o as u32));
        self.block.push(Row {
            indent: 0,
            left,
            right: None,
            events: events.collect(),
        });
        self.flush();
    }

    fn instance(&mut self, n: u32, instance: &Instance) {
        self.names.contexts.clear();
        self.names.pointers.clear();
        let mut ordinal = 0;
        let mut rest = instance.events.as_slice();
        while let Some(first) = rest.first() {
            let row = rest.iter().take_while(|e| joins(first, e)).count();
            if row == 0 {
                self.top(n, &mut ordinal, first);
                rest = &rest[1..];
            } else {
                self.joined(n, &mut ordinal, &rest[..row]);
                rest = &rest[row..];
            }
            self.flush();
        }
    }

    fn top(&mut self, n: u32, ordinal: &mut u32, e: &Event) {
        let place = (n, *ordinal);
        *ordinal += 1;
        let left = format!("> {}", self.head(e));
        if e.kind == EventKind::Hostcall {
            let right = self.result(e);
            self.row(0, left, right, place);
        } else {
            self.row(0, left, None, place);
        }
        for inner in &e.inner {
            self.inner(n, ordinal, inner, 4);
        }
        if e.kind != EventKind::Hostcall {
            self.end(e, 2);
        }
    }

    /// The result of a callback, on a line of its own.
    fn end(&mut self, e: &Event, indent: usize) {
        if let Some(right) = self.result(e) {
            self.block.push(Row {
                indent,
                left: format!("= {right}"),
                right: None,
                events: Vec::new(),
            });
        }
    }

    fn inner(&mut self, n: u32, ordinal: &mut u32, e: &Event, indent: usize) {
        let place = (n, *ordinal);
        *ordinal += 1;
        let call = e.kind == EventKind::Hostcall;
        let mark = if call { "" } else { "< " };
        let left = format!("{mark}{}", self.head(e));
        if call || e.inner.is_empty() {
            let right = self.result(e);
            self.row(indent, left, right, place);
            for inner in &e.inner {
                self.inner(n, ordinal, inner, indent + 2);
            }
        } else {
            self.row(indent, left, None, place);
            for inner in &e.inner {
                self.inner(n, ordinal, inner, indent + 4);
            }
            self.end(e, indent + 2);
        }
    }

    fn joined(&mut self, n: u32, ordinal: &mut u32, row: &[Event]) {
        let size: u64 = row.iter().map(body_size).sum();
        let context = row[0].args.first().map(|f| self.value(&f.value));
        let left = format!(
            "> {} {} {}={size} (joined)",
            row[0].name,
            context.unwrap_or_default(),
            size_name(&row[0])
        );
        let events = (0..row.len() as u32).map(|i| (n, *ordinal + i)).collect();
        *ordinal += row.len() as u32;
        self.block.push(Row {
            indent: 0,
            left,
            right: None,
            events,
        });
        self.end(&row[0], 2);
    }

    /// Name and arguments. Callbacks name theirs, but for the context in front.
    fn head(&mut self, e: &Event) -> String {
        let mut out = e.name.to_string();
        for (i, f) in e.args.iter().enumerate() {
            out.push(' ');
            let first = i == 0 && matches!(f.value, Value::Id(IdKind::Context, _));
            if e.kind == EventKind::Callback && !first {
                out.push_str(&f.name);
                out.push('=');
            }
            out.push_str(&self.field(f));
        }
        if let Some(r) = &e.repeat {
            out.push_str(&format!(" ×{}", r.times));
        }
        out
    }

    fn result(&mut self, e: &Event) -> Option<String> {
        let (mut out, fine) = match &e.end {
            Returned::Never => ("never returned".to_owned(), false),
            Returned::Nothing => (String::new(), true),
            Returned::Value(v) => {
                let fine = !matches!(v, Value::Enum(_, n) if *n != 0);
                (self.value(v), fine)
            }
        };
        if let Some(r) = e.repeat.as_ref().filter(|r| r.same != r.times) {
            out.push_str(&format!(" ({} of {})", r.same, r.times));
        }
        let shown = |f: &&Field| fine || f.value != Value::Untouched;
        let outs: Vec<&Field> = e.outs.iter().filter(shown).collect();
        for f in &outs {
            out.push(' ');
            if e.outs.len() > 1 {
                out.push_str(&f.name);
                out.push('=');
            }
            out.push_str(&self.field(f));
        }
        let out = out.trim_start();
        (!out.is_empty()).then(|| out.to_owned())
    }

    fn field(&mut self, f: &Field) -> String {
        match &f.value {
            Value::Untouched | Value::Unreadable(_) => self.value(&f.value),
            _ if f.volatile => VARIES.to_owned(),
            v => self.value(v),
        }
    }

    fn value(&mut self, v: &Value) -> String {
        match v {
            Value::Number(n) => n.to_string(),
            Value::Signed(n) => n.to_string(),
            Value::Bool(b) => b.to_string(),
            Value::Enum(Some(name), _) => name.to_string(),
            Value::Enum(None, n) => n.to_string(),
            Value::Id(kind, id) => self.names.id(*kind, *id),
            Value::Pointer(at) => self.names.pointer(*at),
            Value::Bytes(b) => self.bytes(b),
            Value::Pairs(pairs) => {
                let all = pairs.iter().map(|(k, v)| {
                    let v = if self.added(k) {
                        VARIES.to_owned()
                    } else {
                        self.bytes(v)
                    };
                    format!("{}: {v}", k.display())
                });
                format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
            }
            Value::Untouched => "untouched".to_owned(),
            Value::Unreadable(why) => format!("unreadable ({why})"),
        }
    }

    /// Whether the proxy adds a field of this name in either direction.
    fn added(&self, name: &Blob) -> bool {
        let o = self.options;
        is_among(o.client_adds, name) || is_among(o.upstream_adds, name)
    }

    fn bytes(&self, b: &Blob) -> String {
        let alias = self.options.aliases.iter().find(|(bytes, _)| b.is(bytes));
        alias.map_or_else(|| b.display(), |(_, name)| name.clone())
    }

    fn client(&mut self, c: &ClientSaw) {
        self.text(0, format!("client {}", c.stream));
        match &c.response {
            None => self.text(4, "no response".to_owned()),
            Some(m) => self.message(m, self.options.client_adds),
        }
        if let Some(t) = &c.trouble {
            self.text(4, format!("trouble: {}", tame(t)));
        }
    }

    fn upstream(&mut self, u: &UpstreamSaw) {
        self.text(0, format!("upstream {}", u.upstream));
        self.message(&u.request, self.options.upstream_adds);
    }

    fn message(&mut self, m: &Message, adds: &[String]) {
        let mut first: Vec<String> = Vec::new();
        first.extend(m.method.as_deref().map(tame));
        first.extend(
            m.path
                .as_ref()
                .map(|p| self.bytes(&Blob::new(p.as_bytes()))),
        );
        first.extend(m.status.map(|s| s.to_string()));
        if m.is_tcp() {
            first.push(if m.complete { "closed" } else { "open" }.to_owned());
        } else if !m.complete {
            first.push("(incomplete)".to_owned());
        }
        if !first.is_empty() {
            self.text(4, first.join(" "));
        }
        self.fields(&m.headers, adds, 4);
        if !m.body.is_empty() {
            self.text(4, format!("body {}", self.bytes(&m.body)));
        }
        if !m.trailers.is_empty() {
            self.text(4, "trailers".to_owned());
            self.fields(&m.trailers, adds, 6);
        }
    }

    fn fields(&mut self, fields: &[(Blob, Blob)], adds: &[String], indent: usize) {
        for (k, v) in fields.iter().filter(|(k, _)| !is_among(adds, k)) {
            let name = match k.whole().and_then(|k| std::str::from_utf8(k).ok()) {
                Some(n) if plain(n) => n.to_ascii_lowercase(),
                _ => k.display(),
            };
            self.text(indent, format!("{name}: {}", self.bytes(v)));
        }
    }
}

/// Text without quotes round it, in which nothing is left that would move or hide other text.
fn tame(text: &str) -> String {
    let quoted = quote(text.as_bytes());
    quoted[1..quoted.len() - 1].replace("\\\"", "\"")
}

/// Whether a field name can stand without quotes.
fn plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
}

fn is_among(names: &[String], name: &Blob) -> bool {
    let same = |n: &String| {
        name.whole()
            .is_some_and(|k| k.eq_ignore_ascii_case(n.as_bytes()))
    };
    names.iter().any(same)
}

/// Whether `e` is a body chunk of the same stream that the guest let pass without looking at it.
/// How a body is cut into such chunks is the proxy's own business.
fn joins(first: &Event, e: &Event) -> bool {
    let body = matches!(
        e.name.as_str(),
        "proxy_on_request_body"
            | "proxy_on_response_body"
            | "proxy_on_downstream_data"
            | "proxy_on_upstream_data"
    );
    let default = matches!(&e.end, Returned::Value(Value::Enum(_, 0)));
    body && default
        && e.kind == EventKind::Callback
        && e.inner.is_empty()
        && e.name == first.name
        && e.context() == first.context()
}

/// What the size is called: of a body, or of the data of a TCP stream.
fn size_name(e: &Event) -> &'static str {
    match e.arg("data_size") {
        Some(_) => "data_size",
        None => "body_size",
    }
}

fn body_size(e: &Event) -> u64 {
    match e.arg(size_name(e)) {
        Some(Value::Number(n)) => *n,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
