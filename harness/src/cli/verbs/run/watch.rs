//! `--watch`: runs again when a case file, a table, a profile or the binary of a host changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::cli::args::{Global, RunArgs};
use crate::cli::exit::Exit;
use crate::cli::out::eprintln;
use crate::cli::verbs;
use crate::cli::verbs::run::setup::Setup;
use crate::host::Stop;

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// When each file was changed last.
type Seen = BTreeMap<PathBuf, (SystemTime, u64)>;

/// Runs until Ctrl-C; the exit code is that of the last run.
pub(super) fn run(
    args: &RunArgs,
    global: &Global,
    once: &dyn Fn() -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    loop {
        // What changes while the run goes on is a change too.
        let paths = paths(args, global);
        let mut before = look(&paths);
        let exit = match once() {
            Ok(exit) => exit,
            // A file in the middle of being edited is no reason to end.
            Err(e) => {
                crate::cli::report(&e);
                Exit::Usage
            }
        };
        if exit == Exit::Interrupted {
            return Ok(exit);
        }
        eprintln!("watching; Ctrl-C ends it");
        let stop = Stop::default();
        verbs::on_ctrl_c(&stop);
        loop {
            if stop.asked() {
                return Ok(exit);
            }
            std::thread::sleep(PAUSE);
            let now = look(&paths);
            if now != before {
                // Editors write in several steps: run when nothing moves any more.
                before = now;
                std::thread::sleep(PAUSE);
                if look(&paths) == before {
                    break;
                }
            }
        }
    }
}

/// The files and folders whose change matters.
fn paths(args: &RunArgs, global: &Global) -> Vec<PathBuf> {
    let folder = match &global.specs {
        Some(dir) => dir.clone(),
        None => PathBuf::from("specs"),
    };
    let mut out: Vec<PathBuf> = ["abi", "cases", "hosts", "suite.yaml"]
        .into_iter()
        .map(|below| folder.join(below))
        .collect();
    out.push(PathBuf::from("pwspec"));
    if let Ok(setup) = Setup::read(args, global) {
        for wanted in &setup.wanted {
            out.extend(wanted.binary.iter().map(|found| found.path.clone()));
            out.extend(wanted.profile.file.clone());
        }
    }
    out
}

fn look(paths: &[PathBuf]) -> Seen {
    let mut seen = Seen::new();
    paths.iter().for_each(|path| add(path, &mut seen));
    seen
}

fn add(path: &Path, seen: &mut Seen) {
    let Ok(meta) = std::fs::metadata(path) else {
        return;
    };
    if meta.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            // Snapshots are written by runs.
            if entry.file_name() != "snapshots" {
                add(&entry.path(), seen);
            }
        }
    } else {
        let changed = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        seen.insert(path.to_owned(), (changed, meta.len()));
    }
}
