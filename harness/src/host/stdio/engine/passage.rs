//! Pieces of messages, and bytes of TCP streams, on their way through the plugins.
//!
//! A request passes the plugins in their order, a response in the reverse one. Each piece is shown to a
//! plugin even while processing is paused; what it does not let pass stays with it.

use crate::abi::PluginType;
use crate::case::Stream as Script;
use crate::host::pieces::{Direction, Piece};
use crate::host::stdio::engine::carried;
use crate::host::stdio::engine::half::{Stage, Stream};
use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{
    Action, Ask, Bytes, Effect, Event, Kind, Open, State, StreamType,
};
use crate::host::wire;

impl Engine<'_> {
    /// A client opens stream `number` and sends the head of its request. Only HTTP plugins sit on it.
    pub(super) fn open(&mut self, number: u32, script: &Script) -> Result<(), Over> {
        let stream = self.streams.len();
        self.streams.push(Stream::new(number));
        if self.job.plugin_type == PluginType::Http {
            if let Some(plugin) = self.unusable() {
                self.notes.push(format!(
                    "plugin {plugin} cannot be used: stream {number} is refused"
                ));
                return self.own_answer(stream, 503);
            }
            self.create_contexts(stream, Kind::Http)?;
        }
        let bare = script.request.body.is_empty() && script.request.trailers.is_empty();
        self.streams[stream].sent = bare;
        let head = Piece::Head(wire::head_of_request(&script.request), bare);
        self.deliver(stream, 0, Direction::Request, head)?;
        self.settle()
    }

    /// VMs that serve new streams; one that replaces another takes its place.
    fn serving(&self) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.vms.len())
            .filter(|vm| !self.vms[*vm].retired)
            .collect();
        all.sort_by_key(|vm| self.vms[*vm].job);
        all
    }

    /// The first plugin that should sit on a new stream and cannot.
    pub(super) fn unusable(&self) -> Option<String> {
        let mut all = self.serving().into_iter().map(|vm| &self.vms[vm]);
        all.find_map(|vm| {
            let planned = &self.job.vms[vm.job].plugins;
            if vm.dead {
                return Some(planned.first()?.name.clone());
            }
            let bad = vm.plugins.iter().find(|p| !p.usable)?;
            Some(bad.name.clone())
        })
    }

    pub(super) fn create_contexts(&mut self, stream: usize, kind: Kind) -> Result<(), Over> {
        for vm in self.serving() {
            for plugin in 0..self.vms[vm].plugins.len() {
                let ask = Ask::Open(Open {
                    vm: self.vms[vm].label.clone(),
                    plugin: self.vms[vm].plugins[plugin].context,
                    kind,
                });
                let done = self.done(ask)?;
                if let Some(context) = done.and_then(|d| d.context) {
                    let stage = Stage::new(vm, plugin, context);
                    self.streams[stream].stages.push(stage);
                }
                self.work()?;
            }
        }
        Ok(())
    }

    /// The client sends its next body chunk.
    pub(super) fn send_chunk(&mut self, stream: usize, script: &Script) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        let Some(chunk) = script.request.body.get(of.chunks_sent) else {
            return Ok(());
        };
        of.chunks_sent += 1;
        self.deliver(
            stream,
            0,
            Direction::Request,
            Piece::Data(chunk.to_vec(), false),
        )?;
        self.settle()
    }

    /// The client sends all that is left of its request.
    pub(super) fn send_rest(&mut self, stream: usize, script: &Script) -> Result<(), Over> {
        while self.streams[stream].chunks_sent < script.request.body.len() {
            self.send_chunk(stream, script)?;
        }
        if std::mem::replace(&mut self.streams[stream].sent, true) {
            return Ok(());
        }
        let trailers = &script.request.trailers;
        let last = if trailers.is_empty() {
            Piece::Data(Vec::new(), true)
        } else {
            Piece::Trailers(trailers.clone())
        };
        self.deliver(stream, 0, Direction::Request, last)?;
        self.settle()
    }

    /// Brings `piece` to its next place. `at` counts plugins that it has passed: request pieces start
    /// at 0 and leave at the number of plugins, response pieces the other way round.
    pub(super) fn deliver(
        &mut self,
        stream: usize,
        at: usize,
        direction: Direction,
        piece: Piece,
    ) -> Result<(), Over> {
        let of = &self.streams[stream];
        if of.over {
            return Ok(());
        }
        let tcp = of.tcp.is_some();
        match direction {
            Direction::Request if tcp && at == of.stages.len() => {
                self.upstream_gets_bytes(stream, piece)
            }
            Direction::Response if tcp && at == 0 => self.client_gets_bytes(stream, piece),
            Direction::Request if at == of.stages.len() => self.upstream_gets(stream, piece),
            Direction::Response if at == 0 => self.client_gets(stream, piece),
            Direction::Request => self.show(stream, at, direction, piece),
            Direction::Response => self.show(stream, at - 1, direction, piece),
        }
    }

    /// Shows `piece` to the plugin of `stage` and does what it answers.
    fn show(
        &mut self,
        stream: usize,
        stage: usize,
        direction: Direction,
        piece: Piece,
    ) -> Result<(), Over> {
        let head = matches!(piece, Piece::Head(..));
        let tcp = self.streams[stream].tcp.is_some();
        let of = &mut self.streams[stream].stages[stage];
        let (event, state) = told(of, direction, &piece, tcp);
        of.half(direction).take(piece);
        let (vm, context) = (of.vm, of.context);
        let done = self.call(vm, context, state, event)?;
        let paused = done.as_ref().and_then(|d| d.action) == Some(Action::Pause);
        if let Some(done) = done {
            self.streams[stream].stages[stage].changed(done.state);
        }
        // A response of its own or a reset ends the stream before anything is let through.
        self.end_now()?;
        if self.streams[stream].over {
            return self.work();
        }
        // In a callback of the stream itself the value that it returns decides; callouts go out before
        // the piece does.
        let label = &self.vms[vm].label;
        self.asked.retain(|c| {
            let own = c.vm == *label && c.context == context;
            !(own && matches!(&c.effect, Effect::ContinueStream { stream } if side(*stream) == direction))
        });
        self.work()?;
        if self.streams[stream].over {
            return Ok(());
        }
        let half = self.streams[stream].stages[stage].half(direction);
        if paused {
            half.pause(head);
        } else if half.go_on(head) {
            self.let_through(stream, stage, direction)?;
        }
        self.work()
    }

    /// A paused message goes on.
    pub(super) fn resume(
        &mut self,
        stream: usize,
        stage: usize,
        direction: Direction,
    ) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        if of.over || !of.stages[stage].half(direction).resume() {
            return Ok(());
        }
        self.let_through(stream, stage, direction)
    }

    fn let_through(
        &mut self,
        stream: usize,
        stage: usize,
        direction: Direction,
    ) -> Result<(), Over> {
        let next = match direction {
            Direction::Request => stage + 1,
            Direction::Response => stage,
        };
        let tcp = self.streams[stream].tcp.is_some();
        let of = &mut self.streams[stream].stages[stage];
        let pieces = of.half(direction).release();
        if pieces.iter().any(|p| matches!(p, Piece::Data(..))) {
            of.emptied(direction, tcp);
        }
        let mut pieces = pieces.into_iter();
        pieces.try_for_each(|piece| self.deliver(stream, next, direction, piece))
    }
}

/// The message, or the bytes, that a side of a stream carries.
pub(super) fn side(stream: StreamType) -> Direction {
    match stream {
        StreamType::HttpRequest | StreamType::Downstream => Direction::Request,
        StreamType::HttpResponse | StreamType::Upstream => Direction::Response,
    }
}

/// What the adapter is told of a piece.
fn told(stage: &mut Stage, direction: Direction, piece: &Piece, tcp: bool) -> (Event, State) {
    let mut state = std::mem::take(&mut stage.untold);
    let request = direction == Direction::Request;
    let event = match piece {
        Piece::Head(..) if tcp => Event::ProxyOnNewConnection {},
        Piece::Data(bytes, end) if tcp => {
            let piece = Bytes::of(bytes);
            let end_of_stream = *end;
            if request {
                Event::ProxyOnDownstreamData {
                    piece,
                    end_of_stream,
                }
            } else {
                Event::ProxyOnUpstreamData {
                    piece,
                    end_of_stream,
                }
            }
        }
        Piece::Head(fields, end) => {
            let fields = Some(carried::sent(fields));
            let end_of_stream = *end;
            if request {
                state.request_headers = fields;
                Event::ProxyOnRequestHeaders { end_of_stream }
            } else {
                state.response_headers = fields;
                Event::ProxyOnResponseHeaders { end_of_stream }
            }
        }
        Piece::Data(bytes, end) => {
            let piece = Bytes::of(bytes);
            let end_of_stream = *end;
            // A message that ends with its body has no trailers: the plugin may add some now.
            let none = end_of_stream.then(|| carried::sent(&Vec::new()));
            if request {
                state.request_trailers = none;
                Event::ProxyOnRequestBody {
                    piece,
                    end_of_stream,
                }
            } else {
                state.response_trailers = none;
                Event::ProxyOnResponseBody {
                    piece,
                    end_of_stream,
                }
            }
        }
        Piece::Trailers(fields) => {
            let fields = Some(carried::sent(fields));
            if request {
                state.request_trailers = fields;
                Event::ProxyOnRequestTrailers {}
            } else {
                state.response_trailers = fields;
                Event::ProxyOnResponseTrailers {}
            }
        }
    };
    (event, state)
}
