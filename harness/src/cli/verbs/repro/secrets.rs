//! Secrets of a profile in the files that play a case: the folder is made to be handed on.
//!
//! Does not know which values are secrets.

use std::path::{Path, PathBuf};

use crate::record::without;

/// The files of a folder in which secrets stand, by name.
pub(super) fn holding(dir: &Path, secrets: &[String]) -> std::io::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_file() {
            let all = std::fs::read(&path)?;
            if without(all.clone(), secrets) != all {
                out.push(path);
            }
        }
    }
    out.sort();
    Ok(out)
}

/// Leaves the secrets out of all files of a folder; what can be started can be started still.
pub(super) fn leave_out(dir: &Path, secrets: &[String]) -> std::io::Result<()> {
    for file in holding(dir, secrets)? {
        std::fs::write(&file, without(std::fs::read(&file)?, secrets))?;
    }
    Ok(())
}
