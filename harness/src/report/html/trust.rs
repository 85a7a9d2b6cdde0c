//! Coverage and trust: what is tested, what kills which fault, whether the canaries sang, which cases
//! rest on our reading alone; and the groups of the surveys.
//!
//! Does not know how faults are planted.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::abi::{Abi, Level};
use crate::judge::Verdict;
use crate::record::CaseLine;
use crate::report::html::HtmlOptions;
use crate::report::html::model::Model;
use crate::report::{Survey, mark, safe, safe_lines, short_version};

#[derive(Serialize)]
struct Trust {
    canary_names: Vec<String>,
    canaries: Vec<CanaryRow>,
    /// How many columns' canaries all came out as they must.
    sang: usize,
    coverage: Vec<Coverage>,
    faults: Vec<Faults>,
    /// Must cases that only the reference host passes.
    lonely: Vec<Lonely>,
    /// Whether another host ran at all.
    others: bool,
}

#[derive(Serialize)]
struct Lonely {
    case: String,
    /// Why nobody passes it, as far as it was written down.
    reason: Option<String>,
    /// What the others did: glyph, letter, word, column.
    others: Vec<(char, char, &'static str, String)>,
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
    /// Whether a row without a case is a gap; else it may only not have been chosen.
    whole: bool,
    gaps: Vec<String>,
    excluded: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Faults {
    abi: String,
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
    /// Host, its version and the texts in which it did so.
    hosts: Vec<(String, String, Vec<String>)>,
}

pub(super) fn survey(model: &Model<'_>, s: &Survey) -> Value {
    let hosts = |columns: &[String]| {
        let mut out: Vec<(String, String, Vec<String>)> = Vec::new();
        let all = model.columns.iter().map(|c| c.view.column);
        for c in all.filter(|c| columns.contains(&c.name)) {
            let (host, version) = (safe(&c.host), safe(&short_version(&c.host_version)));
            let abi = safe(&c.abi);
            match out.iter_mut().find(|(h, v, _)| *h == host && *v == version) {
                Some((.., abis)) if abis.contains(&abi) => {}
                Some((.., abis)) => abis.push(abi),
                None => out.push((host, version, vec![abi])),
            }
        }
        out
    };
    let letters = ('A'..='Z').map(String::from);
    // More groups than letters: numbers.
    let names = letters.chain((27..).map(|n: u32| n.to_string()));
    let groups = names.zip(&s.groups).map(|(letter, g)| GroupView {
        letter,
        observed: g.observed.iter().map(|(w, a)| (safe(w), safe(a))).collect(),
        hosts: hosts(&g.columns),
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
    // What was not run has no coverage here.
    let ran = |abi: &&&Abi| model.columns.iter().any(|c| c.view.column.abi == abi.id);
    let coverage = options.abis.iter().filter(ran).map(|abi| {
        let tested = |id: &str| model.req_index.contains_key(id);
        let all = abi.requirements.iter();
        let open = all.clone().filter(|r| !tested(&r.id));
        Coverage {
            abi: safe(&abi.id),
            requirements: all.clone().count(),
            whole: model.is_whole(&abi.id),
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
    let faults = options.prove.iter().map(|(abi, p)| Faults {
        abi: safe(abi),
        planted: p.faults,
        killed: p.killed.len(),
        survived: p.survived.iter().map(|f| safe(f)).collect(),
        coarse: p.coarse.iter().map(|f| safe(f)).collect(),
        unproved: p.unproved_checks.len(),
        idle: p.idle_cases.len() + p.idle_surveys.len(),
    });
    let fine = |c: &&CanaryRow| c.cells.iter().flatten().all(|k| k.ok);
    Value::from(Serde(Trust {
        sang: canaries.iter().filter(fine).count(),
        canary_names,
        canaries,
        coverage: coverage.collect(),
        faults: faults.collect(),
        lonely: lonely(model, options.reasons),
        others: model.columns.iter().any(|c| !c.is_reference()),
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
    let mut rows: Vec<CanaryRow> = rows.collect();
    // Stable: what is wrong comes first, else the columns keep their order.
    rows.sort_by_key(|r| r.cells.iter().flatten().all(|k| k.ok));
    (names.iter().map(|n| safe(n)).collect(), rows)
}

/// Must cases that the reference host passes and that ran on a real proxy or library, but passed on
/// none: host and engine share our code, so these rest on our reading alone. Each with the reason that
/// was written down.
fn lonely(model: &Model<'_>, reasons: &[(String, String)]) -> Vec<Lonely> {
    let alone = lonely_cases(model);
    alone
        .into_iter()
        .map(|case| {
            let reason = reasons.iter().find(|(id, _)| *id == case.id);
            let others = model.columns.iter().filter(|c| !c.is_reference());
            let others = others.filter_map(|c| {
                let r = c.results.get(case.id.as_str())?;
                let m = mark(r.judgement.verdict);
                let word = r.judgement.verdict.word();
                Some((m.glyph, m.letter, word, safe(&c.name)))
            });
            Lonely {
                case: safe(&case.id),
                reason: reason.map(|(_, why)| safe(why)),
                others: others.collect(),
            }
        })
        .collect()
}

/// See [`lonely`]. Only cases that some other host could have passed are looked at.
pub(super) fn lonely_cases<'a>(model: &Model<'a>) -> Vec<&'a CaseLine> {
    let verdicts = |id: &str, ours: bool| {
        let columns = model.columns.iter().filter(|c| c.is_reference() == ours);
        let found = columns.filter_map(|c| c.results.get(id));
        found
            .map(|r| (r.judgement.verdict, r.judgement.level))
            .collect::<Vec<_>>()
    };
    let alone = |case: &&&CaseLine| {
        let ours = verdicts(&case.id, true);
        let others = verdicts(&case.id, false);
        let tried = others
            .iter()
            .any(|(v, _)| !matches!(v, Verdict::OutOfScope | Verdict::NotRun));
        let must = ours
            .iter()
            .any(|(v, l)| *v == Verdict::Pass && *l == Level::Must);
        must && tried && !others.iter().any(|(v, _)| *v == Verdict::Pass)
    };
    model.cases.iter().filter(alone).copied().collect()
}
