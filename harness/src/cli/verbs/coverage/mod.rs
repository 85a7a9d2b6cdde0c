//! `coverage`: how much of the text has a case; `table` asks requirement by requirement, `text`
//! line by line.
//!
//! Does not know whether a case passes anywhere.

mod table;
mod text;

use std::collections::BTreeMap;

use crate::abi::Abi;
use crate::case::Suite;
use crate::cli::args::{CoverageArgs, Global};
use crate::cli::exit::Exit;
use crate::cli::verbs;

pub(crate) fn run(args: &CoverageArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let abi = verbs::abi(&suite, &args.abi)?;
    match &args.text {
        Some(file) => text::run(file, args.format, &specs, &suite, abi),
        None => Ok(table::run(args.format, &suite, abi)),
    }
}

/// The cases of each requirement that has one in this version.
fn tested<'s>(suite: &'s Suite, abi: &Abi) -> BTreeMap<&'s str, Vec<&'s str>> {
    let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let version = abi.text_version();
    let here = |c: &&crate::case::Case| c.abi.iter().any(|v| v == version);
    for case in suite.cases.iter().filter(here) {
        for req in &case.covers {
            by.entry(req).or_default().push(&case.id);
        }
    }
    by
}
