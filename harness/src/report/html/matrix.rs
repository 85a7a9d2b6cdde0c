//! The matrix: sections of the text, their requirements, the cases of each, across columns.
//!
//! Does not know colours: a cell's class is its verdict's letter.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::judge::Verdict;
use crate::report::html::model::Model;
use crate::report::{mark, safe};

#[derive(Serialize)]
struct Matrix {
    columns: Vec<String>,
    sections: Vec<Section>,
}

#[derive(Serialize)]
struct Section {
    name: String,
    count: usize,
    requirements: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    level: String,
    seat: String,
    text: String,
    cells: Value,
    cases: Vec<CaseRow>,
}

#[derive(Serialize)]
struct CaseRow {
    index: usize,
    id: String,
    about: String,
    /// The first row of this case: the one that links lead to.
    first: bool,
    cells: Value,
}

pub(super) fn context(model: &Model<'_>) -> Value {
    let mut sections: Vec<Section> = Vec::new();
    let mut seen = vec![false; model.cases.len()];
    for req in &model.requirements {
        let name = safe(&req.line.section);
        if sections.last().is_none_or(|s| s.name != name) {
            sections.push(Section {
                name,
                count: 0,
                requirements: Vec::new(),
            });
        }
        let fates = model.columns.iter().map(|c| model.fate(req, c));
        let cases = req.cases.iter().map(|i| {
            let case = model.cases[*i];
            let results = model.columns.iter().map(|c| {
                let result = c.results.get(case.id.as_str());
                result.map(|r| r.judgement.verdict)
            });
            CaseRow {
                index: *i,
                id: safe(&case.id),
                about: safe(&case.about),
                first: !std::mem::replace(&mut seen[*i], true),
                cells: cells(results),
            }
        });
        let row = Row {
            id: safe(&req.line.id),
            level: req.line.level.to_string(),
            seat: req.line.seat.to_string(),
            text: safe(&req.line.text),
            cells: cells(fates),
            cases: cases.collect(),
        };
        if let Some(section) = sections.last_mut() {
            section.count += 1;
            section.requirements.push(row);
        }
    }
    Value::from(Serde(Matrix {
        columns: model.columns.iter().map(|c| safe(&c.name)).collect(),
        sections,
    }))
}

/// The cells of a row. Only our own words are in them, so they are ready HTML; end tags of cells
/// may be left out, which in a large matrix is a tenth of its size.
fn cells(verdicts: impl Iterator<Item = Option<Verdict>>) -> Value {
    let mut out = String::new();
    for v in verdicts {
        match v {
            None => out.push_str("<td>"),
            Some(v) => {
                let m = mark(v);
                let (g, l) = (m.glyph, m.letter);
                out.push_str(&format!("<td class={l} aria-label={v}>{g}{l}"));
            }
        }
    }
    Value::from_safe_string(out)
}
