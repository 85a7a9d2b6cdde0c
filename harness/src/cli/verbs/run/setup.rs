//! From what was typed to what is run: files, hosts, selection, options.
//!
//! Starts nothing but a binary that is asked for its version.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::abi::Abi;
use crate::case::{Filter, Suite, in_suite, is_suite_version};
use crate::cli::Failed;
use crate::cli::args::{self, Global, RunArgs, SnapMode};
use crate::cli::exit::Exit;
use crate::cli::verbs;
use crate::cli::verbs::last::LastRun;
use crate::cli::verbs::run::own;
use crate::record::Pinned;
use crate::runner::{
    self, Deadlines, Isolate, Playing, RunOptions, Selected, Snapshots, Specs, Target, Wanted,
    clock,
};

/// What a run is made of.
pub(super) struct Setup {
    pub(super) specs: Specs,
    pub(super) suite: Suite,
    pub(super) wanted: Vec<Wanted>,
    pub(super) filter: Filter,
    pub(super) seed: u64,
}

impl Setup {
    /// Reads everything.
    pub(super) fn read(args: &RunArgs, global: &Global) -> anyhow::Result<Setup> {
        let mut specs = verbs::specs(global)?;
        let filters = own::take(&args.filters, &mut specs)?;
        let suite = verbs::suite(&specs)?;
        let profiles = verbs::profiles(&specs)?;
        for abi in &args.abis {
            verbs::abi(&suite, abi)?;
        }
        if let Some(pin) = &args.suite {
            check_pin(pin, &suite)?;
        }
        let wanted = hosts(args, &profiles, &suite.abis)?;
        let earlier = LastRun {
            hosts: wanted.iter().map(|w| w.profile.name.clone()).collect(),
        };
        let filter = verbs::filter(&filters, &suite, &earlier)?;
        let seed = args
            .seed
            .unwrap_or_else(|| clock::seconds(SystemTime::now()));
        Ok(Setup {
            specs,
            suite,
            wanted,
            filter,
            seed,
        })
    }

    /// What the profiles hold that no output may show.
    pub(super) fn secrets(&self) -> Vec<String> {
        let profiles = self.wanted.iter().map(|w| &w.profile);
        profiles.flat_map(crate::case::Profile::secrets).collect()
    }

    /// The names of the hosts.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.wanted.iter().map(|w| w.profile.name.clone()).collect()
    }

    /// What of the suite is run.
    fn selected<'a>(&'a self, args: &'a RunArgs) -> Selected<'a> {
        Selected {
            filter: &self.filter,
            abis: &args.abis,
            level: args.level.map(args::MinLevel::level),
            pin: args.suite.as_deref(),
            shard: args.shard,
        }
    }

    /// A way to each host, and its plan.
    ///
    /// Nothing selected is an error; an empty shard of a selection is none.
    pub(super) fn targets(&self, args: &RunArgs) -> anyhow::Result<Vec<Target>> {
        let selected = self.selected(args);
        let mut targets = Vec::new();
        let mut some = false;
        for w in &self.wanted {
            let workers = args.jobs.unwrap_or(0);
            let driver =
                runner::open(w, workers, runner::cache_folder()).map_err(verbs::host_trouble)?;
            let identity = driver.identity();
            let plan = runner::plan_selected(&self.suite, &selected, &w.profile, &identity);
            let any = |p: &runner::HostPlan| p.columns.iter().any(|c| !c.cases.is_empty());
            some |= any(&plan);
            if !some && selected.shard.is_some() {
                let whole = Selected {
                    shard: None,
                    ..selected
                };
                some |= any(&runner::plan_selected(
                    &self.suite,
                    &whole,
                    &w.profile,
                    &identity,
                ));
            }
            targets.push(Target { plan, driver });
        }
        if !some {
            let filters = args.filters.join(" ");
            let message = format!("nothing selected by `{filters}`");
            return Err(Failed::new(Exit::Nothing, message).into());
        }
        Ok(targets)
    }

    /// How it is run.
    pub(super) fn options(&self, args: &RunArgs, command: String) -> RunOptions {
        let selected = self.selected(args);
        let pinned = args.suite.as_ref().map(|suite| {
            let mut newer: Vec<String> = Vec::new();
            for host in self.hosts() {
                for case in selected.newer(&self.suite, &host) {
                    if !newer.contains(&case) {
                        newer.push(case);
                    }
                }
            }
            Pinned {
                suite: suite.clone(),
                newer,
            }
        });
        RunOptions {
            playing: Playing {
                seed: self.seed,
                isolate: match args.isolation {
                    args::Isolate::Auto => Isolate::Auto,
                    args::Isolate::Shared => Isolate::Shared,
                    args::Isolate::Alone => Isolate::Alone,
                },
                deadlines: Deadlines {
                    shared: args.timeout,
                    alone: args.timeout.min(Duration::from_secs(1)),
                },
                max_fail: if args.first { Some(1) } else { args.max_fail },
            },
            snapshots: match args.snapshots {
                // What lies elsewhere has no snapshots.
                None if args.filters.iter().any(|f| own::is_file(f)) => Snapshots::Off,
                None => Snapshots::Default,
                Some(SnapMode::Report) => Snapshots::Report,
                Some(SnapMode::Check) => Snapshots::Check,
                Some(SnapMode::New) => Snapshots::New,
                Some(SnapMode::Off) => Snapshots::Off,
            },
            strict: args.strict,
            command,
            filters: args.filters.clone(),
            shard: args.shard,
            pinned,
        }
    }
}

fn check_pin(pin: &str, suite: &Suite) -> anyhow::Result<()> {
    if !is_suite_version(pin) {
        let message = format!("`{pin}` is no suite version");
        return Err(Failed::new(Exit::Usage, message)
            .help(format!("such as {}", suite.version))
            .into());
    }
    // A pin that this suite has not reached yet would leave out nothing and gate too little.
    if !in_suite(pin, &suite.version) {
        let message = format!("suite {pin} is newer than {}, which is here", suite.version);
        return Err(Failed::new(Exit::Usage, message).into());
    }
    Ok(())
}

fn hosts(
    args: &RunArgs,
    profiles: &[crate::case::Profile],
    abis: &[Arc<Abi>],
) -> anyhow::Result<Vec<Wanted>> {
    if !args.adapter.is_empty() {
        return verbs::behind(&args.adapter, &args.hosts, profiles, abis).map(|w| vec![w]);
    }
    let default = vec!["reference".to_owned()];
    let texts = if args.hosts.is_empty() {
        &default
    } else {
        &args.hosts
    };
    let mut out = Vec::new();
    for text in texts {
        out.extend(verbs::wanted(text, profiles)?);
    }
    Ok(out)
}
