//! A program as the YAML of a suite file.
//!
//! Every text is written in double quotes, as JSON does it, so nothing in it can mean anything else. Does
//! not know why somebody wants it.

use std::fmt::Write as _;

use crate::fuzz::plan::{Data, Field, Message, Way};
use crate::fuzz::program::{Arg, Block, Call, Program, Step};

/// What a written case looks at: a requirement, and what of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The requirement.
    pub req: String,
    /// As `observe` of a case says it.
    pub what: String,
}

/// The head of a suite file and its one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading<'a> {
    /// The suite: `fuzz/buffers_1`.
    pub suite: &'a str,
    /// What the case is about.
    pub about: &'a str,
    /// Lines of comment above it.
    pub comment: &'a str,
    /// What it looks at.
    pub watched: &'a Watched,
}

/// The one case of a written suite.
pub const CASE: &str = "differs";

/// The text of a suite file that holds this program.
pub fn suite(program: &Program, heading: &Heading<'_>) -> String {
    let mut out = String::new();
    for line in heading.comment.lines() {
        let _ = writeln!(out, "# {line}");
    }
    let _ = writeln!(out, "version: 1");
    let _ = writeln!(out, "suite: {}", heading.suite);
    let _ = writeln!(out, "about: Random programs on which two hosts differ");
    let _ = writeln!(out, "since: 0.1.0");
    let _ = writeln!(out, "cases:");
    let _ = writeln!(out, "  - id: {CASE}");
    let _ = writeln!(out, "    about: {}", quoted(heading.about));
    let _ = writeln!(out, "    abi: [{}]", program.abi);
    let (vm, plugin) = program.configs;
    for (key, config) in [("vm_config", vm), ("config", plugin)] {
        if !config.is_empty() {
            let _ = writeln!(out, "    {key}: {}", data(config));
        }
    }
    if program.steps() > 0 {
        let _ = writeln!(out, "    program:");
        program.blocks.iter().for_each(|b| block(b, &mut out));
    }
    exchange(program, &mut out);
    let Watched { req, what } = heading.watched;
    let what = quoted(what);
    let _ = writeln!(out, "    observe: [{{req: {}, what: {what}}}]", quoted(req));
    out
}

fn block(block: &Block, out: &mut String) {
    let key = format!("{}{}", block.place.callback(), block.select);
    let _ = writeln!(out, "      {}:", quoted(&key));
    for step in &block.steps {
        match step {
            Step::Call(c) => call(c, out),
            Step::Pause => drop(writeln!(out, "        - return: PAUSE")),
            Step::Resume(way) => drop(writeln!(out, "        - resume: {}", way.word())),
        }
    }
}

impl Way {
    /// As cases write it.
    pub fn word(self) -> &'static str {
        match self {
            Way::Request => "request",
            Way::Response => "response",
        }
    }
}

fn call(call: &Call, out: &mut String) {
    let _ = writeln!(out, "        - call: {}", call.hostcall);
    if !call.with.is_empty() {
        let with = call.with.iter();
        let with: Vec<String> = with.map(|(k, v)| format!("{k}: {}", arg(v))).collect();
        let _ = writeln!(out, "          with: {{{}}}", with.join(", "));
    }
    if let Some((from, name)) = &call.save {
        let _ = writeln!(out, "          save: {{{from}: {name}}}");
    }
}

fn arg(arg: &Arg) -> String {
    match arg {
        Arg::Word(word) => word.clone(),
        Arg::Number(n) => n.to_string(),
        Arg::Signed(n) => n.to_string(),
        Arg::Data(d) => data(*d),
        Arg::Pairs(pairs) => {
            let pairs = pairs.iter();
            list(pairs.map(|(k, v)| format!("[{}, {}]", quoted(k), data(*v))))
        }
        Arg::Pieces(pieces) => list(pieces.iter().map(|d| data(*d))),
        Arg::Unique(name) => format!("{{unique: {name}}}"),
        Arg::Upstream => "{upstream: a}".to_owned(),
        Arg::Saved(name) => format!("{{saved: {name}}}"),
        Arg::Stream => "{context: stream 1}".to_owned(),
        Arg::Plugin => "{context: plugin}".to_owned(),
    }
}

fn exchange(program: &Program, out: &mut String) {
    let _ = writeln!(out, "    exchange:");
    let method = format!("method: {}, path: {}", program.method, quoted(program.path));
    let _ = writeln!(
        out,
        "      request: {{{method}{}}}",
        message(&program.request)
    );
    let status = format!("status: {}", program.status);
    let _ = writeln!(
        out,
        "      upstream: {{{status}{}}}",
        message(&program.response)
    );
    if let Some(answer) = &program.answer {
        let _ = writeln!(
            out,
            "      upstreams: {{a: [{{status: 200{}}}]}}",
            message(answer)
        );
    }
}

fn message(m: &Message) -> String {
    let mut out = String::new();
    let fields = |all: &[Field]| list(all.iter().map(|(k, v)| format!("[{k}, {}]", data(*v))));
    if !m.fields.is_empty() {
        let _ = write!(out, ", headers: {}", fields(&m.fields));
    }
    if !m.body.is_empty() {
        let _ = write!(out, ", body: {}", list(m.body.iter().map(|d| data(*d))));
    }
    if !m.trailers.is_empty() {
        let _ = write!(out, ", trailers: {}", fields(&m.trailers));
    }
    out
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn data(data: Data) -> String {
    match data {
        Data::Text(text) => quoted(text),
        Data::Raw(bytes) => {
            let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
            format!("{{hex: {}}}", quoted(&hex.join(" ")))
        }
        Data::Fill(pattern, len) => format!("{{fill: {}, len: {len}}}", quoted(pattern)),
    }
}

/// A text in double quotes, as YAML and JSON both read it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
