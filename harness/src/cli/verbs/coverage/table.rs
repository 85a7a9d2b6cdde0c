//! `coverage`: each requirement tested, excluded, or a gap.

use crate::abi::Abi;
use crate::case::Suite;
use crate::cli::args::Format;
use crate::cli::exit::Exit;
use crate::cli::out::print;
use crate::report::json::{self, Coverage, Excluded};
use crate::report::{Cell, Paint, Table};

pub(super) fn run(format: Format, suite: &Suite, abi: &Abi) -> Exit {
    let by = super::tested(suite, abi);
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
    match format {
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
    if coverage.gaps.is_empty() {
        Exit::Fine
    } else {
        Exit::Unexpected
    }
}
