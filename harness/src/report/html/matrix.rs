//! The matrix as plain HTML: sections of the text, their requirements, across columns. The browser
//! adds the cases of a requirement when its section is opened.
//!
//! Does not know colours: a cell's class is its verdict's letter.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::judge::Verdict;
use crate::report::html::model::{Model, badness};
use crate::report::{mark, safe, short_version};

#[derive(Serialize)]
struct Matrix {
    hosts: Vec<Head>,
    /// The columns' ABIs and full names, in order.
    columns: Vec<(String, String)>,
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Head {
    name: String,
    /// As short as a column needs it.
    version: String,
    /// Host and version in full.
    title: String,
    span: usize,
}

/// A chapter of the text.
#[derive(Serialize)]
struct Group {
    name: String,
    sections: Vec<Section>,
}

/// A function or a paragraph of a chapter.
#[derive(Serialize)]
struct Section {
    name: String,
    /// Whether the name is that of a function.
    function: bool,
    cells: Value,
    requirements: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    level: String,
    seat: String,
    text: String,
    ruling: Option<String>,
    cells: Value,
}

pub(super) fn context(model: &Model<'_>) -> Value {
    let mut groups: Vec<Group> = Vec::new();
    let mut last: Option<(&str, Vec<usize>)> = None;
    for (i, req) in model.requirements.iter().enumerate() {
        let section = req.line.section.as_str();
        let (chapter, name) = section.rsplit_once(": ").unwrap_or((section, ""));
        if groups.last().is_none_or(|g| g.name != safe(chapter)) {
            close(&mut groups, model, last.take());
            groups.push(Group {
                name: safe(chapter),
                sections: Vec::new(),
            });
        }
        if last.as_ref().is_none_or(|(s, _)| *s != section) {
            close(&mut groups, model, last.take());
            if let Some(group) = groups.last_mut() {
                group.sections.push(Section {
                    name: safe(if name.is_empty() { "In general" } else { name }),
                    function: !name.is_empty() && !name.contains(' '),
                    cells: Value::UNDEFINED,
                    requirements: Vec::new(),
                });
            }
            last = Some((section, Vec::new()));
        }
        if let Some((_, rows)) = &mut last {
            rows.push(i);
        }
        let row = Row {
            id: safe(&req.line.id),
            level: req.line.level.to_string(),
            seat: req.line.seat.to_string(),
            text: safe(&req.line.text),
            ruling: req.line.ruling.as_deref().map(safe),
            cells: cells(&model.fates[i]),
        };
        let section = groups.last_mut().and_then(|g| g.sections.last_mut());
        if let Some(section) = section {
            section.requirements.push(row);
        }
    }
    close(&mut groups, model, last);
    Value::from(Serde(Matrix {
        hosts: model
            .hosts()
            .iter()
            .map(|h| Head {
                name: safe(h.name),
                version: safe(&short_version(h.version)),
                title: safe(&format!("{} {}", h.name, h.version)),
                span: h.columns.len(),
            })
            .collect(),
        columns: model
            .columns
            .iter()
            .map(|c| (safe(&c.view.column.abi), safe(&c.name)))
            .collect(),
        groups,
    }))
}

/// Sums up the section whose requirements these were.
fn close(groups: &mut [Group], model: &Model<'_>, rows: Option<(&str, Vec<usize>)>) {
    let section = groups.last_mut().and_then(|g| g.sections.last_mut());
    if let (Some(section), Some((_, rows))) = (section, rows) {
        section.cells = sums(model, &rows);
    }
}

/// The cells of a row. Only our own words are in them, so they are ready HTML; end tags of cells
/// may be left out, which in a large matrix is a tenth of its size.
fn cells(verdicts: &[Option<Verdict>]) -> Value {
    let mut out = String::new();
    for v in verdicts {
        match v {
            None => out.push_str("<td>"),
            Some(v) => {
                let m = mark(*v);
                let (g, l) = (m.glyph, m.letter);
                out.push_str(&format!("<td class={l}>{g}{l}"));
            }
        }
    }
    Value::from_safe_string(out)
}

/// The worst of several requirements in each column, and how many of them fared so.
fn sums(model: &Model<'_>, rows: &[usize]) -> Value {
    let mut out = String::new();
    for c in 0..model.columns.len() {
        let fates: Vec<Verdict> = rows.iter().filter_map(|r| model.fates[*r][c]).collect();
        let Some(worst) = fates.iter().copied().max_by_key(|v| badness(*v)) else {
            out.push_str("<td>");
            continue;
        };
        let m = mark(worst);
        let (g, l) = (m.glyph, m.letter);
        let fine = matches!(worst, Verdict::Pass | Verdict::Survey);
        let n = fates.iter().filter(|v| **v == worst).count();
        out.push_str(&format!("<td class={l}>{g}{l}"));
        if !fine && worst != Verdict::OutOfScope {
            out.push_str(&format!("<i>{n}</i>"));
        }
    }
    Value::from_safe_string(out)
}
