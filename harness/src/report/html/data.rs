//! The block of JSON from which the browser builds case pages.
//!
//! Everything that repeats stands once: lines of text in one table, lists in another, and results
//! are numbers. Does not know how a page looks.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::abi::{Abi, Level};
use crate::judge::{Gate, Outcome, Verdict};
use crate::record::ResultLine;
use crate::report::copies::readable;
use crate::report::html::model::Model;
use crate::report::html::text::texts;
use crate::report::{
    again, host_named, mark, safe, safe_lines, short_version, text_link, trace_text, words,
};
use crate::trace::{Blob, Canon};

/// So much of a host log and of the wire is in a report; the record has it all.
const LOG: usize = 2_000;

/// The data as JSON that may stand between `<script>` tags.
pub(super) fn json(model: &Model<'_>, abis: &[&Abi]) -> String {
    let mut pool = Pool::default();
    let results: Vec<Value> = model
        .columns
        .iter()
        .map(|column| {
            let row = model.cases.iter().map(|case| {
                let result = column.results.get(case.id.as_str());
                result.map_or(json!(0), |r| one(r, model, &mut pool))
            });
            row.collect()
        })
        .collect();
    let columns = model.columns.iter().map(|c| {
        let again = again("CASE", c.view.column, c.command);
        json!({
            "name": safe(&c.name), "abi": safe(&c.view.column.abi),
            "host": safe(&c.view.column.host), "version": safe(&c.view.column.host_version),
            "short": safe(&short_version(&c.view.column.host_version)),
            "dialect": c.view.column.dialect, "reference": c.is_reference(), "beside": model.reference(c), "again": safe(&again),
            "target": safe(&host_named(c.view.column, c.command)),
        })
    });
    let cases = model.cases.iter().map(|c| {
        let reqs = c.requirements.iter();
        let reqs = reqs.filter_map(|r| model.req_index.get(r.id.as_str()));
        json!({
            "id": safe(&c.id), "about": safe(&c.about), "area": safe(&c.area),
            "file": safe(&c.file), "line": c.line,
            "indent": c.indent, "yaml": pool.lines(safe_lines(&c.yaml).lines()),
            "reqs": reqs.collect::<Vec<_>>(), "tags": c.tags,
            "level": level(model, &c.id).or(c.requirements.iter().map(|r| r.level).max()),
        })
    });
    let texts = texts(model, abis);
    let verdicts = Verdict::ALL.map(|v| json!([v.word(), mark(v).glyph, mark(v).letter]));
    let (columns, cases) = (columns.collect::<Vec<_>>(), cases.collect::<Vec<_>>());
    let all = json!({
        "verdicts": verdicts, "columns": columns,
        "reqs": texts.rows, "texts": texts.versions, "link": text_link("VERSION", ""),
        "matrix": model.requirements.iter().map(|r| &r.cases).collect::<Vec<_>>(),
        "cases": cases, "results": results,
        "lines": pool.lines, "lists": pool.lists,
    });
    // Nothing in here may end the script element or begin a comment in it.
    all.to_string()
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// The level at which a case was judged.
fn level(model: &Model<'_>, case: &str) -> Option<Level> {
    let results = model.columns.iter().filter_map(|c| c.results.get(case));
    results.map(|r| r.judgement.level).max()
}

/// A result: verdict, gate, checks, their lines in the trace, trace, observations, words,
/// host log, wire, tenths of a millisecond, drift, whether it failed only in company.
fn one(r: &ResultLine, model: &Model<'_>, pool: &mut Pool) -> Value {
    let j = &r.judgement;
    let attempt = r.attempts.last();
    let canon = attempt.map(trace_text).unwrap_or_default();
    let checks: Vec<Value> = j
        .checks
        .iter()
        .map(|c| {
            let outcome = match c.outcome {
                Outcome::Pass => 0,
                Outcome::Fail => 1,
                Outcome::Unreached => 2,
            };
            let req = model.req_index.get(c.req.as_str());
            let req = req.map_or_else(|| json!(safe(&c.req)), |i| json!(i));
            json!([
                safe(&c.name),
                req,
                c.level,
                u8::from(c.control),
                outcome,
                pool.line(&safe(&c.expected)),
                pool.line(&safe(&c.got)),
                c.line,
                c.column
            ])
        })
        .collect();
    let marks: Vec<u32> = j.checks.iter().map(|c| place(&canon, c.event)).collect();
    let observed = j.observed.iter().map(|(w, a)| json!([safe(w), safe(a)]));
    let observed = observed.collect::<Vec<_>>();
    let mut said: Vec<String> = words(r).iter().map(|w| safe(w)).collect();
    let gate = gate(&r.gate, &mut said);
    let blob = |b: Option<&Blob>, pool: &mut Pool| {
        b.map_or(json!(0), |b| pool.lines(readable(b, LOG).lines()))
    };
    json!([
        j.verdict as u8,
        gate,
        pool.list(checks.into()),
        pool.list(marks.into()),
        pool.blocks(&safe_lines(&canon.text)),
        pool.list(observed.into()),
        pool.lines(said.iter().map(String::as_str)),
        blob(attempt.and_then(|a| a.host_log.as_ref()), pool),
        blob(attempt.and_then(|a| a.wire.as_ref()), pool),
        attempt.map_or(0, |a| a.micros) / 100,
        drift(r, pool),
        u8::from(r.company),
    ])
}

/// What differs from the snapshot: nothing, or the lines of the difference.
fn drift(r: &ResultLine, pool: &mut Pool) -> Value {
    match &r.drift {
        None => json!(0),
        // That there is no snapshot yet is no difference.
        Some(d) if d.new => json!(0),
        Some(d) => pool.lines(safe_lines(&d.diff).lines()),
    }
}

fn place(canon: &Canon, event: Option<(u32, u32)>) -> u32 {
    let line = event.and_then(|e| canon.lines.get(&e));
    line.copied().unwrap_or(0)
}

/// One word for the gate; what it explains goes to the words.
fn gate(gate: &Gate, said: &mut Vec<String>) -> &'static str {
    match gate {
        Gate::Expected => "",
        Gate::Known { why, .. } => {
            said.push(format!("known: {}", safe(why)));
            "known"
        }
        Gate::UnexpectedFailure => "unexpected failure",
        Gate::UnexpectedPass { .. } => "unexpected pass",
        Gate::ChangedReason { how, .. } => {
            said.push(format!("known, but now: {}", safe(how)));
            "unexpected: changed reason"
        }
    }
}

/// Lines and lists that were seen before are numbers.
#[derive(Default)]
struct Pool {
    lines: Vec<String>,
    line_index: HashMap<String, usize>,
    lists: Vec<Value>,
    list_index: HashMap<String, usize>,
}

impl Pool {
    fn line(&mut self, text: &str) -> usize {
        if let Some(i) = self.line_index.get(text) {
            return *i;
        }
        self.lines.push(text.to_owned());
        self.line_index
            .insert(text.to_owned(), self.lines.len() - 1);
        self.lines.len() - 1
    }

    fn list(&mut self, list: Value) -> Value {
        let key = list.to_string();
        let next = self.lists.len();
        let i = *self.list_index.entry(key).or_insert(next);
        if i == next {
            self.lists.push(list);
        }
        json!(i)
    }

    fn lines<'t>(&mut self, lines: impl Iterator<Item = &'t str>) -> Value {
        let list: Vec<usize> = lines.map(|l| self.line(l)).collect();
        self.list(list.into())
    }

    /// A text whose lines stand in blocks: a line and those behind it that are indented. Blocks come
    /// again in many traces, so a trace is a list of lists.
    fn blocks(&mut self, text: &str) -> Value {
        let lines: Vec<&str> = text.lines().collect();
        let blocks = lines.chunk_by(|_, next| next.starts_with(' '));
        let blocks: Vec<Value> = blocks.map(|b| self.lines(b.iter().copied())).collect();
        self.list(blocks.into())
    }
}
