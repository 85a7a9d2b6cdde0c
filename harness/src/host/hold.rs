//! Keeps programs running until somebody has seen enough of them.
//!
//! Does not know what they are.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::host::Stop;

/// Ends a program whose harness is gone, however it went.
const GUARD: &str =
    r#"read -r _; kill -TERM -- "-$1" 2>/dev/null; sleep 1; kill -9 -- "-$1" 2>/dev/null"#;
/// After TERM.
const GRACE: Duration = Duration::from_secs(5);

/// A program that runs in a group of its own and ends with this.
#[derive(Debug)]
pub struct Held {
    child: Child,
    guard: Child,
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
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "pwspec-guard", &child.id().to_string()])
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match guard {
            Ok(guard) => Ok(Held { child, guard }),
            Err(e) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(e)
            }
        }
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
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}
