//! The words for how a check, a case, a column ended.
//!
//! Does not know how they are reached.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::abi::Level;

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As the text says.
    Pass,
    /// Not as the text says.
    Fail,
    /// What it looks at never happened.
    Unreached,
}

/// How one case ended in one column.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every check passed.
    Pass,
    /// A must check failed.
    Fail,
    /// Only should checks failed.
    Warn,
    /// A survey: what was observed stands beside it.
    Survey,
    /// The module needs an import that the host lacks, and a check is about it.
    Unlinked,
    /// The host would not load it for another reason.
    Refused,
    /// The guest trapped though the case does not ask for it.
    Trap,
    /// The host died.
    Crash,
    /// A deadline passed.
    Timeout,
    /// The profile says, with a reason, that this is not offered.
    OutOfScope,
    /// It needs a requirement that this host fails elsewhere.
    Blocked,
    /// Something that is not the host's fault went wrong.
    NotRun,
}

impl Verdict {
    /// All verdicts, in the order in which they are counted.
    pub const ALL: [Verdict; 12] = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Survey,
        Verdict::Unlinked,
        Verdict::Refused,
        Verdict::Trap,
        Verdict::Crash,
        Verdict::Timeout,
        Verdict::OutOfScope,
        Verdict::Blocked,
        Verdict::NotRun,
    ];

    /// Whether a must case with this verdict fails the host.
    pub fn fails(self) -> bool {
        matches!(
            self,
            Verdict::Fail
                | Verdict::Unlinked
                | Verdict::Refused
                | Verdict::Trap
                | Verdict::Crash
                | Verdict::Timeout
        )
    }

    /// The word, as in JSON and on the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::Survey => "survey",
            Verdict::Unlinked => "unlinked",
            Verdict::Refused => "refused",
            Verdict::Trap => "trap",
            Verdict::Crash => "crash",
            Verdict::Timeout => "timeout",
            Verdict::OutOfScope => "out-of-scope",
            Verdict::Blocked => "blocked",
            Verdict::NotRun => "not-run",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One check and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// Its name within the case: `call 2 status`.
    pub name: String,
    /// The requirement that it belongs to.
    pub req: String,
    /// How binding.
    pub level: Level,
    /// A control of the set-up, not a check of the host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub control: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// What was expected, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// What came instead, for people; empty when it passed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub got: String,
    /// Line of the check in the case file, from 1.
    pub line: u32,
    /// Column of the check in the case file, from 1.
    pub column: u32,
    /// The event it looked at: instance index, and ordinal in [`crate::trace::Instance::walk`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<(u32, u32)>,
}

/// One case in one column, judged by the text alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// How it ended.
    pub verdict: Verdict,
    /// The case's level: the highest of its checks.
    pub level: Level,
    /// Its checks, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckResult>,
    /// Surveys: `(what, answer)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<(String, String)>,
    /// Blocked: the requirement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<String>,
    /// Why there is this verdict and no other, where the checks do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One case in one column, held against what was expected of this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Gate {
    /// Nothing to say.
    Expected,
    /// It fails as a known failure says.
    Known {
        /// Index of the entry in the profile.
        entry: u32,
        /// Its `why`.
        why: String,
        /// Its `link`.
        link: Option<String>,
    },
    /// It fails and nobody said so.
    UnexpectedFailure,
    /// A known failure did not fail.
    UnexpectedPass {
        /// Index of the entry in the profile.
        entry: u32,
    },
    /// It fails otherwise than the known failure says.
    ChangedReason {
        /// Index of the entry in the profile.
        entry: u32,
        /// What is different.
        how: String,
    },
}

impl Gate {
    /// Whether this makes the gate unexpected.
    pub fn unexpected(&self) -> bool {
        !matches!(self, Gate::Expected | Gate::Known { .. })
    }
}

/// The verdict on a host in one column, from the text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HostVerdict {
    /// Every must case in scope passes.
    #[serde(rename = "conformant")]
    Conformant,
    /// Some must case fails.
    #[serde(rename = "not conformant")]
    NotConformant,
    /// None fails, but some could not be run.
    #[serde(rename = "incomplete")]
    Incomplete,
}
