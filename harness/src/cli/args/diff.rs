//! What `diff` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The record to compare with: a `record.jsonl`, or the folder of a run.
    pub base: PathBuf,
    /// The record to look at.
    pub head: PathBuf,
    /// How.
    #[arg(long, value_enum, default_value_t = DiffFormat::Pretty)]
    pub format: DiffFormat,
    /// Where; default standard output.
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `diff --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people.
    Pretty,
    /// Markdown, for a pull request.
    Md,
    /// JSON.
    Json,
}
