//! `summary.json`: a run in a few lines, for programs.
//!
//! Does not count: the footer has the counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{ColumnSummary, Record};

/// The version of `summary.json`.
pub const SUMMARY_VERSION: u32 = 1;

/// A run, summed up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// [`SUMMARY_VERSION`].
    pub version: u32,
    /// The exit code of the run.
    pub exit_code: u8,
    /// One entry a column, in the order of the run.
    pub runs: Vec<ColumnSummary>,
}

/// Sums up a record.
pub fn summary(record: &Record) -> Summary {
    Summary {
        version: SUMMARY_VERSION,
        exit_code: record.footer.exit_code,
        runs: record.footer.columns.clone(),
    }
}
