//! What is different from an earlier run.
//!
//! Does not compare: that is done by then.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::judge::Verdict;
use crate::report::diff::{Change, Diff, Kind};
use crate::report::html::model::Model;
use crate::report::{mark, safe, safe_lines, safe_short};

#[derive(Serialize)]
struct View {
    line: String,
    bad: bool,
    began: String,
    suites: Option<(String, String)>,
    columns: Vec<Column>,
    only: Vec<(String, &'static str)>,
    kinds: Vec<KindView>,
}

#[derive(Serialize)]
struct Column {
    name: String,
    /// Its name in the earlier run, where that is another one.
    base: Option<String>,
    was: String,
    is: String,
    same: u32,
}

#[derive(Serialize)]
struct KindView {
    word: &'static str,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    case: String,
    column: String,
    level: String,
    was: Option<(char, char, &'static str)>,
    is: Option<(char, char, &'static str)>,
    why: String,
    known: bool,
    program_changed: bool,
    trace: Option<String>,
    /// Whether it has a page here.
    here: bool,
}

pub(super) fn context(model: &Model<'_>, diff: &Diff) -> Value {
    let kinds = Kind::ALL.into_iter().filter_map(|kind| {
        let rows = diff.changes.iter().filter(|c| c.kind == kind);
        let rows: Vec<Row> = rows.map(|c| row(model, c)).collect();
        (!rows.is_empty()).then(|| KindView {
            word: kind.words(),
            rows,
        })
    });
    let suites = (diff.base.suite_digest != diff.head.suite_digest).then(|| {
        let suite = |s: &crate::report::diff::Side| {
            let short: String = s.suite_digest.chars().take(12).collect();
            safe(&format!("{} ({short})", s.suite))
        };
        (suite(&diff.base), suite(&diff.head))
    });
    let old = diff
        .only_base
        .iter()
        .map(|c| (safe(c), "only in the earlier run"));
    let new = diff.only_head.iter().map(|c| (safe(c), "only here"));
    Value::from(Serde(View {
        line: safe(&diff.line()),
        bad: diff.count(Kind::Broken) > 0,
        began: safe(&diff.base.began),
        suites,
        columns: diff
            .columns
            .iter()
            .map(|c| {
                let (was, is) = c.lines();
                Column {
                    name: safe(&c.column),
                    base: (c.base_column != c.column).then(|| safe(&c.base_column)),
                    was: safe(&was),
                    is: safe(&is),
                    same: c.same,
                }
            })
            .collect(),
        only: old.chain(new).collect(),
        kinds: kinds.collect(),
    }))
}

fn row(model: &Model<'_>, c: &Change) -> Row {
    let verdict = |v: Verdict| (mark(v).glyph, mark(v).letter, v.word());
    Row {
        case: safe(&c.case),
        column: safe(&c.column),
        level: c.level.to_string(),
        was: c.was.map(verdict),
        is: c.is.map(verdict),
        why: safe_short(&c.why, 300),
        known: c.known,
        program_changed: c.program_changed,
        trace: c.trace.as_deref().map(safe_lines),
        here: c.is.is_some() && model.cases.iter().any(|k| k.id == c.case),
    }
}
