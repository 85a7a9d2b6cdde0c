//! `accept`, `reject`, `pending`: snapshots that nobody has settled.

use std::path::{Path, PathBuf};

use globset::Glob;

use crate::cli::Failed;
use crate::cli::args::{Format, Global, PendingArgs, SnapArgs};
use crate::cli::exit::Exit;
use crate::cli::out::{print, println};
use crate::cli::verbs;
use crate::report::json::{self, PendingRow};
use crate::runner;

pub(crate) fn accept(args: &SnapArgs, global: &Global) -> anyhow::Result<Exit> {
    not_in_ci()?;
    let found = pending(&args.columns, global)?;
    for (_, file) in &found {
        println!("accepted {}", runner::accept(file).map_err(bad)?.display());
    }
    Ok(none(&found))
}

pub(crate) fn reject(args: &SnapArgs, global: &Global) -> anyhow::Result<Exit> {
    let found = pending(&args.columns, global)?;
    for (_, file) in &found {
        runner::reject(file).map_err(bad)?;
        println!("rejected {}", file.display());
    }
    Ok(none(&found))
}

pub(crate) fn show(args: &PendingArgs, global: &Global) -> anyhow::Result<Exit> {
    let found = pending(&args.columns, global)?;
    let mut rows = Vec::new();
    for (column, file) in &found {
        if args.format == Format::Pretty {
            println!("{}", file.display());
        }
        for (case, drift) in runner::changes(file).map_err(bad)? {
            if args.format == Format::Pretty {
                println!("  {case}{}", if drift.new { " (new)" } else { "" });
                print!("{}", crate::report::safe_lines(&drift.diff));
            }
            rows.push(PendingRow {
                column: column.clone(),
                case,
                file: file.display().to_string(),
                new: drift.new,
                diff: drift.diff,
            });
        }
    }
    if args.format == Format::Json {
        print!("{}", json::text(&rows));
        return Ok(Exit::Fine);
    }
    Ok(none(&found))
}

fn none(found: &[(String, PathBuf)]) -> Exit {
    if found.is_empty() {
        println!("no pending snapshots");
    }
    Exit::Fine
}

pub(crate) fn bad(e: String) -> Failed {
    Failed::new(Exit::Usage, e)
}

/// Taking a snapshot says that somebody has read it.
pub(crate) fn not_in_ci() -> anyhow::Result<()> {
    if std::env::var_os("CI").is_none() {
        return Ok(());
    }
    let failed = Failed::new(Exit::Usage, "a snapshot is accepted by a person, not in CI");
    Err(failed
        .help("pwspec accept on your own machine, then commit the .snap files")
        .into())
}

/// The pending snapshots of these columns, as `(column, file)`.
pub(crate) fn pending(
    columns: &[String],
    global: &Global,
) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let folders = folders(global)?;
    let globs = columns
        .iter()
        .map(|c| Glob::new(c).map(|g| g.compile_matcher()));
    let globs: Vec<_> = globs
        .collect::<Result<_, _>>()
        .map_err(|e| bad(e.to_string()))?;
    let mut out = Vec::new();
    for folder in folders {
        out.extend(runner::pending(&folder).map_err(bad)?);
    }
    out.retain(|(column, _)| globs.is_empty() || globs.iter().any(|g| g.is_match(column)));
    Ok(out)
}

/// The folders that hold snapshots: that of the cases, and the one of the user's own profiles.
fn folders(global: &Global) -> anyhow::Result<Vec<PathBuf>> {
    let specs = verbs::specs(global)?;
    let own = Path::new(runner::OWN);
    let own = own.is_dir().then(|| own.to_owned());
    let all: Vec<PathBuf> = specs.folder.into_iter().chain(own).collect();
    if all.is_empty() {
        let failed = Failed::new(Exit::Usage, "the embedded snapshots cannot be changed");
        return Err(failed
            .help("run in a checkout, name its specs folder with --specs, or begin with pwspec init HOST")
            .into());
    }
    Ok(all)
}
