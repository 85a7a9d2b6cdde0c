//! Messages in pieces, as hosts without sockets move them.
//!
//! Does not know who holds a piece, nor where it goes.

use crate::case::{Fields, Stream as Script};
use crate::host::wire;

/// Which way a message goes, or bytes of a TCP stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::host) enum Direction {
    /// From client to upstream.
    Request,
    /// From upstream to client.
    Response,
}

/// Part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::host) enum Piece {
    /// All header fields, pseudo-fields among them; whether that is all.
    Head(Fields, bool),
    /// Bytes of the body; whether that is all.
    Data(Vec<u8>, bool),
    /// The trailers, which end the message.
    Trailers(Fields),
}

impl Piece {
    /// Part `part` of what an upstream answers (the head, each chunk, the end), and whether nothing
    /// follows by itself. What follows the head of an early answer comes when the request has ended.
    pub(in crate::host) fn answered(script: &Script, part: usize) -> (Piece, bool) {
        let answer = &script.answer;
        let bare = answer.body.is_empty() && answer.trailers.is_empty();
        let waits = answer.early && part == 0 && !script.request.is_whole();
        let piece = match part {
            0 => Piece::Head(wire::head_of_answer(answer), bare),
            n if n <= answer.body.len() => Piece::Data(answer.body[n - 1].to_vec(), false),
            _ if answer.trailers.is_empty() => Piece::Data(Vec::new(), true),
            _ => Piece::Trailers(answer.trailers.clone()),
        };
        (piece, bare || part > answer.body.len() || waits)
    }
}
