//! HTTP/1.1 close to the socket: messages are written in pieces of our choice and read as they come.
//!
//! Does not know proxies or cases. It repairs nothing: what it can't read is an error with a reason.

use std::io::{self, Read};

use crate::case::{Chunk, Fields};

/// A head may have this many bytes.
const MAX_HEAD: usize = 64 << 20;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Requests.
    Request,
    /// Responses; to a HEAD request there comes no body.
    Response {
        /// Whether the request was HEAD.
        to_head: bool,
    },
}

/// A part of a message, as it comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The first line and the fields.
    Head {
        /// The three words of the first line.
        start: [Vec<u8>; 3],
        /// The fields, names as they came.
        fields: Fields,
    },
    /// Body bytes.
    Data(Vec<u8>),
    /// Trailers, where there are any.
    Trailers(Fields),
    /// The message ended properly.
    End,
}

/// Why there is no whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// The connection was closed before the first byte.
    Closed,
    /// The connection was closed within the message.
    CutOff,
    /// The connection was reset, or reading timed out.
    Socket(String),
    /// These bytes are no HTTP/1.1.
    Malformed(String),
}

/// How the end of a body is known.
enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// A connection from which messages are read, one after the other.
#[derive(Debug)]
pub struct Wire<R> {
    from: R,
    held: Vec<u8>,
    at: usize,
}

impl<R: Read> Wire<R> {
    /// A connection of which nothing was read yet.
    pub fn new(from: R) -> Wire<R> {
        Wire {
            from,
            held: Vec::new(),
            at: 0,
        }
    }

    /// Reads one message, piece by piece. Interim responses (1xx) are skipped.
    ///
    /// # Errors
    /// Why there is no whole message; the pieces that came were handed out.
    pub fn message(&mut self, side: Side, on: &mut dyn FnMut(Piece)) -> Result<(), Broken> {
        let (start, fields) = loop {
            let head = self.head()?;
            let interim = matches!(side, Side::Response { .. })
                && head.0[1].starts_with(b"1")
                && head.0[1] != b"101";
            if !interim {
                break head;
            }
        };
        let framing = framing(side, &start, &fields)?;
        on(Piece::Head { start, fields });
        match framing {
            Framing::None => {}
            Framing::Length(mut left) => {
                while left > 0 {
                    if self.at == self.held.len() && !self.fill()? {
                        return Err(Broken::CutOff);
                    }
                    let have = (self.held.len() - self.at) as u64;
                    let take = have.min(left) as usize;
                    on(Piece::Data(self.take(take)));
                    left -= take as u64;
                }
            }
            Framing::UntilClose => loop {
                let have = self.held.len() - self.at;
                if have > 0 {
                    on(Piece::Data(self.take(have)));
                }
                if !self.fill()? {
                    break;
                }
            },
            Framing::Chunked => {
                loop {
                    let line = self.line()?;
                    let digits: Vec<u8> = line
                        .iter()
                        .copied()
                        .take_while(u8::is_ascii_hexdigit)
                        .collect();
                    let size = std::str::from_utf8(&digits)
                        .ok()
                        .and_then(|d| u64::from_str_radix(d, 16).ok())
                        .ok_or_else(|| Broken::Malformed("a chunk has no size".into()))?;
                    if size == 0 {
                        break;
                    }
                    let mut left = size;
                    while left > 0 {
                        if self.at == self.held.len() && !self.fill()? {
                            return Err(Broken::CutOff);
                        }
                        let have = (self.held.len() - self.at) as u64;
                        let take = have.min(left) as usize;
                        on(Piece::Data(self.take(take)));
                        left -= take as u64;
                    }
                    if !self.line()?.is_empty() {
                        return Err(Broken::Malformed("a chunk is longer than its size".into()));
                    }
                }
                let trailers = self.fields()?;
                if !trailers.is_empty() {
                    on(Piece::Trailers(trailers));
                }
            }
        }
        on(Piece::End);
        Ok(())
    }

    fn head(&mut self) -> Result<([Vec<u8>; 3], Fields), Broken> {
        if self.at == self.held.len() && !self.fill()? {
            return Err(Broken::Closed);
        }
        let line = self.line()?;
        let mut words = line.splitn(3, |b| *b == b' ').map(<[u8]>::to_vec);
        let start = [(); 3].map(|()| words.next().unwrap_or_default());
        if start[1].is_empty() {
            let text = crate::trace::quote(&line[..line.len().min(80)]);
            return Err(Broken::Malformed(format!("{text} is no first line")));
        }
        Ok((start, self.fields()?))
    }

    /// Field lines up to the empty line.
    fn fields(&mut self) -> Result<Fields, Broken> {
        let mut out = Fields::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(out);
            }
            let Some(colon) = line.iter().position(|b| *b == b':') else {
                let text = crate::trace::quote(&line[..line.len().min(80)]);
                return Err(Broken::Malformed(format!("{text} is no field")));
            };
            let value = line[colon + 1..].trim_ascii();
            out.push((line[..colon].to_vec(), value.to_vec()));
        }
    }

    /// One line without its end.
    fn line(&mut self) -> Result<Vec<u8>, Broken> {
        let mut looked = self.at;
        loop {
            if let Some(n) = self.held[looked..].iter().position(|b| *b == b'\n') {
                let mut line = self.take(looked + n + 1 - self.at);
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if self.held.len() - self.at > MAX_HEAD {
                return Err(Broken::Malformed("a line without an end".into()));
            }
            let had = self.held.len() - self.at;
            if !self.fill()? {
                return Err(Broken::CutOff);
            }
            looked = self.at + had;
        }
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        let out = self.held[self.at..self.at + n].to_vec();
        self.at += n;
        out
    }

    /// Reads more; `false`: the other side has closed.
    fn fill(&mut self) -> Result<bool, Broken> {
        self.held.drain(..self.at);
        self.at = 0;
        let mut buf = [0; 16 << 10];
        loop {
            return match self.from.read(&mut buf) {
                Ok(0) => Ok(false),
                Ok(n) => {
                    self.held.extend_from_slice(&buf[..n]);
                    Ok(true)
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => Err(Broken::Socket(e.kind().to_string())),
            };
        }
    }
}

/// RFC 9112, 6.3.
fn framing(side: Side, start: &[Vec<u8>; 3], fields: &Fields) -> Result<Framing, Broken> {
    let value = |name: &str| {
        let mut all = fields
            .iter()
            .filter(|(k, _)| k.eq_ignore_ascii_case(name.as_bytes()));
        all.next_back().map(|(_, v)| v)
    };
    if let Side::Response { to_head } = side
        && (to_head || matches!(start[1].as_slice(), b"204" | b"304"))
    {
        return Ok(Framing::None);
    }
    if value("transfer-encoding").is_some_and(|v| v.to_ascii_lowercase().ends_with(b"chunked")) {
        return Ok(Framing::Chunked);
    }
    if let Some(length) = value("content-length") {
        let text = String::from_utf8_lossy(length);
        let length = text
            .parse()
            .map_err(|_| Broken::Malformed(format!("content-length {text:?}")))?;
        return Ok(Framing::Length(length));
    }
    Ok(match side {
        Side::Request => Framing::None,
        Side::Response { .. } => Framing::UntilClose,
    })
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// There is none.
    Nothing,
    /// As it is; the head says its length.
    Plain,
    /// In chunks, with trailers where there are any.
    Chunked,
}

/// Chooses how a body is written: chunked where it comes in several pieces or has trailers, else
/// plain with its length; what the fields say themselves is kept.
pub fn coding(fields: &Fields, body: &[Chunk], trailers: &Fields) -> Coding {
    let has = |name: &str| {
        fields
            .iter()
            .any(|(k, _)| k.eq_ignore_ascii_case(name.as_bytes()))
    };
    if has("transfer-encoding")
        || !trailers.is_empty()
        || (body.len() > 1 && !has("content-length"))
    {
        Coding::Chunked
    } else if body.is_empty() {
        Coding::Nothing
    } else {
        Coding::Plain
    }
}

/// A head in bytes: first line, given fields, and what the coding needs and they do not say.
/// `always`: also says that an empty body is empty (responses).
pub fn head(first: &str, fields: &Fields, body: &[Chunk], coding: Coding, always: bool) -> Vec<u8> {
    let mut out = first.as_bytes().to_vec();
    out.extend_from_slice(b"\r\n");
    for (name, value) in fields {
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    let has = |name: &str| {
        fields
            .iter()
            .any(|(k, _)| k.eq_ignore_ascii_case(name.as_bytes()))
    };
    match coding {
        Coding::Chunked if !has("transfer-encoding") => {
            out.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        Coding::Plain | Coding::Nothing
            if !has("content-length") && (coding == Coding::Plain || always) =>
        {
            let length: usize = body.iter().map(|c| c.len()).sum();
            out.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
        }
        _ => {}
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// One piece of a body in bytes. An empty piece writes nothing: in chunks it would be the end.
pub fn piece(bytes: &[u8], coding: Coding) -> Vec<u8> {
    if coding != Coding::Chunked {
        return bytes.to_vec();
    }
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

/// The end of a body in bytes, with its trailers.
pub fn ending(trailers: &Fields, coding: Coding) -> Vec<u8> {
    if coding != Coding::Chunked {
        return Vec::new();
    }
    let mut out = b"0\r\n".to_vec();
    for (name, value) in trailers {
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}
