//! What `coverage` takes.

use clap::Args;

use crate::cli::args::Format;

/// `coverage`.
#[derive(Debug, Clone, Args)]
pub struct CoverageArgs {
    /// The ABI version.
    #[arg(long, default_value = "0.2.1")]
    pub abi: String,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}
