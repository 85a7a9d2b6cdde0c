//! Where a run's files go.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::cli::Failed;
use crate::cli::args::RunArgs;
use crate::cli::exit::Exit;
use crate::runner::clock;

/// The run's folder: `--out`, or a new one under `target/pwspec` that `latest` points to; its
/// name ends with those of the hosts.
pub(super) fn out_folder(args: &RunArgs, names: &[&str]) -> anyhow::Result<PathBuf> {
    let failed = |p: &Path, e: std::io::Error| {
        Failed::new(
            Exit::Usage,
            format!("failed to create {}: {e}", p.display()),
        )
    };
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir).map_err(|e| failed(dir, e))?;
        if dir.join("record.jsonl").exists() {
            let message = format!("{} holds a run already", dir.display());
            return Err(Failed::new(Exit::Usage, message)
                .help("a run never appends to an old one")
                .into());
        }
        return Ok(dir.clone());
    }
    let root = Path::new("target/pwspec");
    std::fs::create_dir_all(root).map_err(|e| failed(root, e))?;
    let base = format!("{}-{}", clock::compact(SystemTime::now()), names.join("-"));
    // Two runs may begin in the same second.
    for n in 1..1000 {
        let name = if n == 1 {
            base.clone()
        } else {
            format!("{base}-{n}")
        };
        let dir = root.join(&name);
        match std::fs::create_dir(&dir) {
            Ok(()) => {
                point_latest(root, &name);
                return Ok(dir);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(&dir, e).into()),
        }
    }
    Err(Failed::new(
        Exit::Usage,
        format!("no free name for a run under {}", root.display()),
    )
    .into())
}

/// `latest` is replaced in one step; where links are not to be had, there is none.
fn point_latest(root: &Path, name: &str) {
    #[cfg(unix)]
    {
        let temp = root.join(format!(".latest-{}", std::process::id()));
        if std::os::unix::fs::symlink(name, &temp).is_ok()
            && std::fs::rename(&temp, root.join("latest")).is_err()
        {
            let _ = std::fs::remove_file(&temp);
        }
    }
}
