//! One connection of bytes, of the client's or of the backend's: what is sent and what comes.
//!
//! Does not know which stream it belongs to, nor what is said on it.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use crate::host::network::ear::Ear;
use crate::host::network::wirelog::WireLog;
use crate::trace::{Blob, Message};

/// Bytes up to this many are recorded whole.
const WHOLE: usize = 16 << 10;
/// What has come is read within this long.
const READ_WITHIN: Duration = Duration::from_secs(2);
/// Between two looks at whether it is.
const LOOK: Duration = Duration::from_micros(200);

/// What came so far.
#[derive(Debug, Default)]
struct Came {
    bytes: Vec<u8>,
    /// The host has ended or closed the connection, before we did.
    ended: bool,
    /// Nothing more can come.
    over: bool,
    /// Why the connection broke, where it did not end in good order.
    trouble: Option<String>,
    /// The exchange is over: bytes are still recorded, an end is not.
    past: bool,
    /// We have closed it: what comes from now on is not recorded.
    deaf: bool,
    /// Grows with everything that comes.
    news: u64,
}

/// One connection.
#[derive(Debug)]
pub struct Raw {
    label: String,
    socket: UnixStream,
    came: Arc<Mutex<Came>>,
    reader: Option<JoinHandle<()>>,
    wire: WireLog,
}

impl Raw {
    /// Takes a connection over; what comes is read from now on, and whoever waits at the ear is told. A
    /// write is given `patience`.
    ///
    /// # Errors
    /// The system's own.
    pub fn new(
        label: String,
        socket: UnixStream,
        patience: Duration,
        ear: Arc<Ear>,
        wire: WireLog,
    ) -> io::Result<Raw> {
        socket.set_write_timeout(Some(patience.max(Duration::from_millis(1))))?;
        let came: Arc<Mutex<Came>> = Arc::default();
        let from = socket.try_clone()?;
        let reader = std::thread::spawn({
            let (came, wire, label) = (came.clone(), wire.clone(), label.clone());
            move || read(from, &came, &ear, &wire, &label)
        });
        Ok(Raw {
            label,
            socket,
            came,
            reader: Some(reader),
            wire,
        })
    }

    /// Writes bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        let label = format!("{} >", self.label);
        self.wire.bytes(&label, bytes);
        if let Err(error) = self.socket.write_all(bytes) {
            self.wire.note(&format!("{label} {}", error.kind()));
        }
    }

    /// Sends no more, and still reads.
    pub fn end(&mut self) {
        self.wire.note(&format!("{} = ends", self.label));
        self.socket.shutdown(Shutdown::Write).ok();
    }

    /// Closes both ways. What came until now is recorded.
    pub fn close(&mut self) {
        let until = Instant::now() + READ_WITHIN;
        while !self.is_read_out() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        self.wire.note(&format!("{} = closes", self.label));
        self.came().deaf = true;
        self.socket.shutdown(Shutdown::Both).ok();
    }

    /// The exchange is over: bytes that come are still recorded, an end is not.
    pub fn past(&self) {
        self.came().past = true;
    }

    /// Whether the host has ended or closed the connection, before we did.
    pub fn ended(&self) -> bool {
        self.came().ended
    }

    /// Whether all that has come so far, an end too, has been recorded.
    pub fn is_read_out(&self) -> bool {
        // Bytes are taken out of the socket and recorded under one lock.
        let came = self.came();
        let look = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        came.over || recv(&self.socket, &mut [0_u8; 1], look) == Err(Errno::AGAIN)
    }

    /// Grows with everything that comes.
    pub fn news(&self) -> u64 {
        self.came().news
    }

    /// What came, and why it broke.
    pub fn saw(&self) -> (Message, Option<String>) {
        let came = self.came();
        let bytes = Blob::with_limit(&came.bytes, WHOLE);
        (Message::tcp(bytes, came.ended), came.trouble.clone())
    }

    fn came(&self) -> MutexGuard<'_, Came> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.socket.shutdown(Shutdown::Both).ok();
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
    }
}

fn read(mut from: UnixStream, came: &Mutex<Came>, ear: &Ear, wire: &WireLog, label: &str) {
    let label = format!("{label} <");
    let mut bytes = vec![0; 64 << 10];
    loop {
        let peeked = recv(&from, &mut [0_u8; 1], RecvFlags::PEEK);
        let mut came = came.lock().unwrap_or_else(PoisonError::into_inner);
        let got = match peeked {
            Ok(_) => from.read(&mut bytes),
            Err(error) => Err(error.into()),
        };
        came.news += 1;
        let more = matches!(got, Ok(n) if n > 0);
        if !came.deaf {
            match got {
                Ok(0) => {
                    wire.note(&format!("{label} end"));
                    came.ended |= !came.past;
                }
                Ok(n) => {
                    wire.bytes(&label, &bytes[..n]);
                    came.bytes.extend_from_slice(&bytes[..n]);
                }
                Err(error) => {
                    wire.note(&format!("{label} {}", error.kind()));
                    came.ended |= !came.past;
                    came.trouble = Some(error.kind().to_string());
                }
            }
        }
        came.over = !more;
        drop(came);
        ear.nudge();
        if !more {
            return;
        }
    }
}
