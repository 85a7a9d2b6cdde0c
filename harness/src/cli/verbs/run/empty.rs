//! A run that came to nothing still leaves its record and every report that was asked for, and they
//! say so: nothing was selected, or a host is not here.

use std::time::SystemTime;

use crate::cli::Failed;
use crate::cli::args::{Global, RunArgs};
use crate::cli::exit::Exit;
use crate::cli::out::hidden;
use crate::cli::verbs;
use crate::cli::verbs::run::{files, folder};
use crate::record::{Footer, Header, RECORD_VERSION, Record, Writer};
use crate::runner::clock;

/// Writes the folder of a run that never began.
pub(super) fn leave(
    args: &RunArgs,
    global: &Global,
    failed: &Failed,
    command: &str,
) -> anyhow::Result<()> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let now = clock::rfc3339(SystemTime::now());
    let mut trouble = Vec::new();
    if failed.exit == Exit::Host {
        let help = failed.help.as_ref().map(|h| format!(" ({h})"));
        let what = format!("{}{}", failed.message, help.unwrap_or_default());
        trouble.push((args.hosts.join(", "), hidden(&what)));
    }
    let record = Record {
        header: Header {
            version: RECORD_VERSION,
            pwspec: env!("CARGO_PKG_VERSION").to_owned(),
            suite: suite.version.clone(),
            suite_digest: suite.digest.clone(),
            began: now.clone(),
            command: command.to_owned(),
            filters: args.filters.clone(),
            seed: args.seed.unwrap_or(0),
            shard: args.shard,
            pinned: None,
            columns: Vec::new(),
        },
        cases: Vec::new(),
        results: Vec::new(),
        footer: Footer {
            ended: now,
            seconds: 0.0,
            interrupted: false,
            trouble,
            canaries: Vec::new(),
            columns: Vec::new(),
            exit_code: failed.exit.code(),
        },
    };
    let out = folder::out_folder(args, &["none"])?;
    Writer::create(&out.join("record.jsonl"))?.record(&record)?;
    files::write_files(args, &out, &record, &suite, &specs)?;
    Ok(())
}
