//! The harness's own client: one connection a stream, written in pieces, read by a thread. HTTP/1.1 is
//! here, HTTP/2 in [`crate::host::network::h2`].
//!
//! Does not know the exchange's order: see [`crate::host::network::play`].

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::case::{Fields, Request};
use crate::host::network::ear::Ear;
use crate::host::network::http1::{Broken, Coding, Piece, Side, Wire, coding, ending, head, piece};
use crate::host::network::upstream::TAG;
use crate::host::network::wirelog::{WireLog, fields};
use crate::trace::{Blob, ClientSaw, Message};

/// How far a response has come.
#[derive(Debug, Default)]
pub struct Progress {
    /// Its head, as far as it came.
    pub response: Option<Message>,
    /// The bytes of its body.
    pub body: Vec<u8>,
    /// It has ended, properly or not.
    pub over: bool,
    /// Why it is not whole.
    pub trouble: Option<String>,
}

/// The client's side of an open stream.
pub trait ClientSide {
    /// Whether something of the request was not sent yet.
    fn has_more(&self) -> bool;

    /// How many pieces of the body were not sent yet.
    fn pieces_left(&self) -> usize;

    /// Sends the next piece of the body; `false`: there is none.
    fn send_piece(&mut self) -> bool;

    /// Sends the end of the request.
    fn send_end(&mut self);

    /// How far the response has come.
    fn progress(&self) -> &Mutex<Progress>;

    /// Closes the connection; what the client saw. `why` is noted where the response is not whole.
    fn close(self: Box<Self>, why: &str) -> ClientSaw;

    /// Whether any byte of a response has come, or the connection is over.
    fn has_news(&self) -> bool {
        let progress = locked(self.progress());
        progress.response.is_some() || progress.over
    }

    /// Whether the response has ended, properly or not.
    fn is_over(&self) -> bool {
        locked(self.progress()).over
    }

    /// What has not come by now does not count any more.
    fn give_up(&self, why: &str) {
        let mut progress = locked(self.progress());
        if !progress.over {
            progress.trouble = Some(why.to_owned());
        }
    }
}

fn locked(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the client of a stream saw in the end.
pub fn saw(stream: u32, progress: &Mutex<Progress>) -> ClientSaw {
    let mut progress = locked(progress);
    let body = Blob::new(&progress.body);
    let response = progress.response.take().map(|m| Message { body, ..m });
    let trouble = progress.trouble.take();
    let whole = response.as_ref().is_some_and(|r| r.complete) && trouble.is_none();
    ClientSaw {
        stream,
        trouble: if whole { None } else { trouble },
        response,
    }
}

/// One open stream over HTTP/1.1.
pub struct Client {
    number: u32,
    socket: UnixStream,
    progress: Arc<Mutex<Progress>>,
    reader: Option<JoinHandle<()>>,
    request: Request,
    coding: Coding,
    sent: usize,
    ended: bool,
    wire: WireLog,
}

/// Connects, trying again for a while: a host may say that a listener is in a moment before it listens.
///
/// # Errors
/// The last attempt's.
pub fn connect(socket: &Path, within: Duration) -> io::Result<UnixStream> {
    let until = Instant::now() + within;
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return Ok(stream),
            Err(error) if Instant::now() >= until => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

impl Client {
    /// Connects and sends the head; what comes back is read from now on.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn open(
        number: u32,
        socket: &Path,
        request: &Request,
        tagged: bool,
        within: Duration,
        ear: Arc<Ear>,
        wire: WireLog,
    ) -> io::Result<Client> {
        let stream = connect(socket, within.min(Duration::from_secs(2)))?;
        stream.set_write_timeout(Some(within.max(Duration::from_millis(1))))?;
        let reading = stream.try_clone()?;
        let progress: Arc<Mutex<Progress>> = Arc::default();
        let side = Side::Response {
            to_head: request.method == "HEAD",
        };
        let reader = std::thread::spawn({
            let (progress, wire) = (progress.clone(), wire.clone());
            move || read(number, reading, side, &progress, &ear, &wire)
        });
        let mut client = Client {
            number,
            socket: stream,
            progress,
            reader: Some(reader),
            coding: coding(&request.headers, &request.body, &request.trailers),
            request: request.clone(),
            sent: 0,
            ended: false,
            wire,
        };
        let mut all: Fields = vec![("host".into(), client.request.authority.clone().into())];
        all.extend(client.request.headers.iter().cloned());
        if tagged {
            all.push((TAG.into(), number.to_string().into()));
        }
        let Request { method, path, .. } = &client.request;
        let first = format!("{method} {path} HTTP/1.1");
        let bytes = head(&first, &all, &client.request.body, client.coding, false);
        client.ended = client.coding == Coding::Nothing;
        client.write(&bytes);
        Ok(client)
    }

    fn write(&mut self, bytes: &[u8]) {
        let label = format!("client {} >", self.number);
        self.wire.bytes(&label, bytes);
        if let Err(error) = self.socket.write_all(bytes) {
            self.wire.note(&format!("{label} {}", error.kind()));
        }
    }
}

impl ClientSide for Client {
    fn has_more(&self) -> bool {
        !self.ended
    }

    fn pieces_left(&self) -> usize {
        self.request.body.len() - self.sent
    }

    fn send_piece(&mut self) -> bool {
        let Some(part) = self.request.body.get(self.sent) else {
            return false;
        };
        let bytes = piece(part, self.coding);
        self.sent += 1;
        self.write(&bytes);
        true
    }

    fn send_end(&mut self) {
        if !self.ended {
            self.ended = true;
            let bytes = ending(&self.request.trailers, self.coding);
            self.write(&bytes);
        }
    }

    fn progress(&self) -> &Mutex<Progress> {
        &self.progress
    }

    fn close(mut self: Box<Self>, why: &str) -> ClientSaw {
        self.give_up(why);
        self.wire.note(&format!("client {} = closes", self.number));
        self.socket.shutdown(Shutdown::Both).ok();
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
        saw(self.number, &self.progress)
    }
}

/// Reads one response and tells whoever waits at the ear.
fn read(
    number: u32,
    from: UnixStream,
    side: Side,
    progress: &Mutex<Progress>,
    ear: &Ear,
    log: &WireLog,
) {
    let label = format!("client {number} <");
    let with = |change: &mut dyn FnMut(&mut Progress)| {
        change(&mut progress.lock().unwrap_or_else(PoisonError::into_inner));
        ear.nudge();
    };
    let result = Wire::new(from).message(side, &mut |part| match part {
        Piece::Head { start, fields: all } => {
            log.head(&label, &start, &all);
            let status = std::str::from_utf8(&start[1])
                .ok()
                .and_then(|s| s.parse().ok());
            let response = Message {
                status,
                headers: fields(&all),
                ..Message::default()
            };
            with(&mut |p| p.response = Some(response.clone()));
        }
        Piece::Data(bytes) => {
            log.bytes(&label, &bytes);
            with(&mut |p| p.body.extend_from_slice(&bytes));
        }
        Piece::Trailers(all) => {
            log.trailers(&label, &all);
            with(&mut |p| {
                if let Some(response) = &mut p.response {
                    response.trailers = fields(&all);
                }
            });
        }
        Piece::End => with(&mut |p| {
            if let Some(response) = &mut p.response {
                response.complete = true;
            }
        }),
    });
    let trouble = match result {
        Ok(()) => None,
        Err(Broken::Closed) => Some("closed before a response".to_owned()),
        Err(Broken::CutOff) => Some("closed within the response".to_owned()),
        Err(Broken::Socket(why)) => Some(why),
        Err(Broken::Malformed(why)) => Some(format!("not HTTP/1.1: {why}")),
    };
    if let Some(trouble) = &trouble {
        log.note(&format!("{label} {trouble}"));
    }
    with(&mut |p| {
        p.over = true;
        if p.trouble.is_none() {
            p.trouble.clone_from(&trouble);
        }
    });
}
