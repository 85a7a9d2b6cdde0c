//! One run: every host, then snapshots, gate and tally, written as record lines.
//!
//! Does not know how a run is shown: a [`Watch`] is told, the lines go to a [`Sink`].

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::abi::Level;
use crate::case::{Case, Suite};
use crate::host::{Driver, Early, Stop, Trouble, TroubleKind};
use crate::judge::{self, Verdict};
use crate::record::{
    CaseLine, Event, Footer, Header, Pinned, RECORD_VERSION, RecordError, ReqLine, ResultLine,
    Shard, Sink,
};
use crate::runner::drift::drift;
use crate::runner::entries::EntryNote;
use crate::runner::gating::gate_column;
use crate::runner::plan::{ColumnPlan, HostPlan};
use crate::runner::play::{Played, Playing, Watch, play_host};
use crate::runner::{Specs, clock};
use crate::trace::Blame;

/// How snapshots are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snapshots {
    /// `check` for the reference host, `report` elsewhere.
    Default,
    /// Compare, decide nothing.
    Report,
    /// Drift is unexpected.
    Check,
    /// Compare, and write `.snap.new` files.
    New,
    /// Do not compare.
    Off,
}

/// A run as asked for.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How cases are played.
    pub playing: Playing,
    /// Snapshots.
    pub snapshots: Snapshots,
    /// Warnings count as failures.
    pub strict: bool,
    /// The command as typed.
    pub command: String,
    /// The filters as typed.
    pub filters: Vec<String>,
    /// Which part of the selection this is.
    pub shard: Option<Shard>,
    /// The suite version that the run is held to.
    pub pinned: Option<Pinned>,
}

/// A host and the way to it.
pub struct Target {
    /// What is run on it.
    pub plan: HostPlan,
    /// The way to it.
    pub driver: Box<dyn Driver>,
}

/// What the exit code is made of.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Something unexpected: a failure, a pass, an entry to mend, drift under `check`.
    pub unexpected: bool,
    /// A must case could not be run.
    pub incomplete: bool,
    /// A host could not be driven: `(host, words, help)`.
    pub trouble: Vec<(String, String, Option<String>)>,
    /// Entries of profiles that name no case: `(profile, pattern)`.
    pub unmatched: Vec<(String, String)>,
    /// Entries of profiles that need mending.
    pub entries: Vec<EntryNote>,
    /// Results in all.
    pub results: usize,
    /// The run was ended early by the user.
    pub interrupted: bool,
}

/// Who stands around a run.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// Ends it early.
    pub stop: &'a Stop,
    /// Is told as results come in.
    pub watch: &'a dyn Watch,
    /// Turns the outcome into the footer's exit code.
    pub exit: &'a dyn Fn(&Outcome) -> u8,
}

/// Runs every target and writes the record.
///
/// # Errors
/// The record cannot be written.
pub fn run(
    suite: &Suite,
    specs: &Specs,
    targets: Vec<Target>,
    options: &RunOptions,
    around: &Around<'_>,
    sink: &mut dyn Sink,
) -> Result<(Outcome, Footer), String> {
    let Around { stop, watch, exit } = *around;
    let began = Instant::now();
    let mut tell = |event: Event| sink.event(&event).map_err(|e: RecordError| e.to_string());
    let mut cases = case_lines(suite, &targets);
    tell(Event::Started {
        header: Arc::new(header(suite, &targets, options)),
        cases: Arc::new(cases.clone()),
    })?;
    let mut outcome = Outcome::default();
    let mut footer = Footer {
        ended: String::new(),
        seconds: 0.0,
        interrupted: false,
        trouble: Vec::new(),
        canaries: Vec::new(),
        columns: Vec::new(),
        exit_code: 0,
    };
    for mut target in targets {
        let played = play_host(
            suite,
            &target.plan,
            target.driver.as_mut(),
            &options.playing,
            stop,
            watch,
        );
        let Played {
            columns,
            seconds,
            canaries,
            trouble,
        } = played;
        let spoilt = || spoilt(&columns, &target.plan.identity.name);
        if let Some(t) = trouble.or_else(spoilt) {
            let host = format!(
                "{} {}",
                target.plan.identity.name, target.plan.identity.version
            );
            for c in &target.plan.columns {
                let column = c.column.name.clone();
                footer.trouble.push((column.clone(), t.what.clone()));
                tell(Event::HostTrouble {
                    column,
                    what: t.what.clone(),
                    help: t.help.clone(),
                })?;
            }
            outcome.trouble.push((host, t.what, t.help));
        }
        footer.canaries.extend(canaries);
        for ((column, mut results), seconds) in target.plan.columns.iter().zip(columns).zip(seconds)
        {
            let drift = drift(specs, &target.plan.profile, column, &mut results, options)?;
            let mut summary = gate_column(
                suite,
                &target.plan.profile,
                column,
                &mut results,
                options.strict,
                seconds,
                &mut outcome,
            )?;
            if drift {
                outcome.unexpected = true;
                summary.gate = "unexpected".to_owned();
            }
            outcome.incomplete |=
                summary.verdict == Some(judge::HostVerdict::Incomplete) || results.iter().any(open);
            outcome.results += results.len();
            footer.columns.push(summary);
            for result in results {
                if result.added && !cases.iter().any(|c| c.id == result.case) {
                    let case = suite.case(&result.case);
                    let line = case.map(|case| case_line(case, [&*column.abi]));
                    if let Some(line) = line {
                        cases.push(line.clone());
                        tell(Event::CaseAdded(Arc::new(line)))?;
                    }
                }
                tell(Event::CaseEnded(Arc::new(result)))?;
            }
        }
    }
    outcome.interrupted = stop.why() == Some(Early::User);
    footer.interrupted = outcome.interrupted;
    footer.ended = clock::rfc3339(SystemTime::now());
    footer.seconds = clock::milliseconds(began.elapsed().as_secs_f64());
    footer.exit_code = exit(&outcome);
    tell(Event::Finished(Arc::new(footer.clone())))?;
    Ok((outcome, footer))
}

/// An adapter that broke the protocol, or died or hung outside its library, is trouble even where the
/// case was played again and the next one went well.
fn spoilt(columns: &[Vec<ResultLine>], host: &str) -> Option<Trouble> {
    let own = |r: &ResultLine| {
        let mut all = r.attempts.iter().flat_map(|a| &a.faults);
        let own = all.find(|f| f.blame == Blame::Adapter);
        own.map(|f| format!("{}: {}", r.case, f.what))
    };
    let all: Vec<String> = columns.iter().flatten().filter_map(own).collect();
    let first = all.first()?;
    let what = match all.len() {
        1 => format!("the adapter spoiled {first}"),
        n => format!("the adapter spoiled {n} results, the first is {first}"),
    };
    Some(Trouble::new(TroubleKind::Protocol, what).help(format!("pwspec doctor {host}")))
}

fn open(r: &ResultLine) -> bool {
    !r.added && r.judgement.level == Level::Must && r.judgement.verdict == Verdict::NotRun
}

fn header(suite: &Suite, targets: &[Target], options: &RunOptions) -> Header {
    Header {
        version: RECORD_VERSION,
        pwspec: env!("CARGO_PKG_VERSION").to_owned(),
        suite: suite.version.clone(),
        suite_digest: suite.digest.clone(),
        began: clock::rfc3339(SystemTime::now()),
        command: options.command.clone(),
        filters: options.filters.clone(),
        seed: options.playing.seed,
        shard: options.shard,
        pinned: options.pinned.clone(),
        columns: targets
            .iter()
            .flat_map(|t| t.plan.columns.iter().map(|c| c.column.clone()))
            .collect(),
    }
}

/// Each case once, with the rows of every version in which it was selected.
fn case_lines(suite: &Suite, targets: &[Target]) -> Vec<CaseLine> {
    let columns: Vec<&ColumnPlan> = targets.iter().flat_map(|t| &t.plan.columns).collect();
    let mut out = Vec::new();
    for case in &suite.cases {
        let own = columns
            .iter()
            .filter(|c| c.cases.iter().any(|p| p.case.id == case.id));
        let abis: Vec<&crate::abi::Abi> = own.map(|c| c.abi.as_ref()).collect();
        if !abis.is_empty() {
            out.push(case_line(case, abis));
        }
    }
    out
}

/// A case as records keep it.
pub fn case_line<'a>(case: &Case, abis: impl IntoIterator<Item = &'a crate::abi::Abi>) -> CaseLine {
    let mut line = CaseLine {
        id: case.id.clone(),
        suite: case.suite.clone(),
        area: case.area.clone(),
        about: case.about.clone(),
        file: case.file.clone(),
        line: case.line,
        yaml: case.yaml.clone(),
        indent: case.indent,
        requirements: Vec::new(),
        tags: case.tags.clone(),
    };
    for abi in abis {
        for row in case.covers.iter().filter_map(|id| abi.requirement(id)) {
            if !line.requirements.iter().any(|r| r.id == row.id) {
                line.requirements.push(ReqLine {
                    id: row.id.clone(),
                    level: row.level,
                    seat: row.seat,
                    text: row.text.clone(),
                    section: row.section.clone(),
                    ruling: row.ruling.clone(),
                });
            }
        }
    }
    line
}
