//! A host's process: started in a group of its own, read line by line, ended without remains. What it
//! starts itself (a script that calls the real program, a helper) is in its group and ends with it.
//!
//! Does not know what the lines mean.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::host::guard::{Guard, Then};

/// A running host.
#[derive(Debug)]
pub struct Process {
    child: Child,
    guard: Guard,
    reader: Option<JoinHandle<()>>,
    ended: Option<ExitStatus>,
    killed: bool,
}

impl Process {
    /// Starts `binary` in `dir` and hands every line of its standard error to `line`, without its
    /// end; `None` when the log has ended.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(
        binary: &Path,
        args: &[String],
        dir: &Path,
        line: impl FnMut(Option<&[u8]>) + Send + 'static,
    ) -> io::Result<Process> {
        let mut child = Command::new(binary)
            .args(args)
            .current_dir(dir)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| why_not(&e))?;
        let guard = Guard::over(&mut child, Then::KillAndRemove(dir))?;
        let mut log = child.stderr.take().map(BufReader::new);
        let mut line = line;
        let reader = std::thread::spawn(move || {
            let mut buf = Vec::new();
            while let Some(log) = &mut log {
                buf.clear();
                match log.read_until(b'\n', &mut buf) {
                    Ok(n) if n > 0 => line(Some(buf.strip_suffix(b"\n").unwrap_or(&buf))),
                    _ => break,
                }
            }
            line(None);
        });
        Ok(Process {
            child,
            guard,
            reader: Some(reader),
            ended: None,
            killed: false,
        })
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How much of the processor it has had, where the system tells.
    pub fn cpu(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        // The name, in parentheses, may hold anything; times are in hundredths of a second.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |n: usize| fields.get(n)?.parse::<u64>().ok();
        Some(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            // The guard must not outlive the number that it holds: it goes before the host's end
            // is collected. `kill` below sees to that; here the host has ended by itself.
            let gone = rustix::process::waitid(
                rustix::process::WaitId::Pid(pid(&self.child)?),
                rustix::process::WaitIdOptions::EXITED
                    | rustix::process::WaitIdOptions::NOHANG
                    | rustix::process::WaitIdOptions::NOWAIT,
            );
            if matches!(gone, Ok(Some(_))) {
                self.guard.dismiss();
                // Until its end is collected, the group's number is its own.
                kill_group(&self.child, Signal::KILL);
                self.ended = self.child.wait().ok();
            }
        }
        self.ended
    }

    /// Waits for its end, at most this long.
    pub fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if Instant::now() >= until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Asks it to end (SIGTERM) and waits; kills it when it does not. `false`: it had to be killed.
    pub fn stop(&mut self, grace: Duration) -> bool {
        if self.ended().is_none() {
            kill_group(&self.child, Signal::TERM);
        }
        let orderly = self.wait(grace).is_some();
        self.kill();
        orderly
    }

    /// Kills it at once and waits until it is gone.
    pub fn kill(&mut self) {
        if self.ended().is_none() {
            self.killed = true;
            self.guard.dismiss();
            kill_group(&self.child, Signal::KILL);
            self.ended = self.child.wait().ok();
        }
        if let Some(reader) = self.reader.take() {
            reader.join().ok();
        }
    }

    /// In words how it ended; whether it was killed by someone else's SIGKILL.
    pub fn story(&mut self) -> (String, bool) {
        match self.ended() {
            None => ("it runs".to_owned(), false),
            Some(status) => match (status.signal(), status.code()) {
                (Some(9), _) => ("killed by signal 9".to_owned(), !self.killed),
                (Some(signal), _) => (format!("killed by signal {signal}"), false),
                (None, code) => (format!("exit code {}", code.unwrap_or(-1)), false),
            },
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal to a host that has not been collected yet, and to all that it has started.
fn kill_group(child: &Child, signal: Signal) {
    if let Some(group) = pid(child) {
        kill_process_group(group, signal).ok();
    }
}

/// Why a program that is there can't be started, for people.
fn why_not(error: &io::Error) -> io::Error {
    let why = match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ACCESS) => "it is not executable; chmod +x makes it so",
        Some(Errno::NOEXEC) => "it is no program for this machine",
        Some(Errno::NOENT) => "what it needs to run, its interpreter or loader, is not here",
        _ => return io::Error::other(error.to_string()),
    };
    io::Error::new(error.kind(), format!("{why} ({error})"))
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}
