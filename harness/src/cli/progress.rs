//! The progress bar of a run: on a terminal only.
//!
//! Does not know what is printed at the end.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Mutex;

use globset::{Glob, GlobSet, GlobSetBuilder};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::case::Case;
use crate::judge::{self, Judgement, Verdict};
use crate::runner::{Target, Watch, lacks};

/// Counts results as they come and says which of them nobody announced.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// By column: cases that the profile announces as failing.
    known: BTreeMap<String, GlobSet>,
    /// By column: what the profile says that the host lacks.
    lacks: BTreeMap<String, judge::Lacks>,
    failed: Mutex<u64>,
}

impl Progress {
    /// For a run of one or more targets.
    pub(crate) fn new(targets: &[Target]) -> Progress {
        let columns = || {
            targets
                .iter()
                .flat_map(|t| t.plan.columns.iter().map(move |c| (t, c)))
        };
        let total: usize = columns()
            .map(|(_, c)| c.cases.iter().filter(|p| p.program.is_ok()).count())
            .sum();
        let bar = ProgressBar::new(total as u64);
        bar.set_draw_target(if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        });
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        let known = columns().map(|(t, c)| {
            let entries = t.plan.profile.known.iter().filter(|k| {
                k.applies(&c.abi.id, &c.column.host_version) || c.column.host_version == "local"
            });
            let mut globs = GlobSetBuilder::new();
            // A glob that cannot be read is the gate's error, told at the end.
            entries
                .flat_map(|k| &k.cases)
                .filter_map(|g| Glob::new(g).ok())
                .for_each(|g| {
                    globs.add(g);
                });
            (c.column.name.clone(), globs.build().unwrap_or_default())
        });
        Progress {
            bar,
            known: known.collect(),
            lacks: columns()
                .map(|(t, c)| (c.column.name.clone(), lacks(&t.plan.profile, &c.abi.id)))
                .collect(),
            failed: Mutex::new(0),
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    fn result(&self, column: &str, case: &Case, judgement: &Judgement) {
        self.bar.inc(1);
        if self.unexpected(column, case, judgement) {
            let mut failed = self
                .failed
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *failed += 1;
            self.bar
                .set_message(format!("{} not as expected, last {}", *failed, case.id));
        }
    }

    fn unexpected(&self, column: &str, case: &Case, judgement: &Judgement) -> bool {
        let announced = self.known.get(column).is_some_and(|k| k.is_match(&case.id));
        let bad = judgement.verdict.fails() || judgement.verdict == Verdict::NotRun;
        let lacking = |l: &judge::Lacks| judge::lacking(judgement, None, l);
        bad && !announced && !self.lacks.get(column).is_some_and(lacking)
    }
}
