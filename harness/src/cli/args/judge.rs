//! What `judge` takes.

use std::path::PathBuf;

use clap::Args;

/// `judge`.
#[derive(Debug, Clone, Args)]
pub struct JudgeArgs {
    /// A `record.jsonl`, or the folder of a run.
    pub record: PathBuf,
    /// Write the record with its new verdicts here.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
