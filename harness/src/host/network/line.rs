//! Connections to the harness's upstreams, and whether all that came on them has been read.
//!
//! A request that an earlier case caused may still lie in a socket when that case is over; it must not
//! be taken for one of the next case. Does not know HTTP.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::host::network::loopback::Door;

/// What a bell sends, and gets back: no HTTP request begins with it.
const BELL: [u8; 1] = [0];

/// One connection.
#[derive(Debug)]
pub struct Line {
    stream: UnixStream,
    /// Its thread waits for bytes: all that came before has been worked on.
    waiting: AtomicBool,
}

/// All connections of a host's upstreams.
#[derive(Debug, Default)]
pub struct Lines(Mutex<Vec<Arc<Line>>>);

/// Reads a connection, and shows when it waits.
#[derive(Debug)]
pub struct LineReader(Arc<Line>);

impl Read for LineReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.waiting.store(true, Ordering::SeqCst);
        // While it waits, what has come is still in the socket.
        let peek = rustix::net::RecvFlags::PEEK;
        let came = rustix::net::recv(&self.0.stream, &mut [0_u8; 1], peek);
        self.0.waiting.store(false, Ordering::SeqCst);
        came?;
        (&self.0.stream).read(into)
    }
}

impl Line {
    /// The connection, to be read.
    pub fn reader(self: &Arc<Line>) -> LineReader {
        LineReader(self.clone())
    }

    /// Whether nothing that came is still to be worked on.
    fn is_read_out(&self) -> bool {
        let rest = rustix::io::ioctl_fionread(&self.stream).unwrap_or(0);
        rest == 0 && self.waiting.load(Ordering::SeqCst)
    }
}

impl Lines {
    /// Takes a connection in.
    ///
    /// # Errors
    /// The system has no more handles.
    pub fn add(&self, connection: &UnixStream) -> io::Result<Arc<Line>> {
        let stream = connection.try_clone()?;
        let line = Arc::new(Line {
            stream,
            waiting: AtomicBool::new(false),
        });
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.clone());
        Ok(line)
    }

    /// The connection has ended.
    pub fn remove(&self, line: &Arc<Line>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|l| !Arc::ptr_eq(l, line));
    }

    /// Waits until all that has come so far has been worked on; at most this long.
    pub fn read_out(&self, within: Duration) -> bool {
        let until = Instant::now() + within;
        loop {
            let all = self
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if all.iter().all(|l| l.is_read_out()) {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// Connects to a listener of ours and waits until it answers: every connection that was made before
/// has been taken in by then.
pub fn ring(door: &Door, within: Duration) {
    let Ok(mut bell) = door.connect() else {
        return;
    };
    bell.set_read_timeout(Some(within)).ok();
    let mut back = [1];
    if bell.write_all(&BELL).is_ok() {
        bell.read_exact(&mut back).ok();
    }
}

/// Whether a connection is a bell; it is answered.
pub fn is_bell(mut connection: &UnixStream, line: &Line) -> bool {
    let mut first = [1];
    line.waiting.store(true, Ordering::SeqCst);
    let peek = rustix::net::RecvFlags::PEEK;
    let came = rustix::net::recv(connection, &mut first, peek);
    let bell = came.is_ok() && first == BELL;
    if bell {
        connection.write_all(&BELL).ok();
    }
    bell
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_was_sent_is_worked_on_before_the_case_is_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let socket = dir.path().join("u.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let lines = Arc::new(Lines::default());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (all, heard) = (lines.clone(), seen.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten().take(3) {
                // Slow on purpose: without the bell the second connection would be missed.
                std::thread::sleep(Duration::from_millis(20));
                let line = all.add(&connection).expect("a handle");
                let (all, heard) = (all.clone(), heard.clone());
                std::thread::spawn(move || {
                    let mut bytes = [0; 16];
                    while !is_bell(&connection, &line) {
                        let n = line.reader().read(&mut bytes).unwrap_or(0);
                        if n == 0 {
                            break;
                        }
                        std::thread::sleep(Duration::from_millis(20));
                        heard
                            .lock()
                            .expect("no panic")
                            .extend_from_slice(&bytes[..n]);
                    }
                    all.remove(&line);
                });
            }
        });
        let mut one = UnixStream::connect(&socket).expect("connects");
        let mut two = UnixStream::connect(&socket).expect("connects");
        one.write_all(b"a").expect("writes");
        two.write_all(b"b").expect("writes");
        ring(&Door::Unix(socket), Duration::from_secs(5));
        assert!(lines.read_out(Duration::from_secs(5)));
        let mut heard = seen.lock().expect("no panic").clone();
        heard.sort_unstable();
        assert_eq!(heard, b"ab");
    }

    #[test]
    fn a_connection_that_is_not_read_is_not_waited_for_for_ever() {
        let (mut ours, theirs) = UnixStream::pair().expect("a pair");
        let lines = Lines::default();
        let _line = lines.add(&theirs).expect("a handle");
        ours.write_all(b"x").expect("writes");
        assert!(!lines.read_out(Duration::from_millis(10)));
    }
}
