//! What `accept`, `reject`, `pending` and `review` take.

use clap::Args;

use crate::cli::args::Format;

/// `accept`, `reject`, `review`.
#[derive(Debug, Clone, Args)]
pub struct SnapArgs {
    /// Only snapshots of these columns (globs).
    pub columns: Vec<String>,
}

/// `pending`.
#[derive(Debug, Clone, Args)]
pub struct PendingArgs {
    /// Only snapshots of these columns (globs).
    pub columns: Vec<String>,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}
