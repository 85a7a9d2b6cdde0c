//! What `report` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// `record.jsonl` files, or folders of runs; several make one matrix.
    #[arg(required = true)]
    pub records: Vec<PathBuf>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = ReportKind::Html)]
    pub format: ReportKind,
    /// Where; default standard output.
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `report --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportKind {
    /// One HTML file.
    Html,
    /// `summary.json`.
    Json,
}
