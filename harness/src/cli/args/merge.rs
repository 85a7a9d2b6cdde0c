//! What `merge` takes.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::Output;

/// `merge`.
#[derive(Debug, Clone, Args)]
pub struct MergeArgs {
    /// `record.jsonl` files, or folders of runs.
    #[arg(required = true)]
    pub records: Vec<PathBuf>,
    /// The folder of the merged run.
    #[arg(long, value_name = "DIR", required = true)]
    pub out: PathBuf,
    /// Reports to write beside the record.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub report: Vec<Output>,
}
