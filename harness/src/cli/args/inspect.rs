//! What `inspect` takes.

use std::path::PathBuf;

use clap::Args;

use crate::cli::args::Format;

/// `inspect`.
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// A plugin: a WebAssembly file.
    #[arg(value_name = "FILE.wasm")]
    pub file: PathBuf,
    /// Only what this host would do; exit 1 if it would refuse the file. A profile (`envoy`,
    /// `envoy@1.40.0`) or a profile file; the host itself need not be here.
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}
