//! `doctor`: whether the way to a host works. Says nothing of the host's conformance.

use std::time::{Duration, SystemTime};

use anstream::print;

use crate::case::{Filter, Nothing};
use crate::cli::args::{DoctorArgs, Global};
use crate::cli::exit::Exit;
use crate::cli::verbs;
use crate::host::Stop;
use crate::report::{Cell, Paint, Table};
use crate::runner::{self, Canary, Deadlines, Isolate, Playing, clock};

pub(crate) fn run(args: &DoctorArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = verbs::profiles(&specs)?;
    let filter = Filter::parse(&[], &suite, &Nothing).map_err(anyhow::Error::msg)?;
    let options = Playing {
        seed: clock::seconds(SystemTime::now()),
        isolate: Isolate::Auto,
        deadlines: Deadlines {
            shared: Duration::from_secs(5),
            alone: Duration::from_secs(1),
        },
        max_fail: None,
    };
    let mut worst = Exit::Fine;
    for wanted in verbs::wanted(&args.host, &profiles)? {
        let mut driver =
            runner::open(&wanted, 1, runner::cache_folder()).map_err(verbs::host_trouble)?;
        let identity = driver.identity();
        let plan = runner::plan_host(&suite, &filter, &wanted.profile, &identity, &[], None);
        let (lines, trouble) = runner::canaries(
            &suite,
            &plan,
            driver.as_mut(),
            &options,
            &Stop::default(),
            &Canary::MORE,
        );
        let closed = driver.close();
        let mut table = Table::new();
        let mut row = |ok: bool, name: &str, of: &str, what: &str| {
            let (glyph, paint) = if ok {
                ("✓", Paint::Green)
            } else {
                ("✗", Paint::Red)
            };
            table.row([
                Cell::new(glyph).paint(paint),
                Cell::new(name),
                Cell::new(of),
                Cell::new(what),
            ]);
        };
        for line in &lines {
            let name = format!("canary {}", line.canary);
            row(line.ok, &name, &line.column, &line.what);
        }
        match &closed {
            Ok(()) => row(
                true,
                "stop",
                "",
                "ended in the orderly way, nothing left behind",
            ),
            Err(t) => row(false, "stop", "", &t.what),
        }
        let good = !lines.is_empty() && lines.iter().all(|l| l.ok);
        let all = trouble.is_none() && closed.is_ok() && good;
        if let Some(t) = &trouble {
            row(false, "trouble", "", &t.what);
        }
        print!("{} {}\n{}", identity.name, identity.version, table.text(2));
        if !all {
            worst = Exit::Host;
        }
    }
    Ok(worst)
}
