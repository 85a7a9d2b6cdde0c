//! What `doctor` takes.

use clap::Args;

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// As `--host` of `run`.
    pub host: String,
}
