//! One attempt at one case on one host: everything that was observed, and what went wrong on our side.
//!
//! Does not know what was expected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trace::{Blob, Seen, Trace};

/// What was observed in one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Whether other cases ran in the same process.
    pub isolation: Isolation,
    /// Whether the host took the module.
    pub load: Load,
    /// How the guest and host were at the end.
    pub end: End,
    /// The boundary.
    pub trace: Trace,
    /// The wire.
    pub seen: Seen,
    /// Lines that the guest logged by itself (frames left out), as the host gave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogLine>,
    /// What went wrong that is not the host's answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// The host's own log of this case; kept for results that fail or are not-run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_log: Option<Blob>,
    /// Wire bytes in a readable form; kept for results that fail or are not-run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Blob>,
    /// Wall time in microseconds.
    pub micros: u64,
}

impl Attempt {
    /// An attempt in which nothing was observed yet.
    pub fn empty(isolation: Isolation) -> Attempt {
        Attempt {
            isolation,
            load: Load::Unknown,
            end: End::Normal,
            trace: Trace::default(),
            seen: Seen::default(),
            logs: Vec::new(),
            faults: Vec::new(),
            host_log: None,
            wire: None,
            micros: 0,
        }
    }
}

/// Whether other cases ran in the same process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A process that serves many cases.
    Shared,
    /// A fresh process for this attempt.
    Alone,
}

/// Whether the host took the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Load {
    /// It loaded and started the module.
    Loaded,
    /// The module needs an import that the host lacks.
    Unlinked {
        /// The function that the host named, without its module.
        import: String,
        /// The host's own words.
        text: Blob,
    },
    /// The host would not take it for another reason.
    Refused {
        /// The host's own words.
        text: Blob,
    },
    /// Neither a frame nor a refusal was seen.
    Unknown,
}

impl Load {
    /// Whether the host has said that it does not take the module.
    pub fn refused(&self) -> bool {
        matches!(self, Load::Unlinked { .. } | Load::Refused { .. })
    }
}

/// How the guest and host were at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum End {
    /// Nothing special.
    Normal,
    /// The guest trapped: the host's own words.
    Trap(Blob),
    /// The host process died: how.
    Crash(String),
    /// A deadline passed: which.
    Timeout(String),
}

/// A line that the guest logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogLine {
    /// The host's word for the level, in the text's names (`INFO`), where it shows one.
    pub level: Option<String>,
    /// The text.
    pub text: Blob,
}

/// Who is at fault when something other than the host's behaviour went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The host under test.
    Host,
    /// The adapter in front of a library.
    Adapter,
    /// The machine: a killed process, a taken port, no memory.
    Environment,
    /// pwspec itself.
    Harness,
    /// The case file.
    Case,
}

/// Something that went wrong and is no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Whose it is.
    pub blame: Blame,
    /// What happened.
    pub what: String,
}

impl Fault {
    /// A fault with its blame.
    pub fn new(blame: Blame, what: impl Into<String>) -> Fault {
        Fault {
            blame,
            what: what.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_host_says_is_a_refusal() {
        let text = Blob::new(b"no");
        let import = "proxy_x".to_owned();
        assert!(Load::Refused { text: text.clone() }.refused());
        assert!(Load::Unlinked { import, text }.refused());
        assert!(!Load::Loaded.refused() && !Load::Unknown.refused());
    }
}
