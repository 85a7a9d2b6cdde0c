//! `diff`: what a change did to a host: two records side by side. No host is started.

use std::collections::BTreeMap;

use crate::case::Profile;
use crate::cli::Failed;
use crate::cli::args::{DiffArgs, DiffFormat, Global};
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::cli::verbs;
use crate::record::{Record, ResultLine};
use crate::report::diff::{Diff, DiffVerdict, compare, markdown, text};
use crate::report::{json, plain};
use crate::runner;

pub(crate) fn run(args: &DiffArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let profiles = verbs::profiles(&specs)?;
    let (base, head) = (verbs::open(&args.base)?, verbs::open(&args.head)?);
    let diff = between(&base, &head, &profiles);
    if diff.columns.is_empty() {
        let failed = Failed::new(Exit::Usage, "no column stands in both records");
        let names = |all: &[String]| all.join(", ");
        return Err(failed
            .help(format!(
                "{} and {}",
                names(&diff.only_base),
                names(&diff.only_head)
            ))
            .into());
    }
    let shown = match args.format {
        DiffFormat::Pretty => text(&diff),
        DiffFormat::Md => markdown(&diff),
        DiffFormat::Json => json::text(&diff),
    };
    match &args.out {
        None => print!("{shown}"),
        Some(path) => runner::write_atomically(path, plain(&shown).as_bytes())
            .map_err(|e| Failed::new(Exit::Usage, e))?,
    }
    Ok(match diff.verdict {
        DiffVerdict::Worse => Exit::Unexpected,
        DiffVerdict::Incomplete => Exit::Incomplete,
        DiffVerdict::Better | DiffVerdict::Changed | DiffVerdict::Same => Exit::Fine,
    })
}

/// What is different between two records; traces are compared without what a profile says that its
/// host adds on its own.
pub(crate) fn between(base: &Record, head: &Record, profiles: &[Profile]) -> Diff {
    // A host whose profile is not here has no fields of its own, as far as is known.
    let by_name: BTreeMap<&str, &Profile> = profiles.iter().map(|p| (p.name.as_str(), p)).collect();
    let trace = |record: &Record, r: &ResultLine| {
        let columns = &record.header.columns;
        let column = columns.iter().find(|c| c.name == r.column)?;
        let profile = by_name.get(column.host.as_str());
        let adds = profile.map(|p| p.adds.clone()).unwrap_or_default();
        runner::snapshot_text(&adds, r, record.header.seed)
    };
    compare(base, head, &trace)
}
