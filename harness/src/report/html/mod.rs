//! The HTML report: one static file for one or several records, opened from disk, without network.
//!
//! Overview, requirements, groups, coverage and timing are plain HTML; the cases of a requirement, case
//! pages and the view of the text are built in the browser from a block of JSON. Does not read files and knows no clock: the same records give the same bytes.

mod changes;
mod data;
mod matrix;
mod model;
mod overview;
#[cfg(test)]
mod tests;
mod text;
mod timing;
mod trust;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, context};
use sha2::{Digest as _, Sha256};

use crate::abi::Abi;
use crate::record::Record;
use crate::report::diff::Diff;
use crate::report::json::Prove;
use model::Model;

const TEMPLATE: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");
/// Before the first paint: where scripts run, sections wait until it is known which one is shown.
const EARLY: &str = r#"document.documentElement.classList.add("js")"#;
const SCRIPT: &str = concat!(
    "\"use strict\";\n(() => {\n",
    include_str!("js/base.js"),
    include_str!("js/filter.js"),
    include_str!("js/matrix.js"),
    include_str!("js/text.js"),
    include_str!("js/case.js"),
    include_str!("js/route.js"),
    "})();\n"
);

/// What a report may show beside records.
#[derive(Debug, Clone, Copy, Default)]
pub struct HtmlOptions<'a> {
    /// The ABI tables: they give the matrix the text's order, and coverage its gaps. Without them
    /// requirements stand in the order of the cases.
    pub abis: &'a [&'a Abi],
    /// What `pwspec prove` said of the suite, by ABI version.
    pub prove: &'a [(String, Prove)],
    /// What is different from an earlier run.
    pub diffs: &'a [Diff],
    /// Why must cases are passed by no host but our own: case id and reason.
    pub reasons: &'a [(String, String)],
}

/// Must cases of some records that the reference host passes and no other host that ran them does.
pub fn lonely(records: &[Record]) -> Vec<String> {
    let model = Model::new(records, &[]);
    let cases = trust::lonely_cases(&model);
    cases.into_iter().map(|c| c.id.clone()).collect()
}

/// A row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixRow {
    /// The heading of the text.
    pub section: String,
    /// The requirement.
    pub id: String,
    /// How binding.
    pub level: crate::abi::Level,
    /// How it fared in each column.
    pub fates: Vec<Option<crate::judge::Verdict>>,
}

/// The matrix of some records, in the text's order.
pub fn matrix_rows(records: &[Record], abis: &[&Abi]) -> Vec<MatrixRow> {
    let model = Model::new(records, abis);
    let rows = model.requirements.iter().zip(&model.fates);
    rows.map(|(r, fates)| MatrixRow {
        section: r.line.section.clone(),
        id: r.line.id.clone(),
        level: r.line.level,
        fates: fates.clone(),
    })
    .collect()
}

/// The report of some records; their columns make one matrix.
pub fn render(records: &[Record]) -> String {
    render_with(records, &HtmlOptions::default())
}

/// [`render`] with more to show.
pub fn render_with(records: &[Record], options: &HtmlOptions<'_>) -> String {
    let model = Model::new(records, options.abis);
    let mut env = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .expect("the usual delimiters are well formed");
    env.set_syntax(syntax);
    env.set_formatter(|out, _, value| {
        // Ready HTML stays, all else is text.
        match value.as_str() {
            _ if value.is_safe() || value.is_undefined() || value.is_none() => {
                write!(out, "{value}")?;
            }
            Some(text) => out.write_str(&escape(text))?,
            None => out.write_str(&escape(&value.to_string()))?,
        }
        Ok(())
    });
    env.add_filter("id", breakable);
    // The template is part of the program: a test renders every branch of it.
    env.add_template("report.html", TEMPLATE)
        .expect("the template of the report is well formed");
    let template = env
        .get_template("report.html")
        .expect("the template was added");
    template
        .render(context! {
            style => STYLE,
            script => SCRIPT,
            early => EARLY,
            early_hash => hash(EARLY),
            style_hash => hash(STYLE),
            script_hash => hash(SCRIPT),
            data => data::json(&model, options.abis),
            overview => overview::context(&model),
            matrix => matrix::context(&model),
            surveys => crate::report::surveys(records).iter().map(|s| trust::survey(&model, s)).collect::<Vec<_>>(),
            trust => trust::context(&model, options),
            timing => timing::context(&model),
            changes => options.diffs.iter().map(|d| changes::context(&model, d)).collect::<Vec<_>>(),
            texts => model.columns.iter().any(|c| options.abis.iter().any(|a| a.id == c.view.column.abi)),
            many => model.columns.len() > 5,
        })
        .expect("the template of the report names only what it is given")
}

/// Text for an element or a quoted attribute. The template engine also escapes slashes, which the
/// many ids of a matrix do without.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// An id that may break behind its slashes and underscores.
fn breakable(id: &str) -> Value {
    let text = escape(id);
    Value::from_safe_string(text.replace('/', "/<wbr>").replace('_', "_<wbr>"))
}

/// A hash source of a content security policy: only this very text may run.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(Sha256::digest(text.as_bytes())))
}
