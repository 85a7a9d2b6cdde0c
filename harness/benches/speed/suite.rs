//! The suite of the repository, ready to be played.
//!
//! Does not measure anything.

use std::sync::OnceLock;
use std::time::Duration;

use pwspec::abi::Level;
use pwspec::case::{Case, Filter, Nothing, Profile, Suite};
use pwspec::host::reference::{Options, Reference};
use pwspec::host::{Driver as _, Stop};
use pwspec::judge::Judgement;
use pwspec::record::{Collector, Record};
use pwspec::runner::{
    self, Around, Deadlines, HostPlan, Isolate, Playing, Prepared, RunOptions, Snapshots, Specs,
    Target, Watch, plan_host, prepare,
};
use pwspec::trace::{Attempt, End};

/// A case that makes two hostcalls.
pub const SMALL: &str = "tutorial/first/added_field";
/// A case with two streams and thirty calls to and fro.
pub const BUSY: &str = "bodies/request/two_streams";
/// A case whose module imports every hostcall of the version.
pub const LARGE: &str = "lifecycle/functions/linked";

const DEADLINES: Deadlines = Deadlines {
    shared: Duration::from_secs(30),
    alone: Duration::from_secs(1),
};

/// What benches share.
pub struct Setup {
    pub host: Reference,
    specs: Specs,
    suite: Suite,
    plan: HostPlan,
}

/// Made once.
pub fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let specs = Specs::embedded();
        let suite = specs.suite().unwrap();
        let profiles = specs.profiles().unwrap();
        let profile = profiles.into_iter().find(Profile::is_reference).unwrap();
        let host = Reference::new(Options::default());
        let all = Filter::parse(&[], &suite, &Nothing).unwrap();
        let no_level: Option<Level> = None;
        let plan = plan_host(&suite, &all, &profile, &host.identity(), &[], no_level);
        Setup {
            host,
            specs,
            suite,
            plan,
        }
    })
}

impl Setup {
    /// A case in 0.2.1.
    pub fn prepared(&self, case: &str) -> Prepared {
        let columns = &self.plan.columns;
        let column = columns.iter().find(|c| c.abi.id == "0.2.1").unwrap();
        let planned = column.cases.iter().find(|p| p.case.id == case);
        let planned = planned.unwrap_or_else(|| panic!("there is no case {case}"));
        let (abi, profile) = (&column.abi, &self.plan.profile);
        prepare(&self.suite, planned, abi, profile, "bench", 0, &DEADLINES).unwrap()
    }

    /// Every tenth case in 0.2.1 that a bare engine can play too, with what the reference host made of it:
    /// one scripted guest that is loaded once and returns from each call.
    pub fn plain(&self) -> Vec<(Prepared, Attempt)> {
        let columns = &self.plan.columns;
        let column = columns.iter().find(|c| c.abi.id == "0.2.1").unwrap();
        let played = column
            .cases
            .iter()
            .filter(|p| p.program.is_ok() && !p.case.is_long());
        let all = played.step_by(10).map(|p| {
            let prepared = self.prepared(&p.case.id);
            let attempt = self.host.play_one(&prepared.job).unwrap();
            (prepared, attempt)
        });
        all.filter(|(p, a)| {
            p.job.vms.len() == 1 && a.trace.instances.len() == 1 && a.end == End::Normal
        })
        .collect()
    }

    /// A run of everything.
    pub fn record(&self) -> Record {
        let target = Target {
            plan: self.plan.clone(),
            driver: Box::new(self.host.clone()),
        };
        let options = RunOptions {
            playing: Playing {
                seed: 0,
                isolate: Isolate::Auto,
                deadlines: DEADLINES,
                max_fail: None,
            },
            snapshots: Snapshots::Off,
            strict: false,
            command: "pwspec run".to_owned(),
            filters: Vec::new(),
            shard: None,
            pinned: None,
        };
        let mut collector = Collector::default();
        let around = Around {
            stop: &Stop::default(),
            watch: &Quiet,
            exit: &|_| 0,
        };
        let targets = vec![target];
        let (suite, specs) = (&self.suite, &self.specs);
        runner::run(suite, specs, targets, &options, &around, &mut collector).unwrap();
        collector.into_record().unwrap()
    }
}

/// Nobody watches.
struct Quiet;

impl Watch for Quiet {
    fn result(&self, _: &str, _: &Case, _: &Judgement) {}
    fn unexpected(&self, _: &str, _: &Case, _: &Judgement) -> bool {
        false
    }
}
