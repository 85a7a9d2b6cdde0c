//! What `fuzz` takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::args::{Format, parse_time};

/// `fuzz`.
#[derive(Debug, Clone, Args)]
pub struct FuzzArgs {
    /// Two hosts, each as `--host` of `run`: `reference,envoy`.
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    pub hosts: Vec<String>,
    /// The ABI version; default the newest that both hosts have.
    #[arg(long)]
    pub abi: Option<String>,
    /// Seed of the programs: the same seed gives the same ones. Default drawn from the clock.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many programs; default 500, or no end where `--max-time` is given.
    #[arg(long, value_name = "N")]
    pub cases: Option<u64>,
    /// No new programs after this time.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub max_time: Option<Duration>,
    /// Where the cases go that show a difference.
    #[arg(short = 'o', long, value_name = "DIR", default_value = "pwspec-fuzz")]
    pub out: PathBuf,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}
