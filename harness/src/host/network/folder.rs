//! A session's working folder.
//!
//! Does not know what lies in it, but that sockets do.

use std::path::PathBuf;

use tempfile::TempDir;

/// A Unix socket's path has at most this many bytes (108 with the closing NUL, on Linux).
const SOCKET_PATH: usize = 107;
/// The longest name of a socket in a session's folder.
const SOCKET_NAME: usize = 20;
/// A folder whose sockets have paths that fit.
///
/// # Errors
/// It can't be made.
pub fn folder() -> std::io::Result<TempDir> {
    let usual = std::env::temp_dir();
    let fits = usual.as_os_str().len() + "/pwspec-XXXXXX/".len() + SOCKET_NAME <= SOCKET_PATH;
    let base = if fits { usual } else { PathBuf::from("/tmp") };
    tempfile::Builder::new().prefix("pwspec-").tempdir_in(base)
}
