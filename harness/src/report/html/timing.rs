//! How long things took: by column, by area, and the slowest cases.
//!
//! Does not measure.

use std::collections::BTreeMap;

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::record::ResultLine;
use crate::report::html::model::Model;
use crate::report::{mark, safe};

/// So many cases are named.
const SLOWEST: usize = 25;

#[derive(Serialize)]
struct Timing {
    columns: Vec<Column>,
    areas: Vec<Area>,
    slowest: Vec<Slow>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    cases: usize,
    seconds: String,
    median: String,
    ninth: String,
    most: String,
}

#[derive(Serialize)]
struct Area {
    name: String,
    /// Milliseconds a case, by column; none where nothing ran.
    cells: Vec<Option<String>>,
}

#[derive(Serialize)]
struct Slow {
    time: String,
    /// Of the slowest, in hundredths.
    share: u64,
    case: String,
    column: String,
    glyph: char,
    letter: char,
    word: &'static str,
}

fn micros(r: &ResultLine) -> u64 {
    r.attempts.iter().map(|a| a.micros).sum()
}

/// `0.6 ms`, `1.25 s`.
fn time(micros: u64) -> String {
    match micros {
        0..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

pub(super) fn context(model: &Model<'_>) -> Value {
    let mut slow: Vec<(u64, &str, &str, &ResultLine)> = Vec::new();
    let mut columns = Vec::new();
    let mut areas: BTreeMap<&str, Vec<Option<(u64, u64)>>> = BTreeMap::new();
    for (n, c) in model.columns.iter().enumerate() {
        let mut times = Vec::new();
        for case in &model.cases {
            let Some(r) = c.results.get(case.id.as_str()) else {
                continue;
            };
            let t = micros(r);
            if t == 0 {
                continue;
            }
            times.push(t);
            slow.push((t, &case.id, &c.name, r));
            let row = areas.entry(&case.area);
            let row = row.or_insert_with(|| vec![None; model.columns.len()]);
            let (sum, count) = row[n].get_or_insert((0, 0));
            (*sum, *count) = (*sum + t, *count + 1);
        }
        times.sort_unstable();
        let at = |share: usize| times.get(times.len() * share / 100).copied();
        columns.push(Column {
            name: safe(&c.name),
            cases: times.len(),
            seconds: c
                .view
                .summary
                .map_or(String::new(), |s| format!("{:.1} s", s.seconds)),
            median: at(50).map_or(String::new(), time),
            ninth: at(90).map_or(String::new(), time),
            most: times.last().copied().map_or(String::new(), time),
        });
    }
    // Stable: of equals the first of the record comes first.
    slow.sort_by_key(|(t, ..)| std::cmp::Reverse(*t));
    let most = slow.first().map_or(1, |(t, ..)| *t);
    let slowest = slow.into_iter().take(SLOWEST).map(|(t, case, column, r)| {
        let m = mark(r.judgement.verdict);
        Slow {
            time: time(t),
            share: t * 100 / most,
            case: safe(case),
            column: safe(column),
            glyph: m.glyph,
            letter: m.letter,
            word: r.judgement.verdict.word(),
        }
    });
    let mean = |cell: Option<(u64, u64)>| {
        cell.map(|(sum, n)| format!("{:.1}", sum as f64 / n as f64 / 1e3))
    };
    Value::from(Serde(Timing {
        slowest: slowest.collect(),
        areas: areas
            .into_iter()
            .map(|(name, cells)| Area {
                name: safe(name),
                cells: cells.into_iter().map(mean).collect(),
            })
            .collect(),
        columns,
    }))
}
