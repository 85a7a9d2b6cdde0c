//! What was typed. What it means is worked out by each command. One file a verb; here the list of
//! verbs and what several of them share.

mod adapter;
mod coverage;
mod diff;
mod doctor;
mod expect;
mod extract;
mod fuzz;
mod hosts;
mod init;
mod inspect;
mod judge;
mod list;
mod merge;
mod probe;
mod prove;
mod report;
mod repro;
mod run;
mod schema;
mod show;
mod snapshots;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use adapter::*;
pub use coverage::*;
pub use diff::*;
pub use doctor::*;
pub use expect::*;
pub use extract::*;
pub use fuzz::*;
pub use hosts::*;
pub use init::*;
pub use inspect::*;
pub use judge::*;
pub use list::*;
pub use merge::*;
pub use probe::*;
pub use prove::*;
pub use report::*;
pub use repro::*;
pub use run::*;
pub use schema::*;
pub use show::*;
pub use snapshots::*;

/// Conformance tests for Proxy-Wasm hosts.
#[derive(Debug, Parser)]
#[command(
    name = "pwspec",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
First steps:
  pwspec run --report html           every case on the reference host, and the report
  pwspec hosts                       the hosts that it knows, and how to get one
  pwspec run --host envoy=./envoy    every case on a build of your own
  pwspec init envoy=./envoy          what is known to fail there, for a gate in CI"
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
    /// A plugin from outside: its ABI, imports, exports, and which known host would refuse it.
    Inspect(InspectArgs),
    /// Whether the way to a host works: canaries, start and stop, leaks.
    Doctor(DoctorArgs),
    /// What a host has: each hostcall and callback once, in a module of its own.
    Probe(ProbeArgs),
    /// Prove the checks: every fault of the reference host and every changed record must be caught.
    Prove(ProveArgs),
    /// Random programs on two hosts until they differ, cut down and written as cases.
    Fuzz(FuzzArgs),
    /// New verdicts from an old record, starting no host.
    Judge(JudgeArgs),
    /// Reports from records.
    Report(ReportArgs),
    /// What a change did: two records side by side. Exit 1 on a broken case.
    Diff(DiffArgs),
    /// Shards of one run into one record.
    Merge(MergeArgs),
    /// A case without pwspec: module, host configuration, scripts for client and upstream, README.
    Repro(ReproArgs),
    /// Keep the known failures of a host: which entries need a hand, and the edit that mends them.
    Expect(ExpectArgs),
    /// Take new or changed snapshots as they are.
    Accept(SnapArgs),
    /// Drop new or changed snapshots.
    Reject(SnapArgs),
    /// New or changed snapshots that nobody has settled.
    Pending(PendingArgs),
    /// Settle new or changed snapshots one by one.
    Review(SnapArgs),
    /// Write a profile of your own build into your repository.
    Init(InitArgs),
    /// An adapter to begin with, for a host library that pwspec does not know.
    Adapter(AdapterArgs),
    /// The JSON Schema of a format.
    Schema(SchemaArgs),
    /// Write out the cases, tables, profiles and guests inside this program.
    Extract(ExtractArgs),
    /// Shell completions on standard output.
    Completions(CompletionsArgs),
}

/// How objects are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Pretty,
    /// JSON.
    Json,
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
