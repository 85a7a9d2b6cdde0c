//! What `run` takes. What it means is worked out by the verb.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::abi::Level;
use crate::cli::args::{Output, parse_time};
use crate::record::Shard;

/// `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Case ids, prefixes, globs, suite files, or expressions like 'level:must & area:fields & !tag:crasher'.
    pub filters: Vec<String>,
    /// A profile (`envoy`, `envoy@1.40.0`), a profile with a binary (`envoy=./envoy`), or a profile file.
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// The command of an adapter that speaks the protocol of `pwspec schema adapter`: the host behind it is
    /// run. Alone it describes itself; with one `--host` that profile does.
    #[arg(last = true, value_name = "ADAPTER")]
    pub adapter: Vec<String>,
    /// Only these ABI versions or dialects.
    #[arg(long = "abi", value_name = "ABI", value_delimiter = ',')]
    pub abis: Vec<String>,
    /// Only cases of this level or above.
    #[arg(long, value_enum)]
    pub level: Option<MinLevel>,
    /// Only cases of this suite version: newer ones are named and not run.
    #[arg(long, value_name = "VERSION")]
    pub suite: Option<String>,
    /// Only this part of the selection: `2/5`. `pwspec merge` makes one record of all parts.
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    pub shard: Option<Shard>,
    /// Where the run's files go; default `target/pwspec/<time>-<host>`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Reports to write into the run's folder.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub report: Vec<Output>,
    /// How the run is shown.
    #[arg(long, value_enum, default_value_t = RunFormat::Pretty)]
    pub format: RunFormat,
    /// Warnings count as failures.
    #[arg(long)]
    pub strict: bool,
    /// Stop at the first unexpected failure.
    #[arg(short = 'x')]
    pub first: bool,
    /// Stop after this many unexpected failures.
    #[arg(long, value_name = "N")]
    pub max_fail: Option<u32>,
    /// End the run after this time; what was not played by then has no verdict.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub max_time: Option<std::time::Duration>,
    /// Run again when a case file or the binary of a host changes.
    #[arg(long, conflicts_with = "out")]
    pub watch: bool,
    /// Cases at once on hosts that run in process; default one a core.
    #[arg(short = 'j', value_name = "N")]
    pub jobs: Option<usize>,
    /// Whether cases share a host process.
    #[arg(long, value_enum, default_value_t = Isolate::Auto)]
    pub isolation: Isolate,
    /// Deadline of an attempt.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_time)]
    pub timeout: std::time::Duration,
    /// Run the whole selection this many times; results must agree.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: u32,
    /// Seed of tokens and canaries; default drawn from the clock.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Which traces are written as files.
    #[arg(long, value_enum, default_value_t = Traces::Fail)]
    pub trace: Traces,
    /// Compare with snapshots; default `check` for the reference host, `report` elsewhere.
    #[arg(long, value_enum)]
    pub snapshots: Option<SnapMode>,
    /// Exit 0 whatever the gate says.
    #[arg(long)]
    pub exit_zero: bool,
}

/// `2/5`.
fn parse_shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/');
    let parts = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((index, of)) if index >= 1 && index <= of => Ok(Shard { index, of }),
        _ => Err("expected a part such as `2/5`: the second of five".to_owned()),
    }
}

/// `--level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MinLevel {
    /// Must cases.
    Must,
    /// Must and should cases.
    Should,
}

impl MinLevel {
    /// The level.
    pub fn level(self) -> Level {
        match self {
            MinLevel::Must => Level::Must,
            MinLevel::Should => Level::Should,
        }
    }
}

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// Failures in full, progress, the verdict.
    Pretty,
    /// One line a failure, the verdict.
    Terse,
    /// `summary.json` on standard output.
    Json,
}

/// `--isolation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Isolate {
    /// In company; what fails unexpectedly again alone.
    Auto,
    /// In company only.
    Shared,
    /// Each case in a fresh process.
    Alone,
}

/// `--trace`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Traces {
    /// Of cases that do not pass.
    Fail,
    /// Of every case.
    All,
    /// None.
    Off,
}

/// `--snapshots`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SnapMode {
    /// Show drift; it decides nothing.
    Report,
    /// Drift makes the run unexpected.
    Check,
    /// Write `.snap.new` files for what is new or changed; drift decides nothing.
    New,
    /// Do not compare.
    Off,
}
