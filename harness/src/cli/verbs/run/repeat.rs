//! `--repeat`: the whole selection again and again; the results must agree.

use std::path::Path;

use crate::cli::Failed;
use crate::cli::args::RunArgs;
use crate::cli::exit::Exit;
use crate::cli::out::println;
use crate::cli::progress::Progress;
use crate::cli::verbs::run::setup::Setup;
use crate::host::Stop;
use crate::record::{Collector, Record, ResultLine, Writer};
use crate::report::diff::{Kind, compare};
use crate::report::{Paint, safe};
use crate::runner::{self, Around, Snapshots};

/// Runs everything `--repeat` less one times more; whether all results agree with `first`. A run
/// that does not agree leaves its record beside the first one.
pub(super) fn agree(
    args: &RunArgs,
    setup: &Setup,
    first: &Record,
    out: &Path,
    stop: &Stop,
) -> anyhow::Result<bool> {
    let mut agree = true;
    for n in 2..=args.repeat {
        if stop.asked() {
            break;
        }
        let again = once(args, setup, n, stop)?;
        let trace = |record: &Record, r: &ResultLine| {
            let column = record.header.columns.iter().find(|c| c.name == r.column)?;
            let mut own = setup.wanted.iter().map(|w| &w.profile);
            let profile = own.find(|p| p.name == column.host)?;
            runner::snapshot_text(&profile.adds, r, record.header.seed)
        };
        let diff = compare(first, &again, &trace);
        // What varies in a trace is said; it decides nothing.
        let varies = diff.count(Kind::Drifted);
        let flaky = diff.changes.iter().filter(|c| c.kind != Kind::Drifted);
        let mut any = false;
        for c in flaky {
            any = true;
            let word = |v: Option<crate::judge::Verdict>| v.map_or("–", |v| v.word());
            println!(
                "  {}  {} in {}: {} in run 1, {} in run {n} {}",
                Paint::Red.text("FLAKY"),
                safe(&c.case),
                safe(&c.column),
                word(c.was),
                word(c.is),
                safe(&c.why)
            );
        }
        if varies > 0 {
            println!("  run {n}: {varies} traces vary");
        }
        if setup.options(args, String::new()).snapshots == Snapshots::New {
            for c in diff.changes.iter().filter(|c| c.kind == Kind::Drifted) {
                remember(setup, &again, &c.column, &c.case, &trace)?;
            }
        }
        if any {
            agree = false;
            let folder = out.join(format!("repeat-{n}"));
            std::fs::create_dir_all(&folder)?;
            Writer::create(&folder.join("record.jsonl"))?.record(&again)?;
        }
    }
    if agree && args.repeat > 1 {
        println!("the results of {} runs agree", args.repeat);
    }
    Ok(agree)
}

/// What is different in the trace of a case becomes `‹varies›` in its pending snapshot.
fn remember(
    setup: &Setup,
    again: &Record,
    column: &str,
    case: &str,
    trace: &dyn Fn(&Record, &ResultLine) -> Option<String>,
) -> anyhow::Result<()> {
    let mut columns = again.header.columns.iter();
    let column = columns.find(|c| c.name == column);
    let profile = |host: &str| {
        let mut own = setup.wanted.iter().map(|w| &w.profile);
        own.find(|p| p.name == host)
    };
    let Some((column, profile)) = column.and_then(|c| Some((c, profile(&c.host)?))) else {
        return Ok(());
    };
    let mut results = again.results.iter();
    let result = results.find(|r| r.column == column.name && r.case == case);
    let Some(text) = result.and_then(|r| trace(again, r)) else {
        return Ok(());
    };
    runner::varying(&setup.specs, profile, column, case, &text).map_err(anyhow::Error::msg)
}

/// One more run, with tokens of its own.
fn once(args: &RunArgs, setup: &Setup, n: u32, stop: &Stop) -> anyhow::Result<Record> {
    let targets = setup.targets(args)?;
    let mut options = setup.options(args, format!("run {n} of --repeat"));
    options.playing.seed = options.playing.seed.wrapping_add(u64::from(n));
    options.snapshots = Snapshots::Off;
    let watch = Progress::new(&targets);
    let around = Around {
        stop,
        watch: &watch,
        exit: &|_| 0,
    };
    let mut collector = Collector::default();
    let (suite, specs) = (&setup.suite, &setup.specs);
    runner::run(suite, specs, targets, &options, &around, &mut collector)
        .map_err(|e| Failed::new(Exit::Bug, e))?;
    watch.clear();
    Ok(collector.into_record()?)
}
