//! What `prove` takes.

use clap::Args;

use crate::cli::args::Format;

/// `prove`.
#[derive(Debug, Clone, Args)]
pub struct ProveArgs {
    /// As for `run`.
    pub filters: Vec<String>,
    /// Plant this fault and no other, leave the changed records out, and name every check that notices
    /// (repeat).
    #[arg(long = "fault", value_name = "NAME")]
    pub faults: Vec<String>,
    /// The ABI version.
    #[arg(long, default_value = "0.2.1")]
    pub abi: String,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
    /// Threads; default one a core.
    #[arg(short = 'j', value_name = "N")]
    pub jobs: Option<usize>,
}
