//! `accept`, `reject`, `pending`: snapshots that nobody has settled.

use anstream::{print, println};
use globset::Glob;

use crate::cli::Failed;
use crate::cli::args::{Global, SnapArgs};
use crate::cli::exit::Exit;
use crate::cli::verbs;
use crate::runner;

/// What to do with each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    Accept,
    Reject,
    Show,
}

pub(crate) fn run(args: &SnapArgs, global: &Global, what: Settle) -> anyhow::Result<Exit> {
    if what == Settle::Accept && std::env::var_os("CI").is_some() {
        let failed = Failed::new(Exit::Usage, "a snapshot is accepted by a person, not in CI");
        return Err(failed
            .help("pwspec accept on your own machine, then commit the .snap files")
            .into());
    }
    let specs = verbs::specs(global)?;
    let Some(folder) = &specs.folder else {
        let failed = Failed::new(Exit::Usage, "the embedded snapshots cannot be changed");
        return Err(failed
            .help("run in a checkout, or name its specs folder with --specs")
            .into());
    };
    let bad = |e: String| Failed::new(Exit::Usage, e);
    let globs = args
        .columns
        .iter()
        .map(|c| Glob::new(c).map(|g| g.compile_matcher()));
    let globs: Vec<_> = globs
        .collect::<Result<_, _>>()
        .map_err(|e| bad(e.to_string()))?;
    let pending = runner::pending(folder).map_err(bad)?;
    let mut n = 0;
    for (column, file) in &pending {
        if !globs.is_empty() && !globs.iter().any(|g| g.is_match(column)) {
            continue;
        }
        n += 1;
        match what {
            Settle::Accept => println!("accepted {}", runner::accept(file).map_err(bad)?.display()),
            Settle::Reject => {
                runner::reject(file).map_err(bad)?;
                println!("rejected {}", file.display());
            }
            Settle::Show => {
                println!("{}", file.display());
                for (case, drift) in runner::changes(file).map_err(bad)? {
                    println!("  {case}{}", if drift.new { " (new)" } else { "" });
                    print!("{}", crate::report::safe_lines(&drift.diff));
                }
            }
        }
    }
    if n == 0 {
        println!("no pending snapshots");
    }
    Ok(Exit::Fine)
}
