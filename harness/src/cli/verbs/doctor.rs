//! `doctor`: whether the way to a host works. Says nothing of the host's conformance.

use std::time::{Duration, SystemTime};

use crate::case::{DriverKind, Filter, Nothing, Suite};
use crate::cli::Failed;
use crate::cli::args::{DoctorArgs, Global};
use crate::cli::exit::Exit;
use crate::cli::out::{print, println};
use crate::cli::verbs;
use crate::host::{Driver, Stop};
use crate::record::CanaryLine;
use crate::report::{Cell, Paint, Table, safe_short};
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
        let (name, version) = (&identity.name, &identity.version);
        print!("{name} {version}\n{}", chart.table.text(2));
        if chart.excused {
            println!("  · the host answers otherwise there: that is what cases look at");
        }
        match chart.well {
            true => println!("the way to {name} {version} works"),
            false => println!("the way to {name} {version} does not work"),
        }
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
    /// Whether a canary came out otherwise because of the host itself.
    excused: bool,
}

impl Chart {
    fn row(&mut self, ok: bool, name: &str, of: &str, what: &str) {
        let glyph = match ok {
            true => ("✓", Paint::Green),
            false => ("✗", Paint::Red),
        };
        self.well &= ok;
        self.line(glyph, name, of, what);
    }

    /// A canary. One that did not come out as it must and is no trouble shows what the host does.
    fn canary(&mut self, line: &CanaryLine) {
        let name = format!("canary {}", line.canary);
        match line.ok && line.what.contains(" instead of ") {
            true => {
                self.excused = true;
                self.line(
                    ("·", Paint::Dim),
                    &name,
                    &line.column,
                    &safe_short(&line.what, 120),
                );
            }
            false => self.row(line.ok, &name, &line.column, &line.what),
        }
    }

    fn line(&mut self, (glyph, paint): (&str, Paint), name: &str, of: &str, what: &str) {
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
        excused: false,
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
        chart.canary(line);
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
