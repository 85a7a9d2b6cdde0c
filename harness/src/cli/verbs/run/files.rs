//! What a run leaves in its folder beside the record: the summary, traces, reports.

use std::path::{Path, PathBuf};

use crate::case::Suite;
use crate::cli::args::{Output, RunArgs, Traces};
use crate::cli::verbs::outputs::{self, With};
use crate::record::Record;
use crate::report::{copies, trace_name};
use crate::runner::Specs;

/// `summary.json`, traces, reports; the report's path.
pub(super) fn write_files(
    args: &RunArgs,
    out: &Path,
    record: &Record,
    suite: &Suite,
    specs: &Specs,
) -> anyhow::Result<Option<PathBuf>> {
    for result in &record.results {
        let wanted = match args.trace {
            Traces::All => true,
            Traces::Off => false,
            Traces::Fail => result.judgement.verdict.fails() || result.gate.unexpected(),
        };
        if !wanted {
            continue;
        }
        let name = trace_name(&result.case);
        let base = out.join("traces").join(&result.column);
        for (end, text) in copies(result) {
            outputs::write_one(&base.join(format!("{name}.{end}")), text.as_bytes())?;
        }
    }
    // The summary is always there, and last: who sees it finds the others.
    let mut wanted = args.report.clone();
    wanted.retain(|o| *o != Output::Json);
    wanted.push(Output::Json);
    wanted.dedup();
    let records = std::slice::from_ref(record);
    // They were read before; only the HTML report has a place for what they say.
    let profiles = match args.report.contains(&Output::Html) {
        true => specs.profiles().unwrap_or_default(),
        false => Vec::new(),
    };
    let (with, _) = With::reasons(records, &profiles);
    outputs::write(&wanted, out, records, suite, &with)?;
    let html = args.report.contains(&Output::Html);
    Ok(html.then(|| out.join(outputs::place(Output::Html))))
}

/// The folder of traces as the user would type it; empty: none are written.
pub(super) fn traces(args: &RunArgs, out: &Path) -> String {
    if args.trace == Traces::Off {
        String::new()
    } else {
        format!("{}/traces", out.display())
    }
}
