//! The two ends of a stream: what arrives at the upstream and at the client, and how a stream ends.

use crate::case::{AnswerKind, Peer};
use crate::host::pieces::{Direction, Piece};
use crate::host::stdio::engine::carried;
use crate::host::stdio::engine::half::Half;
use crate::host::stdio::engine::time::Due;
use crate::host::stdio::engine::{Engine, Over};
use crate::host::stdio::protocol::{Bytes, Fields};
use crate::host::wire;
use crate::trace::{Message, UpstreamSaw};

impl Engine<'_> {
    /// `piece` arrives at the upstream.
    pub(super) fn upstream_gets(&mut self, stream: usize, piece: Piece) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        let at = *of.upstream.get_or_insert_with(|| {
            self.upstream.push(UpstreamSaw {
                upstream: "main".to_owned(),
                request: Message::default(),
            });
            self.upstream.len() - 1
        });
        let saw = &mut self.upstream[at].request;
        let script = self.job.exchange.streams.get(of.number as usize - 1);
        let early = script.is_some_and(|s| s.answer.early);
        let head = matches!(piece, Piece::Head(..));
        let end = match piece {
            Piece::Head(fields, end) => {
                *saw = wire::request(&fields);
                end
            }
            Piece::Data(bytes, end) => {
                of.upstream_body.push(&bytes);
                end
            }
            Piece::Trailers(fields) => {
                saw.trailers = wire::blobs(&fields);
                true
            }
        };
        saw.body = of.upstream_body.blob();
        if end {
            saw.complete = true;
        }
        let part = match (head, end) {
            // The head of an early answer has gone out.
            (false, true) => usize::from(early),
            (true, more) if more || early => 0,
            _ => return Ok(()),
        };
        self.time.schedule(0, Due::Answer { stream, part });
        Ok(())
    }

    /// The upstream writes part `part` of its answer: the head, each chunk, the end.
    pub(super) fn answer_part(&mut self, stream: usize, part: usize) -> Result<(), Over> {
        let of = &self.streams[stream];
        let job = self.job;
        let Some(script) = job.exchange.streams.get(of.number as usize - 1) else {
            return Ok(());
        };
        let answer = &script.answer;
        if of.over {
            return Ok(());
        }
        match answer.kind {
            AnswerKind::Hang => return Ok(()),
            AnswerKind::Close => return self.own_answer(stream, 503),
            AnswerKind::Reply => {}
        }
        let (piece, last) = Piece::answered(script, part);
        let first = of.stages.len();
        self.deliver(stream, first, Direction::Response, piece)?;
        if !last {
            // The next part comes when everything that this one set off has happened.
            let part = part + 1;
            self.time.schedule(0, Due::Answer { stream, part });
        }
        Ok(())
    }

    /// `piece` arrives at the client.
    pub(super) fn client_gets(&mut self, stream: usize, piece: Piece) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        let end = match piece {
            Piece::Head(fields, end) => {
                of.response = Some(wire::response(&fields));
                end
            }
            Piece::Data(bytes, end) => {
                of.response_body.push(&bytes);
                end
            }
            Piece::Trailers(fields) => {
                if let Some(saw) = &mut of.response {
                    saw.trailers = wire::blobs(&fields);
                }
                true
            }
        };
        if let Some(saw) = &mut of.response {
            saw.body = of.response_body.blob();
            saw.complete = end;
        }
        if end { self.finish(stream) } else { Ok(()) }
    }

    /// The client gets a response that did not come from upstream.
    pub(super) fn reply(
        &mut self,
        stream: usize,
        status: u32,
        headers: Fields,
        body: Bytes,
    ) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        if of.over || of.response.is_some() || of.tcp.is_some() {
            return Ok(());
        }
        let mut fields = vec![(b":status".to_vec(), status.to_string().into_bytes())];
        fields.extend(carried::came(headers));
        let mut saw = wire::response(&fields);
        saw.body = wire::body(&body.0);
        saw.complete = true;
        of.response = Some(saw);
        for stage in &mut of.stages {
            // `proxy_on_log` reads what the client got.
            stage.untold.response_headers = Some(carried::sent(&fields));
            stage.response = Half::passed(fields.clone());
        }
        self.finish(stream)
    }

    /// An answer of the host itself: no plugin, or an upstream that closed.
    pub(super) fn own_answer(&mut self, stream: usize, status: u32) -> Result<(), Over> {
        if self.streams[stream].response.is_some() {
            return self.reset(stream, "reset");
        }
        self.reply(stream, status, Vec::new(), Bytes::default())
    }

    /// Ends a stream without a (whole) response.
    pub(super) fn reset(&mut self, stream: usize, trouble: &str) -> Result<(), Over> {
        let of = &mut self.streams[stream];
        if of.over {
            return Ok(());
        }
        if of.tcp.is_some() {
            return self.cut(stream, Peer::Downstream);
        }
        of.trouble = Some(trouble.to_owned());
        self.finish(stream)
    }
}
