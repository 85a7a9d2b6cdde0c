//! `hosts`: every profile and version, found here or not, where, and how to get it.

use std::path::Path;

use crate::abi::Abi;
use crate::case::{Answers, DriverKind, Offer, Profile};
use crate::cli::Failed;
use crate::cli::args::{Format, Global, HostsArgs};
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::cli::verbs;
use crate::host::{find, how_to_get};
use crate::report::json::{self, HostRow};
use crate::report::{Cell, Paint, Table};

pub(crate) fn run(args: &HostsArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let mut profiles = verbs::profiles(&specs)?;
    if let Some(name) = &args.name {
        let names: Vec<String> = profiles.iter().map(|p| p.name.clone()).collect();
        profiles.retain(|p| p.name == *name);
        if profiles.is_empty() {
            let message = format!("unknown host `{name}`");
            let help = format!("known hosts: {}", names.join(", "));
            return Err(Failed::new(Exit::Usage, message).help(help).into());
        }
    }
    let rows: Vec<HostRow> = profiles.iter().flat_map(rows).collect();
    match args.format {
        Format::Json => print!("{}", json::text(&rows)),
        Format::Pretty => {
            print!("{}", table(&rows));
            if args.name.is_some() {
                let abis = verbs::suite(&specs)?.abis;
                for profile in &profiles {
                    let newest = profile.abi.iter().max();
                    let abi = abis.iter().find(|a| Some(&a.id) == newest);
                    print!("{}", details(profile, abi.map(|a| &**a)));
                }
            }
        }
    }
    Ok(Exit::Fine)
}

fn rows(profile: &Profile) -> Vec<HostRow> {
    let row = |found, version, path| HostRow {
        name: profile.name.clone(),
        found,
        version,
        path,
        how_to_get: how_to_get(profile),
    };
    if profile.is_reference() {
        return vec![row(true, Some(env!("CARGO_PKG_VERSION").to_owned()), None)];
    }
    let found = find(profile, Path::new("target"));
    if found.is_empty() {
        return vec![row(false, None, None)];
    }
    let each = found.into_iter();
    each.map(|f| row(true, Some(f.version), Some(f.path.display().to_string())))
        .collect()
}

fn table(rows: &[HostRow]) -> String {
    let mut table = Table::new();
    for r in rows {
        let (glyph, paint) = if r.found {
            ("✓", Paint::Green)
        } else {
            ("·", Paint::Dim)
        };
        let place = match (&r.path, r.found) {
            (Some(path), _) => path.clone(),
            (None, true) => "embedded".to_owned(),
            (None, false) => {
                format!(
                    "not here; {}",
                    r.how_to_get.as_deref().unwrap_or("--host NAME=PATH")
                )
            }
        };
        let version = r.version.clone().unwrap_or_default();
        table.row([
            Cell::new(glyph).paint(paint),
            Cell::new(&r.name),
            Cell::new(version),
            Cell::new(place),
        ]);
    }
    table.text(0)
}

/// What a host offers, and who answers what in a library host.
fn details(profile: &Profile, abi: Option<&Abi>) -> String {
    let mut out = format!("\n{}\n", crate::report::safe(&profile.about));
    out.push_str(&format!(
        "driver  {}\nabi     {}\n",
        profile.driver.word(),
        profile.abi.join(" ")
    ));
    let mut table = Table::new();
    for (need, offer) in &profile.offers {
        let (glyph, paint, why) = match offer {
            Offer::Yes => ("✓", Paint::Green, ""),
            Offer::No(why) => ("·", Paint::Dim, why.as_str()),
        };
        table.row([
            Cell::new(glyph).paint(paint),
            Cell::new(need),
            Cell::new(why),
        ]);
    }
    out.push_str(&table.text(0));
    if profile.driver == DriverKind::Stdio {
        out.push_str(&answers(profile, abi));
    }
    if !profile.known.is_empty() {
        out.push_str(&format!("{} known failures\n", profile.known.len()));
    }
    out
}

/// One row for each hostcall, each callback and each requirement of which something else is said.
fn answers(profile: &Profile, abi: Option<&Abi>) -> String {
    let mut names: Vec<&str> = Vec::new();
    if let Some(abi) = abi {
        names.extend(abi.hostcalls.iter().map(|h| h.name.as_str()));
        let callbacks = abi.callbacks.iter().map(|c| c.name.as_str());
        names.extend(callbacks.filter(|c| c.starts_with("proxy_on_")));
    }
    let others = profile.answers.keys().map(String::as_str);
    let others: Vec<&str> = others.filter(|k| !names.contains(k)).collect();
    names.extend(others);
    let mut table = Table::new();
    for name in names {
        let (glyph, paint, who) = match profile.answered_by(name, "") {
            Answers::Library => ("✓", Paint::Green, "the library answers"),
            Answers::Embedder => ("·", Paint::Dim, "the code that embeds it answers"),
            Answers::None => ("·", Paint::Dim, "nobody answers"),
        };
        table.row([
            Cell::new(glyph).paint(paint),
            Cell::new(name),
            Cell::new(who),
        ]);
    }
    format!(
        "judged is what the library answers, at the boundary\n{}",
        table.text(0)
    )
}
