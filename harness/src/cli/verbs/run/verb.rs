//! The verb itself: from what was typed to the exit code.

use std::time::{Duration, SystemTime};

use anstream::{eprintln, println};

use crate::cli::Failed;
use crate::cli::args::{self, Global, RunArgs, RunFormat, SnapMode};
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::verbs;
use crate::cli::verbs::run::{empty, files, folder, last, shown};
use crate::host::Stop;
use crate::record::{Collector, Sink, Tee, Writer};
use crate::runner::{
    self, Around, Deadlines, Isolate, Outcome, Playing, RunOptions, Snapshots, Target, Wanted,
    clock,
};

pub(crate) fn run(args: &RunArgs, global: &Global) -> anyhow::Result<Exit> {
    let ended = play(args, global);
    if let Err(e) = &ended
        && let Some(failed) = e.downcast_ref::<Failed>()
        && matches!(failed.exit, Exit::Host | Exit::Nothing)
        && !args.report.is_empty()
    {
        empty::leave(args, global, failed, &command())?;
    }
    ended
}

fn play(args: &RunArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = specs.profiles().map_err(|p| verbs::bad(p, &specs))?;
    let filter = verbs::filter(&args.filters, &suite, &last::LastRun)?;
    for abi in &args.abis {
        if suite.abi(abi).is_none() {
            let known: Vec<&str> = suite.abis.iter().map(|a| a.id.as_str()).collect();
            let message = format!("unknown ABI version or dialect `{abi}`");
            return Err(Failed::new(Exit::Usage, message)
                .help(format!("one of {}", known.join(", ")))
                .into());
        }
    }
    let wanted = hosts(args, &profiles)?;
    let seed = args
        .seed
        .unwrap_or_else(|| clock::seconds(SystemTime::now()));
    let mut targets = Vec::new();
    for w in &wanted {
        let workers = args.jobs.unwrap_or(0);
        let driver =
            runner::open(w, workers, runner::cache_folder()).map_err(verbs::host_trouble)?;
        let identity = driver.identity();
        let level = args.level.map(args::MinLevel::level);
        let plan = runner::plan_host(&suite, &filter, &w.profile, &identity, &args.abis, level);
        targets.push(Target { plan, driver });
    }
    if targets
        .iter()
        .all(|t| t.plan.columns.iter().all(|c| c.cases.is_empty()))
    {
        let filters = args.filters.join(" ");
        return Err(Failed::new(Exit::Nothing, format!("nothing selected by `{filters}`")).into());
    }
    let before = verbs::last_run();
    let names: Vec<&str> = wanted.iter().map(|w| w.profile.name.as_str()).collect();
    let out = folder::out_folder(args, &names)?;
    let options = options(args, seed);
    let stop = Stop::default();
    verbs::on_ctrl_c(&stop);
    let mut writer = Writer::create(&out.join("record.jsonl"))?;
    let mut collector = Collector::default();
    let mut live = shown::live(args, &out);
    let watch = Progress::new(&targets);
    let exit = |o: &Outcome| exit(o, args).code();
    let around = Around {
        stop: &stop,
        watch: &watch,
        exit: &exit,
    };
    let mut sink = Tee(vec![&mut writer, &mut collector]);
    sink.0.extend(live.as_mut().map(|l| l as &mut dyn Sink));
    let (outcome, footer) = runner::run(&suite, &specs, targets, &options, &around, &mut sink)
        .map_err(|e| Failed::new(Exit::Bug, e))?;
    drop(sink);
    watch.clear();
    let record = collector.into_record()?;
    let report = files::write_files(args, &out, &record, &suite)?;
    match args.format {
        RunFormat::Json => println!(
            "{}",
            serde_json::to_string_pretty(&crate::record::summary(&record))?
        ),
        _ => shown::show(args, &record, before.as_ref(), &out, report.as_deref()),
    }
    for (profile, pattern) in &outcome.unmatched {
        eprintln!(
            "pwspec: profile {profile}: the known failure `{pattern}` names no case of the suite"
        );
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
    let all = [
        Exit::Unexpected,
        Exit::Usage,
        Exit::Host,
        Exit::Nothing,
        Exit::Incomplete,
        Exit::Interrupted,
    ];
    all.into_iter()
        .find(|e| e.code() == code)
        .unwrap_or(Exit::Fine)
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
    if args.exit_zero && matches!(worst, Exit::Unexpected | Exit::Incomplete) {
        Exit::Fine
    } else {
        worst
    }
}

fn hosts(args: &RunArgs, profiles: &[crate::case::Profile]) -> anyhow::Result<Vec<Wanted>> {
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

fn options(args: &RunArgs, seed: u64) -> RunOptions {
    RunOptions {
        playing: Playing {
            seed,
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
            None => Snapshots::Default,
            Some(SnapMode::Report) => Snapshots::Report,
            Some(SnapMode::Check) => Snapshots::Check,
            Some(SnapMode::New) => Snapshots::New,
            Some(SnapMode::Off) => Snapshots::Off,
        },
        strict: args.strict,
        command: command(),
        filters: args.filters.clone(),
    }
}

/// The command as typed, without the folder of the program.
fn command() -> String {
    let typed = std::env::args().skip(1);
    let quoted = typed.map(|a| {
        if a.contains([' ', '&', '|', '*']) {
            format!("'{a}'")
        } else {
            a
        }
    });
    std::iter::once("pwspec".to_owned())
        .chain(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}
