//! What `list` takes.

use clap::{Args, ValueEnum};

/// `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// As for `run`.
    pub filters: Vec<String>,
    /// What to list.
    #[arg(long, value_enum, default_value_t = What::Cases)]
    pub what: What,
    /// One ABI version or dialect, or `A..B` for what changed between two versions.
    #[arg(long, value_name = "ABI")]
    pub abi: Option<String>,
    /// How.
    #[arg(long, value_enum, default_value_t = ListFormat::Pretty)]
    pub format: ListFormat,
}

/// `list --what`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Cases.
    Cases,
    /// Requirements.
    Requirements,
    /// Faults of the reference host.
    Faults,
    /// Tags.
    Tags,
}

/// How lists are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Aligned columns.
    Pretty,
    /// Names only.
    Names,
    /// JSON.
    Json,
}
