//! One run: every host, then snapshots, gate and tally, written as record lines.
//!
//! Does not know how a run is shown: a [`Watch`] is told, the lines go to a [`Sink`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::abi::Level;
use crate::case::{Case, Profile, Suite};
use crate::host::{Driver, Stop};
use crate::judge::{self, EntryState, Gate, Verdict};
use crate::record::{
    CaseLine, ColumnSummary, Counts, Drift, Event, FaultCounts, Footer, Header, RECORD_VERSION,
    RecordError, ReqLine, ResultLine, Sink,
};
use crate::runner::plan::{ColumnPlan, HostPlan, token};
use crate::runner::play::{Played, Playing, Watch, play_host};
use crate::runner::snapshot::{self, Sections};
use crate::runner::{Specs, clock};
use crate::trace::{self, Blame, CanonOptions, Load};

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
    /// What entries of profiles need mending: sentences.
    pub entries: Vec<String>,
    /// Results in all.
    pub results: usize,
    /// The run was ended early by the user.
    pub interrupted: bool,
}

/// Runs every target and writes the record. `exit` turns the outcome into the footer's exit code.
///
/// # Errors
/// The record cannot be written.
pub fn run(
    suite: &Suite,
    specs: &Specs,
    targets: Vec<Target>,
    options: &RunOptions,
    stop: &Stop,
    watch: &dyn Watch,
    sink: &mut dyn Sink,
    exit: &dyn Fn(&Outcome) -> u8,
) -> Result<(Outcome, Footer), String> {
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
        if let Some(t) = trouble {
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
    outcome.interrupted = stop.asked() && options.playing.max_fail.is_none();
    footer.interrupted = outcome.interrupted;
    footer.ended = clock::rfc3339(SystemTime::now());
    footer.seconds = began.elapsed().as_secs_f64();
    footer.exit_code = exit(&outcome);
    tell(Event::Finished(Arc::new(footer.clone())))?;
    Ok((outcome, footer))
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

/// Compares with snapshots; `true`: drift that decides.
fn drift(
    specs: &Specs,
    profile: &Profile,
    column: &ColumnPlan,
    results: &mut [ResultLine],
    options: &RunOptions,
) -> Result<bool, String> {
    let mode = match options.snapshots {
        Snapshots::Default if profile.is_reference() => Snapshots::Check,
        Snapshots::Default => Snapshots::Report,
        mode => mode,
    };
    if mode == Snapshots::Off {
        return Ok(false);
    }
    let version = profile
        .snapshots
        .as_deref()
        .unwrap_or(&column.column.host_version);
    let name = format!("{}-{version}-{}", column.column.host, column.abi.id);
    let mut suites: BTreeMap<String, (Sections, Sections)> = BTreeMap::new();
    let mut decided = false;
    for result in results.iter_mut().filter(|r| !r.added) {
        let Some(text) = snapshot_text(profile, result, options.playing.seed) else {
            continue;
        };
        let suite = result
            .case
            .rsplit_once('/')
            .map_or("", |(s, _)| s)
            .to_owned();
        let (known, now) = suites
            .entry(suite.clone())
            .or_insert_with(|| (snapshot::load(specs, &name, &suite), Sections::new()));
        now.insert(result.case.clone(), text.clone());
        result.drift = snapshot::compare(known, &result.case, &text);
        decided |= mode == Snapshots::Check && result.drift.is_some();
    }
    let writes = mode == Snapshots::New || (mode == Snapshots::Check && decided);
    if let (true, Some(folder)) = (writes, &specs.folder) {
        for (suite, (known, now)) in suites {
            let differs = now
                .iter()
                .any(|(case, text)| snapshot::compare(&known, case, text).is_some());
            if differs {
                snapshot::write_new(folder, &name, &suite, known, &now)?;
            }
        }
    }
    Ok(decided)
}

/// What a snapshot keeps of a result; `None`: nothing was observed.
pub fn snapshot_text(profile: &Profile, result: &ResultLine, seed: u64) -> Option<String> {
    let attempt = result.attempts.last()?;
    if result.judgement.verdict == Verdict::NotRun {
        return None;
    }
    let options = CanonOptions {
        client_adds: &profile.adds.client,
        upstream_adds: &profile.adds.upstream,
        aliases: &[],
        only_full: true,
    };
    let text = trace::canonical(&attempt.trace, &attempt.seen, &options);
    // Names that are unique to an attempt end with its token.
    let nth = result.attempts.len() as u32;
    Some(text.replace(&token(seed, &result.column, &result.case, nth), "‹token›"))
}

fn known(profile: &Profile) -> Vec<judge::Known> {
    let entries = profile.known.iter();
    entries
        .map(|k| judge::Known {
            cases: k.cases.clone(),
            abi: k.abi.clone(),
            versions: k.versions.clone(),
            verdicts: k
                .verdicts
                .iter()
                .filter_map(|w| Verdict::ALL.into_iter().find(|v| v.word() == w))
                .collect(),
            checks: k.checks.clone(),
            why: k.why.clone(),
            link: k.link.clone(),
        })
        .collect()
}

/// Holds a column against its profile and sums it up.
pub(super) fn gate_column(
    suite: &Suite,
    profile: &Profile,
    column: &ColumnPlan,
    results: &mut [ResultLine],
    strict: bool,
    seconds: f64,
    outcome: &mut Outcome,
) -> Result<ColumnSummary, String> {
    let ids: Vec<&str> = suite.cases.iter().map(|c| c.id.as_str()).collect();
    let known = known(profile);
    let lacks = judge::Lacks {
        hostcalls: profile.lacks.hostcalls.clone(),
        callbacks: profile.lacks.callbacks.clone(),
    };
    let version = match column.column.host_version.as_str() {
        // The known failures of the newest version hold for a build of one's own.
        "local" => profile.snapshots.clone().unwrap_or_default(),
        v => v.to_owned(),
    };
    let expectation = judge::Expectation {
        abi: &column.abi.id,
        version: &version,
        known: &known,
        lacks: &lacks,
        suite: &ids,
        strict,
    };
    let gated: Vec<judge::Gated> = results
        .iter()
        .map(|r| judge::Gated {
            case: &r.case,
            judgement: &r.judgement,
            missing: r.attempts.last().and_then(|a| match &a.load {
                Load::Unlinked { import, .. } => Some(import.as_str()),
                _ => None,
            }),
        })
        .collect();
    let gating = judge::gate(&gated, &expectation).map_err(|e| format!("failed to {e}"))?;
    outcome.unexpected |= gating.unexpected();
    for (i, entry) in gating.entries.iter().enumerate() {
        match entry {
            EntryState::Fine => {}
            EntryState::Unmatched(patterns) => {
                outcome
                    .unmatched
                    .extend(patterns.iter().map(|p| (profile.name.clone(), p.clone())));
            }
            other => outcome.entries.push(format!(
                "{}: known failure {} ({}): {}",
                column.column.name,
                i + 1,
                profile.known[i].cases.join(", "),
                entry_words(other)
            )),
        }
    }
    for (result, gate) in results.iter_mut().zip(gating.gates) {
        result.gate = if result.added { Gate::Expected } else { gate };
    }
    Ok(summary(column, results, seconds))
}

fn entry_words(entry: &EntryState) -> String {
    match entry {
        EntryState::Fine => String::new(),
        EntryState::Unmatched(p) => format!("names no case: {}", p.join(", ")),
        EntryState::Stale(p) => format!("stale, these pass: {}", p.join(", ")),
        EntryState::OverBroad(p) => format!("over-broad, these pass: {}", p.join(", ")),
        EntryState::ChangedReason(c) => {
            let each: Vec<String> = c
                .iter()
                .map(|(case, how)| format!("{case} ({how})"))
                .collect();
            format!("changed reason: {}", each.join(", "))
        }
    }
}

fn summary(column: &ColumnPlan, results: &[ResultLine], seconds: f64) -> ColumnSummary {
    let tally = judge::tally(results.iter().map(|r| judge::Counted {
        judgement: &r.judgement,
        gate: &r.gate,
        added: r.added,
    }));
    let count = |v| tally.count(v);
    let own = || results.iter().filter(|r| !r.added);
    let drifted = |d: &Option<Drift>| d.is_some();
    let unexpected = own().any(|r| r.gate.unexpected());
    let mut faults = FaultCounts::default();
    // A fault that a later attempt did not have again is no fault of the result.
    for fault in own().flat_map(|r| {
        r.attempts
            .last()
            .into_iter()
            .flat_map(|a| &a.faults)
            .chain(&r.faults)
    }) {
        match fault.blame {
            Blame::Harness => faults.harness += 1,
            Blame::Environment => faults.environment += 1,
            Blame::Adapter => faults.adapter += 1,
            Blame::Case => faults.case += 1,
            Blame::Host => {}
        }
    }
    ColumnSummary {
        column: column.column.name.clone(),
        host: column.column.host.clone(),
        host_version: column.column.host_version.clone(),
        abi: column.abi.id.clone(),
        verdict: if column.column.dialect {
            None
        } else {
            tally.verdict()
        },
        gate: if unexpected {
            "unexpected"
        } else {
            "as expected"
        }
        .to_owned(),
        seconds,
        must_failed: tally.must_failed,
        cases: Counts {
            selected: tally.selected,
            pass: count(Verdict::Pass),
            fail: count(Verdict::Fail),
            warn: count(Verdict::Warn),
            survey: count(Verdict::Survey),
            unlinked: count(Verdict::Unlinked),
            refused: count(Verdict::Refused),
            trap: count(Verdict::Trap),
            crash: count(Verdict::Crash),
            timeout: count(Verdict::Timeout),
            out_of_scope: count(Verdict::OutOfScope),
            blocked: count(Verdict::Blocked),
            not_run: count(Verdict::NotRun),
        },
        known: tally.known,
        unexpected_failures: tally.unexpected_failures,
        unexpected_passes: tally.unexpected_passes,
        drift: own().filter(|r| drifted(&r.drift)).count() as u32,
        company: own().filter(|r| r.company).count() as u32,
        faults,
    }
}

/// Areas that were selected, for messages.
pub fn areas(plan: &HostPlan) -> BTreeSet<String> {
    plan.columns
        .iter()
        .flat_map(|c| c.cases.iter().map(|p| p.case.area.clone()))
        .collect()
}
