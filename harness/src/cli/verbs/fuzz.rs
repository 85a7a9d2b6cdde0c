//! `fuzz`: random programs on two hosts until they differ.
//!
//! Of a program that kills a host nothing is written down but the seed and its number.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::abi::Level;
use crate::case::{Profile, Suite};
use crate::cli::Failed;
use crate::cli::args::{Format, FuzzArgs, Global};
use crate::cli::exit::Exit;
use crate::cli::out::{eprint, eprintln, hidden, print};
use crate::cli::verbs;
use crate::fuzz::{self, Heading};
use crate::host::reference::{Options, Reference};
use crate::host::{Driver, Stop};
use crate::report::json::{self, Fuzz, FuzzDied, FuzzFound};
use crate::report::{Paint, safe, safe_short};
use crate::runner::{self, Duel, Found, Opponent, Search, Searched, clock};
use crate::trace;

/// Programs without an end in sight: only the time ends them.
const NO_END: u64 = u64::MAX;
/// How many programs, where nothing is said.
const USUAL: u64 = 500;
/// So many are played at once.
const BATCH: u64 = 100;

pub(crate) fn run(args: &FuzzArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let abis = specs.abis().map_err(|p| verbs::bad(p, &specs))?;
    let profiles = verbs::profiles(&specs)?;
    let [left, right] = &args.hosts[..] else {
        let message = "fuzzing takes two hosts: --hosts A,B";
        return Err(Failed::new(Exit::Usage, message).into());
    };
    let hosts = [opponent(left, &profiles)?, opponent(right, &profiles)?];
    let abi = version(args, &hosts)?;
    let suite =
        Suite::load(&[], abis, std::sync::Arc::new([])).map_err(|p| verbs::bad(p, &specs))?;
    verbs::abi(&suite, &abi)?;
    let Some(abi) = suite.abi(&abi).cloned() else {
        return Err(Failed::new(Exit::Usage, "no such ABI version").into());
    };
    let seed = args
        .seed
        .unwrap_or_else(|| clock::seconds(SystemTime::now()));
    let search = Search {
        seed,
        programs: args.cases.unwrap_or(match args.max_time {
            Some(_) => NO_END,
            None => USUAL,
        }),
        time: args.max_time,
        batch: BATCH,
    };
    let stop = Stop::default();
    verbs::on_ctrl_c(&stop);
    let mut duel = Duel::new(abi, suite.abis.clone(), seed, hosts);
    let tell = |what: &str| {
        if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
            eprint!("\r\x1b[2K{what}");
        }
    };
    let searched = runner::campaign(&mut duel, &search, &stop, &tell);
    tell("");
    let searched = searched.map_err(verbs::host_trouble)?;
    let shown = Shown::new(&duel, seed, &searched, args)?;
    match args.format {
        Format::Json => print!("{}", json::text(&shown.json)),
        Format::Pretty => print!("{}", shown.pretty(&duel, &searched, args)),
    }
    if let Err(trouble) = duel.close() {
        eprintln!("pwspec: {trouble}");
    }
    let when = |yes: bool, exit| if yes { exit } else { Exit::Fine };
    Ok(Exit::worst([
        when(!searched.found.is_empty(), Exit::Unexpected),
        when(!searched.died.is_empty(), Exit::Host),
        when(searched.interrupted, Exit::Interrupted),
    ]))
}

/// A host by its name. `reference+FAULT` is the reference host with a planted fault.
fn opponent(text: &str, profiles: &[Profile]) -> anyhow::Result<Opponent> {
    let (text, fault) = match text.split_once('+') {
        Some(("reference", fault)) => ("reference", Some(fault.to_owned())),
        _ => (text, None),
    };
    let mut wanted = verbs::wanted(text, profiles)?.into_iter();
    let (Some(one), None) = (wanted.next(), wanted.next()) else {
        let message = format!("`{text}` is not one host");
        return Err(Failed::new(Exit::Usage, message).into());
    };
    let mark = fault.as_ref().map(|f| format!("+{f}"));
    let driver: Box<dyn Driver> = match fault {
        Some(fault) => Box::new(Reference::new(Options {
            fault: Some(fault),
            cache_dir: runner::cache_folder(),
            ..Options::default()
        })),
        None => runner::open(&one, 0, runner::cache_folder()).map_err(verbs::host_trouble)?,
    };
    Ok(Opponent {
        profile: one.profile,
        driver,
        mark: mark.unwrap_or_default(),
    })
}

/// The version that was asked for, or the newest that both have.
fn version(args: &FuzzArgs, hosts: &[Opponent; 2]) -> anyhow::Result<String> {
    let both = hosts[0].profile.abi.iter().rev();
    let mut both = both.filter(|id| hosts[1].profile.abi.contains(id));
    let Some(wanted) = &args.abi else {
        return both.next().cloned().ok_or_else(|| {
            let message = "the two hosts have no ABI version in common";
            Failed::new(Exit::Usage, message).into()
        });
    };
    if both.any(|id| id == wanted) {
        return Ok(wanted.clone());
    }
    let message = format!("one of the two hosts has no {wanted}");
    Err(Failed::new(Exit::Usage, message).into())
}

/// What is shown of a search, and where its cases were written.
struct Shown {
    json: Fuzz,
    names: [String; 2],
}

impl Shown {
    fn new(duel: &Duel, seed: u64, searched: &Searched, args: &FuzzArgs) -> anyhow::Result<Shown> {
        let names = duel.names();
        let mut found = Vec::new();
        for one in &searched.found {
            let file = write(one, duel, seed, args)?;
            let row = duel.abi.requirement(&one.difference.watched.req);
            found.push(FuzzFound {
                file: file.display().to_string(),
                program: one.nth,
                requirement: one.difference.watched.req.clone(),
                level: row.map_or(Level::Survey, |r| r.level).to_string(),
                observed: one.difference.watched.what.clone(),
                what: one.difference.what.clone(),
                answers: [&one.difference.left, &one.difference.right]
                    .map(|t| safe_short(t, 300))
                    .to_vec(),
                steps: one.program.steps() as u64,
                more: one.more,
            });
        }
        let died = searched.died.iter().map(|(who, program)| FuzzDied {
            host: names[*who].clone(),
            program: *program,
        });
        Ok(Shown {
            json: Fuzz {
                version: json::JSON_VERSION,
                hosts: names.to_vec(),
                abi: duel.abi.id.clone(),
                seed,
                programs: searched.programs,
                found,
                known: searched.known,
                free: searched.free,
                unsteady: searched.unsteady,
                unfit: searched.unfit,
                died: died.collect(),
            },
            names,
        })
    }

    fn pretty(&self, duel: &Duel, searched: &Searched, args: &FuzzArgs) -> String {
        let mut out = String::new();
        let [left, right] = &self.names;
        for (shown, found) in self.json.found.iter().zip(&searched.found) {
            let d = &found.difference;
            let row = duel.abi.requirement(&shown.requirement);
            let head = Paint::Red.text("DIFFERS");
            out.push_str(&format!(
                "  {head}  {} · {} · {}\n",
                shown.file, shown.level, shown.requirement
            ));
            if let Some(row) = row {
                out.push_str(&format!("           the text   {}\n", row.text));
            }
            out.push_str(&format!(
                "           differs    {} ({})\n",
                d.what, shown.observed
            ));
            for (name, answer) in [(left, &d.left), (right, &d.right)] {
                out.push_str(&format!("           {name}: {}\n", safe_short(answer, 200)));
            }
            let diff = trace::diff(&found.traces[0], &found.traces[1]);
            for line in diff.lines().skip(2) {
                out.push_str(&format!("           {}\n", safe(line)));
            }
            if found.more > 0 {
                out.push_str(&format!(
                    "           and so in {} more programs\n",
                    found.more
                ));
            }
            let hosts = args.hosts.iter().map(|h| format!(" --host {h}"));
            let hosts: String = hosts.collect();
            out.push_str(&format!(
                "           again      pwspec run {}{hosts} --abi {} --trace all\n\n",
                shown.file, self.json.abi
            ));
        }
        for died in &self.json.died {
            let head = Paint::Red.text("DIED");
            out.push_str(&format!(
                "  {head}     {} of program {} (seed {}); nothing of it was kept\n",
                died.host, died.program, self.json.seed
            ));
        }
        let json = &self.json;
        out.push_str(&format!(
            "{} programs on {left} and {right}, ABI {}, seed {}: {} differences",
            json.programs,
            json.abi,
            json.seed,
            json.found.len()
        ));
        let counts = [
            (json.known, "known"),
            (json.free, "left free by the text"),
            (json.unsteady, "not seen again"),
            (json.unfit, "could not be compared"),
        ];
        for (n, word) in counts.into_iter().filter(|(n, _)| *n > 0) {
            out.push_str(&format!("; {n} {word}"));
        }
        out.push('\n');
        out
    }
}

/// Writes the case of a difference; its file.
fn write(found: &Found, duel: &Duel, seed: u64, args: &FuzzArgs) -> anyhow::Result<PathBuf> {
    let area = area(&found.difference.watched.req);
    let free = |n: &u32| !args.out.join(format!("{area}_{n}.yaml")).exists();
    let n = (1..).find(free).unwrap_or(1);
    let names = duel.names();
    let comment = format!(
        "{} and {} differ here: {}.\nFound by `pwspec fuzz --hosts {} --abi {} --seed {seed}`, program {}.",
        names[0],
        names[1],
        safe_short(&found.difference.what, 200),
        args.hosts.join(","),
        duel.abi.id,
        found.nth,
    );
    let suite = format!("fuzz/{area}_{n}");
    let about = format!("{} differs between two hosts", found.difference.what);
    let heading = Heading {
        suite: &suite,
        about: &about,
        comment: &comment,
        watched: &found.difference.watched,
    };
    let file = args.out.join(Path::new(&format!("{area}_{n}.yaml")));
    let text = fuzz::suite(&found.program, &heading);
    runner::write_atomically(&file, hidden(&text).as_bytes())
        .map_err(|e| Failed::new(Exit::Usage, e))?;
    Ok(file)
}

/// The area of the suite in which a requirement is tested.
fn area(req: &str) -> &'static str {
    let function = req.split('/').next().unwrap_or(req);
    let areas = [
        ("header_map", "fields"),
        ("maps", "fields"),
        ("buffer", "buffers"),
        ("shared_data", "shared_data"),
        ("queue", "queues"),
        ("metric", "metrics"),
        ("http_call", "http_calls"),
        ("grpc", "grpc"),
        ("local_response", "local_response"),
        ("proxy_log", "log"),
        ("fd_write", "log"),
        ("_headers", "headers"),
        ("_body", "bodies"),
        ("_trailers", "trailers"),
        ("continue", "pause"),
        ("context", "contexts"),
        ("done", "contexts"),
    ];
    let named = areas.iter().find(|(part, _)| function.contains(part));
    named.map_or("other", |(_, area)| area)
}
