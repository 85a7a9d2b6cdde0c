//! Keeps programs running until somebody has seen enough of them.
//!
//! Does not know what they are.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::host::Stop;
use crate::host::guard::{Guard, Then};

/// After TERM.
const GRACE: Duration = Duration::from_secs(5);

/// A program that runs in a group of its own and ends with this.
#[derive(Debug)]
pub struct Held {
    child: Child,
    guard: Guard,
}

impl Held {
    /// Starts a program in a folder; what it says goes where ours goes.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start(program: &Path, args: &[String], dir: &Path) -> std::io::Result<Held> {
        let mut child = Command::new(program)
            .args(args)
            .current_dir(dir)
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()?;
        let guard = Guard::over(&mut child, Then::Ask)?;
        Ok(Held { child, guard })
    }

    /// Its process number, which is its group's too.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it ends by itself or `stop` is asked; how it ended by itself.
    pub fn wait(&mut self, stop: &Stop) -> Option<String> {
        loop {
            if stop.asked() {
                return None;
            }
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(50)),
                Ok(Some(status)) => return Some(status.to_string()),
                Err(e) => return Some(e.to_string()),
            }
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, signal);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::TERM);
            let began = Instant::now();
            while let Ok(None) = self.child.try_wait() {
                if began.elapsed() > GRACE {
                    self.signal(Signal::KILL);
                    let _ = self.child.wait();
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // The number may be another's from now on: the guard goes first.
        self.guard.dismiss();
    }
}
