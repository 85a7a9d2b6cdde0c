//! The verb itself: from what was typed to the exit code.

use crate::cli::Failed;
use crate::cli::args::{Global, RunArgs, RunFormat};
use crate::cli::exit::Exit;
use crate::cli::out::{eprintln, println};
use crate::cli::progress::Progress;
use crate::cli::verbs;
use crate::cli::verbs::run::limit::Limit;
use crate::cli::verbs::run::setup::Setup;
use crate::cli::verbs::run::{empty, files, folder, repeat, shown, watch};
use crate::host::Stop;
use crate::record::{Collector, Record, Redacting, Sink, Tee, Writer};
use crate::report::safe_lines;
use crate::runner::{self, Around, Outcome, quoted};

pub(crate) fn run(args: &RunArgs, global: &Global) -> anyhow::Result<Exit> {
    if args.watch {
        return watch::run(args, global, &|| once(args, global));
    }
    once(args, global)
}

fn once(args: &RunArgs, global: &Global) -> anyhow::Result<Exit> {
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
    let setup = Setup::read(args, global)?;
    let targets = setup.targets(args)?;
    let hosts = setup.hosts();
    let own = hosts.clone();
    let before = std::thread::spawn(move || verbs::last_verdicts(&own));
    let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let out = folder::out_folder(args, &names)?;
    let options = setup.options(args, command());
    let stop = Stop::default();
    verbs::on_ctrl_c(&stop);
    let limit = Limit::start(args.max_time, &stop);
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
    let mut all = Tee(vec![&mut writer, &mut collector]);
    all.0.extend(live.as_mut().map(|l| l as &mut dyn Sink));
    let mut sink = Redacting::new(&mut all, setup.secrets());
    let (suite, specs) = (&setup.suite, &setup.specs);
    let (outcome, _) = runner::run(suite, specs, targets, &options, &around, &mut sink)
        .map_err(|e| Failed::new(Exit::Bug, e))?;
    drop(all);
    watch.clear();
    let mut record = collector.into_record()?;
    if !repeat::agree(args, &setup, &record, &out, &stop)? {
        disagree(args, &mut record, &out)?;
    }
    drop(limit);
    let report = files::write_files(args, &out, &record, suite, specs)?;
    match args.format {
        RunFormat::Json => println!(
            "{}",
            serde_json::to_string_pretty(&crate::record::summary(&record))?
        ),
        _ => {
            let before = before.join().unwrap_or_default();
            shown::show(args, &record, before.as_ref(), &out, report.as_deref());
        }
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
        eprintln!("pwspec: failed to drive {host}: {}", safe_lines(what));
        if let Some(help) = help {
            eprintln!("  help: {}", safe_lines(help));
        }
    }
    Ok(Exit::of(record.footer.exit_code))
}

/// The record of a run whose results change from time to time says that it is not as expected.
fn disagree(args: &RunArgs, record: &mut Record, out: &std::path::Path) -> anyhow::Result<()> {
    if args.exit_zero {
        return Ok(());
    }
    let code = Exit::worst([Exit::Unexpected, Exit::of(record.footer.exit_code)]);
    record.footer.exit_code = code.code();
    let path = out.join("record.jsonl");
    std::fs::remove_file(&path)?;
    let mut kept = record.clone();
    crate::record::slim(&mut kept);
    Writer::create(&path)?.record(&kept)?;
    Ok(())
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

/// The command as typed, without the folder of the program.
fn command() -> String {
    let typed = std::env::args().skip(1);
    let quoted = typed.map(|a| quoted(&a));
    std::iter::once("pwspec".to_owned())
        .chain(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}
