//! Ends a program whose harness is gone, however it went.
//!
//! Does not know what the program is, nor how it ends while all goes well.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What becomes of a program whose harness is gone, and of all that it has started.
#[derive(Debug, Clone, Copy)]
pub(in crate::host) enum Then<'a> {
    /// It is killed.
    Kill,
    /// It is killed and this folder removed.
    KillAndRemove(&'a Path),
    /// It is asked to end, and killed a second later.
    Ask,
}

impl Then<'_> {
    /// Waits until the pipe from the harness closes; the program's group is the first argument.
    fn script(self) -> &'static str {
        match self {
            Then::Kill => r#"read -r _; kill -9 -- "-$1" 2>/dev/null"#,
            Then::KillAndRemove(_) => r#"read -r _; kill -9 -- "-$1" 2>/dev/null; rm -rf -- "$2""#,
            Then::Ask => {
                r#"read -r _; kill -TERM -- "-$1" 2>/dev/null; sleep 1; kill -9 -- "-$1" 2>/dev/null"#
            }
        }
    }
}

/// A process that watches over a program. It must be dismissed before the program's end is collected: the
/// number that it holds may be another process's afterwards.
#[derive(Debug)]
pub(in crate::host) struct Guard(Child);

impl Guard {
    /// Watches over `child`, which leads a group of its own. Without a guard it is not left running.
    ///
    /// # Errors
    /// The guard can't be started; `child` has been ended.
    pub(in crate::host) fn over(child: &mut Child, then: Then<'_>) -> std::io::Result<Guard> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", then.script(), "pwspec-guard", &child.id().to_string()]);
        if let Then::KillAndRemove(folder) = then {
            shell.arg(folder);
        }
        let guard = shell
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if guard.is_err() {
            child.kill().and_then(|()| child.wait()).ok();
        }
        guard.map(Guard)
    }

    /// It watches no longer.
    pub(in crate::host) fn dismiss(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).ok();
    }
}
