//! `list`: cases, requirements, faults, tags.

mod changes;

use std::collections::BTreeSet;

use crate::abi::{Abi, Requirement};
use crate::case::{Case, Suite};
use crate::cli::Failed;
use crate::cli::args::{Global, ListArgs, ListFormat, What};
use crate::cli::exit::Exit;
use crate::cli::out::println;
use crate::cli::verbs::{self, last::LastRun};
use crate::report::Paint;
use crate::report::json::{CaseRow, RequirementRow};

pub(crate) fn run(args: &ListArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    match args.what {
        // Filters select cases and nothing else.
        None if args.filters.is_empty() => match abis(args, &suite)? {
            Abis::Between(a, b) => changes::run(a, b, &suite, args.format),
            Abis::All | Abis::One(_) => cases(args, &suite),
        },
        None | Some(What::Cases) => cases(args, &suite),
        Some(What::Requirements) => requirements(args, &suite),
        Some(What::Faults) => faults(args, &suite),
        Some(What::Tags) => tags(args, &suite),
    }
}

/// Which ABIs `--abi` means: all, one, or the two ends of `A..B`.
enum Abis<'s> {
    All,
    One(&'s Abi),
    Between(&'s Abi, &'s Abi),
}

fn abis<'s>(args: &ListArgs, suite: &'s Suite) -> anyhow::Result<Abis<'s>> {
    let one = |id: &str| {
        suite.abi(id).map(AsRef::as_ref).ok_or_else(|| {
            let known: Vec<&str> = suite.abis.iter().map(|a| a.id.as_str()).collect();
            let message = format!("unknown ABI version or dialect `{id}`");
            anyhow::Error::from(
                Failed::new(Exit::Usage, message).help(format!("one of {}", known.join(", "))),
            )
        })
    };
    Ok(match args.abi.as_deref() {
        None => Abis::All,
        Some(text) => match text.split_once("..") {
            Some((a, b)) => Abis::Between(one(a)?, one(b)?),
            None => Abis::One(one(text)?),
        },
    })
}

fn cases(args: &ListArgs, suite: &Suite) -> anyhow::Result<Exit> {
    let filter = verbs::filter(&args.filters, suite, &LastRun { hosts: Vec::new() })?;
    let abis = abis(args, suite)?;
    let within = |c: &Case| {
        let has = |a: &Abi| c.abi.iter().any(|v| v == a.text_version());
        match &abis {
            Abis::All => true,
            Abis::One(a) => has(a),
            Abis::Between(a, b) => has(a) != has(b),
        }
    };
    let all = suite.cases.iter();
    let found: Vec<&Case> = all.filter(|c| filter.matches(c) && within(c)).collect();
    match args.format {
        ListFormat::Json => {
            let rows: Vec<CaseRow> = found.iter().map(|c| case_row(c)).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
        ListFormat::Names => found.iter().for_each(|c| println!("{}", c.id)),
        ListFormat::Pretty => {
            let wide = found.iter().map(|c| c.id.len()).max().unwrap_or(0);
            for c in &found {
                println!(
                    "{:wide$}  {:6}  {:17}  {}",
                    c.id,
                    c.level.to_string(),
                    c.abi.join(" "),
                    c.about
                );
            }
            if !found.is_empty() {
                let s = if found.len() == 1 { "" } else { "s" };
                println!("{} case{s}", found.len());
            }
        }
    }
    if !found.is_empty() {
        return Ok(Exit::Fine);
    }
    let message = format!("nothing selected by `{}`", args.filters.join(" "));
    Err(Failed::new(Exit::Nothing, message).into())
}

fn requirements(args: &ListArgs, suite: &Suite) -> anyhow::Result<Exit> {
    let mut rows: Vec<RequirementRow> = Vec::new();
    let mut add = |abi: &Abi, skip: Option<&Abi>| {
        for r in &abi.requirements {
            let says = |r: &Requirement| {
                (
                    r.level,
                    r.seat,
                    r.text.clone(),
                    r.ruling.clone(),
                    r.excluded.clone(),
                )
            };
            let same = skip.and_then(|s| s.requirement(&r.id));
            if same.is_none_or(|s| says(s) != says(r)) {
                rows.push(requirement_row(&abi.id, r));
            }
        }
    };
    match abis(args, suite)? {
        Abis::All => {
            let texts = suite.abis.iter().filter(|a| a.dialect_of.is_none());
            texts.for_each(|a| add(a, None));
        }
        Abis::One(a) => add(a, None),
        Abis::Between(a, b) => {
            add(a, Some(b));
            add(b, Some(a));
        }
    }
    match args.format {
        ListFormat::Json => println!("{}", serde_json::to_string_pretty(&rows)?),
        ListFormat::Names => rows.iter().for_each(|r| println!("{}", r.id)),
        ListFormat::Pretty => {
            let wide = rows.iter().map(|r| r.id.len()).max().unwrap_or(0);
            for r in &rows {
                println!(
                    "{:5}  {:wide$}  {:6}  {:8}  {}",
                    r.abi,
                    r.id,
                    r.level.to_string(),
                    r.seat.to_string(),
                    r.text
                );
                for (label, why) in [("ruling", &r.ruling), ("excluded", &r.excluded)] {
                    if let Some(why) = why {
                        println!("       {} {why}", Paint::Cyan.text(format!("{label}:")));
                    }
                }
            }
            println!("{} requirements", rows.len());
        }
    }
    Ok(if rows.is_empty() {
        Exit::Nothing
    } else {
        Exit::Fine
    })
}

fn faults(args: &ListArgs, suite: &Suite) -> anyhow::Result<Exit> {
    let abi = match abis(args, suite)? {
        Abis::All => suite.abi("0.2.1").map(AsRef::as_ref),
        Abis::One(a) | Abis::Between(_, a) => Some(a),
    };
    let rows = abi.map(|a| a.faults.as_slice()).unwrap_or_default();
    let wide = rows.iter().map(|r| r.fault.len()).max().unwrap_or(0);
    match args.format {
        ListFormat::Json => {
            let rows: Vec<_> = rows
                .iter()
                .map(|r| serde_json::json!({"fault": r.fault, "req": r.req, "says": r.says}))
                .collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
        ListFormat::Names => rows.iter().for_each(|r| println!("{}", r.fault)),
        ListFormat::Pretty => {
            rows.iter()
                .for_each(|r| println!("{:wide$}  {}: {}", r.fault, r.req, r.says));
        }
    }
    Ok(if rows.is_empty() {
        Exit::Nothing
    } else {
        Exit::Fine
    })
}

fn tags(args: &ListArgs, suite: &Suite) -> anyhow::Result<Exit> {
    let tags: BTreeSet<&str> = suite
        .cases
        .iter()
        .flat_map(|c| c.tags.iter().map(String::as_str))
        .collect();
    match args.format {
        ListFormat::Json => println!("{}", serde_json::to_string_pretty(&tags)?),
        ListFormat::Names | ListFormat::Pretty => tags.iter().for_each(|t| println!("{t}")),
    }
    Ok(if tags.is_empty() {
        Exit::Nothing
    } else {
        Exit::Fine
    })
}

fn case_row(c: &Case) -> CaseRow {
    CaseRow {
        id: c.id.clone(),
        suite: c.suite.clone(),
        area: c.area.clone(),
        level: c.level,
        abi: c.abi.clone(),
        covers: c.covers.clone(),
        file: c.file.clone(),
        line: c.line,
    }
}

fn requirement_row(abi: &str, r: &Requirement) -> RequirementRow {
    RequirementRow {
        id: r.id.clone(),
        abi: abi.to_owned(),
        section: r.section.clone(),
        level: r.level,
        seat: r.seat,
        text: r.text.clone(),
        ruling: r.ruling.clone(),
        excluded: r.excluded.clone(),
    }
}
