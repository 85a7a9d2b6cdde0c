//! What `show` takes.

use clap::Args;

/// `show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The case's id.
    pub case: String,
    /// In this ABI version or dialect; not given: the newest in which the case runs.
    #[arg(long)]
    pub abi: Option<String>,
}
