//! Which adapters have passed `doctor`: kept in the user's cache folder, by what they are made of.
//!
//! A changed adapter has not passed. Does not examine anybody.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::host::Identity;
use crate::runner::hosts::cache_folder;
use crate::runner::write_atomically;

/// Whether this adapter passed the examination of this harness.
pub fn passed(identity: &Identity) -> bool {
    slip(identity).is_some_and(|path| path.is_file())
}

/// It passed, or it did not.
///
/// # Errors
/// The slip cannot be written.
pub fn keep(identity: &Identity, well: bool) -> Result<(), String> {
    let Some(path) = slip(identity) else {
        return Ok(());
    };
    if well {
        let words = format!("{} {}\n", identity.name, identity.version);
        return write_atomically(&path, words.as_bytes());
    }
    std::fs::remove_file(&path).ok();
    Ok(())
}

fn slip(identity: &Identity) -> Option<PathBuf> {
    let of = format!(
        "{} {} {}",
        env!("CARGO_PKG_VERSION"),
        identity.name,
        identity.digest
    );
    let digest = Sha256::digest(of);
    let name: String = digest.iter().take(16).map(|b| format!("{b:02x}")).collect();
    Some(cache_folder()?.join("doctor").join(name))
}
