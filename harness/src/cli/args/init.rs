//! What `init` takes.

use std::path::PathBuf;

use clap::Args;

/// `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The host that yours is a build of: a profile (`mosn`), or with your binary (`mosn=./build/mosn`).
    pub host: String,
    /// Another name for it.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The folder of the profile.
    #[arg(long, value_name = "DIR", default_value = crate::runner::OWN)]
    pub dir: PathBuf,
}
