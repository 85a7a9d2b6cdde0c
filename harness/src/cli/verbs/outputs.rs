//! What is made of records for people and other programs, and where a run leaves it.
//!
//! Does not know which run it was.

use std::path::{Path, PathBuf};

use crate::case::{Profile, Suite};
use crate::cli::Failed;
use crate::cli::args::Output;
use crate::cli::exit::Exit;
use crate::record::{Record, summary};
use crate::report::diff::Diff;
use crate::report::html::{HtmlOptions, lonely, render_with};
use crate::report::json::Prove;
use crate::report::{json, machine};
use crate::runner;

/// What outputs are made with beside the records.
#[derive(Debug, Default)]
pub(crate) struct With {
    /// What is different from an earlier run.
    pub(crate) diffs: Vec<Diff>,
    /// What the proof said, by ABI version.
    pub(crate) prove: Vec<(String, Prove)>,
    /// Why must cases stand that no other host passes.
    pub(crate) reasons: Vec<(String, String)>,
}

impl With {
    /// The reasons that the profiles give for must cases that only our own host passes; the cases for
    /// which there is none are returned beside.
    pub(crate) fn reasons(records: &[Record], profiles: &[Profile]) -> (With, Vec<String>) {
        let mut with = With::default();
        let mut without = Vec::new();
        for case in lonely(records) {
            let mut entries = profiles.iter().flat_map(|p| &p.alone);
            match entries.find(|e| e.names(&case)) {
                Some(entry) => with.reasons.push((case, entry.why.trim().to_owned())),
                None => without.push(case),
            }
        }
        (with, without)
    }
}

/// One output as text.
pub(crate) fn render(output: Output, records: &[Record], suite: &Suite, with: &With) -> String {
    match output {
        Output::Html => {
            let abis: Vec<&crate::abi::Abi> = suite.abis.iter().map(AsRef::as_ref).collect();
            let options = HtmlOptions {
                abis: &abis,
                prove: &with.prove,
                diffs: &with.diffs,
                reasons: &with.reasons,
            };
            render_with(records, &options)
        }
        Output::Junit => machine::junit(records),
        Output::Sarif => machine::sarif(records),
        Output::Md => machine::markdown(records),
        Output::Badge => json::text(&machine::badge(records)),
        Output::Matrix => {
            let abis: Vec<&crate::abi::Abi> = suite.abis.iter().map(AsRef::as_ref).collect();
            machine::matrix(records, &abis)
        }
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
        Output::Matrix => "matrix.md",
        Output::Json => "summary.json",
    }
}

/// Writes outputs into a folder, each of them whole or not at all; their paths, in order.
pub(crate) fn write(
    outputs: &[Output],
    folder: &Path,
    records: &[Record],
    suite: &Suite,
    with: &With,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for output in outputs {
        let path = folder.join(place(*output));
        let text = render(*output, records, suite, with);
        write_one(&path, text.as_bytes())?;
        out.push(path);
    }
    Ok(out)
}

/// Writes one file, whole or not at all.
pub(crate) fn write_one(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    runner::write_atomically(path, bytes).map_err(|e| Failed::new(Exit::Usage, e).into())
}
