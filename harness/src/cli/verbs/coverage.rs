//! `coverage`: each requirement tested, excluded, or a gap.

use std::collections::BTreeMap;

use anstream::print;

use crate::cli::args::{CoverageArgs, Format, Global};
use crate::cli::exit::Exit;
use crate::cli::verbs;
use crate::report::json::{self, Coverage, Excluded};
use crate::report::{Cell, Paint, Table};

pub(crate) fn run(args: &CoverageArgs, global: &Global) -> anyhow::Result<Exit> {
    let specs = verbs::specs(global)?;
    let suite = verbs::suite(&specs)?;
    let abi = verbs::abi(&suite, &args.abi)?;
    let mut by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for case in suite
        .cases
        .iter()
        .filter(|c| c.abi.iter().any(|v| v == abi.text_version()))
    {
        for req in &case.covers {
            by.entry(req).or_default().push(&case.id);
        }
    }
    let tested = |id: &str| by.contains_key(id);
    let rows = &abi.requirements;
    let coverage = Coverage {
        version: json::JSON_VERSION,
        abi: abi.id.clone(),
        requirements: rows.len() as u32,
        tested: rows.iter().filter(|r| tested(&r.id)).count() as u32,
        excluded: rows
            .iter()
            .filter(|r| !tested(&r.id))
            .filter_map(|r| {
                Some(Excluded {
                    id: r.id.clone(),
                    reason: r.excluded.clone()?,
                })
            })
            .collect(),
        gaps: rows
            .iter()
            .filter(|r| !tested(&r.id) && r.excluded.is_none())
            .map(|r| r.id.clone())
            .collect(),
    };
    match args.format {
        Format::Json => print!("{}", json::text(&coverage)),
        Format::Pretty => {
            let mut table = Table::new();
            for r in rows {
                let (word, paint, what) = match (by.get(r.id.as_str()), &r.excluded) {
                    (Some(cases), _) => ("tested", Paint::Green, cases.join(" ")),
                    (None, Some(why)) => ("excluded", Paint::Dim, why.clone()),
                    (None, None) => ("gap", Paint::Red, String::new()),
                };
                let level = Cell::new(r.level.to_string());
                table.row([
                    Cell::new(word).paint(paint),
                    level,
                    Cell::new(&r.id),
                    Cell::new(what),
                ]);
            }
            print!("{}", table.text(0));
            print!(
                "{}: {} requirements, {} tested, {} excluded, {} gaps\n",
                coverage.abi,
                coverage.requirements,
                coverage.tested,
                coverage.excluded.len(),
                coverage.gaps.len()
            );
        }
    }
    Ok(if coverage.gaps.is_empty() {
        Exit::Fine
    } else {
        Exit::Unexpected
    })
}
