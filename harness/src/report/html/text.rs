//! The text of each version as the browser shows it: every requirement in the text's order, those
//! without a case too.
//!
//! Does not know how rows look.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::abi::{Abi, Callback, Hostcall, Level, Seat};
use crate::report::html::model::{Model, chapter, chapter_place};
use crate::report::{mark, safe};

/// The rows of all texts, and per version the sections with their rows.
pub(super) struct Texts {
    /// `[id, level, seat, section, text, ruling, excluded, fates]`; those with cases come first, in the
    /// order of the model's requirements.
    pub rows: Vec<Value>,
    /// `[version, [[section, what it is, [row…]]…], whole]`; not whole: a row without a case may only
    /// not have been chosen.
    pub versions: Vec<Value>,
}

/// One reading of a requirement.
#[derive(PartialEq, Eq, Hash)]
struct Reading<'a> {
    id: &'a str,
    level: Level,
    seat: Seat,
    section: &'a str,
    text: &'a str,
    ruling: Option<&'a str>,
    excluded: Option<&'a str>,
}

impl Reading<'_> {
    fn json(&self, fates: &str) -> Value {
        json!([
            safe(self.id),
            self.level,
            self.seat,
            safe(self.section),
            safe(self.text),
            self.ruling.map(safe),
            self.excluded.map(safe),
            fates
        ])
    }
}

pub(super) fn texts(model: &Model<'_>, abis: &[&Abi]) -> Texts {
    let mut index: HashMap<Reading<'_>, usize> = HashMap::new();
    let mut rows: Vec<Value> = Vec::new();
    for (i, req) in model.requirements.iter().enumerate() {
        let l = req.line;
        let reading = Reading {
            id: &l.id,
            level: l.level,
            seat: l.seat,
            section: &l.section,
            text: &l.text,
            ruling: l.ruling.as_deref(),
            excluded: None,
        };
        rows.push(reading.json(&fates(model, i)));
        index.insert(reading, i);
    }
    let shown = abis.iter().filter(|a| {
        // A version of which nothing was run has no strips to show.
        model.columns.iter().any(|c| c.view.column.abi == a.id)
    });
    let mut versions = Vec::new();
    for abi in shown {
        let mut sections: Vec<(&str, Vec<usize>)> = functions(abi);
        for r in &abi.requirements {
            let reading = Reading {
                id: &r.id,
                level: r.level,
                seat: r.seat,
                section: &r.section,
                text: &r.text,
                ruling: r.ruling.as_deref(),
                excluded: r.excluded.as_deref(),
            };
            let at = *index.entry(reading).or_insert_with_key(|reading| {
                let case = model.req_index.get(reading.id);
                rows.push(reading.json(&case.map_or(String::new(), |i| fates(model, *i))));
                rows.len() - 1
            });
            match sections.iter_mut().find(|(s, _)| *s == r.section) {
                Some((_, all)) => all.push(at),
                None => sections.push((&r.section, vec![at])),
            }
        }
        let sections = sections.iter().map(|(section, all)| {
            let name = section.rsplit(": ").next().unwrap_or(section);
            json!([safe(section), signature(abi, name), all])
        });
        let whole = model.is_whole(&abi.id);
        versions.push(json!([safe(&abi.id), sections.collect::<Vec<_>>(), whole]));
    }
    Texts { rows, versions }
}

/// The sections of a text: those of its requirements in their order, and behind those of the same
/// chapter the functions that have no requirement at all.
fn functions(abi: &Abi) -> Vec<(&str, Vec<usize>)> {
    let mut out: Vec<&str> = Vec::new();
    for r in &abi.requirements {
        if !out.contains(&r.section.as_str()) {
            out.push(&r.section);
        }
    }
    let hostcalls = abi.hostcalls.iter().map(|h| h.section.as_str());
    let exports = abi.callbacks.iter().map(|c| c.section.as_str());
    for section in hostcalls.chain(exports) {
        if out.contains(&section) {
            continue;
        }
        let same = out.iter().rposition(|s| chapter(s) == chapter(section));
        out.insert(same.map_or(out.len(), |i| i + 1), section);
    }
    let places: Vec<usize> = out.iter().map(|s| chapter_place(&out, s)).collect();
    let mut placed: Vec<(usize, &str)> = places.into_iter().zip(out).collect();
    // Stable: within a chapter the order stays.
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, s)| (s, Vec::new())).collect()
}

/// A letter a column, a point where there is no result.
fn fates(model: &Model<'_>, requirement: usize) -> String {
    let all = model.fates[requirement].iter();
    all.map(|v| v.map_or('.', |v| mark(v).letter)).collect()
}

/// What a function takes, in the text's words: `map_id, key → value`.
fn signature(abi: &Abi, name: &str) -> Value {
    let bare = name.rsplit('.').next().unwrap_or(name);
    let hostcall: Option<&Hostcall> = abi.hostcall(bare);
    let callback: Option<&Callback> = abi.callback(name);
    let (kind, params) = match (hostcall, callback) {
        (Some(h), _) => ("hostcall", &h.params),
        (None, Some(c)) => ("callback", &c.params),
        (None, None) => return Value::Null,
    };
    let names = |out: bool| {
        let some = params.iter().filter(|p| p.ty.is_out() == out);
        some.map(|p| safe(&p.name)).collect::<Vec<_>>().join(", ")
    };
    let (ins, outs) = (names(false), names(true));
    json!([kind, ins, outs])
}
