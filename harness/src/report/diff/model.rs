//! What a comparison of two records says.
//!
//! Does not know how it is found out, nor how it is shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::abi::Level;
use crate::judge::Verdict;

/// Two records compared: also the JSON of `diff`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// [`crate::report::json::JSON_VERSION`].
    pub version: u32,
    /// The word for all of it.
    pub verdict: DiffVerdict,
    /// The record that is compared with.
    pub base: Side,
    /// The record that is looked at.
    pub head: Side,
    /// The columns that stand in both.
    pub columns: Vec<ColumnDiff>,
    /// Columns of the base that have no partner in the head.
    pub only_base: Vec<String>,
    /// Columns of the head that have no partner in the base.
    pub only_head: Vec<String>,
    /// Every case that is not as it was: by kind, then in the order of the head's columns and cases.
    pub changes: Vec<Change>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// When it began, RFC 3339, UTC.
    pub began: String,
    /// The suite's version.
    pub suite: String,
    /// SHA-256 of all case files and ABI tables.
    pub suite_digest: String,
    /// The filters as typed.
    pub filters: Vec<String>,
    /// Ended early by the user.
    pub interrupted: bool,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// A column that stands in both records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnDiff {
    /// Its name in the head.
    pub column: String,
    /// Its name in the base: another one where the host's version is another one.
    pub base_column: String,
    /// Both words of the column in the base.
    pub was: String,
    /// Both words of the column in the head.
    pub is: String,
    /// How many cases are as they were.
    pub same: u32,
    /// How many cases changed so.
    pub counts: Counts,
}

impl ColumnDiff {
    /// Both lines without what is not offered in either: that is no change.
    pub fn lines(&self) -> (String, String) {
        let parts = |line: &str| {
            let (verdict, rest) = line.split_once("; not offered: ")?;
            let (offers, gate) = rest.rsplit_once(" · ")?;
            Some((format!("{verdict} · {gate}"), offers.to_owned()))
        };
        match (parts(&self.was), parts(&self.is)) {
            (Some((was, old)), Some((is, new))) if old == new => (was, is),
            _ => (self.was.clone(), self.is.clone()),
        }
    }
}

/// Cases by kind of change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// [`Kind::Broken`].
    pub broken: u32,
    /// [`Kind::Unjudged`].
    pub unjudged: u32,
    /// [`Kind::Fixed`].
    pub fixed: u32,
    /// [`Kind::OtherReason`].
    pub other_reason: u32,
    /// [`Kind::Warns`].
    pub warns: u32,
    /// [`Kind::Drifted`].
    pub drifted: u32,
    /// [`Kind::Added`].
    pub added: u32,
    /// [`Kind::Removed`].
    pub removed: u32,
}

impl Counts {
    /// The counter of a kind.
    pub fn of(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::Broken => &mut self.broken,
            Kind::Unjudged => &mut self.unjudged,
            Kind::Fixed => &mut self.fixed,
            Kind::OtherReason => &mut self.other_reason,
            Kind::Warns => &mut self.warns,
            Kind::Drifted => &mut self.drifted,
            Kind::Added => &mut self.added,
            Kind::Removed => &mut self.removed,
        }
    }
}

/// What became of a case, worst first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It passed and fails now, or is blocked now.
    Broken,
    /// It had a verdict of its own and has none now.
    Unjudged,
    /// It failed or was blocked, or it warned; it passes now, or only warns.
    Fixed,
    /// It fails as before, for another reason.
    OtherReason,
    /// It passed; a should check fails now.
    Warns,
    /// The same verdict with another trace.
    Drifted,
    /// It was not there, or had no verdict of its own.
    Added,
    /// It is not there any more.
    Removed,
}

impl Kind {
    /// All kinds, worst first.
    pub const ALL: [Kind; 8] = [
        Kind::Broken,
        Kind::Unjudged,
        Kind::Fixed,
        Kind::OtherReason,
        Kind::Warns,
        Kind::Drifted,
        Kind::Added,
        Kind::Removed,
    ];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Broken => "broken",
            Kind::Unjudged => "no longer judged",
            Kind::Fixed => "fixed",
            Kind::OtherReason => "failing for another reason",
            Kind::Warns => "warning now",
            Kind::Drifted => "drifted",
            Kind::Added => "added",
            Kind::Removed => "removed",
        }
    }
}

/// One case that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What became of it.
    pub kind: Kind,
    /// The column's name in the head; in the base for a case that was removed.
    pub column: String,
    /// Case id.
    pub case: String,
    /// The case's level.
    pub level: Level,
    /// Its verdict in the base.
    pub was: Option<Verdict>,
    /// Its verdict in the head.
    pub is: Option<Verdict>,
    /// What speaks for it: of the head; of the base where it was fixed or removed.
    pub why: String,
    /// A known failure of the profile announces it.
    pub known: bool,
    /// What the case does is not the same in both: its program changed.
    pub program_changed: bool,
    /// Drift: the difference of the traces, unified.
    pub trace: Option<String>,
}

/// The word for a comparison, as a reviewer needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DiffVerdict {
    /// A case is broken.
    Worse,
    /// No case is broken as far as is known: a must case has no verdict any more.
    Incomplete,
    /// Cases are fixed, none is broken.
    Better,
    /// Something is different, no case is broken or fixed.
    Changed,
    /// Nothing is different.
    Same,
}

impl DiffVerdict {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            DiffVerdict::Worse => "worse",
            DiffVerdict::Incomplete => "incomplete",
            DiffVerdict::Better => "better",
            DiffVerdict::Changed => "changed",
            DiffVerdict::Same => "same",
        }
    }
}

impl Diff {
    /// How many cases changed so, over all columns.
    pub fn count(&self, kind: Kind) -> usize {
        self.changes.iter().filter(|c| c.kind == kind).count()
    }

    /// `worse: 1 broken, 3 fixed`; `same: 554 cases as they were`.
    pub fn line(&self) -> String {
        let parts: Vec<String> = Kind::ALL
            .into_iter()
            .map(|k| (self.count(k), k))
            .filter(|(n, _)| *n > 0)
            .map(|(n, k)| format!("{n} {}", k.words()))
            .collect();
        let same: u32 = self.columns.iter().map(|c| c.same).sum();
        let what = match (parts.is_empty(), self.columns.is_empty()) {
            (_, true) => "no column stands in both records".to_owned(),
            (true, false) => format!("{same} results as they were"),
            (false, false) => parts.join(", "),
        };
        format!("{}: {what}", self.verdict.word())
    }
}
