//! The verbs, one file each, and what they share.

mod adapter;
mod completions;
mod coverage;
mod diff;
mod doctor;
mod expect;
mod extract;
mod fuzz;
mod hosts;
mod init;
mod inspect;
mod judge;
mod last;
mod list;
mod merge;
mod outputs;
mod play;
mod probe;
mod prove;
mod report;
mod repro;
mod review;
mod run;
mod schema;
mod show;
mod snapshots;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::abi::Abi;
use crate::case::{DriverKind, Problem, Profile, Suite, secrets_in};
use crate::cli::args::{Cli, Global, Verb};
use crate::cli::exit::Exit;
use crate::cli::{BadFiles, Failed, out};
use crate::host::{Stop, Trouble};
use crate::record::Record;
use crate::report::safe_lines;
use crate::runner::{self, BadHost, Specs, Wanted};

pub(crate) use last::{last_run, last_verdicts};

/// Does what was asked.
pub(crate) fn run(cli: Cli) -> anyhow::Result<Exit> {
    let global = &cli.global;
    match &cli.verb {
        Verb::Run(args) => run::run(args, global),
        Verb::List(args) => list::run(args, global),
        Verb::Show(args) => show::run(args, global),
        Verb::Coverage(args) => coverage::run(args, global),
        Verb::Hosts(args) => hosts::run(args, global),
        Verb::Inspect(args) => inspect::run(args, global),
        Verb::Doctor(args) => doctor::run(args, global),
        Verb::Probe(args) => probe::run(args, global),
        Verb::Prove(args) => prove::run(args, global),
        Verb::Fuzz(args) => fuzz::run(args, global),
        Verb::Judge(args) => judge::run(args, global),
        Verb::Report(args) => report::run(args, global),
        Verb::Diff(args) => diff::run(args, global),
        Verb::Merge(args) => merge::run(args, global),
        Verb::Repro(args) => repro::run(args, global),
        Verb::Expect(args) => expect::run(args, global),
        Verb::Accept(args) => snapshots::accept(args, global),
        Verb::Reject(args) => snapshots::reject(args, global),
        Verb::Pending(args) => snapshots::show(args, global),
        Verb::Review(args) => review::run(args, global),
        Verb::Init(args) => init::run(args, global),
        Verb::Adapter(args) => adapter::run(args),
        Verb::Schema(args) => schema::run(args),
        Verb::Extract(args) => extract::run(args),
        Verb::Completions(args) => completions::run(args),
    }
}

/// The files that cases, tables and profiles come from: `--specs`, else `./specs` where that is a
/// specs folder, else the copy inside the binary.
pub(crate) fn specs(global: &Global) -> anyhow::Result<Specs> {
    let here = Path::new("specs");
    let folder = match &global.specs {
        Some(dir) => Some(dir.as_path()),
        None if here.join("suite.yaml").is_file() => Some(here),
        None => None,
    };
    match folder {
        Some(dir) => Specs::folder(dir).map_err(|e| Failed::new(Exit::Usage, e).into()),
        None => Ok(Specs::embedded()),
    }
}

/// All cases and tables.
pub(crate) fn suite(specs: &Specs) -> anyhow::Result<Suite> {
    specs.suite().map_err(|problems| bad(problems, specs))
}

/// All profiles, the user's own ones among them.
pub(crate) fn profiles(specs: &Specs) -> anyhow::Result<Vec<Profile>> {
    specs
        .all_profiles()
        .map_err(|problems| bad(problems, specs))
}

/// An ABI version or dialect by its id.
pub(crate) fn abi<'s>(suite: &'s Suite, id: &str) -> anyhow::Result<&'s Abi> {
    suite.abi(id).map(AsRef::as_ref).ok_or_else(|| {
        let known: Vec<&str> = suite.abis.iter().map(|a| a.id.as_str()).collect();
        let failed = Failed::new(
            Exit::Usage,
            format!("unknown ABI version or dialect `{id}`"),
        );
        failed.help(format!("one of {}", known.join(", "))).into()
    })
}

/// Problems of files as an error. What is shown of a profile shows none of its secrets.
pub(crate) fn bad(problems: Vec<Problem>, specs: &Specs) -> anyhow::Error {
    let mut files: Vec<&str> = problems.iter().map(|p| p.file.as_str()).collect();
    files.dedup();
    for file in files.into_iter().filter(|f| is_profile(f)) {
        let known = specs.text(file.trim_start_matches("specs/"));
        let read = || std::fs::read_to_string(file).unwrap_or_default();
        out::hide(secrets_in(&known.map_or_else(read, str::to_owned)));
    }
    BadFiles {
        problems,
        specs: specs.clone(),
    }
    .into()
}

/// A filter as typed.
pub(crate) fn filter(
    texts: &[String],
    suite: &Suite,
    earlier: &dyn crate::case::Earlier,
) -> anyhow::Result<crate::case::Filter> {
    crate::case::Filter::parse(texts, suite, earlier)
        .map_err(|e| Failed::new(Exit::Usage, e).into())
}

/// Whether a file that has problems is a profile: of the specs, or a user's own.
fn is_profile(file: &str) -> bool {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    folder.ends_with("hosts") || folder == Path::new(runner::OWN)
}

/// The hosts that a `--host` means. Their secrets are left out of what is printed from now on.
pub(crate) fn wanted(text: &str, profiles: &[Profile]) -> anyhow::Result<Vec<Wanted>> {
    hide_file(text);
    let all = runner::wanted(text, profiles, Path::new("target")).map_err(bad_host)?;
    all.iter().for_each(|w| out::hide(w.profile.secrets()));
    Ok(all)
}

/// A profile that is given as a file may have a mistake in it, and secrets.
fn hide_file(text: &str) {
    if text.ends_with(".yaml") {
        out::hide(secrets_in(
            &std::fs::read_to_string(text).unwrap_or_default(),
        ));
    }
}

/// The host behind the command of an adapter: as one named profile describes it, or as it does itself.
pub(crate) fn behind(
    command: &[String],
    hosts: &[String],
    profiles: &[Profile],
    abis: &[Arc<Abi>],
) -> anyhow::Result<Wanted> {
    let profile = match hosts {
        [] => None,
        [one] => {
            hide_file(one);
            Some(runner::described(one, profiles).map_err(bad_host)?.0)
        }
        _ => {
            let message = "a command behind `--` is one host, and several are named";
            return Err(Failed::new(Exit::Usage, message.to_owned()).into());
        }
    };
    if let Some(p) = profile.as_ref().filter(|p| p.driver != DriverKind::Stdio) {
        let message = format!("{} is not reached through an adapter", p.name);
        return Err(Failed::new(Exit::Usage, message).into());
    }
    let abis: Vec<&Abi> = abis.iter().map(|a| &**a).collect();
    runner::behind(command, profile, &abis).map_err(host_trouble)
}

/// What was typed names no host that is here.
pub(crate) fn bad_host(e: BadHost) -> anyhow::Error {
    match e {
        BadHost::Usage(message, help) => with_help(Failed::new(Exit::Usage, message), help).into(),
        BadHost::Missing(trouble) => host_trouble(trouble),
    }
}

/// A host that cannot be driven. Its last words may be in what is said.
pub(crate) fn host_trouble(t: Trouble) -> anyhow::Error {
    let failed = Failed::new(Exit::Host, safe_lines(&t.what));
    with_help(failed, t.help.map(|h| safe_lines(&h))).into()
}

fn with_help(failed: Failed, help: Option<String>) -> Failed {
    match help {
        Some(help) => failed.help(help),
        None => failed,
    }
}

/// A record by the name of its file or of its run's folder.
pub(crate) fn open(path: &Path) -> anyhow::Result<Record> {
    let file: PathBuf = if path.is_dir() {
        path.join("record.jsonl")
    } else {
        path.to_owned()
    };
    if !file.exists() {
        let message = format!("there is no record {}", file.display());
        return Err(Failed::new(Exit::Usage, message)
            .help("name a `record.jsonl`, or the folder of a run, such as target/pwspec/latest")
            .into());
    }
    Record::read(&file).map_err(|e| Failed::new(Exit::Usage, format!("failed to {e}")).into())
}

/// The run that Ctrl-C ends now.
static STOPS: Mutex<Option<Stop>> = Mutex::new(None);

/// From now on the first Ctrl-C ends this run in the orderly way, with record and footer.
pub(crate) fn on_ctrl_c(stop: &Stop) {
    let current = || {
        STOPS
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    *current() = Some(stop.clone());
    // A second handler in one process is refused; the first one serves.
    let _ = ctrlc::set_handler(move || {
        if let Some(stop) = &*current() {
            stop.ask();
        }
    });
}
