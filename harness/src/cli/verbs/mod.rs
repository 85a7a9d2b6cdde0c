//! The verbs, one file each.

mod list;

use std::path::Path;

use crate::case::{Problem, Suite};
use crate::cli::args::{Cli, Global, Verb};
use crate::cli::exit::Exit;
use crate::cli::{BadFiles, Failed};
use crate::runner::Specs;

/// Does what was asked.
pub(crate) fn run(cli: Cli) -> anyhow::Result<Exit> {
    let global = &cli.global;
    match &cli.verb {
        Verb::List(args) => list::run(args, global),
        _ => Ok(Exit::Usage),
    }
}

/// The files that cases, tables and profiles come from: `--specs`, else `./specs` where that is a
/// specs folder, else the copy inside the binary.
pub(crate) fn specs(global: &Global) -> anyhow::Result<Specs> {
    let here = Path::new("specs");
    let folder = match &global.specs {
        Some(dir) => Some(dir.as_path()),
        None if here.join("suite.yaml").is_file() => Some(here),
        None => None,
    };
    match folder {
        Some(dir) => Specs::folder(dir).map_err(|e| Failed::new(Exit::Usage, e).into()),
        None => Ok(Specs::embedded()),
    }
}

/// All cases and tables.
pub(crate) fn suite(specs: &Specs) -> anyhow::Result<Suite> {
    specs.suite().map_err(|problems| bad(problems, specs))
}

/// Problems of files as an error.
pub(crate) fn bad(problems: Vec<Problem>, specs: &Specs) -> anyhow::Error {
    BadFiles {
        problems,
        specs: specs.clone(),
    }
    .into()
}

/// A filter as typed.
pub(crate) fn filter(
    texts: &[String],
    suite: &Suite,
    earlier: &dyn crate::case::Earlier,
) -> anyhow::Result<crate::case::Filter> {
    crate::case::Filter::parse(texts, suite, earlier)
        .map_err(|e| Failed::new(Exit::Usage, e).into())
}
