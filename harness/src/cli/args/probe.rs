//! What `probe` takes.

use clap::{Args, ValueEnum};

/// `probe`.
#[derive(Debug, Clone, Args)]
pub struct ProbeArgs {
    /// As `--host` of `run`.
    pub host: String,
    /// Only these ABI versions or dialects.
    #[arg(long = "abi", value_name = "ABI", value_delimiter = ',')]
    pub abis: Vec<String>,
    /// How.
    #[arg(long, value_enum, default_value_t = ProbeFormat::Pretty)]
    pub format: ProbeFormat,
}

/// `probe --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProbeFormat {
    /// A table, and what a profile would say.
    Pretty,
    /// The keys of a profile, to begin one with.
    Yaml,
    /// JSON.
    Json,
}
