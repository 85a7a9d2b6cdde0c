//! What `doctor` takes.

use clap::Args;

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// As `--host` of `run`.
    pub host: Option<String>,
    /// The command of an adapter that speaks the protocol of `pwspec schema adapter`.
    #[arg(last = true, value_name = "ADAPTER")]
    pub adapter: Vec<String>,
}
