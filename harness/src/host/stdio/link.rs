//! An adapter's process: asked line by line, within a deadline, ended without remains.
//!
//! Does not know what the messages mean.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::host::stdio::protocol::{PROTOCOL, Reply, Request};
use crate::host::{Trouble, TroubleKind};

/// An adapter answers its first message within this time.
const HELLO: Duration = Duration::from_secs(5);
/// An adapter that is told that nothing follows ends within this time.
const GRACE: Duration = Duration::from_secs(2);

/// Somebody who answers requests.
pub trait Peer {
    /// Asks and waits for the answer, at most until `until`.
    ///
    /// # Errors
    /// No answer came: why.
    fn ask(&mut self, request: &Request, until: Instant) -> Result<Reply, Silence>;
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// The time is over.
    Late,
    /// The process has ended.
    Gone(String),
    /// What came is no answer.
    Nonsense(String),
}

/// A running adapter.
pub struct Link {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<String>,
}

impl Link {
    /// Starts the adapter and greets it.
    ///
    /// # Errors
    /// It does not start, or does not speak this protocol.
    pub fn start(binary: &Path) -> Result<Link, Trouble> {
        let failed = |what: String| {
            let what = format!("{}: {what}", binary.display());
            Trouble::new(TroubleKind::DidNotStart, what)
        };
        let mut child = Command::new(binary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let to = child.stdin.take();
        let out = child.stdout.take();
        let (send, from) = channel();
        std::thread::spawn(move || {
            for line in out.into_iter().flat_map(|out| BufReader::new(out).lines()) {
                let Ok(line) = line else { return };
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let mut link = Link { child, to, from };
        let hello = Request::Hello { protocol: PROTOCOL };
        match link.ask(&hello, Instant::now() + HELLO) {
            Ok(Reply { hello: Some(h), .. }) if h.protocol == PROTOCOL => Ok(link),
            Ok(reply) => Err(Trouble::new(
                TroubleKind::Protocol,
                format!("the adapter does not speak version {PROTOCOL} of the protocol: {reply:?}"),
            )),
            Err(silence) => Err(failed(format!("no answer to the greeting: {silence:?}"))),
        }
    }

    /// Tells it that nothing follows and waits for its end; `false`: it had to be killed.
    pub fn stop(mut self) -> bool {
        self.to = None;
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }

    fn story(&mut self) -> String {
        self.to = None;
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return format!("the adapter ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        "the adapter closed its output".to_owned()
    }
}

impl Peer for Link {
    fn ask(&mut self, request: &Request, until: Instant) -> Result<Reply, Silence> {
        let mut line = serde_json::to_vec(request).map_err(|e| Silence::Nonsense(e.to_string()))?;
        line.push(b'\n');
        let written = self.to.as_mut().map(|to| to.write_all(&line));
        if !matches!(written, Some(Ok(()))) {
            return Err(Silence::Gone(self.story()));
        }
        let left = until.saturating_duration_since(Instant::now());
        let text = match self.from.recv_timeout(left) {
            Ok(text) => text,
            Err(RecvTimeoutError::Timeout) => return Err(Silence::Late),
            Err(RecvTimeoutError::Disconnected) => return Err(Silence::Gone(self.story())),
        };
        let reply: Reply =
            serde_json::from_str(&text).map_err(|e| Silence::Nonsense(e.to_string()))?;
        match reply.answers() {
            1 => Ok(reply),
            n => Err(Silence::Nonsense(format!("{n} answers in one reply"))),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
