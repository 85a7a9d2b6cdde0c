//! The verb itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::abi::Abi;
use crate::case::{Case, DriverKind, Filter, Nothing, Profile, Suite};
use crate::cli::Failed;
use crate::cli::args::{Global, ReproArgs};
use crate::cli::exit::Exit;
use crate::cli::out::{eprintln, println};
use crate::cli::verbs;
use crate::cli::verbs::play::{Selection, play};
use crate::cli::verbs::repro::readme::{self, Way, readme};
use crate::cli::verbs::repro::secrets::{holding, leave_out};
use crate::host::network::repro;
use crate::host::{Held, Job, Stop};
use crate::record::{Record, ResultLine, redact};
use crate::report::{copies, plain, trace_text};
use crate::runner::{self, Deadlines, Isolate, Planned, Specs, Wanted, quoted};

pub(crate) fn run(args: &ReproArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let profiles = verbs::profiles(&specs)?;
    let case = case(&suite, &args.case)?;
    let wanted = verbs::wanted(&args.host, &profiles)?;
    let Some(wanted) = wanted.into_iter().next() else {
        return Err(Failed::new(Exit::Usage, "no host is named").into());
    };
    let abi = abi(&suite, case, &wanted.profile, args.abi.as_deref())?;
    if args.hold && wanted.profile.driver != DriverKind::Network {
        let message = format!(
            "{} is no program that serves by itself",
            wanted.profile.name
        );
        return Err(Failed::new(Exit::Usage, message)
            .help("--hold is for hosts that are proxies")
            .into());
    }
    let dir = empty(&args.out)?;
    let secrets = wanted.profile.secrets();
    let task = Task {
        args,
        specs: &specs,
        suite: &suite,
        profiles: &profiles,
        case,
        abi: &abi,
        wanted: &wanted,
        dir: &dir,
        secrets: &secrets,
    };
    let ended = task.fill();
    // Until the host has ended, its files must have what the profile says.
    leave_out(&dir, &secrets).map_err(|e| task.unread(&e))?;
    ended
}

/// What is written, and where.
struct Task<'a> {
    args: &'a ReproArgs,
    specs: &'a Specs,
    suite: &'a Suite,
    profiles: &'a [Profile],
    case: &'a Case,
    abi: &'a Arc<Abi>,
    wanted: &'a Wanted,
    dir: &'a Path,
    secrets: &'a [String],
}

impl Task<'_> {
    fn unread(&self, e: &std::io::Error) -> Failed {
        let message = format!("failed to look through {}: {e}", self.dir.display());
        Failed::new(Exit::Usage, message)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failed> {
        let text = redact(text, self.secrets);
        runner::write_atomically(&self.dir.join(name), text.as_bytes())
            .map_err(|e| Failed::new(Exit::Usage, e))
    }

    /// Plays the case, writes everything, and holds the host where that was asked.
    fn fill(&self) -> anyhow::Result<Exit> {
        let (case, abi, wanted, dir) = (self.case, self.abi, self.wanted, self.dir);
        let job = job(self.suite, case, abi, &wanted.profile)?;
        let way = files(wanted, &job, dir)?;
        let filter = Filter::parse(&[format!("id:{}", case.id)], self.suite, &Nothing)
            .map_err(anyhow::Error::msg)?;
        let result = played(self.specs, self.suite, &filter, wanted, abi, dir)?;
        let reference = match wanted.profile.is_reference() {
            true => None,
            false => reference(self.specs, self.suite, &filter, self.profiles, abi)?,
        };
        self.write("case.yaml", &case.yaml)?;
        for (end, text) in copies(&result.1) {
            match end {
                "trace" => self.write("trace.txt", &text)?,
                end => self.write(end, &text)?,
            }
        }
        if let Some(text) = &reference {
            self.write("reference-trace.txt", text)?;
        }
        let held = holding(dir, self.secrets).map_err(|e| self.unread(&e))?;
        let told = readme(case, abi, &result.0, &result.1, &way, reference.is_some());
        self.write("README.md", &(told + &readme::left_out(&held)))?;
        println!("wrote {}", self.args.out.join("README.md").display());
        if let Way::Network { written, .. } = &way {
            for lack in &written.lacks {
                eprintln!(
                    "pwspec: {lack}: played by hand, the case may end otherwise than in trace.txt"
                );
            }
        }
        match self.args.hold {
            true => hold(wanted, &way, dir),
            false => Ok(Exit::Fine),
        }
    }
}

fn case<'s>(suite: &'s Suite, id: &str) -> anyhow::Result<&'s Case> {
    suite.case(id).ok_or_else(|| {
        let ids = suite.cases.iter().map(|c| c.id.as_str());
        let help = crate::case::nearest(id, ids).unwrap_or_else(|| "pwspec list".to_owned());
        let failed = Failed::new(Exit::Usage, format!("unknown case `{id}`"));
        failed.help(help).into()
    })
}

/// The ABI in which the case is in scope on the host.
fn abi(
    suite: &Suite,
    case: &Case,
    profile: &Profile,
    asked: Option<&str>,
) -> anyhow::Result<Arc<Abi>> {
    if let Some(id) = asked {
        verbs::abi(suite, id)?;
    }
    let mut all: Vec<&Arc<Abi>> = profile.abi.iter().filter_map(|id| suite.abi(id)).collect();
    // The text's own before dialects, the newest first.
    all.sort_by_key(|a| (a.dialect_of.is_some(), std::cmp::Reverse(a.id.clone())));
    let mut why = None;
    for abi in all
        .into_iter()
        .filter(|a| asked.is_none_or(|id| a.id == id))
    {
        match runner::scope(suite, case, abi, profile) {
            Some(Ok(_)) => return Ok(abi.clone()),
            Some(Err(reason)) => why = why.or(Some(reason)),
            None => {}
        }
    }
    let message = format!("{} can't be played on {}", case.id, profile.name);
    let why = why.unwrap_or_else(|| "it is in no ABI version of this host".to_owned());
    Err(Failed::new(Exit::Nothing, message).help(why).into())
}

/// The folder, which holds nothing yet.
fn empty(dir: &Path) -> anyhow::Result<PathBuf> {
    let failed = |e: std::io::Error| {
        Failed::new(
            Exit::Usage,
            format!("failed to create {}: {e}", dir.display()),
        )
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    if std::fs::read_dir(dir).map_err(failed)?.next().is_some() {
        let message = format!("{} is not empty", dir.display());
        return Err(Failed::new(Exit::Usage, message)
            .help("nothing is written over")
            .into());
    }
    Ok(std::fs::canonicalize(dir).map_err(failed)?)
}

fn job(suite: &Suite, case: &Case, abi: &Arc<Abi>, profile: &Profile) -> anyhow::Result<Job> {
    let planned = Planned {
        case: Arc::new(case.clone()),
        program: Ok(String::new()),
    };
    let deadlines = Deadlines {
        shared: Duration::from_secs(5),
        alone: Duration::from_secs(1),
    };
    let prepared = runner::prepare(suite, &planned, abi, profile, "repro", 0, &deadlines)
        .map_err(|e| Failed::new(Exit::Bug, e))?;
    Ok(prepared.job)
}

/// The files with which it is played by hand.
fn files(wanted: &Wanted, job: &Job, dir: &Path) -> anyhow::Result<Way> {
    let failed = |e: std::io::Error| {
        Failed::new(
            Exit::Usage,
            format!("failed to write into {}: {e}", dir.display()),
        )
    };
    let binary = wanted.binary.as_ref().map(|f| {
        let path = std::path::absolute(&f.path).unwrap_or_else(|_| f.path.clone());
        path.display().to_string()
    });
    match (wanted.profile.driver, binary) {
        (DriverKind::Network, Some(binary)) => {
            let written = repro::write(&wanted.profile, job, dir).map_err(verbs::host_trouble)?;
            let args: Vec<String> = written.args.iter().map(|a| quoted(a)).collect();
            let start = format!(
                "#!/bin/sh\n# Starts the host with the case in it. HOST=/path/to/another/build takes that one.\n\
                 cd \"$(dirname \"$0\")\" || exit 1\nexec \"${{HOST:-{binary}}}\" {}\n",
                args.join(" ")
            );
            repro::script(&dir.join("start.sh"), &start).map_err(failed)?;
            Ok(Way::Network {
                written,
                binary,
                curl: super::readme::curl(&job.exchange, dir),
            })
        }
        (DriverKind::Stdio, Some(binary)) => {
            modules(job, dir).map_err(failed)?;
            // Both directions are kept on their way through.
            let script = format!(
                "#!/bin/sh\nn=$(date +%s%N)\ntee \"{0}/to-adapter-$n\" | {1} \"$@\" | tee \"{0}/from-adapter-$n\"\n",
                dir.display(),
                quoted(&binary)
            );
            repro::script(&dir.join("listen.sh"), &script).map_err(failed)?;
            Ok(Way::Stdio { binary })
        }
        _ => {
            modules(job, dir).map_err(failed)?;
            Ok(Way::Embedded)
        }
    }
}

fn modules(job: &Job, dir: &Path) -> std::io::Result<()> {
    for (n, vm) in job.vms.iter().enumerate() {
        std::fs::write(dir.join(format!("c1-{n}.wasm")), vm.wasm.as_slice())?;
    }
    Ok(())
}

/// The case played here, alone: its record and result.
fn played(
    specs: &Specs,
    suite: &Suite,
    filter: &Filter,
    wanted: &Wanted,
    abi: &Abi,
    dir: &Path,
) -> anyhow::Result<(Record, ResultLine)> {
    let mut wanted = wanted.clone();
    let listens = dir.join("listen.sh");
    if let (true, Some(found)) = (listens.is_file(), &mut wanted.binary) {
        found.path = listens.clone();
    }
    let abis = [abi.id.clone()];
    let selection = Selection {
        filter,
        abis: &abis,
        isolate: Isolate::Alone,
    };
    let record = play(specs, suite, std::slice::from_ref(&wanted), &selection);
    if listens.is_file() {
        keep_last(dir);
    }
    let record = record?;
    let result = record.results.iter().find(|r| !r.added).cloned();
    let result = result.ok_or_else(|| Failed::new(Exit::Bug, "the case has no result"))?;
    Ok((record, result))
}

/// Of the conversations with an adapter the last one is the case's.
fn keep_last(dir: &Path) {
    for side in ["to-adapter", "from-adapter"] {
        let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let mut own: Vec<PathBuf> = files
            .map(|e| e.path())
            .filter(|p| {
                let name = p.file_name().map(|n| n.to_string_lossy().into_owned());
                name.is_some_and(|n| n.starts_with(&format!("{side}-")))
            })
            .collect();
        own.sort();
        if let Some(last) = own.pop() {
            let _ = std::fs::rename(last, dir.join(format!("{side}.jsonl")));
        }
        own.iter().for_each(|p| drop(std::fs::remove_file(p)));
    }
    let _ = std::fs::remove_file(dir.join("listen.sh"));
}

/// The trace of the same case on the reference host.
fn reference(
    specs: &Specs,
    suite: &Suite,
    filter: &Filter,
    profiles: &[Profile],
    abi: &Abi,
) -> anyhow::Result<Option<String>> {
    let Ok(wanted) = verbs::wanted("reference", profiles) else {
        return Ok(None);
    };
    let abis = [abi.text_version().to_owned()];
    let selection = Selection {
        filter,
        abis: &abis,
        isolate: Isolate::Shared,
    };
    let record = play(specs, suite, &wanted, &selection)?;
    let own = record.results.iter().find(|r| !r.added);
    let attempt = own.and_then(|r| r.attempts.last());
    Ok(attempt.map(|a| plain(&trace_text(a).text)))
}

/// Starts upstreams and host and waits.
fn hold(wanted: &Wanted, way: &Way, dir: &Path) -> anyhow::Result<Exit> {
    let (
        Way::Network {
            written,
            binary,
            curl,
        },
        Some(_),
    ) = (way, &wanted.binary)
    else {
        return Ok(Exit::Fine);
    };
    let failed = |what: &str, e: std::io::Error| {
        Failed::new(Exit::Host, format!("failed to start {what}: {e}"))
    };
    let stop = Stop::default();
    verbs::on_ctrl_c(&stop);
    let upstreams = Held::start(Path::new("python3"), &["upstream.py".to_owned()], dir)
        .map_err(|e| failed("python3", e))?;
    let mut host =
        Held::start(Path::new(binary), &written.args, dir).map_err(|e| failed(binary, e))?;
    println!("host       pid {}", host.id());
    println!("upstreams  pid {}", upstreams.id());
    println!("listens    {}", dir.join(&written.socket).display());
    for (name, port) in &written.ports {
        println!("upstream   {name} at 127.0.0.1:{port}");
    }
    println!("client     python3 {}", dir.join("client.py").display());
    if let Some(curl) = curl {
        println!("       or  {curl}");
    }
    println!("Ctrl-C ends it");
    match host.wait(&stop) {
        None => Ok(Exit::Fine),
        Some(how) => Err(Failed::new(Exit::Host, format!("the host ended: {how}")).into()),
    }
}
