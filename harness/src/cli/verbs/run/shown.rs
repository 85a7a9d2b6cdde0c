//! What a run shows on the terminal.

use std::path::Path;

use crate::cli::args::{RunArgs, RunFormat};
use crate::cli::out::print;
use crate::cli::verbs::run::files::traces;
use crate::record::{Record, Verdicts};
use crate::report::terminal::{EndOptions, Format, Live, LiveOptions, drifts, end, failures};

/// A line for each failure as soon as its column is judged, for a CI log; elsewhere failures are shown
/// in full at the end.
pub(super) fn live(args: &RunArgs, out: &Path) -> Option<Live> {
    if !in_ci() {
        return None;
    }
    let options = LiveOptions {
        format: match args.format {
            RunFormat::Json => return None,
            RunFormat::Terse => Format::Terse,
            RunFormat::Pretty => Format::Pretty,
        },
        watched: false,
        annotations: std::env::var_os("GITHUB_ACTIONS").is_some(),
        traces: traces(args, out),
    };
    Some(Live::new(Box::new(anstream::stdout()), options))
}

/// Failures in full, or of `--format terse` in a line each, then the end of the run.
pub(super) fn show(
    args: &RunArgs,
    record: &Record,
    before: Option<&Verdicts>,
    out: &Path,
    report: Option<&Path>,
) {
    let folder = out.display().to_string();
    let report = report.map(|r| r.display().to_string());
    let terse = args.format == RunFormat::Terse;
    if !in_ci() {
        print!("{}", failures(record, &traces(args, out), terse));
    }
    if !terse {
        print!("{}", drifts(record));
    }
    let options = EndOptions {
        folder: &folder,
        report: report.as_deref(),
        before,
        terse,
    };
    print!("{}", end(record, &options));
}

/// Whether nobody watches but a CI system.
fn in_ci() -> bool {
    ["CI", "GITHUB_ACTIONS"]
        .iter()
        .any(|v| std::env::var_os(v).is_some())
}
