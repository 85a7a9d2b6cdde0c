//! What `accept`, `reject` and `pending` take.

use clap::Args;

/// `accept`, `reject`, `pending`.
#[derive(Debug, Clone, Args)]
pub struct SnapArgs {
    /// Only snapshots of these columns (globs).
    pub columns: Vec<String>,
}
