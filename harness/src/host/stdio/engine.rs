//! The stream engine: one exchange, played against whoever calls the library.
//!
//! It opens streams, hands messages over piece by piece and forwards what comes back; a paused
//! message stays. What it decides itself is never judged: see the profile's `answers` and the seats of
//! requirements.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::case::{AnswerKind, Fields, Play, Stream};
use crate::host::Job;
use crate::host::stdio::link::{Peer, Silence};
use crate::host::stdio::protocol::{Bytes, Call, Done, Field, Local, Reply, Request};
use crate::trace::{
    Attempt, Blame, Blob, ClientSaw, End, Fault, Isolation, Load, LogLine, Message, Reader, Taken,
    Trace, UpstreamSaw,
};

/// The action with which a plugin stops a message.
const PAUSE: u32 = 1;

/// What of a stream is known.
struct Open {
    context: u32,
    /// Pieces of the request's body that were handed over.
    sent: usize,
    ended: bool,
    paused: bool,
    request: Message,
    body: Vec<u8>,
    local: Option<Local>,
    closed: bool,
}

/// Plays one job.
pub struct Engine<'e> {
    peer: &'e mut dyn Peer,
    job: &'e Job,
    until: Instant,
    reader: Option<Reader>,
    attempt: Attempt,
    streams: BTreeMap<u32, Open>,
}

/// The attempt cannot go on; the attempt says why.
pub struct Over;

impl<'e> Engine<'e> {
    /// An engine for a job with one VM.
    pub fn new(peer: &'e mut dyn Peer, job: &'e Job) -> Engine<'e> {
        let legend = job.vms.first().and_then(|vm| vm.legend.as_ref());
        Engine {
            peer,
            job,
            until: Instant::now() + job.deadline,
            reader: legend.map(|l| Reader::new(l)),
            attempt: Attempt::empty(Isolation::Shared),
            streams: BTreeMap::new(),
        }
    }

    /// Plays everything; the attempt, and whether the peer can go on with another job.
    pub fn play(mut self, unlinked: &dyn Fn(&str) -> Option<String>) -> (Attempt, bool) {
        let began = Instant::now();
        let alive = self.all(unlinked).is_ok() || matches!(self.attempt.end, End::Trap(_));
        let mut attempt = self.attempt;
        if let Some(reader) = self.reader {
            let (instances, faults) = reader.finish();
            attempt.trace = Trace { instances };
            attempt.faults.extend(faults);
        }
        attempt.micros = began.elapsed().as_micros() as u64;
        (attempt, alive)
    }

    fn all(&mut self, unlinked: &dyn Fn(&str) -> Option<String>) -> Result<(), Over> {
        let Some(vm) = self.job.vms.first() else {
            return Ok(());
        };
        let config = vm.plugins.first().map(|p| p.config.clone());
        let load = Request::Load {
            module: Bytes(vm.wasm.to_vec()),
            vm_config: Bytes(vm.config.clone()),
            plugin_config: Bytes(config.unwrap_or_default()),
        };
        let reply = self.ask(&load)?;
        if let Some(words) = reply.refused {
            let text = Blob::Whole(words.clone().into_bytes());
            self.attempt.load = match unlinked(&words) {
                Some(import) => Load::Unlinked { import, text },
                None => Load::Refused { text },
            };
            return Ok(());
        }
        let Some(done) = reply.done else {
            return Err(Over);
        };
        let root = done.context.unwrap_or_default();
        self.attempt.load = Load::Loaded;
        for callback in ["proxy_on_vm_start", "proxy_on_configure"] {
            let done = self.plain(callback, root)?;
            if done.value == Some(0) {
                let text = format!("{callback} returned false").into_bytes();
                self.attempt.load = Load::Refused {
                    text: Blob::Whole(text),
                };
                return Ok(());
            }
        }
        for step in &self.job.exchange.play {
            self.step(step, root)?;
        }
        let open: Vec<u32> = self.streams.keys().copied().collect();
        for n in open {
            self.close(n, Some("the exchange ended first"))?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Play, root: u32) -> Result<(), Over> {
        match step {
            Play::Head(n) => self.head(*n),
            Play::Chunk(n) => self.chunk(*n),
            Play::Rest(n) => self.rest(*n),
            Play::Finish(n) => {
                self.rest(*n)?;
                self.finish(*n)
            }
            Play::Abort(n) => self.close(*n, Some("aborted by the client")),
            // No gRPC upstream is played here.
            Play::Go(_) => Ok(()),
            Play::Shutdown => self.plain("proxy_on_done", root).map(drop),
            // Time is the engine's: a timer that is waited for fires at once.
            Play::Wait {
                callback, times, ..
            } if callback == "proxy_on_tick" => {
                for _ in 0..*times {
                    self.plain(callback, root)?;
                }
                Ok(())
            }
            Play::Wait { .. }
            | Play::Reload
            | Play::Remove
            | Play::Open(_)
            | Play::Send(..)
            | Play::End(..)
            | Play::Close(..)
            | Play::Ended(..) => {
                let what = format!("the stream engine does not play {step:?} so far");
                self.attempt.faults.push(Fault::new(Blame::Harness, what));
                Err(Over)
            }
        }
    }

    fn script(&self, n: u32) -> Option<&'e Stream> {
        let job = self.job;
        job.exchange.streams.get((n as usize).checked_sub(1)?)
    }

    fn head(&mut self, n: u32) -> Result<(), Over> {
        let Some(script) = self.script(n) else {
            return Ok(());
        };
        let made = self.plain("proxy_on_context_create", 0)?;
        let request = &script.request;
        let mut fields = vec![
            field(b":method", request.method.as_bytes()),
            field(b":path", request.path.as_bytes()),
            field(b":authority", request.authority.as_bytes()),
            field(b":scheme", b"http"),
        ];
        fields.extend(request.headers.iter().map(|(k, v)| field(k, v)));
        let ended = request.body.is_empty() && request.trailers.is_empty();
        self.streams.insert(
            n,
            Open {
                context: made.context.unwrap_or_default(),
                sent: 0,
                ended,
                paused: false,
                request: Message::default(),
                body: Vec::new(),
                local: None,
                closed: false,
            },
        );
        let done = self.on(n, "proxy_on_request_headers", fields.clone(), &[], ended)?;
        if let Some(open) = self.streams.get_mut(&n) {
            open.request = request_head(&done.fields.unwrap_or(fields));
        }
        Ok(())
    }

    fn chunk(&mut self, n: u32) -> Result<(), Over> {
        let (Some(script), Some(open)) = (self.script(n), self.streams.get_mut(&n)) else {
            return Ok(());
        };
        let Some(part) = script.request.body.get(open.sent) else {
            return Ok(());
        };
        if open.local.is_some() {
            return Ok(());
        }
        open.sent += 1;
        let last = open.sent == script.request.body.len() && script.request.trailers.is_empty();
        open.ended |= last;
        let done = self.on(n, "proxy_on_request_body", Vec::new(), part, last)?;
        self.forward(n, done, part);
        Ok(())
    }

    /// A piece that was let through goes on; a paused one stays with the library.
    fn forward(&mut self, n: u32, done: Done, part: &[u8]) {
        if let Some(open) = self.streams.get_mut(&n)
            && !open.paused
        {
            let body = done.body.map_or_else(|| part.to_vec(), |b| b.0);
            open.body.extend_from_slice(&body);
        }
    }

    fn rest(&mut self, n: u32) -> Result<(), Over> {
        let Some(script) = self.script(n) else {
            return Ok(());
        };
        while self
            .streams
            .get(&n)
            .is_some_and(|o| o.sent < script.request.body.len() && o.local.is_none())
        {
            self.chunk(n)?;
        }
        let trailers = &script.request.trailers;
        let due = self
            .streams
            .get_mut(&n)
            .is_some_and(|o| !std::mem::replace(&mut o.ended, true) && o.local.is_none());
        if due && !trailers.is_empty() {
            self.on(n, "proxy_on_request_trailers", all(trailers), &[], true)?;
            if let Some(open) = self.streams.get_mut(&n) {
                open.request.trailers = blobs(trailers);
            }
        }
        Ok(())
    }

    /// The upstream's part, then the client's.
    fn finish(&mut self, n: u32) -> Result<(), Over> {
        let (Some(script), Some(open)) = (self.script(n), self.streams.get_mut(&n)) else {
            return Ok(());
        };
        if open.local.is_some() {
            return self.close(n, None);
        }
        if open.paused {
            return self.close(n, Some("the request stays paused"));
        }
        let mut request = std::mem::take(&mut open.request);
        request.body = Blob::new(&std::mem::take(&mut open.body));
        request.complete = true;
        self.attempt.seen.upstream.push(UpstreamSaw {
            upstream: "main".to_owned(),
            request,
        });
        if script.answer.kind != AnswerKind::Reply {
            return self.close(n, Some("the upstream does not answer"));
        }
        let answer = &script.answer;
        let mut fields = vec![field(b":status", answer.status.to_string().as_bytes())];
        fields.extend(answer.headers.iter().map(|(k, v)| field(k, v)));
        let bare = answer.body.is_empty() && answer.trailers.is_empty();
        let done = self.on(n, "proxy_on_response_headers", fields.clone(), &[], bare)?;
        let mut response = response_head(&done.fields.unwrap_or(fields));
        for (i, part) in answer.body.iter().enumerate() {
            if self.streams.get(&n).is_none_or(|o| o.local.is_some()) {
                break;
            }
            let last = i + 1 == answer.body.len() && answer.trailers.is_empty();
            let done = self.on(n, "proxy_on_response_body", Vec::new(), part, last)?;
            self.forward(n, done, part);
        }
        if !answer.trailers.is_empty() && self.streams.get(&n).is_some_and(|o| o.local.is_none()) {
            let trailers = all(&answer.trailers);
            self.on(n, "proxy_on_response_trailers", trailers, &[], true)?;
            response.trailers = blobs(&answer.trailers);
        }
        let Some(open) = self.streams.get_mut(&n) else {
            return Ok(());
        };
        if open.local.is_some() {
            return self.close(n, None);
        }
        let paused = open.paused;
        response.body = Blob::new(&std::mem::take(&mut open.body));
        response.complete = !paused;
        self.saw(
            n,
            Some(response),
            paused.then_some("the response stays paused"),
        );
        self.close(n, None)
    }

    fn saw(&mut self, n: u32, response: Option<Message>, trouble: Option<&str>) {
        self.attempt.seen.client.push(ClientSaw {
            stream: n,
            response,
            trouble: trouble.map(str::to_owned),
        });
    }

    /// Ends a stream that was not ended yet.
    fn close(&mut self, n: u32, trouble: Option<&str>) -> Result<(), Over> {
        let Some(open) = self.streams.get_mut(&n) else {
            return Ok(());
        };
        if std::mem::replace(&mut open.closed, true) {
            return Ok(());
        }
        let context = open.context;
        if let Some(local) = open.local.take() {
            let mut response = Message {
                status: u16::try_from(local.status).ok(),
                body: Blob::new(&local.body.unwrap_or_default().0),
                complete: true,
                ..Message::default()
            };
            let fields = local.fields.unwrap_or_default();
            response.headers = fields.iter().map(blob).collect();
            self.saw(n, Some(response), None);
        } else if trouble.is_some() {
            self.saw(n, None, trouble);
        }
        // Which of done, log and delete come is the library's affair.
        self.plain("proxy_on_log", context).map(drop)
    }

    fn on(
        &mut self,
        n: u32,
        callback: &str,
        fields: Vec<Field>,
        body: &[u8],
        end_of_stream: bool,
    ) -> Result<Done, Over> {
        let context = self.streams.get(&n).map_or(0, |o| o.context);
        let done = self.call(Call {
            callback: callback.to_owned(),
            context,
            end_of_stream,
            fields,
            body: Bytes(body.to_vec()),
        })?;
        if let Some(open) = self.streams.get_mut(&n) {
            open.paused = done.value == Some(PAUSE);
            if open.local.is_none() {
                open.local.clone_from(&done.local_response);
            }
        }
        Ok(done)
    }

    fn plain(&mut self, callback: &str, context: u32) -> Result<Done, Over> {
        self.call(Call {
            callback: callback.to_owned(),
            context,
            ..Call::default()
        })
    }

    fn call(&mut self, call: Call) -> Result<Done, Over> {
        let reply = self.ask(&Request::Call(call))?;
        // A callback that the library cannot make is one that never comes.
        Ok(reply.done.unwrap_or_default())
    }

    fn ask(&mut self, request: &Request) -> Result<Reply, Over> {
        let reply = match self.peer.ask(request, self.until) {
            Ok(reply) => reply,
            Err(silence) => {
                match silence {
                    Silence::Late => {
                        self.attempt.end = End::Timeout("no answer from the library".to_owned());
                    }
                    Silence::Gone(story) => self.attempt.end = End::Crash(story),
                    Silence::Nonsense(what) => {
                        self.attempt.faults.push(Fault::new(Blame::Adapter, what));
                    }
                }
                return Err(Over);
            }
        };
        for line in &reply.logs {
            let text = String::from_utf8_lossy(&line.text.0);
            let taken = self.reader.as_mut().map(|r| r.push("", &text));
            if taken != Some(Taken::Taken) {
                self.attempt.logs.push(LogLine {
                    level: Some(line.level.to_uppercase()),
                    text: Blob::new(&line.text.0),
                });
            }
        }
        if let Some(words) = &reply.trapped {
            self.attempt.end = End::Trap(Blob::Whole(words.clone().into_bytes()));
            return Err(Over);
        }
        Ok(reply)
    }
}

fn field(name: &[u8], value: &[u8]) -> Field {
    (Bytes(name.to_vec()), Bytes(value.to_vec()))
}

fn all(fields: &Fields) -> Vec<Field> {
    fields.iter().map(|(k, v)| field(k, v)).collect()
}

fn blobs(fields: &Fields) -> Vec<(Blob, Blob)> {
    let both = fields.iter();
    both.map(|(k, v)| (Blob::new(k), Blob::new(v))).collect()
}

fn blob((k, v): &Field) -> (Blob, Blob) {
    (Blob::new(&k.0), Blob::new(&v.0))
}

fn value(fields: &[Field], name: &[u8]) -> Option<String> {
    let found = fields.iter().find(|(k, _)| k.0 == name);
    found.map(|(_, v)| String::from_utf8_lossy(&v.0).into_owned())
}

/// As it goes over the wire: `:authority` travels as `host`, the others as the first line.
fn request_head(fields: &[Field]) -> Message {
    let host = value(fields, b":authority").map(|v| field(b"host", v.as_bytes()));
    let plain = fields.iter().filter(|(k, _)| !k.0.starts_with(b":"));
    Message {
        method: value(fields, b":method"),
        path: value(fields, b":path"),
        headers: host.iter().chain(plain).map(blob).collect(),
        ..Message::default()
    }
}

fn response_head(fields: &[Field]) -> Message {
    let plain = fields.iter().filter(|(k, _)| !k.0.starts_with(b":"));
    Message {
        status: value(fields, b":status").and_then(|s| s.parse().ok()),
        headers: plain.map(blob).collect(),
        ..Message::default()
    }
}
