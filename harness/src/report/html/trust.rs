//! Coverage and trust: what is tested, what kills which fault, whether the canaries sang, how long
//! cases took; and the groups of the surveys.
//!
//! Does not know how faults are planted.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::report::html::HtmlOptions;
use crate::report::html::model::{Col, Model};
use crate::report::{Survey, safe, safe_lines};

#[derive(Serialize)]
struct Trust {
    canary_names: Vec<String>,
    canaries: Vec<CanaryRow>,
    coverage: Vec<Coverage>,
    faults: Option<Faults>,
    /// Must cases that only the reference host passes.
    lonely: Vec<String>,
    slowest: Vec<(String, String, String)>,
}

#[derive(Serialize)]
struct CanaryRow {
    column: String,
    /// By name, as far as they were played.
    cells: Vec<Option<Canary>>,
}

#[derive(Serialize)]
struct Canary {
    ok: bool,
    /// What happened, where it is not as it must.
    what: String,
}

#[derive(Serialize)]
struct Coverage {
    abi: String,
    requirements: usize,
    tested: usize,
    gaps: Vec<String>,
    excluded: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Faults {
    planted: u32,
    killed: usize,
    survived: Vec<String>,
    coarse: Vec<String>,
    unproved: usize,
    idle: usize,
}

#[derive(Serialize)]
struct SurveyView {
    case: String,
    about: String,
    question: Option<String>,
    groups: Vec<GroupView>,
}

#[derive(Serialize)]
struct GroupView {
    letter: String,
    observed: Vec<(String, String)>,
    columns: Vec<String>,
}

pub(super) fn survey(s: &Survey) -> Value {
    let letters = ('A'..='Z').map(String::from);
    // More groups than letters: numbers.
    let names = letters.chain((27..).map(|n: u32| n.to_string()));
    let groups = names.zip(&s.groups).map(|(letter, g)| GroupView {
        letter,
        observed: g.observed.iter().map(|(w, a)| (safe(w), safe(a))).collect(),
        columns: g.columns.iter().map(|c| safe(c)).collect(),
    });
    Value::from(Serde(SurveyView {
        case: safe(&s.case),
        about: safe(&s.about),
        question: s.question().map(|q| safe_lines(&q)),
        groups: groups.collect(),
    }))
}

pub(super) fn context(model: &Model<'_>, options: &HtmlOptions<'_>) -> Value {
    let (canary_names, canaries) = canaries(model);
    let coverage = options.abis.iter().map(|abi| {
        let tested = |id: &str| model.req_index.contains_key(id);
        let all = abi.requirements.iter();
        let open = all.clone().filter(|r| !tested(&r.id));
        Coverage {
            abi: safe(&abi.id),
            requirements: all.clone().count(),
            tested: all.clone().filter(|r| tested(&r.id)).count(),
            gaps: open
                .clone()
                .filter(|r| r.excluded.is_none())
                .map(|r| safe(&r.id))
                .collect(),
            excluded: open
                .filter_map(|r| Some((safe(&r.id), safe(r.excluded.as_ref()?))))
                .collect(),
        }
    });
    let faults = options.prove.map(|p| Faults {
        planted: p.faults,
        killed: p.killed.len(),
        survived: p.survived.iter().map(|f| safe(f)).collect(),
        coarse: p.coarse.iter().map(|f| safe(f)).collect(),
        unproved: p.unproved_checks.len(),
        idle: p.idle_cases.len() + p.idle_surveys.len(),
    });
    Value::from(Serde(Trust {
        canary_names,
        canaries,
        coverage: coverage.collect(),
        faults,
        lonely: lonely(model),
        slowest: slowest(model),
    }))
}

/// A row a column, a column a canary.
fn canaries(model: &Model<'_>) -> (Vec<String>, Vec<CanaryRow>) {
    let all = || model.records.iter().flat_map(|r| &r.footer.canaries);
    let mut names: Vec<&str> = Vec::new();
    let mut columns: Vec<&str> = Vec::new();
    for c in all() {
        if !names.contains(&c.canary.as_str()) {
            names.push(&c.canary);
        }
        if !columns.contains(&c.column.as_str()) {
            columns.push(&c.column);
        }
    }
    let rows = columns.iter().map(|column| {
        let cells = names.iter().map(|name| {
            let found = all().find(|c| c.column == *column && c.canary == *name)?;
            Some(Canary {
                ok: found.ok,
                what: if found.ok {
                    String::new()
                } else {
                    safe(&found.what)
                },
            })
        });
        CanaryRow {
            column: safe(column),
            cells: cells.collect(),
        }
    });
    let rows = rows.collect();
    (names.iter().map(|n| safe(n)).collect(), rows)
}

/// Must cases that the reference host passes and that ran on another host, but passed on none:
/// host and engine share our code, so these rest on our reading alone.
fn lonely(model: &Model<'_>) -> Vec<String> {
    use crate::judge::Verdict;
    let ours = |c: &&Col<'_>| c.is_reference();
    let passes = |id: &str, our: bool| {
        let mut columns = model.columns.iter().filter(|c| ours(c) == our);
        columns.any(|c| {
            let result = c.results.get(id);
            result.is_some_and(|r| r.judgement.verdict == Verdict::Pass)
        })
    };
    if model.columns.iter().all(|c| ours(&c)) {
        return Vec::new();
    }
    let must = |c: &&&crate::record::CaseLine| {
        let mut levels = c.requirements.iter().map(|r| r.level);
        levels.any(|l| l == crate::abi::Level::Must)
    };
    let cases = model.cases.iter().filter(must);
    let alone = cases.filter(|c| passes(&c.id, true) && !passes(&c.id, false));
    alone.map(|c| safe(&c.id)).collect()
}

fn slowest(model: &Model<'_>) -> Vec<(String, String, String)> {
    let mut all: Vec<(u64, &str, &str)> = Vec::new();
    for c in &model.columns {
        let timed = model.cases.iter().filter_map(|k| {
            let r = c.results.get(k.id.as_str())?;
            let micros: u64 = r.attempts.iter().map(|a| a.micros).sum();
            (micros > 0).then_some((micros, k.id.as_str(), c.name.as_str()))
        });
        all.extend(timed);
    }
    all.sort_by_key(|(m, ..)| std::cmp::Reverse(*m));
    let first = all.into_iter().take(10);
    first
        .map(|(m, case, column)| {
            let ms = format!("{:.1} ms", m as f64 / 1000.0);
            (ms, safe(case), safe(column))
        })
        .collect()
}
