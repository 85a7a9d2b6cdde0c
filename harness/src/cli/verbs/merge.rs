//! `merge`: the shards of one run into one record. No host is started.

use crate::cli::Failed;
use crate::cli::args::{Global, MergeArgs, Output};
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::cli::verbs::{self, outputs};
use crate::record::{Record, Writer, merge};
use crate::report::terminal::{EndOptions, end, failures};

pub(crate) fn run(args: &MergeArgs, global: &Global) -> anyhow::Result<Exit> {
    let suite = verbs::suite(&verbs::specs(global)?)?;
    let named = |p: &std::path::PathBuf| Ok((p.display().to_string(), verbs::open(p)?));
    let parts: Vec<(String, Record)> = args
        .records
        .iter()
        .map(named)
        .collect::<anyhow::Result<_>>()?;
    let record =
        merge(&parts).map_err(|e| Failed::new(Exit::Usage, format!("failed to merge: {e}")))?;
    let out = &args.out;
    let failed = |e: std::io::Error| {
        Failed::new(
            Exit::Usage,
            format!("failed to create {}: {e}", out.display()),
        )
    };
    std::fs::create_dir_all(out).map_err(failed)?;
    Writer::create(&out.join("record.jsonl"))?.record(&record)?;
    let mut wanted = args.report.clone();
    wanted.retain(|o| *o != Output::Json);
    wanted.push(Output::Json);
    outputs::write(
        &wanted,
        out,
        std::slice::from_ref(&record),
        &suite,
        &outputs::With::default(),
    )?;
    print!("{}", failures(&record, "", false));
    let folder = out.display().to_string();
    let options = EndOptions {
        folder: &folder,
        ..EndOptions::default()
    };
    print!("{}", end(&record, &options));
    Ok(Exit::of(record.footer.exit_code))
}
