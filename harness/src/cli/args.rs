//! What was typed. What it means is worked out by each command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::abi::Level;

/// Conformance tests for Proxy-Wasm hosts.
#[derive(Debug, Parser)]
#[command(
    name = "pwspec",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Use the cases, tables and profiles of this folder instead of the embedded ones.
    #[arg(long, global = true, value_name = "DIR")]
    pub specs: Option<PathBuf>,
    /// Colours.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto)]
    pub color: Colour,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run cases on hosts, record, judge, report.
    Run(Box<RunArgs>),
    /// List cases, requirements, faults or tags.
    List(ListArgs),
    /// Show a case: what it asks, the text behind it, its YAML, its guest.
    Show(ShowArgs),
    /// Each requirement: tested by, excluded because, or a gap.
    Coverage(CoverageArgs),
    /// Known hosts: found here or not, where, how to get them.
    Hosts(HostsArgs),
    /// Whether the way to a host works: canaries, start and stop, leaks.
    Doctor(DoctorArgs),
    /// Prove the checks: every fault of the reference host and every changed record must be caught.
    Prove(ProveArgs),
    /// New verdicts from an old record, starting no host.
    Judge(JudgeArgs),
    /// Reports from records.
    Report(ReportArgs),
    /// Take new or changed snapshots as they are.
    Accept(SnapArgs),
    /// Drop new or changed snapshots.
    Reject(SnapArgs),
    /// New or changed snapshots that nobody has settled.
    Pending(SnapArgs),
    /// The JSON Schema of a format.
    Schema(SchemaArgs),
}

/// `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Case ids, prefixes, globs, or expressions like 'level:must & area:fields & !tag:grpc'.
    pub filters: Vec<String>,
    /// A profile (`envoy`, `envoy@1.40.0`), a profile with a binary (`envoy=./envoy`), or a profile file.
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Only these ABI versions or dialects.
    #[arg(long = "abi", value_name = "ABI", value_delimiter = ',')]
    pub abis: Vec<String>,
    /// Only cases of this level or above.
    #[arg(long, value_enum)]
    pub level: Option<MinLevel>,
    /// Where the run's files go; default `target/pwspec/<time>-<host>`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Reports to write into the run's folder.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub report: Vec<RunReport>,
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
    #[arg(long, value_name = "N", default_value_t = 1)]
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

/// Reports that `run` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunReport {
    /// `report/index.html`.
    Html,
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

/// How objects are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Pretty,
    /// JSON.
    Json,
}

/// `show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The case's id.
    pub case: String,
    /// In this ABI version or dialect.
    #[arg(long, default_value = "0.2.1")]
    pub abi: String,
}

/// `coverage`.
#[derive(Debug, Clone, Args)]
pub struct CoverageArgs {
    /// The ABI version.
    #[arg(long, default_value = "0.2.1")]
    pub abi: String,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}

/// `hosts`.
#[derive(Debug, Clone, Args)]
pub struct HostsArgs {
    /// Only this host, with what it offers.
    pub name: Option<String>,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
}

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// As `--host` of `run`.
    pub host: String,
}

/// `prove`.
#[derive(Debug, Clone, Args)]
pub struct ProveArgs {
    /// As for `run`.
    pub filters: Vec<String>,
    /// The ABI version.
    #[arg(long, default_value = "0.2.1")]
    pub abi: String,
    /// How.
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub format: Format,
    /// Threads; default one a core.
    #[arg(short = 'j', value_name = "N")]
    pub jobs: Option<usize>,
}

/// `judge`.
#[derive(Debug, Clone, Args)]
pub struct JudgeArgs {
    /// A `record.jsonl`, or the folder of a run.
    pub record: PathBuf,
    /// Write the record with its new verdicts here.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// `record.jsonl` files, or folders of runs; several make one matrix.
    #[arg(required = true)]
    pub records: Vec<PathBuf>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = ReportKind::Html)]
    pub format: ReportKind,
    /// Where; default standard output.
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `report --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportKind {
    /// One HTML file.
    Html,
    /// `summary.json`.
    Json,
}

/// `accept`, `reject`, `pending`.
#[derive(Debug, Clone, Args)]
pub struct SnapArgs {
    /// Only snapshots of these columns (globs).
    pub columns: Vec<String>,
}

/// `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Which; without it the names are listed.
    pub name: Option<String>,
    /// Write every schema into this folder.
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    pub write: Option<PathBuf>,
}

/// `5s`, `500ms`, `2m`.
fn parse_time(text: &str) -> Result<std::time::Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000)];
    for (unit, factor) in units {
        if let Some(Ok(n)) = text.strip_suffix(unit).map(|n| n.trim().parse::<u64>()) {
            return Ok(std::time::Duration::from_millis(n * factor));
        }
    }
    Err("expected a time like `500ms`, `5s` or `2m`".to_owned())
}
