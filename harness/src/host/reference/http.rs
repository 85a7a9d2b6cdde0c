//! HTTP streams: pieces of messages on their way through the plugins.
//!
//! A request passes the plugins in their order, a response in the reverse one. Each piece is shown to
//! a plugin even while processing is paused; what it does not let pass stays with it.
//!
//! Silent: CONTINUE from any callback of a message resumes a message that was paused earlier, because
//! what is held cannot be overtaken. Silent: a local response is not received from upstream, so no
//! response callback sees it.

use std::collections::VecDeque;

use crate::case::{AnswerKind, Stream as Script};
use crate::host::reference::pipe::{Direction, Half, Piece, Stage, Stream};
use crate::host::reference::player::{Called, Player};
use crate::host::reference::reply::LocalResponse;
use crate::host::reference::wire;
use crate::host::reference::world::Event;
use crate::trace::{Blob, Message, UpstreamSaw};

/// Bodies up to this length are recorded whole.
const BODY: usize = 16 * 1024;

impl Player {
    /// A client opens stream `number` and sends the head of its request; with `plugins`, these sit on it.
    pub(super) fn open(&mut self, number: u32, script: &Script, plugins: bool) {
        let world = self.world();
        let stream = world.streams.len();
        let mut stages = Vec::new();
        let mut unusable = None;
        for vm in 0..world.vms.len() {
            let of = &mut world.vms[vm];
            if of.retired || !plugins {
                continue;
            }
            for plugin in 0..of.plugins.len() {
                if of.dead.is_some() || !of.plugins[plugin].usable {
                    unusable = Some(of.plugins[plugin].name.clone());
                    continue;
                }
                let context = of.new_context(plugin, Some((stream, stages.len())));
                stages.push(Stage {
                    vm,
                    context,
                    request: Half::default(),
                    response: Half::default(),
                });
            }
        }
        let began = world.now;
        world.streams.push(Stream {
            number,
            stages,
            began,
            chunks_sent: 0,
            sent: false,
            upstream: None,
            upstream_body: Vec::new(),
            response: None,
            response_body: Vec::new(),
            trouble: None,
            over: false,
        });
        if let Some(plugin) = unusable {
            self.world().own_log.push(format!(
                "plugin {plugin} cannot be used: stream {number} is refused"
            ));
            return self.own_answer(stream, 503);
        }
        self.create_contexts(stream);
        let bare = script.request.body.is_empty() && script.request.trailers.is_empty();
        self.world().streams[stream].sent = bare;
        let head = Piece::Head(wire::head_of_request(&script.request), bare);
        self.deliver(stream, 0, Direction::Request, head);
        self.settle();
    }

    fn create_contexts(&mut self, stream: usize) {
        for at in 0..self.world().streams[stream].stages.len() {
            let world = self.world();
            let (vm, id) = (
                world.streams[stream].stages[at].vm,
                world.streams[stream].stages[at].context,
            );
            let plugin = world.vms[vm].contexts[&id].plugin;
            let mut parent = u64::from(world.vms[vm].plugins[plugin].context);
            if self.faults.is("stream_context_has_no_parent") {
                parent = 0;
            }
            let args = [("context_id", u64::from(id)), ("parent_context_id", parent)];
            if !self.faults.is("stream_context_is_not_created") {
                self.call(vm, "proxy_on_context_create", id, &args);
            }
            self.work();
        }
    }

    /// The client sends its next body chunk.
    pub(super) fn send_chunk(&mut self, stream: usize, script: &Script) {
        let of = &mut self.world().streams[stream];
        let Some(chunk) = script.request.body.get(of.chunks_sent).cloned() else {
            return;
        };
        of.chunks_sent += 1;
        self.deliver(stream, 0, Direction::Request, Piece::Data(chunk, false));
        self.settle();
    }

    /// The client sends all that is left of its request.
    pub(super) fn send_rest(&mut self, stream: usize, script: &Script) {
        while self.world().streams[stream].chunks_sent < script.request.body.len() {
            self.send_chunk(stream, script);
        }
        let of = &mut self.world().streams[stream];
        if std::mem::replace(&mut of.sent, true) {
            return;
        }
        let trailers = &script.request.trailers;
        // The end of a body is seen after its last byte, as on HTTP/1.1.
        let last = if trailers.is_empty() {
            Piece::Data(Vec::new(), true)
        } else {
            Piece::Trailers(trailers.clone())
        };
        self.deliver(stream, 0, Direction::Request, last);
        self.settle();
    }

    /// The upstream writes part `part` of its answer: the head, each chunk, the end.
    pub(super) fn answer_part(&mut self, stream: usize, part: usize) {
        let world = self.world();
        let number = world.streams[stream].number as usize;
        let Some(script) = world.exchange.streams.get(number - 1) else {
            return;
        };
        let answer = script.answer.clone();
        if world.streams[stream].over {
            return;
        }
        match answer.kind {
            AnswerKind::Hang => return,
            AnswerKind::Close => return self.own_answer(stream, 503),
            AnswerKind::Reply => {}
        }
        let bare = answer.body.is_empty() && answer.trailers.is_empty();
        let piece = match part {
            0 => Piece::Head(wire::head_of_answer(&answer), bare),
            n if n <= answer.body.len() => Piece::Data(answer.body[n - 1].clone(), false),
            _ if answer.trailers.is_empty() => Piece::Data(Vec::new(), true),
            _ => Piece::Trailers(answer.trailers.clone()),
        };
        let first = self.world().streams[stream].stages.len();
        let last = bare || part > answer.body.len();
        self.deliver(stream, first, Direction::Response, piece);
        if !last {
            // The next part comes when everything that this one set off has happened.
            self.world().schedule(
                0,
                Event::Answer {
                    stream,
                    part: part + 1,
                },
            );
        }
    }

    /// Brings `piece` to its next place. `at` counts plugins that it has passed: request pieces start
    /// at 0 and leave at the number of plugins, response pieces the other way round.
    pub(super) fn deliver(&mut self, stream: usize, at: usize, direction: Direction, piece: Piece) {
        let of = &self.world().streams[stream];
        if of.over {
            return;
        }
        match direction {
            Direction::Request if at == of.stages.len() => self.to_upstream(stream, piece),
            Direction::Response if at == 0 => self.to_client(stream, piece),
            Direction::Request => self.show(stream, at, direction, piece),
            Direction::Response => self.show(stream, at - 1, direction, piece),
        }
    }

    /// Shows `piece` to the plugin of `stage`.
    fn show(&mut self, stream: usize, stage: usize, direction: Direction, piece: Piece) {
        let faults = self.faults;
        let request = direction == Direction::Request;
        let world = self.world();
        let (vm, context) = {
            let of = &world.streams[stream].stages[stage];
            (of.vm, of.context)
        };
        let Some(half) = world.half((stream, stage), direction) else {
            return;
        };
        let was_paused = half.paused;
        let (callback, size_name, size, end, is_body) = match piece {
            Piece::Head(mut fields, end) => {
                if request && faults.is("request_headers_lose_one")
                    || !request && faults.is("response_headers_lose_one")
                {
                    fields.pop();
                }
                half.headers = fields;
                half.headers_in = true;
                half.end_in = end;
                let name = if request {
                    "proxy_on_request_headers"
                } else {
                    "proxy_on_response_headers"
                };
                (name, "num_headers", half.headers.len(), end, false)
            }
            Piece::Data(bytes, end) => {
                half.received += bytes.len() as u64;
                half.body.extend(bytes);
                half.end_in |= end;
                let name = if request {
                    "proxy_on_request_body"
                } else {
                    "proxy_on_response_body"
                };
                (name, "body_size", half.body.len(), end, true)
            }
            Piece::Trailers(fields) => {
                half.trailers = fields;
                half.trailers_in = true;
                half.end_in = true;
                let name = if request {
                    "proxy_on_request_trailers"
                } else {
                    "proxy_on_response_trailers"
                };
                (name, "num_trailers", half.trailers.len(), true, false)
            }
        };
        let mut shown = size as u64;
        if !is_body && faults.is("num_headers_is_one_more") && size_name == "num_headers" {
            shown += 1;
        }
        if size_name == "num_trailers" && faults.is("num_trailers_is_one_more") {
            shown += 1;
        }
        if is_body && faults.is("body_size_is_one_more") {
            shown += 1;
        }
        let mut args = vec![
            ("stream_context_id", u64::from(context)),
            (size_name, shown),
        ];
        let shown_end = end && !(faults.is("end_of_stream_is_never_true"));
        args.push(("end_of_stream", u64::from(shown_end)));
        let skip = match callback {
            _ if is_body && was_paused && faults.is("paused_body_is_not_shown") => true,
            "proxy_on_request_trailers" => faults.is("request_trailers_are_not_shown"),
            "proxy_on_response_trailers" => faults.is("response_trailers_are_not_shown"),
            "proxy_on_request_headers" => faults.is("request_headers_are_not_shown"),
            "proxy_on_response_headers" => faults.is("response_headers_are_not_shown"),
            "proxy_on_request_body" => faults.is("request_body_is_not_shown"),
            "proxy_on_response_body" => faults.is("response_body_is_not_shown"),
            _ => false,
        };
        let called = if skip {
            Called::Missing
        } else {
            self.call(vm, callback, context, &args)
        };
        let mut pause = self.pauses(callback, called);
        if skip && is_body && was_paused {
            pause = true;
        }
        if let Some(fault) = pause_fault(callback) {
            pause &= !faults.is(fault);
        }
        // A response of its own, a reset or a trap ends the stream before anything is let through.
        self.end_now();
        if called == Called::Dead {
            self.bury();
        }
        if self.world().streams[stream].over {
            return;
        }
        let Some(half) = self.world().half((stream, stage), direction) else {
            return;
        };
        if pause {
            half.pause(is_body);
        } else {
            half.resume();
            self.let_through(stream, stage, direction);
        }
        self.work();
    }

    /// Carries out what ends streams, before anything else that was asked for.
    fn end_now(&mut self) {
        use crate::host::reference::world::Deferred::{Close, Reply};
        let world = self.world();
        let asked = std::mem::take(&mut world.deferred);
        let (ends, others): (VecDeque<_>, VecDeque<_>) = asked
            .into_iter()
            .partition(|d| matches!(d, Close { .. } | Reply { .. }));
        world.deferred = others;

        for end in ends {
            match end {
                Close { stream } => self.reset(stream, "reset"),
                Reply { stream, response } => self.reply(stream, response),
                other => self.world().deferred.push_back(other),
            }
        }
    }

    /// `proxy_continue_stream`, once the callback that asked for it has returned.
    pub(super) fn resume(&mut self, stream: usize, stage: usize, direction: Direction) {
        if self.world().streams[stream].over {
            return;
        }
        let Some(half) = self.world().half((stream, stage), direction) else {
            return;
        };
        if std::mem::replace(&mut half.paused, false) {
            half.resume();
            self.let_through(stream, stage, direction);
        }
    }

    fn let_through(&mut self, stream: usize, stage: usize, direction: Direction) {
        let next = match direction {
            Direction::Request => stage + 1,
            Direction::Response => stage,
        };
        let Some(half) = self.world().half((stream, stage), direction) else {
            return;
        };
        for piece in half.release() {
            self.deliver(stream, next, direction, piece);
        }
    }

    fn to_upstream(&mut self, stream: usize, piece: Piece) {
        let faults = self.faults;
        let world = self.world();
        let of = &mut world.streams[stream];
        let saw = match of.upstream {
            Some(at) => &mut world.upstream[at].request,
            None => {
                of.upstream = Some(world.upstream.len());
                let upstream = "main".to_owned();
                let request = Message::default();
                world.upstream.push(UpstreamSaw { upstream, request });
                let at = world.upstream.len() - 1;
                &mut world.upstream[at].request
            }
        };
        let end = match piece {
            Piece::Head(mut fields, end) => {
                if faults.is("upstream_loses_a_header") {
                    fields.pop();
                }
                *saw = wire::request(&fields);
                end
            }
            Piece::Data(bytes, end) => {
                if !faults.is("upstream_gets_no_body") {
                    of.upstream_body.extend(bytes);
                }
                end
            }
            Piece::Trailers(fields) => {
                if !faults.is("upstream_gets_no_trailers") {
                    saw.trailers = wire::blobs(&fields);
                }
                true
            }
        };
        saw.body = Blob::with_limit(&of.upstream_body, BODY);
        if end {
            saw.complete = true;
            world.schedule(0, Event::Answer { stream, part: 0 });
        }
    }

    fn to_client(&mut self, stream: usize, piece: Piece) {
        let faults = self.faults;
        let of = &mut self.world().streams[stream];
        let end = match piece {
            Piece::Head(mut fields, end) => {
                if faults.is("client_loses_a_header") {
                    fields.pop();
                }
                of.response = Some(wire::response(&fields));
                end
            }
            Piece::Data(bytes, end) => {
                if !faults.is("client_gets_no_body") {
                    of.response_body.extend(bytes);
                }
                end
            }
            Piece::Trailers(fields) => {
                if let (Some(saw), false) = (&mut of.response, faults.is("client_gets_no_trailers"))
                {
                    saw.trailers = wire::blobs(&fields);
                }
                true
            }
        };
        if let Some(saw) = &mut of.response {
            saw.body = Blob::with_limit(&of.response_body, BODY);
            saw.complete = end;
        }
        if end {
            self.finish(stream);
        }
    }

    /// The response of a plugin.
    pub(super) fn reply(&mut self, stream: usize, response: LocalResponse) {
        let of = &mut self.world().streams[stream];
        if of.over || of.response.is_some() {
            return;
        }
        let mut fields = vec![(
            b":status".to_vec(),
            response.status.to_string().into_bytes(),
        )];
        fields.extend(response.headers);
        let mut saw = wire::response(&fields);
        saw.body = Blob::with_limit(&response.body, BODY);
        saw.complete = true;
        of.response = Some(saw);
        for stage in &mut of.stages {
            // `proxy_on_log` reads what the client got.
            stage.response = Half {
                headers: fields.clone(),
                headers_in: true,
                received: response.body.len() as u64,
                ..Half::default()
            };
        }
        self.finish(stream);
        if self.faults.is("local_response_is_forwarded_too") {
            let number = self.world().streams[stream].number as usize;
            let script = self.world().exchange.streams.get(number - 1).cloned();
            if let Some(script) = script {
                let mut request = wire::request(&wire::head_of_request(&script.request));
                request.complete = true;
                let upstream = "main".to_owned();
                self.world()
                    .upstream
                    .push(UpstreamSaw { upstream, request });
            }
        }
    }

    /// An answer of the host itself: no plugin, a plugin that trapped, an upstream that closed.
    pub(super) fn own_answer(&mut self, stream: usize, status: u16) {
        let sent = self.world().streams[stream].response.is_some();
        if sent {
            return self.reset(stream, "reset");
        }
        let response = LocalResponse {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        self.reply(stream, response);
    }

    /// Ends a stream without a (whole) response.
    pub(super) fn reset(&mut self, stream: usize, trouble: &str) {
        let of = &mut self.world().streams[stream];
        if of.over {
            return;
        }
        of.trouble = Some(trouble.to_owned());
        self.finish(stream);
    }

    /// Streams of a VM that has died end: with 500, or cut off.
    pub(super) fn bury(&mut self) {
        for stream in 0..self.world().streams.len() {
            let world = self.world();
            let of = &world.streams[stream];
            let dead = of.stages.iter().any(|s| world.vms[s.vm].dead.is_some());
            if dead && !of.over {
                self.own_answer(stream, 500);
            }
        }
    }
}

/// The fault that ignores PAUSE from this callback.
fn pause_fault(callback: &str) -> Option<&'static str> {
    Some(match callback {
        "proxy_on_request_headers" => "request_headers_pause_is_ignored",
        "proxy_on_request_body" => "request_body_pause_is_ignored",
        "proxy_on_request_trailers" => "request_trailers_pause_is_ignored",
        "proxy_on_response_headers" => "response_headers_pause_is_ignored",
        "proxy_on_response_body" => "response_body_pause_is_ignored",
        "proxy_on_response_trailers" => "response_trailers_pause_is_ignored",
        _ => return None,
    })
}
