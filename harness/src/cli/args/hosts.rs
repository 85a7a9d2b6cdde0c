//! What `hosts` takes.

use clap::Args;

use crate::cli::args::Format;

/// `hosts`.
#[derive(Debug, Clone, Args)]
pub struct HostsArgs {
    /// Only this host, with what it offers.
    pub name: Option<String>,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}
