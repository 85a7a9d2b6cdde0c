//! `init`: a profile in the user's own repository. The embedded one is read-only; what is known about
//! the user's build, and its snapshots, live beside this file.

use std::path::{Component, Path, PathBuf};

use crate::case::{Profile, known_text};
use crate::cli::Failed;
use crate::cli::args::{Global, InitArgs};
use crate::cli::exit::Exit;
use crate::cli::out::println;
use crate::cli::verbs;
use crate::runner::{self, Specs, quoted};

pub(crate) fn run(args: &InitArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let profiles = specs.profiles().map_err(|p| verbs::bad(p, &specs))?;
    let (base, binary) = match args.host.split_once('=') {
        Some((base, binary)) => (base, Some(Path::new(binary))),
        None => (args.host.as_str(), None),
    };
    let Some(profile) = profiles.iter().find(|p| p.name == base) else {
        let names = profiles.iter().map(|p| p.name.as_str());
        let failed = Failed::new(Exit::Usage, format!("unknown host `{base}`"));
        let all: Vec<&str> = names.clone().collect();
        let help = crate::case::nearest(base, names)
            .unwrap_or_else(|| format!("known hosts: {}", all.join(", ")));
        return Err(failed.help(help).into());
    };
    let name = args.name.as_deref().unwrap_or(base);
    let file = args.dir.join(format!("{name}.yaml"));
    if file.exists() {
        let failed = Failed::new(Exit::Usage, format!("{} is there already", file.display()));
        return Err(failed.help("edit it, or take another --name").into());
    }
    let text = text(&specs, profile, name, binary, &args.dir);
    crate::case::load_profile_over(&file.display().to_string(), &text, &profiles)
        .map_err(|p| bad_profile(&p))?;
    runner::write_atomically(&file, text.as_bytes()).map_err(|e| Failed::new(Exit::Usage, e))?;
    println!("wrote {}", file.display());
    let host = match args.dir == Path::new(runner::OWN) {
        true => name.to_owned(),
        false => file.display().to_string(),
    };
    let host = quoted(&host);
    println!("\nnext");
    for (command, what) in [
        (
            format!("pwspec doctor {host}"),
            "whether the way to it works",
        ),
        (format!("pwspec run --host {host}"), "every case"),
        (
            format!("pwspec expect {host}"),
            "what of the known failures still holds",
        ),
    ] {
        println!("  {command:<40}  {what}");
    }
    Ok(Exit::Fine)
}

fn bad_profile(problems: &[crate::case::ProfileProblem]) -> Failed {
    let all: Vec<String> = problems
        .iter()
        .map(|p| format!("{}:{}: {}", p.line, p.column, p.message))
        .collect();
    Failed::new(
        Exit::Usage,
        format!("the profile would not be one: {}", all.join("; ")),
    )
}

fn text(specs: &Specs, base: &Profile, name: &str, binary: Option<&Path>, dir: &Path) -> String {
    let mut out = format!(
        "# How pwspec drives the host that is built here. Written by `pwspec init {base}`.\n\
         # What is not said is as in the profile that it extends: `pwspec hosts {base}`.\n\
         version: 1\nname: {name}\nextends: {base}\n",
        base = base.name
    );
    match binary {
        Some(path) => {
            let path = from_folder(path, dir);
            let path = serde_json::to_string(&path.display().to_string()).unwrap_or_default();
            out.push_str(&format!(
                "binary:\n  # Your build, seen from the folder of this file.\n  path: {path}\n"
            ));
        }
        None => out.push_str(
            "# Your build, seen from the folder of this file:\n# binary:\n#   path: ../build/host\n",
        ),
    }
    out.push_str(&format!(
        "# Failures that are known, with why. They run all the same; a failure that is not here, and one\n\
         # that is gone, end a run with code 1. `pwspec expect {}` keeps this list.\n",
        quoted(name)
    ));
    let known = specs
        .text(&format!("hosts/{}.yaml", base.name))
        .and_then(known_text);
    out.push_str(&known.unwrap_or_else(|| "known: []\n".to_owned()));
    out
}

/// A path as it is seen from a folder, where both lie below the working folder.
fn from_folder(path: &Path, dir: &Path) -> PathBuf {
    let plain = |p: &Path| {
        let parts = p.components().filter(|c| *c != Component::CurDir);
        let parts: Vec<Component<'_>> = parts.collect();
        let ok = parts.iter().all(|c| matches!(c, Component::Normal(_)));
        ok.then(|| parts.iter().collect::<PathBuf>())
    };
    match (plain(path), plain(dir)) {
        (Some(path), Some(dir)) => {
            let up: PathBuf = dir.components().map(|_| "..").collect();
            up.join(path)
        }
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}
