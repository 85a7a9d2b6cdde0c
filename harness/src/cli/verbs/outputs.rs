//! What is made of records for people and other programs, and where a run leaves it.
//!
//! Does not know which run it was.

use std::path::{Path, PathBuf};

use crate::case::Suite;
use crate::cli::Failed;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::record::{Record, summary};
use crate::report::html::{HtmlOptions, render_with};
use crate::report::{json, machine};
use crate::runner;

/// One output as text.
pub(crate) fn render(output: Output, records: &[Record], suite: &Suite) -> String {
    match output {
        Output::Html => {
            let abis: Vec<&crate::abi::Abi> = suite.abis.iter().map(AsRef::as_ref).collect();
            let options = HtmlOptions {
                abis: &abis,
                ..HtmlOptions::default()
            };
            render_with(records, &options)
        }
        Output::Junit => machine::junit(records),
        Output::Sarif => machine::sarif(records),
        Output::Md => machine::markdown(records),
        Output::Badge => json::text(&machine::badge(records)),
        Output::Json => match records {
            [one] => json::text(&summary(one)),
            many => json::text(&many.iter().map(summary).collect::<Vec<_>>()),
        },
    }
}

/// Where an output lies in the folder of a run.
pub(crate) fn place(output: Output) -> &'static str {
    match output {
        Output::Html => "report/index.html",
        Output::Junit => "junit.xml",
        Output::Sarif => "sarif.json",
        Output::Md => "summary.md",
        Output::Badge => "badge.json",
        Output::Json => "summary.json",
    }
}

/// Writes outputs into a folder, each of them whole or not at all; their paths, in order.
pub(crate) fn write(
    outputs: &[Output],
    folder: &Path,
    records: &[Record],
    suite: &Suite,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for output in outputs {
        let path = folder.join(place(*output));
        let text = render(*output, records, suite);
        write_one(&path, text.as_bytes())?;
        out.push(path);
    }
    Ok(out)
}

/// Writes one file, whole or not at all.
pub(crate) fn write_one(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    runner::write_atomically(path, bytes).map_err(|e| Failed::new(Exit::Usage, e).into())
}
