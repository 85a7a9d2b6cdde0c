//! The lines of a record: header, cases, results, footer.
//!
//! Every line is one JSON object with one key that says what it is. No footer: a truncated record.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::abi::{Level, Seat};
use crate::judge::{Gate, HostVerdict, Judgement};
use crate::trace::{Attempt, Fault};

/// The version of the record's format.
pub const RECORD_VERSION: u32 = 1;

/// One line of `record.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// The first line.
    Header(Header),
    /// A selected case in one column's reading; before its results.
    Case(CaseLine),
    /// One case in one column.
    Result(Box<ResultLine>),
    /// Lines of cases and results, deflated and in base64: only in published records.
    Packed(String),
    /// The last line.
    Footer(Footer),
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`RECORD_VERSION`].
    pub version: u32,
    /// The harness's version.
    pub pwspec: String,
    /// The suite's version.
    pub suite: String,
    /// SHA-256 of all case files and ABI tables, hexadecimal.
    pub suite_digest: String,
    /// When it began, RFC 3339, UTC.
    pub began: String,
    /// The command as typed, for "again" lines.
    pub command: String,
    /// The filters as typed.
    pub filters: Vec<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// Which part of the selection this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The suite version that the run was held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
    /// The columns, in order.
    pub columns: Vec<Column>,
}

/// One part of several of a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

/// A run of the cases of an older suite version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// As typed: `0.2`.
    pub suite: String,
    /// Cases that were selected and are newer: they were not run.
    pub newer: Vec<String>,
}

/// A host, its version and an ABI or dialect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// `envoy-1.40.0-0.2.1`: the folder in snapshots, traces and reports.
    pub name: String,
    /// The profile's name.
    pub host: String,
    /// The host's version, or `local`.
    pub host_version: String,
    /// SHA-256 of the host's binary, hexadecimal; the harness's version for the embedded host.
    pub host_digest: String,
    /// ABI version or dialect.
    pub abi: String,
    /// A dialect: never part of the verdict by the text.
    pub dialect: bool,
    /// `reference`, `stdio`, `network`.
    pub driver: String,
    /// Names of the needs that the host does not offer, each with its reason.
    pub not_offered: Vec<(String, String)>,
    /// A library behind an adapter that has not passed `doctor`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
}

/// A requirement as the record keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReqLine {
    /// Stable id.
    pub id: String,
    /// How binding.
    pub level: Level,
    /// Who answers for it.
    pub seat: Seat,
    /// Our wording.
    pub text: String,
    /// The heading of the text.
    pub section: String,
    /// How we read the text where it is silent or wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<String>,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseLine {
    /// `fields/get_value/absent`.
    pub id: String,
    /// `fields/get_value`.
    pub suite: String,
    /// `fields`.
    pub area: String,
    /// What it is about.
    pub about: String,
    /// Its file, relative to the specs folder's parent (`specs/cases/…`).
    pub file: String,
    /// Line of the case in the file, from 1.
    pub line: u32,
    /// Its YAML, dedented.
    pub yaml: String,
    /// How many columns the dedenting took from each line: a check's column in the file is its
    /// column in `yaml` and this.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub indent: u32,
    /// The requirements of its checks and observations.
    pub requirements: Vec<ReqLine>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// One case in one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultLine {
    /// Column name.
    pub column: String,
    /// Case id.
    pub case: String,
    /// SHA-256 of the case's YAML, hexadecimal, 16 digits.
    pub case_digest: String,
    /// The same of the program as encoded (with a fixed token).
    pub program_digest: String,
    /// The same of the module as sent to the host.
    pub module_digest: String,
    /// What was observed, one per attempt; the last one was judged. None: never played.
    pub attempts: Vec<Attempt>,
    /// By the text.
    pub judgement: Judgement,
    /// By what was expected of this host.
    pub gate: Gate,
    /// The seed of this result, where it is not the header's: the record was merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// It failed in company and passed alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub company: bool,
    /// Added by the run because another case is blocked by its requirement; counts in nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub added: bool,
    /// Against the column's snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Faults that belong to no attempt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// A difference to the column's snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The snapshot has no section for this case.
    pub new: bool,
    /// A unified diff from the snapshot to now, for people; empty where there is none.
    pub diff: String,
}

/// What is said of a canary that never came to be played.
pub const NOT_PLAYED: &str = "it was not played";

/// A canary's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CanaryLine {
    /// Column name.
    pub column: String,
    /// `passes`, `fails`, `traps`, `hangs`.
    pub canary: String,
    /// Whether it came out as it must.
    pub ok: bool,
    /// What happened.
    pub what: String,
}

/// Counts of one column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// All cases but added ones.
    pub selected: u32,
    /// By verdict.
    pub pass: u32,
    /// By verdict.
    pub fail: u32,
    /// By verdict.
    pub warn: u32,
    /// By verdict.
    pub survey: u32,
    /// By verdict.
    pub unlinked: u32,
    /// By verdict.
    pub refused: u32,
    /// By verdict.
    pub trap: u32,
    /// By verdict.
    pub crash: u32,
    /// By verdict.
    pub timeout: u32,
    /// By verdict.
    pub out_of_scope: u32,
    /// By verdict.
    pub blocked: u32,
    /// By verdict.
    pub not_run: u32,
}

/// Faults of one column by blame.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultCounts {
    /// By blame.
    pub harness: u32,
    /// By blame.
    pub environment: u32,
    /// By blame.
    pub adapter: u32,
    /// By blame.
    pub case: u32,
}

/// One column, summed up: also an entry of `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnSummary {
    /// Column name.
    pub column: String,
    /// Profile name.
    pub host: String,
    /// Host version.
    pub host_version: String,
    /// ABI version or dialect.
    pub abi: String,
    /// By the text alone; null in a dialect column.
    pub verdict: Option<HostVerdict>,
    /// `as expected` or `unexpected`.
    pub gate: String,
    /// Wall time of the column in seconds.
    pub seconds: f64,
    /// Must cases that fail.
    pub must_failed: u32,
    /// Cases by verdict.
    pub cases: Counts,
    /// Failing cases that a known failure explains.
    pub known: u32,
    /// Failing cases that nobody announced, or that fail otherwise than announced.
    pub unexpected_failures: u32,
    /// Known failures that passed.
    pub unexpected_passes: u32,
    /// Results that differ from their snapshot.
    pub drift: u32,
    /// Results that failed in company and passed alone.
    pub company: u32,
    /// Faults by blame.
    pub faults: FaultCounts,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Footer {
    /// When it ended, RFC 3339, UTC.
    pub ended: String,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Ended early by the user.
    pub interrupted: bool,
    /// What stopped a host for good: `(column, words)`.
    pub trouble: Vec<(String, String)>,
    /// The canaries.
    pub canaries: Vec<CanaryLine>,
    /// The columns, summed up.
    pub columns: Vec<ColumnSummary>,
    /// The exit code of the run.
    pub exit_code: u8,
}
