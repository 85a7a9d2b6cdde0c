//! What a run leaves in its folder beside the record: the summary, traces, reports.

use std::path::{Path, PathBuf};

use crate::case::Suite;
use crate::cli::Failed;
use crate::cli::args::{RunArgs, RunReport, Traces};
use crate::cli::exit::Exit;
use crate::record::Record;
use crate::report::html::HtmlOptions;
use crate::runner;

/// `summary.json`, traces, reports; the report's path.
pub(super) fn write_files(
    args: &RunArgs,
    out: &Path,
    record: &Record,
    suite: &Suite,
) -> anyhow::Result<Option<PathBuf>> {
    let write = |path: &Path, bytes: &[u8]| {
        runner::write_atomically(path, bytes).map_err(|e| Failed::new(Exit::Usage, e))
    };
    let summary = serde_json::to_vec_pretty(&crate::record::summary(record))?;
    write(&out.join("summary.json"), &summary)?;
    for result in &record.results {
        let wanted = match args.trace {
            Traces::All => true,
            Traces::Off => false,
            Traces::Fail => result.judgement.verdict.fails() || result.gate.unexpected(),
        };
        if !wanted {
            continue;
        }
        let Some(attempt) = result.attempts.last() else {
            continue;
        };
        let name = result.case.replace('/', ".");
        let base = out.join("traces").join(&result.column);
        let text = crate::trace::canonical(&attempt.trace, &attempt.seen, &Default::default());
        write(&base.join(format!("{name}.trace")), text.as_bytes())?;
        for (blob, end) in [(&attempt.host_log, "host.log"), (&attempt.wire, "wire.txt")] {
            if let Some(blob) = blob {
                let text = blob
                    .whole()
                    .map_or_else(|| blob.display().into_bytes(), <[u8]>::to_vec);
                write(&base.join(format!("{name}.{end}")), &text)?;
            }
        }
    }
    if !args.report.contains(&RunReport::Html) {
        return Ok(None);
    }
    let path = out.join("report/index.html");
    let abis: Vec<&crate::abi::Abi> = suite.abis.iter().map(AsRef::as_ref).collect();
    let options = HtmlOptions {
        abis: &abis,
        prove: None,
    };
    let html = crate::report::html::render_with(std::slice::from_ref(record), &options);
    write(&path, html.as_bytes())?;
    Ok(Some(path))
}

/// The folder of traces as the user would type it; empty: none are written.
pub(super) fn traces(args: &RunArgs, out: &Path) -> String {
    if args.trace == Traces::Off {
        String::new()
    } else {
        format!("{}/traces", out.display())
    }
}
