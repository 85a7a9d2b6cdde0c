//! `--repeat`: the whole selection again and again; the results must agree.

use std::path::Path;

use anstream::println;

use crate::cli::Failed;
use crate::cli::args::RunArgs;
use crate::cli::exit::Exit;
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
