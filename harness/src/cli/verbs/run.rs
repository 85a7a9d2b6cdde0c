//! `run`: select, play, record, judge, report.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anstream::{eprintln, println};

use crate::abi::Level;
use crate::case::{Case, Earlier, Suite};
use crate::cli::Failed;
use crate::cli::args::{self, Global, RunArgs, RunFormat, RunReport, SnapMode, Traces};
use crate::cli::exit::Exit;
use crate::cli::verbs;
use crate::host::Stop;
use crate::judge::Judgement;
use crate::record::{Line, Record, ResultLine, Writer};
use crate::runner::{
    self, BadHost, Deadlines, Isolate, Outcome, Playing, RunOptions, Sink, Snapshots, Specs, Target,
    Wanted, Watch, clock,
};

pub(crate) fn run(args: &RunArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = specs.profiles().map_err(|p| verbs::bad(p, &specs))?;
    let filter = verbs::filter(&args.filters, &suite, &LastRun)?;
    for abi in &args.abis {
        if suite.abi(abi).is_none() {
            let known: Vec<&str> = suite.abis.iter().map(|a| a.id.as_str()).collect();
            let message = format!("unknown ABI version or dialect `{abi}`");
            return Err(Failed::new(Exit::Usage, message).help(format!("one of {}", known.join(", "))).into());
        }
    }
    let wanted = hosts(args, &profiles)?;
    let seed = args.seed.unwrap_or_else(|| clock::seconds(SystemTime::now()));
    let mut targets = Vec::new();
    for w in &wanted {
        let workers = args.jobs.unwrap_or(0);
        let driver = runner::open(w, workers, runner::cache_folder()).map_err(verbs::host_trouble)?;
        let identity = driver.identity();
        let level = args.level.map(args::MinLevel::level);
        let plan = runner::plan_host(&suite, &filter, &w.profile, &identity, &args.abis, level);
        targets.push(Target { plan, driver });
    }
    if targets.iter().all(|t| t.plan.columns.iter().all(|c| c.cases.is_empty())) {
        let filters = args.filters.join(" ");
        return Err(Failed::new(Exit::Nothing, format!("nothing selected by `{filters}`")).into());
    }
    let out = out_folder(args, &wanted)?;
    let options = options(args, seed);
    let stop = Stop::default();
    on_ctrl_c(&stop);
    let started = SystemTime::now();
    let mut sink = File { writer: Writer::create(&out.join("record.jsonl"))?, lines: Vec::new() };
    let watch = Progress::new(args, &targets, &suite);
    let exit = |o: &Outcome| exit(o, args).code();
    let (outcome, footer) =
        runner::run(&suite, &specs, targets, &options, &stop, &watch, &mut sink, &exit)
            .map_err(|e| Failed::new(Exit::Bug, e))?;
    watch.clear();
    let record = sink.record()?;
    drop(started);
    let report = write_files(args, &out, &record, &specs)?;
    match args.format {
        RunFormat::Json => println!("{}", serde_json::to_string_pretty(&verbs::summary(&record))?),
        _ => verbs::show_run(&record, args.format == RunFormat::Terse, &out, report.as_deref()),
    }
    for (profile, pattern) in &outcome.unmatched {
        eprintln!("pwspec: profile {profile}: the known failure `{pattern}` names no case of the suite");
    }
    for entry in &outcome.entries {
        eprintln!("pwspec: {entry}");
    }
    for (host, what, help) in &outcome.trouble {
        eprintln!("pwspec: failed to drive {host}: {what}");
        if let Some(help) = help {
            eprintln!("  help: {help}");
        }
    }
    let all = [Exit::Fine, exit_of(footer.exit_code)];
    Ok(Exit::worst(all))
}

fn exit_of(code: u8) -> Exit {
    let all = [Exit::Unexpected, Exit::Usage, Exit::Host, Exit::Nothing, Exit::Incomplete, Exit::Interrupted];
    all.into_iter().find(|e| e.code() == code).unwrap_or(Exit::Fine)
}

fn exit(o: &Outcome, args: &RunArgs) -> Exit {
    let when = |yes: bool, e: Exit| if yes { e } else { Exit::Fine };
    let worst = Exit::worst([
        when(!o.unmatched.is_empty(), Exit::Usage),
        when(o.interrupted, Exit::Interrupted),
        when(!o.trouble.is_empty(), Exit::Host),
        when(o.unexpected, Exit::Unexpected),
        when(o.incomplete, Exit::Incomplete),
    ]);
    if args.exit_zero && matches!(worst, Exit::Unexpected | Exit::Incomplete) { Exit::Fine } else { worst }
}

fn hosts(args: &RunArgs, profiles: &[crate::case::Profile]) -> anyhow::Result<Vec<Wanted>> {
    let default = vec!["reference".to_owned()];
    let texts = if args.hosts.is_empty() { &default } else { &args.hosts };
    let mut out = Vec::new();
    for text in texts {
        out.extend(verbs::wanted(text, profiles)?);
    }
    Ok(out)
}

fn options(args: &RunArgs, seed: u64) -> RunOptions {
    RunOptions {
        playing: Playing {
            seed,
            isolate: match args.isolation {
                args::Isolate::Auto => Isolate::Auto,
                args::Isolate::Shared => Isolate::Shared,
                args::Isolate::Alone => Isolate::Alone,
            },
            deadlines: Deadlines { shared: args.timeout, alone: args.timeout.min(Duration::from_secs(1)) },
            max_fail: if args.first { Some(1) } else { args.max_fail },
        },
        snapshots: match args.snapshots {
            None => Snapshots::Default,
            Some(SnapMode::Report) => Snapshots::Report,
            Some(SnapMode::Check) => Snapshots::Check,
            Some(SnapMode::New) => Snapshots::New,
            Some(SnapMode::Off) => Snapshots::Off,
        },
        strict: args.strict,
        command: std::env::args().collect::<Vec<_>>().join(" "),
        filters: args.filters.clone(),
    }
}
