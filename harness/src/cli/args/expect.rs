//! What `expect` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::case::Class;

/// `expect`.
#[derive(Debug, Clone, Args)]
pub struct ExpectArgs {
    /// As `--host` of `run`. With `@*` an entry may end up with a range of versions.
    pub host: String,
    /// What to do; default `check`.
    #[command(subcommand)]
    pub what: Option<ExpectVerb>,
}

/// What `expect` does.
#[derive(Debug, Clone, Subcommand)]
pub enum ExpectVerb {
    /// Say which entries are stale, unmatched, expired, over-broad, or fail for another reason.
    Check(CheckArgs),
    /// Take out what passes, and what names no case.
    Prune(PruneArgs),
    /// Add the selected cases that fail, or give an entry a new day.
    Add(AddArgs),
}

/// `expect HOST check`.
#[derive(Debug, Clone, Default, Args)]
pub struct CheckArgs {
    /// Look at this record instead of running the cases: a `record.jsonl`, or the folder of a run.
    #[arg(long, value_name = "RECORD")]
    pub record: Option<PathBuf>,
    /// Prune at once what can be pruned.
    #[arg(long)]
    pub fix: bool,
}

/// `expect HOST prune`.
#[derive(Debug, Clone, Args)]
pub struct PruneArgs {
    /// Only entries that name these cases or have these patterns; default all.
    pub cases: Vec<String>,
    /// Look at this record instead of running the cases: a `record.jsonl`, or the folder of a run.
    #[arg(long, value_name = "RECORD")]
    pub record: Option<PathBuf>,
    /// Edit the profile in place; without it the change is shown.
    #[arg(long)]
    pub fix: bool,
}

/// `expect HOST add`.
#[derive(Debug, Clone, Args)]
pub struct AddArgs {
    /// As the filters of `run`. All of them should fail for one reason.
    #[arg(required = true)]
    pub filters: Vec<String>,
    /// The host's own cause, in one sentence.
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    /// The host's file and function.
    #[arg(long, value_name = "TEXT", default_value = "not read")]
    pub source: String,
    /// What kind of departure.
    #[arg(long, value_enum)]
    pub class: Option<ClassArg>,
    /// Where it was reported.
    #[arg(long, value_name = "URL")]
    pub link: Option<String>,
    /// The last day on which it holds: `2027-05-31`. Without `--why`, entries that are there get it.
    #[arg(long, value_name = "DAY")]
    pub expires: Option<String>,
    /// Only in these versions of the host: `>=1.36 <1.40`.
    #[arg(long, value_name = "RANGE")]
    pub versions: Option<String>,
    /// Edit the profile in place; without it the change is shown.
    #[arg(long)]
    pub fix: bool,
}

/// `--class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClassArg {
    /// Not there.
    Missing,
    /// There under another name.
    Renamed,
    /// There under another number.
    Renumbered,
    /// There, and wrong.
    Wrong,
    /// At another time.
    Order,
    /// Beyond a limit of the host.
    Limit,
}

impl ClassArg {
    /// The class.
    pub fn class(self) -> Class {
        match self {
            ClassArg::Missing => Class::Missing,
            ClassArg::Renamed => Class::Renamed,
            ClassArg::Renumbered => Class::Renumbered,
            ClassArg::Wrong => Class::Wrong,
            ClassArg::Order => Class::Order,
            ClassArg::Limit => Class::Limit,
        }
    }
}
