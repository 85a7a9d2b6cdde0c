//! Messages that come in any slices, in every framing, whole and broken.

use std::io::{self, Read};

use crate::case::{Chunk, Fields};
use crate::host::network::http1::{Broken, Coding, Piece, Side, Wire, coding, ending, head, piece};

/// Hands out bytes in slices of a given size, then the end.
struct Slices<'a>(&'a [u8], usize);

impl Read for Slices<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(self.0.len()).min(buf.len());
        buf[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

const RESPONSE: Side = Side::Response { to_head: false };

/// A message in short: first line, fields, body, trailers, whether it ended.
#[derive(Debug, Default, PartialEq)]
struct Short {
    start: String,
    fields: Vec<String>,
    body: String,
    trailers: Vec<String>,
    ended: bool,
}

fn words(fields: &Fields) -> Vec<String> {
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    let pairs = fields.iter();
    pairs
        .map(|(k, v)| format!("{}={}", text(k), text(v)))
        .collect()
}

fn read_one<R: Read>(wire: &mut Wire<R>, side: Side) -> (Short, Result<(), Broken>) {
    let mut short = Short::default();
    let result = wire.message(side, &mut |part| match part {
        Piece::Head { start, fields } => {
            let line = start.map(|w| String::from_utf8_lossy(&w).into_owned());
            short.start = line.join(" ");
            short.fields = words(&fields);
        }
        Piece::Data(bytes) => short.body.push_str(&String::from_utf8_lossy(&bytes)),
        Piece::Trailers(fields) => short.trailers = words(&fields),
        Piece::End => short.ended = true,
    });
    (short, result)
}

fn read(text: &str, side: Side) -> (Short, Result<(), Broken>) {
    let whole = read_one(&mut Wire::new(Slices(text.as_bytes(), usize::MAX)), side);
    for slice in [1, 2, 3, 7] {
        let again = read_one(&mut Wire::new(Slices(text.as_bytes(), slice)), side);
        assert_eq!(again, whole, "in slices of {slice}");
    }
    whole
}

#[test]
fn a_request_without_a_body_ends_with_its_head() {
    let (short, result) = read(
        "GET /a HTTP/1.1\r\nhost: h\r\nX-Two:  b \r\n\r\n",
        Side::Request,
    );
    assert_eq!(result, Ok(()));
    assert_eq!(short.start, "GET /a HTTP/1.1");
    assert_eq!(short.fields, ["host=h", "X-Two=b"]);
    assert!(short.ended && short.body.is_empty());
}

#[test]
fn chunks_are_joined_and_trailers_kept() {
    let text = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-end: 1\r\nx-end: 2\r\n\r\n";
    let (short, result) = read(text, Side::Request);
    assert_eq!(result, Ok(()));
    assert_eq!(short.body, "abc0123456789");
    assert_eq!(short.trailers, ["x-end=1", "x-end=2"]);
}

#[test]
fn a_length_says_where_the_next_message_begins() {
    let text = "POST /1 HTTP/1.1\r\ncontent-length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n\r\n";
    for slice in [1, 5, 100] {
        let mut wire = Wire::new(Slices(text.as_bytes(), slice));
        assert_eq!(read_one(&mut wire, Side::Request).0.body, "abc");
        assert_eq!(
            read_one(&mut wire, Side::Request).0.start,
            "GET /2 HTTP/1.1"
        );
        assert_eq!(read_one(&mut wire, Side::Request).1, Err(Broken::Closed));
    }
}

#[test]
fn a_response_may_end_with_the_connection() {
    let (short, result) = read("HTTP/1.1 200 OK\r\n\r\nall of it", RESPONSE);
    assert_eq!(result, Ok(()));
    assert_eq!(short.body, "all of it");
}

#[test]
fn some_responses_never_have_a_body() {
    let head = "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n";
    assert!(read(head, RESPONSE).0.ended);
    let to_head = Side::Response { to_head: true };
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n";
    assert!(read(head, to_head).0.ended);
}

#[test]
fn interim_responses_are_skipped() {
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(read(text, RESPONSE).0.start, "HTTP/1.1 204 No Content");
}

#[test]
fn what_is_cut_off_or_malformed_says_so() {
    let cut = |text| read(text, RESPONSE).1;
    assert_eq!(cut(""), Err(Broken::Closed));
    assert_eq!(cut("HTTP/1.1 200"), Err(Broken::CutOff));
    assert_eq!(
        cut("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc"),
        Err(Broken::CutOff)
    );
    assert_eq!(
        cut("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab"),
        Err(Broken::CutOff)
    );
    for text in [
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n",
    ] {
        assert!(matches!(cut(text), Err(Broken::Malformed(_))), "{text:?}");
    }
}

#[test]
fn what_came_before_a_cut_is_handed_out() {
    let (short, _) = read("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", RESPONSE);
    assert_eq!((short.body.as_str(), short.ended), ("abc", false));
}

#[test]
fn what_is_written_is_read_again() {
    let fields: Fields = vec![("x-a".into(), "1".into())];
    let trailers: Fields = vec![("x-end".into(), "2".into())];
    for (body, trailers) in [
        (vec![], vec![]),
        (vec!["one"], vec![]),
        (vec!["one", "", "two"], vec![]),
        (vec!["one"], trailers.clone()),
        (vec![], trailers),
    ] {
        let body: Vec<Chunk> = body.iter().map(|b: &&str| b.as_bytes().into()).collect();
        let how = coding(&fields, &body, &trailers);
        let mut bytes = head("HTTP/1.1 200 OK", &fields, &body, how, true);
        for part in &body {
            bytes.extend(piece(part, how));
        }
        bytes.extend(ending(&trailers, how));
        let (short, result) = read(std::str::from_utf8(&bytes).unwrap(), RESPONSE);
        assert_eq!(result, Ok(()));
        assert_eq!(short.body.as_bytes(), body.concat());
        assert_eq!(short.trailers, words(&trailers));
    }
}

#[test]
fn a_case_may_choose_its_own_framing() {
    let length: Fields = vec![("Content-Length".into(), "6".into())];
    let body: Vec<Chunk> = vec![b"abc"[..].into(), b"def"[..].into()];
    assert_eq!(coding(&length, &body, &Fields::new()), Coding::Plain);
    let bytes = head("POST / HTTP/1.1", &length, &body, Coding::Plain, false);
    assert_eq!(bytes, b"POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\n");
    let nothing = head(
        "GET / HTTP/1.1",
        &Fields::new(),
        &[],
        Coding::Nothing,
        false,
    );
    assert_eq!(nothing, b"GET / HTTP/1.1\r\n\r\n");
}
