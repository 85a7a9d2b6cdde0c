//! `run`: select, play, record, judge, report.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anstream::{eprintln, print, println};

use crate::case::{Earlier, Suite};
use crate::cli::Failed;
use crate::cli::args::{self, Global, RunArgs, RunFormat, RunReport, SnapMode, Traces};
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::verbs;
use crate::host::Stop;
use crate::record::{Collector, Record, ResultLine, Sink, Tee, Writer};
use crate::report::html::HtmlOptions;
use crate::report::terminal::{EndOptions, Format, Live, LiveOptions, drifts, end, failures};
use crate::runner::{
    self, Around, Deadlines, Isolate, Outcome, Playing, RunOptions, Snapshots, Target, Wanted,
    clock,
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
    let out = out_folder(args, &wanted)?;
    let options = options(args, seed);
    let stop = Stop::default();
    on_ctrl_c(&stop);
    let mut writer = Writer::create(&out.join("record.jsonl"))?;
    let mut collector = Collector::default();
    let mut live = live(args, &out);
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
    let report = write_files(args, &out, &record, &suite)?;
    match args.format {
        RunFormat::Json => println!(
            "{}",
            serde_json::to_string_pretty(&crate::record::summary(&record))?
        ),
        _ => show(args, &record, before.as_ref(), &out, report.as_deref()),
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

/// The run's folder: `--out`, or a new one under `target/pwspec` that `latest` points to.
fn out_folder(args: &RunArgs, wanted: &[Wanted]) -> anyhow::Result<PathBuf> {
    let failed = |p: &Path, e: std::io::Error| {
        Failed::new(
            Exit::Usage,
            format!("failed to create {}: {e}", p.display()),
        )
    };
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir).map_err(|e| failed(dir, e))?;
        if dir.join("record.jsonl").exists() {
            let message = format!("{} holds a run already", dir.display());
            return Err(Failed::new(Exit::Usage, message)
                .help("a run never appends to an old one")
                .into());
        }
        return Ok(dir.clone());
    }
    let root = Path::new("target/pwspec");
    std::fs::create_dir_all(root).map_err(|e| failed(root, e))?;
    let names: Vec<&str> = wanted.iter().map(|w| w.profile.name.as_str()).collect();
    let base = format!("{}-{}", clock::compact(SystemTime::now()), names.join("-"));
    // Two runs may begin in the same second.
    for n in 1..1000 {
        let name = if n == 1 {
            base.clone()
        } else {
            format!("{base}-{n}")
        };
        let dir = root.join(&name);
        match std::fs::create_dir(&dir) {
            Ok(()) => {
                point_latest(root, &name);
                return Ok(dir);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(&dir, e).into()),
        }
    }
    Err(Failed::new(
        Exit::Usage,
        format!("no free name for a run under {}", root.display()),
    )
    .into())
}

/// `latest` is replaced in one step; where links are not to be had, there is none.
fn point_latest(root: &Path, name: &str) {
    #[cfg(unix)]
    {
        let temp = root.join(format!(".latest-{}", std::process::id()));
        if std::os::unix::fs::symlink(name, &temp).is_ok()
            && std::fs::rename(&temp, root.join("latest")).is_err()
        {
            let _ = std::fs::remove_file(&temp);
        }
    }
}

/// The first Ctrl-C ends the run in the orderly way, with record and footer.
fn on_ctrl_c(stop: &Stop) {
    let stop = stop.clone();
    // A second handler in one process is refused; the first one serves.
    let _ = ctrlc::set_handler(move || stop.ask());
}

/// A line for each failure as soon as its column is judged, for a CI log; elsewhere failures are shown
/// in full at the end.
fn live(args: &RunArgs, out: &Path) -> Option<Live> {
    std::env::var_os("CI")?;
    let options = LiveOptions {
        format: match args.format {
            RunFormat::Json => return None,
            RunFormat::Terse => Format::Terse,
            RunFormat::Pretty => Format::Pretty,
        },
        watched: false,
        annotations: std::env::var_os("GITHUB_ACTIONS").is_some(),
        traces: traces(args, out),
    };
    Some(Live::new(Box::new(anstream::stdout()), options))
}

/// The folder of traces as the user would type it; empty: none are written.
fn traces(args: &RunArgs, out: &Path) -> String {
    if args.trace == Traces::Off {
        String::new()
    } else {
        format!("{}/traces", out.display())
    }
}

/// `summary.json`, traces, reports; the report's path.
fn write_files(
    args: &RunArgs,
    out: &Path,
    record: &Record,
    suite: &Suite,
) -> anyhow::Result<Option<PathBuf>> {
    let write = |path: &Path, bytes: &[u8]| {
        runner::write_atomically(path, bytes).map_err(|e| Failed::new(Exit::Usage, e))
    };
    let summary = serde_json::to_vec_pretty(&crate::record::summary(record))?;
    write(&out.join("summary.json"), &summary)?;
    for result in &record.results {
        let wanted = match args.trace {
            Traces::All => true,
            Traces::Off => false,
            Traces::Fail => result.judgement.verdict.fails() || result.gate.unexpected(),
        };
        if !wanted {
            continue;
        }
        let Some(attempt) = result.attempts.last() else {
            continue;
        };
        let name = result.case.replace('/', ".");
        let base = out.join("traces").join(&result.column);
        let text = crate::trace::canonical(&attempt.trace, &attempt.seen, &Default::default());
        write(&base.join(format!("{name}.trace")), text.as_bytes())?;
        for (blob, end) in [(&attempt.host_log, "host.log"), (&attempt.wire, "wire.txt")] {
            if let Some(blob) = blob {
                let text = blob
                    .whole()
                    .map_or_else(|| blob.display().into_bytes(), <[u8]>::to_vec);
                write(&base.join(format!("{name}.{end}")), &text)?;
            }
        }
    }
    if !args.report.contains(&RunReport::Html) {
        return Ok(None);
    }
    let path = out.join("report/index.html");
    let abis: Vec<&crate::abi::Abi> = suite.abis.iter().map(AsRef::as_ref).collect();
    let options = HtmlOptions {
        abis: &abis,
        prove: None,
    };
    let html = crate::report::html::render_with(std::slice::from_ref(record), &options);
    write(&path, html.as_bytes())?;
    Ok(Some(path))
}

/// Failures as they read in full, then the end of the run.
fn show(
    args: &RunArgs,
    record: &Record,
    before: Option<&Record>,
    out: &Path,
    report: Option<&Path>,
) {
    let folder = out.display().to_string();
    let report = report.map(|r| r.display().to_string());
    let terse = args.format == RunFormat::Terse;
    if std::env::var_os("CI").is_none() {
        print!("{}", failures(record, &traces(args, out)));
    }
    if !terse {
        print!("{}", drifts(record));
    }
    let options = EndOptions {
        folder: &folder,
        report: report.as_deref(),
        before,
        terse,
    };
    print!("{}", end(record, &options));
}

/// Cases of the latest run, for `last:failed`.
struct LastRun;

impl Earlier for LastRun {
    fn last(&self, group: &str) -> Option<BTreeSet<String>> {
        let record = verbs::last_run()?;
        let in_group = |r: &ResultLine| match group {
            "failed" => r.judgement.verdict.fails(),
            "unexpected" => r.gate.unexpected(),
            word => r.judgement.verdict.word() == word,
        };
        let known = ["failed", "unexpected"].contains(&group)
            || crate::judge::Verdict::ALL.iter().any(|v| v.word() == group);
        known.then(|| {
            record
                .results
                .iter()
                .filter(|r| in_group(r))
                .map(|r| r.case.clone())
                .collect()
        })
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
