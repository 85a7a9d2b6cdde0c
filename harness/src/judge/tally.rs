//! Counts of one column, the verdict on the host, and the line that says both words.
//!
//! Does not know single checks.

use crate::abi::Level;
use crate::judge::{Gate, HostVerdict, Judgement, Verdict};

/// One result of a column, as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// By the text, settled.
    pub judgement: &'a Judgement,
    /// By what was expected of this host.
    pub gate: &'a Gate,
    /// Added by the run: counts in nothing.
    pub added: bool,
}

/// Counts by verdict, in the order of [`Verdict::ALL`].
pub type ByVerdict = [u32; Verdict::ALL.len()];

/// Counts of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// All cases but added ones.
    pub selected: u32,
    /// By verdict.
    pub verdicts: ByVerdict,
    /// Must cases by verdict.
    pub must: ByVerdict,
    /// Should cases by verdict.
    pub should: ByVerdict,
    /// Surveys by verdict.
    pub survey: ByVerdict,
    /// Must cases that fail.
    pub must_failed: u32,
    /// Of these: those that a known failure explains.
    pub must_known: u32,
    /// Failing cases that a known failure explains.
    pub known: u32,
    /// Failing cases that nobody announced, or that fail otherwise than announced.
    pub unexpected_failures: u32,
    /// Known failures that passed.
    pub unexpected_passes: u32,
}

/// How a column is spoken of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner<'a> {
    /// The dialect's name: no verdict by the text.
    pub dialect: Option<&'a str>,
    /// A library behind an adapter.
    pub library: bool,
    /// That adapter has not passed its examination.
    pub unverified: bool,
    /// What the host does not offer, in words.
    pub not_offered: &'a [&'a str],
    /// Something beside the results was unexpected (an entry of the profile, drift).
    pub unexpected: bool,
}

/// Counts the results of one column.
pub fn tally<'a>(results: impl IntoIterator<Item = Counted<'a>>) -> Tally {
    let mut t = Tally::default();
    for r in results.into_iter().filter(|r| !r.added) {
        let v = r.judgement.verdict;
        let level = r.judgement.level;
        let at = v as usize;
        t.selected += 1;
        t.verdicts[at] += 1;
        match level {
            Level::Must => t.must[at] += 1,
            Level::Should => t.should[at] += 1,
            Level::Survey => t.survey[at] += 1,
        }
        let known = matches!(r.gate, Gate::Known { .. });
        if v.fails() && level == Level::Must {
            t.must_failed += 1;
            t.must_known += u32::from(known);
        }
        t.known += u32::from(known);
        match r.gate {
            Gate::UnexpectedFailure | Gate::ChangedReason { .. } => t.unexpected_failures += 1,
            Gate::UnexpectedPass { .. } => t.unexpected_passes += 1,
            Gate::Expected | Gate::Known { .. } => {}
        }
    }
    t
}

impl Tally {
    /// How many cases ended so.
    pub fn count(&self, v: Verdict) -> u32 {
        self.verdicts[v as usize]
    }

    /// How many must cases ended so.
    pub fn must_count(&self, v: Verdict) -> u32 {
        self.must[v as usize]
    }

    /// Must cases without a verdict of their own, those out of scope apart.
    pub fn must_open(&self) -> u32 {
        self.must_count(Verdict::NotRun) + self.must_count(Verdict::Blocked)
    }

    /// The verdict on the host, from the text alone; none where no must case is in scope.
    pub fn verdict(&self) -> Option<HostVerdict> {
        let out = self.must_count(Verdict::OutOfScope);
        if self.must.iter().sum::<u32>() == out {
            return None;
        }
        Some(if self.must_failed > 0 {
            HostVerdict::NotConformant
        } else if self.must_open() > 0 {
            HostVerdict::Incomplete
        } else {
            HostVerdict::Conformant
        })
    }

    /// Whether a result was unexpected.
    pub fn unexpected(&self) -> bool {
        self.unexpected_failures + self.unexpected_passes > 0
    }

    /// Both words of a column in one line:
    /// `not conformant (12 must cases fail, 12 known) · as expected`.
    pub fn line(&self, manner: &Manner<'_>) -> String {
        let mut out = String::new();
        if manner.library {
            out.push_str("library, boundary only");
            out.push_str(if manner.unverified {
                ", adapter unverified: "
            } else {
                ": "
            });
        }
        let fails = if self.must_failed == 1 {
            format!("1 must case fails, {} known", self.must_known)
        } else {
            format!(
                "{} must cases fail, {} known",
                self.must_failed, self.must_known
            )
        };
        let scoped = !manner.not_offered.is_empty();
        match (manner.dialect, self.verdict()) {
            (Some(name), _) => out.push_str(&format!("{name} is a dialect: no verdict ({fails})")),
            (None, None) => out.push_str("no verdict (no must case in scope)"),
            (None, Some(HostVerdict::Conformant)) if scoped => out.push_str("conformant in scope"),
            (None, Some(HostVerdict::Conformant)) => out.push_str("conformant"),
            (None, Some(HostVerdict::NotConformant)) => {
                out.push_str(&format!("not conformant ({fails})"));
            }
            (None, Some(HostVerdict::Incomplete)) => {
                let n = self.must_open();
                let s = if n == 1 { "" } else { "s" };
                out.push_str(&format!("incomplete ({n} must case{s} could not be run)"));
            }
        }
        if scoped {
            out.push_str(&format!("; not offered: {}", manner.not_offered.join(", ")));
        }
        out.push_str(" · ");
        let unexpected = manner.unexpected || self.unexpected();
        out.push_str(if unexpected {
            "unexpected"
        } else {
            "as expected"
        });
        out
    }
}
