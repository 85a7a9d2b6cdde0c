//! What `schema` takes.

use std::path::PathBuf;

use clap::Args;

/// `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Which; without it the names are listed.
    pub name: Option<String>,
    /// Write every schema into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    pub write: Option<PathBuf>,
}
