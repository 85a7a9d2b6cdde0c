//! What `coverage` takes.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::Format;

/// `coverage`.
#[derive(Debug, Clone, Args)]
pub struct CoverageArgs {
    /// The ABI version.
    #[arg(long, default_value = "0.2.1")]
    pub abi: String,
    /// Print this text of the specification with the requirements in its margin, and check that
    /// every line of it is mapped.
    #[arg(long, value_name = "FILE")]
    pub text: Option<PathBuf>,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}
