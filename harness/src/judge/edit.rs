//! One change of a recorded attempt, and how it is made.
//!
//! Does not know which changes are worth trying.

use crate::trace::{
    Attempt, Blob, End, Event, Field, GrpcSaw, Load, LogLine, Message, Returned, UpstreamSaw, Value,
};

/// A change of one recorded answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Edit {
    /// The result of the event at (instance, ordinal).
    Result(usize, usize, Value),
    /// An output, by index.
    Out(usize, usize, usize, Value),
    /// An argument of a callback, by index.
    Arg(usize, usize, usize, Value),
    /// One call of a `repeat` step ended otherwise.
    Repeat(usize, usize),
    /// The top-level event at (instance, index) did not come.
    Gone(usize, usize),
    /// It came twice.
    Twice(usize, usize),
    /// It came after the next one.
    Swapped(usize, usize),
    /// This event came as well, after the top-level event before `index`.
    Came(usize, usize, Box<Event>),
    /// A message on the wire.
    Wire(Side, Part),
    /// The response of a client's stream, by index, did not come.
    NoResponse(usize),
    /// A response came where there was none.
    Response(usize),
    /// The request at an upstream, by index, did not come.
    NoRequest(usize),
    /// It came twice.
    RequestTwice(usize),
    /// A request came as well.
    Request(Box<UpstreamSaw>),
    /// What a gRPC upstream saw of the call, by index.
    Call(usize, CallPart),
    /// The call at a gRPC upstream, by index, did not come.
    NoCall(usize),
    /// It came twice.
    CallTwice(usize),
    /// A call came as well.
    CallToo(Box<GrpcSaw>),
    /// A line of the log, by index, is missing.
    NoLog(usize),
    /// It is there twice.
    LogTwice(usize),
    /// It has another level or text.
    Log(usize, LogLine),
    /// A line is there as well.
    LogToo(LogLine),
    /// Load.
    Load(Load),
    /// End.
    End(End),
}

/// Which message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// By index.
    Client(usize),
    /// By index.
    Upstream(usize),
}

/// What of a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Method,
    Path,
    Status(u16),
    Headers(Vec<(Blob, Blob)>),
    Trailers(Vec<(Blob, Blob)>),
    Body(Blob),
    Complete,
}

/// What of a gRPC call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum CallPart {
    Service,
    Method,
    Metadata(Vec<(Blob, Blob)>),
    Messages(Vec<Blob>),
    Ended,
    Cancelled,
    /// Neither ended nor cancelled, or both.
    Over,
}

impl Edit {
    /// What is changed, for people.
    pub(super) fn says(&self, a: &Attempt) -> String {
        let name = |i: &usize, o: &usize| {
            let event = a.trace.instances[*i].walk().get(*o).map(|e| e.name.clone());
            format!(
                "instance {} event {} {}",
                i + 1,
                o + 1,
                event.unwrap_or_default()
            )
        };
        let top = |i: &usize, n: &usize| {
            let event = &a.trace.instances[*i].events[*n];
            format!("instance {} {} (number {})", i + 1, event.name, n + 1)
        };
        let field = |f: Option<&Field>| f.map_or_else(String::new, |f| f.name.to_string());
        match self {
            Edit::Result(i, o, v) => format!("{}: the result is {v:?}", name(i, o)),
            Edit::Out(i, o, n, v) | Edit::Arg(i, o, n, v) => {
                let events = a.trace.instances[*i].walk();
                let fields = match self {
                    Edit::Out(..) => &events[*o].outs,
                    _ => &events[*o].args,
                };
                format!("{}: {} is {v:?}", name(i, o), field(fields.get(*n)))
            }
            Edit::Repeat(i, o) => format!("{}: one call ends otherwise", name(i, o)),
            Edit::Gone(i, n) => format!("{} does not come", top(i, n)),
            Edit::Twice(i, n) => format!("{} comes twice", top(i, n)),
            Edit::Swapped(i, n) => format!("{} comes after the next one", top(i, n)),
            Edit::Came(i, _, e) => format!("instance {}: {} comes as well", i + 1, e.name),
            Edit::Wire(side, part) => {
                let side = match side {
                    Side::Client(n) => format!("client {}", a.seen.client[*n].stream),
                    Side::Upstream(n) => format!("upstream {}", a.seen.upstream[*n].upstream),
                };
                format!("{side}: {part:?}")
            }
            Edit::NoResponse(n) => format!("client {}: no response", a.seen.client[*n].stream),
            Edit::Response(n) => format!("client {}: a response", a.seen.client[*n].stream),
            Edit::NoRequest(n) => format!("request {} does not arrive", n + 1),
            Edit::RequestTwice(n) => format!("request {} arrives twice", n + 1),
            Edit::Request(u) => format!("a request arrives at {} as well", u.upstream),
            Edit::Call(n, part) => format!("{} call {}: {part:?}", a.seen.grpc[*n].upstream, n + 1),
            Edit::NoCall(n) => format!("gRPC call {} does not arrive", n + 1),
            Edit::CallTwice(n) => format!("gRPC call {} arrives twice", n + 1),
            Edit::CallToo(g) => format!("a gRPC call arrives at {} as well", g.upstream),
            Edit::NoLog(n) => format!("log line {} is missing", n + 1),
            Edit::LogTwice(n) => format!("log line {} is there twice", n + 1),
            Edit::Log(n, l) => format!("log line {} is {l:?}", n + 1),
            Edit::LogToo(l) => format!("a log line {} as well", l.text.display()),
            Edit::Load(l) => format!("load is {l:?}"),
            Edit::End(e) => format!("end is {e:?}"),
        }
    }

    /// Makes the change.
    pub(super) fn apply(&self, a: &mut Attempt) {
        match self {
            Edit::Result(i, o, v) => {
                with(a, *i, *o, |e| e.end = Returned::Value(v.clone()));
            }
            Edit::Out(i, o, n, v) => with(a, *i, *o, |e| e.outs[*n].value = v.clone()),
            Edit::Arg(i, o, n, v) => with(a, *i, *o, |e| e.args[*n].value = v.clone()),
            Edit::Repeat(i, o) => with(a, *i, *o, |e| {
                if let Some(r) = &mut e.repeat {
                    r.same = r.same.saturating_sub(1);
                }
            }),
            Edit::Gone(i, n) => {
                a.trace.instances[*i].events.remove(*n);
            }
            Edit::Twice(i, n) => {
                let events = &mut a.trace.instances[*i].events;
                events.insert(*n, events[*n].clone());
            }
            Edit::Swapped(i, n) => a.trace.instances[*i].events.swap(*n, n + 1),
            Edit::Came(i, n, e) => a.trace.instances[*i].events.insert(*n, (**e).clone()),
            Edit::Wire(side, part) => {
                let message = match side {
                    Side::Client(n) => a.seen.client[*n].response.as_mut(),
                    Side::Upstream(n) => Some(&mut a.seen.upstream[*n].request),
                };
                if let Some(m) = message {
                    part.apply(m);
                }
            }
            Edit::NoResponse(n) => {
                let c = &mut a.seen.client[*n];
                c.response = None;
                c.trouble = Some("closed".to_owned());
            }
            Edit::Response(n) => a.seen.client[*n].response = Some(Message::default()),
            Edit::NoRequest(n) => {
                a.seen.upstream.remove(*n);
            }
            Edit::RequestTwice(n) => {
                let again = a.seen.upstream[*n].clone();
                a.seen.upstream.insert(*n, again);
            }
            Edit::Request(u) => a.seen.upstream.push((**u).clone()),
            Edit::Call(n, part) => part.apply(&mut a.seen.grpc[*n]),
            Edit::NoCall(n) => {
                a.seen.grpc.remove(*n);
            }
            Edit::CallTwice(n) => {
                let again = a.seen.grpc[*n].clone();
                a.seen.grpc.insert(*n, again);
            }
            Edit::CallToo(g) => a.seen.grpc.push((**g).clone()),
            Edit::NoLog(n) => {
                a.logs.remove(*n);
            }
            Edit::LogTwice(n) => {
                let again = a.logs[*n].clone();
                a.logs.insert(*n, again);
            }
            Edit::Log(n, l) => a.logs[*n] = l.clone(),
            Edit::LogToo(l) => a.logs.push(l.clone()),
            Edit::Load(l) => a.load = l.clone(),
            Edit::End(e) => a.end = e.clone(),
        }
    }
}

impl Part {
    fn apply(&self, m: &mut Message) {
        match self {
            Part::Method => m.method = Some("CHANGED".to_owned()),
            Part::Path => m.path = Some("/pwspec-changed".to_owned()),
            Part::Status(n) => m.status = Some(*n),
            Part::Headers(f) => m.headers.clone_from(f),
            Part::Trailers(f) => m.trailers.clone_from(f),
            Part::Body(b) => m.body = b.clone(),
            Part::Complete => m.complete = !m.complete,
        }
    }
}

impl CallPart {
    fn apply(&self, g: &mut GrpcSaw) {
        match self {
            CallPart::Service => g.service.push_str(".Changed"),
            CallPart::Method => g.method.push_str("Changed"),
            CallPart::Metadata(all) => g.metadata.clone_from(all),
            CallPart::Messages(all) => g.messages.clone_from(all),
            CallPart::Ended => g.ended = !g.ended,
            CallPart::Cancelled => g.cancelled = !g.cancelled,
            CallPart::Over => {
                let open = !(g.ended || g.cancelled);
                (g.ended, g.cancelled) = (open, open);
            }
        }
    }
}

/// Changes the event at an ordinal of an instance.
fn with(a: &mut Attempt, instance: usize, ordinal: usize, change: impl FnOnce(&mut Event)) {
    let mut left = ordinal;
    if let Some(e) = nth(&mut a.trace.instances[instance].events, &mut left) {
        change(e);
    }
}

fn nth<'e>(events: &'e mut [Event], left: &mut usize) -> Option<&'e mut Event> {
    for e in events {
        if *left == 0 {
            return Some(e);
        }
        *left -= 1;
        if let Some(found) = nth(&mut e.inner, left) {
            return Some(found);
        }
    }
    None
}
