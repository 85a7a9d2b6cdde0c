//! HTTP streams from outside: a client opens one and sends, the upstream answers, part by part.
//!
//! Does not know how pieces pass the plugins: that is in `passage`.

use crate::case::{AnswerKind, Stream as Script};
use crate::host::pieces::{Direction, Piece};
use crate::host::reference::pipe::{Half, Stage, Stream};
use crate::host::reference::player::Player;
use crate::host::reference::world::Event;
use crate::host::wire;

impl Player {
    /// A client opens stream `number` and sends the head of its request; with `plugins`, these sit on
    /// it.
    pub(super) fn open(&mut self, number: u32, script: &Script, plugins: bool) {
        let stream = self.world().streams.len();
        let (stages, unusable) = if plugins {
            self.stages(stream)
        } else {
            (Vec::new(), None)
        };
        let world = self.world();
        let began = world.now;
        world.streams.push(Stream::new(number, stages, began));
        if let Some(plugin) = unusable {
            let text = format!("plugin {plugin} cannot be used: stream {number} is refused");
            self.world().own_log.push(text);
            return self.own_answer(stream, 503);
        }
        self.create_contexts(stream);
        let bare = script.request.body.is_empty() && script.request.trailers.is_empty();
        self.world().streams[stream].sent = bare;
        let head = Piece::Head(wire::head_of_request(&script.request), bare);
        self.deliver(stream, 0, Direction::Request, head);
        self.settle();
    }

    /// The plugins that sit on a new stream, and the first that should but cannot.
    pub(super) fn stages(&mut self, stream: usize) -> (Vec<Stage>, Option<String>) {
        let mut stages = Vec::new();
        let mut unusable = None;
        let world = self.world();
        let mut order: Vec<usize> = (0..world.vms.len())
            .filter(|vm| !world.vms[*vm].retired)
            .collect();
        // A VM that replaces another one takes its place.
        order.sort_by_key(|vm| world.vms[*vm].job);
        for vm in order {
            let of = &mut world.vms[vm];
            for plugin in 0..of.plugins.len() {
                if of.dead.is_some() || !of.plugins[plugin].usable {
                    unusable.get_or_insert(of.plugins[plugin].name.clone());
                    continue;
                }
                stages.push(Stage {
                    vm,
                    context: of.new_context(plugin, Some((stream, stages.len()))),
                    request: Half::default(),
                    response: Half::default(),
                });
            }
        }
        (stages, unusable)
    }

    pub(super) fn create_contexts(&mut self, stream: usize) {
        let wrong = self.faults.is("stream_context_parent_is_wrong");
        let shared = self.faults.is("second_stream_shares_context");
        for at in 0..self.world().streams[stream].stages.len() {
            let world = self.world();
            let stage = &world.streams[stream].stages[at];
            let (vm, id) = (stage.vm, stage.context);
            let Some(plugin) = world.context(vm, id).map(|c| c.plugin) else {
                continue;
            };
            let parent = world.vms[vm].plugins[plugin].context;
            let parent = u64::from(parent) + if wrong { 1000 } else { 0 };
            let tcp = world.streams[stream].tcp.is_some();
            let mut all = world.streams.iter().enumerate();
            let mut others = all.by_ref().filter(|(n, s)| *n != stream && !s.over);
            let other =
                others.find_map(|(_, s)| Some(s.stages.iter().find(|s| s.vm == vm)?.context));
            let taken = other.filter(|_| !tcp && world.faults.is("context_id_is_given_twice"));
            let shown = taken.unwrap_or(id);
            let args = [
                ("context_id", u64::from(shown)),
                ("parent_context_id", parent),
            ];
            let open = world.streams.iter().filter(|s| !s.over).count();
            let late = tcp && world.faults.is("stream_context_is_created_late");
            if !(open > 1 && shared || late) {
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
        // Over HTTP/2 the last piece of a body is the end, where no trailers follow.
        let request = &script.request;
        let whole = of.chunks_sent == request.body.len() && request.trailers.is_empty();
        let last = request.http2 && whole;
        of.sent |= last;
        let piece = Piece::Data(chunk.to_vec(), last);
        self.deliver(stream, 0, Direction::Request, piece);
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
        // Silent (S29): the end of a body is seen after its last byte, as on HTTP/1.1.
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
        let answer = &script.answer;
        if world.streams[stream].over {
            return;
        }
        match answer.kind {
            AnswerKind::Hang => return,
            AnswerKind::Close => return self.own_answer(stream, 503),
            AnswerKind::Reply => {}
        }
        let (piece, last) = Piece::answered(script, part);
        let first = world.streams[stream].stages.len();
        self.deliver(stream, first, Direction::Response, piece);
        if !last {
            // The next part comes when everything that this one set off has happened.
            let part = part + 1;
            self.world().schedule(0, Event::Answer { stream, part });
        }
    }
}
