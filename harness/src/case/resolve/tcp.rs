//! TCP streams of an exchange: what both peers send, and the words of their play.
//!
//! Does not know hosts.

use crate::case::resolve::resolver::Resolver;
use crate::case::schema::ExchangeFile;
use crate::case::yaml::Path;
use crate::case::{Connection, Peer, Play};

impl Resolver<'_> {
    /// The TCP streams; one on which nobody sends anything where the file names none.
    pub(super) fn connections(&mut self, file: &ExchangeFile, path: &Path) -> Vec<Connection> {
        let Some(list) = &file.connections else {
            return vec![Connection::default()];
        };
        let at = path.key("connections");
        let mut out: Vec<Connection> = Vec::new();
        for (i, c) in &list.0 {
            let at = at.index(*i);
            let one = Connection {
                downstream: self.chunks(c.downstream.as_ref(), &at.key("downstream")),
                upstream: self.chunks(c.upstream.as_ref(), &at.key("upstream")),
                refused: c.refused,
            };
            if out
                .first()
                .is_some_and(|first| first.refused != one.refused)
            {
                let message = "either all connections of a case are refused upstream, or none";
                self.note(&at.key("refused"), message, None);
            }
            if one.refused && !one.upstream.is_empty() {
                self.note(&at.key("upstream"), "nobody listens there", None);
            }
            out.push(one);
        }
        out
    }
}

/// Each stream whole, one after the other: the client sends all it has, then the upstream does, then
/// the client ends its side, and the upstream its own when the end has come to it.
pub(super) fn whole(connections: &[Connection]) -> Vec<Play> {
    let mut out = Vec::new();
    for (n, c) in (1..).zip(connections) {
        out.push(Play::Open(n));
        out.extend(c.downstream.iter().map(|_| Play::Send(n, Peer::Downstream)));
        out.extend(c.upstream.iter().map(|_| Play::Send(n, Peer::Upstream)));
        out.extend([
            Play::End(n, Peer::Downstream),
            Play::Ended(n, Peer::Upstream),
            Play::End(n, Peer::Upstream),
            Play::Finish(n),
        ]);
    }
    out
}

/// A step of a TCP stream by its word.
pub(super) fn tcp_play(word: &str, n: u32) -> Option<Play> {
    let (verb, peer) = match word {
        "open" => return Some(Play::Open(n)),
        "finish" => return Some(Play::Finish(n)),
        _ => word.rsplit_once('_').unwrap_or(("", word)),
    };
    let peer = match peer {
        "downstream" => Peer::Downstream,
        "upstream" => Peer::Upstream,
        _ => return None,
    };
    Some(match verb {
        "" => Play::Send(n, peer),
        "end" => Play::End(n, peer),
        "close" => Play::Close(n, peer),
        "ended" => Play::Ended(n, peer),
        _ => return None,
    })
}
