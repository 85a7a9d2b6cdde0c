//! The HTML report: one static file for one or several records, opened from disk, without network.
//!
//! Overview, matrix, groups and coverage are plain HTML; case pages are built in the browser from a
//! block of JSON. Does not read files and knows no clock: the same records give the same bytes.

mod data;
mod matrix;
mod model;
mod overview;
mod trust;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, context};
use sha2::{Digest as _, Sha256};

use crate::abi::Abi;
use crate::record::Record;
use crate::report::json::Prove;
use model::Model;

const TEMPLATE: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");
/// Before the first paint: where scripts run, sections wait until it is known which one is shown.
const EARLY: &str = r#"document.documentElement.classList.add("js")"#;
const SCRIPT: &str = include_str!("report.js");

/// What a report may show beside records.
#[derive(Debug, Clone, Copy, Default)]
pub struct HtmlOptions<'a> {
    /// The ABI tables: they give the matrix the text's order, and coverage its gaps. Without them
    /// requirements stand in the order of the cases.
    pub abis: &'a [&'a Abi],
    /// What `pwspec prove` said of the suite.
    pub prove: Option<&'a Prove>,
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
    env.add_filter("id", breakable);
    env.add_filter("attr", |text: &str| Value::from_safe_string(escape(text)));
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
            data => data::json(&model),
            overview => overview::context(&model),
            matrix => matrix::context(&model),
            surveys => crate::report::surveys(records).iter().map(trust::survey).collect::<Vec<_>>(),
            trust => trust::context(&model, options),
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
