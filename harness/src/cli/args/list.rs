//! What `list` takes.

use clap::{Args, ValueEnum};

/// `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// As for `run`.
    pub filters: Vec<String>,
    /// What to list; not given: cases, or with `--abi A..B` all that changed.
    #[arg(long, value_enum)]
    pub what: Option<What>,
    /// One ABI version or dialect, or `A..B` for what changed between two versions: hostcalls,
    /// callbacks, enum values, requirements and cases.
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
