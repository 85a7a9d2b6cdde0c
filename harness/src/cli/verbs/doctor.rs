//! `doctor`: whether the way to a host works. Says nothing of the host's conformance.

use std::time::{Duration, SystemTime};

use crate::case::{DriverKind, Filter, Nothing, Suite};
use crate::cli::Failed;
use crate::cli::args::{DoctorArgs, Global};
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::cli::verbs;
use crate::host::{Driver, Stop};
use crate::report::{Cell, Paint, Table};
use crate::runner::{self, Canary, Deadlines, HostPlan, Isolate, Playing, clock, health};

pub(crate) fn run(args: &DoctorArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = verbs::profiles(&specs)?;
    let wanted = match (&args.host, args.adapter.is_empty()) {
        (Some(host), true) => verbs::wanted(host, &profiles)?,
        (None, true) => {
            let message = "doctor wants a host, or `--` and the command of an adapter";
            return Err(Failed::new(Exit::Usage, message.to_owned()).into());
        }
        (host, false) => {
            let hosts: Vec<String> = host.iter().cloned().collect();
            let abis = &suite.abis;
            vec![verbs::behind(&args.adapter, &hosts, &profiles, abis)?]
        }
    };
    let filter = Filter::parse(&[], &suite, &Nothing).map_err(anyhow::Error::msg)?;
    let mut worst = Exit::Fine;
    for wanted in wanted {
        let mut driver =
            runner::open(&wanted, 1, runner::cache_folder()).map_err(verbs::host_trouble)?;
        let identity = driver.identity();
        let plan = runner::plan_host(&suite, &filter, &wanted.profile, &identity, &[], None);
        let chart = examine(&suite, &plan, driver.as_mut());
        print!(
            "{} {}\n{}",
            identity.name,
            identity.version,
            chart.table.text(2)
        );
        if wanted.profile.driver == DriverKind::Stdio {
            health::keep(&identity, chart.well).map_err(|e| Failed::new(Exit::Usage, e))?;
        }
        if !chart.well {
            worst = Exit::Host;
        }
    }
    Ok(worst)
}

/// What was found.
struct Chart {
    table: Table,
    well: bool,
}

impl Chart {
    fn row(&mut self, ok: bool, name: &str, of: &str, what: &str) {
        let (glyph, paint) = if ok {
            ("✓", Paint::Green)
        } else {
            ("✗", Paint::Red)
        };
        self.well &= ok;
        self.table.row([
            Cell::new(glyph).paint(paint),
            Cell::new(name),
            Cell::new(of),
            Cell::new(what),
        ]);
    }
}

fn examine(suite: &Suite, plan: &HostPlan, driver: &mut dyn Driver) -> Chart {
    let mut chart = Chart {
        table: Table::new(),
        well: true,
    };
    match driver.examine() {
        Ok(found) => {
            for f in found {
                let what = f.wrong.as_ref().unwrap_or(&f.what);
                chart.row(f.wrong.is_none(), &f.name, "", what);
            }
        }
        Err(t) => {
            chart.row(false, "trouble", "", &t.what);
            return chart;
        }
    }
    let options = Playing {
        seed: clock::seconds(SystemTime::now()),
        isolate: Isolate::Auto,
        deadlines: Deadlines {
            shared: Duration::from_secs(5),
            alone: Duration::from_secs(1),
        },
        max_fail: None,
    };
    let stop = Stop::default();
    let (lines, trouble) = runner::canaries(suite, plan, driver, &options, &stop, &Canary::MORE);
    for line in &lines {
        let name = format!("canary {}", line.canary);
        chart.row(line.ok, &name, &line.column, &line.what);
    }
    if lines.is_empty() {
        chart.row(false, "canaries", "", "none could be played");
    }
    match driver.close() {
        Ok(()) => {
            let what = "ended in the orderly way, nothing left behind";
            chart.row(true, "stop", "", what);
        }
        Err(t) => chart.row(false, "stop", "", &t.what),
    }
    if let Some(t) = trouble {
        chart.row(false, "trouble", "", &t.what);
    }
    chart
}
