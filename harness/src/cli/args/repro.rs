//! What `repro` takes.

use std::path::PathBuf;

use clap::Args;

/// `repro`.
#[derive(Debug, Clone, Args)]
pub struct ReproArgs {
    /// The case's id.
    pub case: String,
    /// As `--host` of `run`.
    #[arg(long, value_name = "HOST", default_value = "reference")]
    pub host: String,
    /// In this ABI version or dialect; default the last one of the host that has the case.
    #[arg(long)]
    pub abi: Option<String>,
    /// A folder that is new or empty.
    #[arg(short = 'o', long, value_name = "DIR")]
    pub out: PathBuf,
    /// Start the host with it and wait until Ctrl-C.
    #[arg(long)]
    pub hold: bool,
}
