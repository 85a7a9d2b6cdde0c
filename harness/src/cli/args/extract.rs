//! What `extract` and `completions` take.

use std::path::PathBuf;

use clap::Args;

/// `extract`.
#[derive(Debug, Clone, Args)]
pub struct ExtractArgs {
    /// A folder that is new or empty.
    pub dir: PathBuf,
}

/// `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
