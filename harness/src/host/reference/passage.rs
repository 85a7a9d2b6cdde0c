//! Pieces of messages, and bytes of TCP streams, on their way through the plugins.
//!
//! A request passes the plugins in their order, a response in the reverse one. Each piece is shown to
//! a plugin even while processing is paused; what it does not let pass stays with it.

use std::collections::VecDeque;

use crate::case::Fields;
use crate::host::pieces::{Direction, Piece};
use crate::host::reference::faults::Faults;
use crate::host::reference::maps::same;
use crate::host::reference::pipe::Part;
use crate::host::reference::player::{Called, Player};
use crate::host::reference::world::Deferred;

/// What a callback is called with.
struct Shown {
    callback: &'static str,
    /// Its short name, which begins the names of its faults.
    short: &'static str,
    part: Part,
    /// The name of its second parameter, and its value.
    size: (&'static str, u64),
    end: bool,
    /// The part was paused from this callback, or from the headers, before this piece came.
    was_paused: (bool, bool),
}

impl Player {
    /// Brings `piece` to its next place. `at` counts plugins that it has passed: request pieces start
    /// at 0 and leave at the number of plugins, response pieces the other way round.
    pub(super) fn deliver(&mut self, stream: usize, at: usize, direction: Direction, piece: Piece) {
        let of = &self.world().streams[stream];
        if of.over {
            return;
        }
        match direction {
            Direction::Request if at == of.stages.len() => self.upstream_gets(stream, piece),
            Direction::Response if at == 0 => self.client_gets(stream, piece),
            Direction::Request => self.show(stream, at, direction, piece),
            Direction::Response => self.show(stream, at - 1, direction, piece),
        }
    }

    /// Shows `piece` to the plugin of `stage` and does what it answers.
    fn show(&mut self, stream: usize, stage: usize, direction: Direction, piece: Piece) {
        self.late_connection(stream, stage, &piece);
        let Some(shown) = self.take_in(stream, stage, direction, piece) else {
            return;
        };
        let Some(called) = self.call_stage(stream, stage, direction, &shown) else {
            // What the plugin asked for before still holds.
            return;
        };
        if self.faults.planted() {
            self.too_late(stream, stage, direction, &shown);
        }
        // From the headers only where more follows.
        let more = shown.part != Part::Head || !shown.end;
        let ignored = more && self.faults.made_of(&[shown.short, "pause_is_ignored"]);
        let vm = self.world().streams[stream].stages[stage].vm;
        let pause = self.pauses(vm, shown.callback, called) && !ignored;
        let http = self.world().streams[stream].tcp.is_none();
        // A response of its own, a reset or a trap ends the stream before anything is let through.
        self.end_now();
        self.bury();
        if self.world().streams[stream].over {
            return;
        }
        if shown.end && shown.part == Part::Body {
            if http {
                self.after_the_end(stream, stage, direction, shown.was_paused.0);
            } else {
                self.data_after_the_end(stream, stage, &shown);
            }
        }
        let waits = shown.part == Part::Head && !http;
        let waits = waits && self.faults.is("new_connection_waits_for_data");
        let lost = shown.part == Part::Body
            && shown.was_paused.0
            && !shown.end
            && !http
            && self.faults.made_of(&[shown.short, "held_is_lost"]);
        let cut = shown.part == Part::Body
            && http
            && !pause
            && !shown.was_paused.0
            && self
                .faults
                .made_of(&[shown.short, "loses_the_end_of_a_large_piece"]);
        let Some(half) = self.world().half((stream, stage), direction) else {
            return;
        };
        if cut && half.body.len() > 64 * 1024 {
            half.body.pop();
        }
        if pause {
            half.pause(shown.part);
            self.forget_resume(stream, stage, direction);
        } else if half.go_on(shown.part) && !waits {
            if lost {
                half.forget_held();
            }
            self.let_through(stream, stage, direction);
        }
        self.work();
    }

    /// The callback asked for the stream to go on and returned PAUSE: the latter stands.
    fn forget_resume(&mut self, stream: usize, stage: usize, direction: Direction) {
        let of = (stream, stage, direction);
        self.world().deferred.retain(|asked| match asked {
            Deferred::Continue {
                stream,
                stage,
                direction,
            } => (*stream, *stage, *direction) != of,
            _ => true,
        });
    }

    /// The plugin's half takes the piece in.
    fn take_in(
        &mut self,
        stream: usize,
        stage: usize,
        direction: Direction,
        piece: Piece,
    ) -> Option<Shown> {
        let request = direction == Direction::Request;
        let faults = self.faults;
        let tcp = self.world().streams[stream].tcp.is_some();
        let half = self.world().half((stream, stage), direction)?;
        let was_paused = (half.paused.body, half.paused.head);
        let name = |callbacks: [&'static str; 2]| callbacks[usize::from(!request)];
        let (callback, part, size, end) = match piece {
            Piece::Head(mut fields, end) => {
                if faults.planted() {
                    keep_secret(faults, request, &mut fields);
                }
                half.headers = fields;
                half.headers_in = true;
                half.end_in = end;
                let size = ("num_headers", half.headers.len() as u64);
                let callback = match tcp {
                    false => name(["proxy_on_request_headers", "proxy_on_response_headers"]),
                    true => "proxy_on_new_connection",
                };
                (callback, Part::Head, size, end)
            }
            Piece::Data(bytes, end) => {
                half.received += bytes.len() as u64;
                let chunk = bytes.len();
                half.last = chunk;
                match half.body.is_empty() {
                    true => half.body = bytes,
                    false => half.body.extend(bytes),
                }
                half.end_in |= end;
                let (callback, what) = match tcp {
                    false => (
                        name(["proxy_on_request_body", "proxy_on_response_body"]),
                        "body_size",
                    ),
                    true => (
                        name(["proxy_on_downstream_data", "proxy_on_upstream_data"]),
                        "data_size",
                    ),
                };
                let of_chunk = faults.made_of(&[&callback[9..], "size_is_of_chunk"]);
                let size = if of_chunk { chunk } else { half.body.len() };
                (callback, Part::Body, (what, size as u64), end)
            }
            Piece::Trailers(mut fields) => {
                let which = if request {
                    "request_trailers"
                } else {
                    "response_trailers"
                };
                if faults.planted() && faults.made_of(&[which, "with_a_blank_are_kept_back"]) {
                    fields.retain(|(_, value)| !value.contains(&b' '));
                }
                half.trailers = fields;
                half.trailers_in = true;
                half.end_in = true;
                let size = ("num_trailers", half.trailers.len() as u64);
                let callback = name(["proxy_on_request_trailers", "proxy_on_response_trailers"]);
                (callback, Part::Trailers, size, true)
            }
        };
        let short = &callback["proxy_on_".len()..];
        // Proxies add fields of their own, so no check can tell one more from right.
        let off = match part {
            Part::Body if was_paused.0 => 0,
            _ if faults.made_of(&[short, "size_is_one_more"]) => 1,
            _ if faults.made_of(&[short, "size_is_far_off"]) => 1000,
            _ => 0,
        };
        Some(Shown {
            callback,
            short,
            part,
            size: (size.0, size.1 + off),
            end,
            was_paused,
        })
    }

    /// Calls the callback; `None`: a planted fault hides the piece from the plugin.
    fn call_stage(
        &mut self,
        stream: usize,
        stage: usize,
        direction: Direction,
        shown: &Shown,
    ) -> Option<Called> {
        let of = &self.world().streams[stream].stages[stage];
        let (vm, context) = (of.vm, of.context);
        let args = [
            ("stream_context_id", u64::from(context)),
            shown.size,
            ("end_of_stream", u64::from(shown.end)),
        ];
        if self.hidden(stream, direction, shown) {
            return None;
        }
        if self.skipped(stream, shown) {
            return Some(Called::Missing);
        }
        let again = shown.callback == "proxy_on_new_connection"
            && self.faults.is("new_connection_is_called_twice");
        if again {
            self.call(vm, shown.callback, context, &args);
        }
        let headers = match shown.callback {
            "proxy_on_request_trailers" => Some("proxy_on_request_headers"),
            "proxy_on_response_trailers" => Some("proxy_on_response_headers"),
            _ => None,
        };
        if let Some(headers) = headers
            && self
                .faults
                .made_of(&[&headers["proxy_on_".len()..], "is_called_again"])
        {
            self.call(vm, headers, context, &args[..1]);
        }
        let of_another = ["request_headers", "response_headers", "upstream_data"]
            .contains(&shown.short)
            && self.faults.made_of(&[shown.short, "gets_another_context"]);
        let other = of_another.then(|| self.another(stream, vm)).flatten();
        let args = [
            ("stream_context_id", u64::from(other.unwrap_or(context))),
            args[1],
            args[2],
        ];
        Some(self.call(vm, shown.callback, context, &args))
    }

    /// Fault: a connection that waited for the client's first bytes goes on.
    fn late_connection(&mut self, stream: usize, stage: usize, piece: &Piece) {
        let tcp = self.world().streams[stream].tcp.is_some();
        let data = matches!(piece, Piece::Data(..)) && tcp;
        let half = self.world().half((stream, stage), Direction::Request);
        let waits = half.is_some_and(|h| h.headers_are_held() && !h.paused.any());
        if data && waits && self.faults.is("new_connection_waits_for_data") {
            self.let_through(stream, stage, Direction::Request);
        }
    }

    /// Fault: the context of another stream that is open.
    fn another(&mut self, stream: usize, vm: usize) -> Option<u32> {
        let all = self.world().streams.iter().enumerate();
        let mut open = all.filter(|(n, s)| *n != stream && !s.over);
        let (_, other) = open.next()?;
        let stage = other.stages.iter().find(|s| s.vm == vm)?;
        Some(stage.context)
    }

    /// Faults: a piece is passed on as if the plugin had no callback for it.
    fn skipped(&mut self, stream: usize, shown: &Shown) -> bool {
        if !self.faults.planted() {
            return false;
        }
        let narrow = match shown.short {
            "request_headers" => self.is_options(stream),
            "response_headers" => self.is_server_error(stream),
            "request_body" => self.pieces(stream, Direction::Request) == 1,
            "response_body" => self.pieces(stream, Direction::Response) == 1,
            _ => true,
        };
        // Where data will follow.
        let late = shown.short == "new_connection" && self.client_speaks(stream);
        narrow && self.faults.made_of(&[shown.short, "is_not_called"])
            || late && self.faults.is("new_connection_comes_after_data")
    }

    /// Faults: how many pieces the body of a request or response has in the exchange.
    fn pieces(&mut self, stream: usize, direction: Direction) -> usize {
        let world = self.world();
        let number = world.streams[stream].number as usize;
        let script = world.exchange.streams.get(number - 1);
        script.map_or(0, |s| match direction {
            Direction::Request => s.request.body.len(),
            Direction::Response => s.answer.body.len(),
        })
    }

    fn is_options(&mut self, stream: usize) -> bool {
        let world = self.world();
        let number = world.streams[stream].number as usize;
        let script = world.exchange.streams.get(number - 1);
        script.is_some_and(|s| s.request.method == "OPTIONS")
    }

    fn is_server_error(&mut self, stream: usize) -> bool {
        let world = self.world();
        let number = world.streams[stream].number as usize;
        let script = world.exchange.streams.get(number - 1);
        script.is_some_and(|s| s.answer.status >= 500)
    }

    /// Faults: whether the client of a TCP stream sends anything.
    fn client_speaks(&mut self, stream: usize) -> bool {
        let world = self.world();
        let number = world.streams[stream].number as usize;
        let script = world.exchange.connections.get(number - 1);
        script.is_some_and(|s| !s.downstream.is_empty())
    }

    /// Faults: a callback that should have come before this one, or not at all.
    fn too_late(&mut self, stream: usize, stage: usize, direction: Direction, shown: &Shown) {
        let of = &self.world().streams[stream].stages[stage];
        let (vm, context) = (of.vm, of.context);
        let parent = self
            .world()
            .context(vm, context)
            .map(|c| c.plugin)
            .map_or(0, |p| self.world().vms[vm].plugins[p].context);
        let id = [("stream_context_id", u64::from(context))];
        match (shown.part, shown.callback) {
            (Part::Head, "proxy_on_new_connection")
                if self.faults.is("stream_context_is_created_late") =>
            {
                let ids = [
                    ("context_id", u64::from(context)),
                    ("parent_context_id", u64::from(parent)),
                ];
                self.call(vm, "proxy_on_context_create", context, &ids);
            }
            (Part::Body, "proxy_on_downstream_data") => {
                let half = self.world().half((stream, stage), direction);
                let first = half.is_some_and(|h| h.received == h.last as u64);
                if first && self.faults.is("new_connection_comes_after_data") {
                    self.call(vm, "proxy_on_new_connection", context, &id);
                }
            }
            (Part::Trailers, _) => {
                let body = match direction {
                    Direction::Request => "proxy_on_request_body",
                    Direction::Response => "proxy_on_response_body",
                };
                let short = &body["proxy_on_".len()..];
                if self.faults.made_of(&[short, "comes_after_trailers"]) {
                    self.call(vm, body, context, &id);
                }
            }
            _ => {}
        }
    }

    /// Faults: data is shown although the peer sends no more.
    fn data_after_the_end(&mut self, stream: usize, stage: usize, shown: &Shown) {
        if self
            .faults
            .made_of(&[shown.short, "is_called_after_the_end"])
        {
            let of = &self.world().streams[stream].stages[stage];
            let (vm, context) = (of.vm, of.context);
            let id = ("stream_context_id", u64::from(context));
            self.call(vm, shown.callback, context, &[id, ("end_of_stream", 1)]);
        }
    }

    /// Faults: a body, or data, that is not shown while processing is paused.
    fn hidden(&mut self, stream: usize, direction: Direction, shown: &Shown) -> bool {
        let (from_data, from_head) = shown.was_paused;
        if shown.part != Part::Body || !self.faults.planted() {
            return false;
        }
        let tcp = shown.size.0 == "data_size";
        let head = match tcp {
            false => "is_not_called_behind_headers",
            true => "is_not_called_behind_new_connection",
        };
        // A check sees no more than that the end of a body is shown.
        let missed = match tcp {
            false => shown.end && self.pieces(stream, direction) > 2,
            true => !shown.end,
        };
        from_head && self.faults.made_of(&[shown.short, head])
            || from_data
                && missed
                && self
                    .faults
                    .made_of(&[shown.short, "is_not_called_while_paused"])
    }

    /// Faults: trailers that did not come are shown.
    fn after_the_end(
        &mut self,
        stream: usize,
        stage: usize,
        direction: Direction,
        was_paused: bool,
    ) {
        let trailers = match direction {
            Direction::Request => "proxy_on_request_trailers",
            Direction::Response => "proxy_on_response_trailers",
        };
        let body = match direction {
            Direction::Request => "proxy_on_request_body",
            Direction::Response => "proxy_on_response_body",
        };
        let again = &body["proxy_on_".len()..];
        let often = !was_paused && self.faults.planted() && self.pieces(stream, direction) > 2;
        if often && self.faults.made_of(&[again, "is_called_after_the_end"]) {
            let of = &self.world().streams[stream].stages[stage];
            let (vm, context) = (of.vm, of.context);
            let id = ("stream_context_id", u64::from(context));
            self.call(vm, body, context, &[id, ("end_of_stream", 1)]);
        }
        let short = &trailers["proxy_on_".len()..];
        if self.faults.made_of(&[short, "is_called_without_any"]) {
            let of = &self.world().streams[stream].stages[stage];
            let (vm, context) = (of.vm, of.context);
            let id = ("stream_context_id", u64::from(context));
            self.call(vm, trailers, context, &[id, ("num_trailers", 0)]);
        }
    }

    /// Carries out what ends streams, before anything else that was asked for.
    fn end_now(&mut self) {
        let world = self.world();
        if world.deferred.is_empty() {
            return;
        }
        let asked = std::mem::take(&mut world.deferred);
        let ends = |d: &Deferred| matches!(d, Deferred::Close { .. } | Deferred::Reply { .. });
        let (now, later): (VecDeque<_>, VecDeque<_>) = asked.into_iter().partition(ends);
        world.deferred = later;
        for end in now {
            self.carry_out(end);
        }
    }

    /// `proxy_continue_stream`, once the callback that asked for it has returned.
    pub(super) fn resume(&mut self, stream: usize, stage: usize, direction: Direction) {
        if self.world().streams[stream].over {
            return;
        }
        let faults = self.faults;
        let tcp = self.world().streams[stream].tcp.is_some();
        let name = match (tcp, direction) {
            (true, Direction::Request) => "continue_downstream",
            (true, Direction::Response) => "continue_upstream",
            (false, Direction::Request) => "continue_request",
            (false, Direction::Response) => "continue_response",
        };
        let half = self.world().half((stream, stage), direction);
        if half.is_some_and(|h| {
            if h.paused.trailers && faults.made_of(&[name, "drops_trailers"]) {
                h.trailers.clear();
            }
            if (tcp || h.paused.body) && faults.made_of(&[name, "forwards_the_last_only"]) {
                h.forget_held();
            }
            h.resume()
        }) {
            self.let_through(stream, stage, direction);
        }
    }

    fn let_through(&mut self, stream: usize, stage: usize, direction: Direction) {
        let next = match direction {
            Direction::Request => stage + 1,
            Direction::Response => stage,
        };
        let dropped = match direction {
            Direction::Request => self.faults.is("request_trailers_added_in_body_are_dropped"),
            Direction::Response => self
                .faults
                .is("response_trailers_added_in_body_are_dropped"),
        };
        let Some(half) = self.world().half((stream, stage), direction) else {
            return;
        };
        if dropped && !half.trailers_in {
            half.trailers.clear();
        }
        for piece in half.release() {
            self.deliver(stream, next, direction, piece);
        }
    }
}

/// Faults: a field that is kept from the plugin.
fn keep_secret(faults: Faults, request: bool, fields: &mut Fields) {
    let (name, fault) = match request {
        true => (&b"accept"[..], "accept_is_kept_from_the_plugin"),
        false => (&b"content-type"[..], "content_type_is_kept_from_the_plugin"),
    };
    if fields.iter().any(|(k, _)| same(k, name)) && faults.is(fault) {
        fields.retain(|(k, _)| !same(k, name));
    }
}
