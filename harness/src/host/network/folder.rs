//! A session's working folder.
//!
//! Does not know what lies in it, but that sockets do.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A Unix socket's path has at most this many bytes (108 with the closing NUL, on Linux).
const SOCKET_PATH: usize = 107;
/// The longest name of a socket in a session's folder.
const SOCKET_NAME: usize = 20;
/// A file system in memory, where Linux has one. A session writes thousands of small files, which on a
/// disk costs as much as a fifth of all the work of a run.
const IN_MEMORY: &str = "/dev/shm";
/// What must be free there, in bytes; containers often have less.
const ROOM: u64 = 512 << 20;

/// A folder whose sockets have paths that fit: where `TMPDIR` says, else in memory if it may be there, else
/// in the system's usual place.
///
/// # Errors
/// It can't be made.
pub fn folder(in_memory: bool) -> std::io::Result<TempDir> {
    let usual = std::env::temp_dir();
    let fits = usual.as_os_str().len() + "/pwspec-XXXXXX/".len() + SOCKET_NAME <= SOCKET_PATH;
    let base = if fits { usual } else { PathBuf::from("/tmp") };
    let chosen = std::env::var_os("TMPDIR").is_some();
    if in_memory
        && !chosen
        && roomy(Path::new(IN_MEMORY))
        && let Ok(made) = named(Path::new(IN_MEMORY))
    {
        return Ok(made);
    }
    named(&base)
}

fn named(base: &Path) -> std::io::Result<TempDir> {
    tempfile::Builder::new().prefix("pwspec-").tempdir_in(base)
}

fn roomy(folder: &Path) -> bool {
    let free = rustix::fs::statvfs(folder).map(|of| of.f_bavail.saturating_mul(of.f_frsize));
    free.is_ok_and(|free| free >= ROOM)
}
