//! What `report` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// `record.jsonl` files, or folders of runs; several make one matrix.
    #[arg(required = true)]
    pub records: Vec<PathBuf>,
    /// What is shown.
    #[arg(long, value_enum, default_value = "conformance")]
    pub view: View,
    /// What to write; several go into the folder that `-o` names. Without it HTML, or for
    /// `--view adaptation` text for the terminal.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub format: Vec<Output>,
    /// An earlier record: the HTML report gets a view of what is different.
    #[arg(long, value_name = "RECORD")]
    pub against: Option<PathBuf>,
    /// What `pwspec prove --format json` said of an ABI version, for the HTML report: `0.2.1=prove.json`.
    #[arg(long, value_name = "ABI=FILE", value_parser = parse_prove)]
    pub prove: Vec<(String, PathBuf)>,
    /// Write each column into a folder of its own below this one, as it is published: a small record and
    /// a page that says how to make it again.
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    pub publish: Option<PathBuf>,
    /// Where; default standard output.
    #[arg(short = 'o', long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

/// What a report shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// Which host does what the text says.
    Conformance,
    /// What the developer of a host has to do, what unlocks most cases first.
    Adaptation,
}

/// What can be made of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// One static HTML file.
    Html,
    /// JUnit XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
    /// A summary in Markdown.
    Md,
    /// A badge for shields.io's endpoint.
    Badge,
    /// The matrix in Markdown.
    Matrix,
    /// `summary.json`; a run always writes it.
    Json,
}

fn parse_prove(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((abi, file)) if !abi.is_empty() && !file.is_empty() => {
            Ok((abi.to_owned(), PathBuf::from(file)))
        }
        _ => Err("expected `0.2.1=prove.json`".to_owned()),
    }
}
