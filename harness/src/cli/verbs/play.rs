//! Runs a selection for a verb that wants the results only: no folder, no snapshots, no report.
//!
//! Does not decide an exit code beyond trouble.

use std::time::{Duration, SystemTime};

use crate::case::{Filter, Suite};
use crate::cli::Failed;
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::verbs;
use crate::host::Stop;
use crate::record::{Collector, Record, Redacting};
use crate::runner::{
    self, Around, Deadlines, Isolate, Playing, RunOptions, Snapshots, Specs, Target, Wanted, clock,
};

/// What of the suite is run.
pub(crate) struct Selection<'a> {
    /// Which cases.
    pub(crate) filter: &'a Filter,
    /// Which ABIs; empty: all of the profile.
    pub(crate) abis: &'a [String],
    /// Whether cases share a host process.
    pub(crate) isolate: Isolate,
}

/// The record of a run of `selection` on these hosts.
///
/// A host that cannot be driven is an error; a case that cannot be run is in the record.
pub(crate) fn play(
    specs: &Specs,
    suite: &Suite,
    wanted: &[Wanted],
    selection: &Selection<'_>,
) -> anyhow::Result<Record> {
    let mut targets = Vec::new();
    for w in wanted {
        let driver = runner::open(w, 0, runner::cache_folder()).map_err(verbs::host_trouble)?;
        let identity = driver.identity();
        let plan = runner::plan_host(
            suite,
            selection.filter,
            &w.profile,
            &identity,
            selection.abis,
            None,
        );
        targets.push(Target { plan, driver });
    }
    let options = RunOptions {
        playing: Playing {
            seed: clock::seconds(SystemTime::now()),
            isolate: selection.isolate,
            deadlines: Deadlines {
                shared: Duration::from_secs(5),
                alone: Duration::from_secs(1),
            },
            max_fail: None,
        },
        snapshots: Snapshots::Off,
        strict: false,
        command: "pwspec".to_owned(),
        filters: Vec::new(),
        shard: None,
        pinned: None,
    };
    let stop = Stop::default();
    verbs::on_ctrl_c(&stop);
    let watch = Progress::new(&targets);
    let around = Around {
        stop: &stop,
        watch: &watch,
        exit: &|_| 0,
    };
    let mut collector = Collector::default();
    let secrets = wanted.iter().flat_map(|w| w.profile.secrets()).collect();
    let mut sink = Redacting::new(&mut collector, secrets);
    let (outcome, _) = runner::run(suite, specs, targets, &options, &around, &mut sink)
        .map_err(|e| Failed::new(Exit::Bug, e))?;
    watch.clear();
    if outcome.interrupted {
        return Err(Failed::new(Exit::Interrupted, "interrupted").into());
    }
    if let Some((host, what, help)) = outcome.trouble.into_iter().next() {
        let failed = Failed::new(Exit::Host, format!("failed to drive {host}: {what}"));
        return Err(match help {
            Some(help) => failed.help(help),
            None => failed,
        }
        .into());
    }
    Ok(collector.into_record()?)
}
