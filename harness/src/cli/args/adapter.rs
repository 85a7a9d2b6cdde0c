//! What `adapter` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `adapter`.
#[derive(Debug, Clone, Args)]
pub struct AdapterArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: AdapterWhat,
}

/// What `adapter` does.
#[derive(Debug, Clone, Subcommand)]
pub enum AdapterWhat {
    /// Write a skeleton: an adapter around a toy host, which passes `pwspec doctor` as it is.
    New(NewArgs),
}

/// `adapter new`.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// The language.
    #[arg(value_enum)]
    pub language: Language,
    /// A folder that is new or empty.
    #[arg(short, long, value_name = "DIR", default_value = "adapter")]
    pub out: PathBuf,
}

/// The languages of skeletons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// On wazero.
    Go,
    /// On wasmi.
    Rust,
    /// On Chicory.
    Java,
    /// On wasmtime.
    Python,
}
