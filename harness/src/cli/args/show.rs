//! What `show` takes.

use clap::Args;

/// `show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The case's id.
    pub case: String,
    /// In this ABI version or dialect.
    #[arg(long, default_value = "0.2.1")]
    pub abi: String,
}
