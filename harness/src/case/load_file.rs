//! Loading one suite: its cases, each resolved in every version, and every problem at once.
//!
//! Does no I/O, and does not know other files.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::abi::{Abi, Level, PluginType};
use crate::case::model::{Case, Env, Resolved, Source, Unavailable};
use crate::case::problem::{Problem, nearest};
use crate::case::resolve::{Known, Outcome, resolve};
use crate::case::schema::{CaseFile, Need, SuiteFile};
use crate::case::tree::{self, Note};
use crate::case::yaml::{self, Path};
use crate::case::{Check, Exchange, Play};

/// What a file holds, and what is wrong with it.
pub(super) type Loaded = (Vec<Case>, Vec<Problem>);

/// Reads a suite. `path` is the file's below `specs/`.
pub(super) fn load_file(path: &str, text: &str, known: &Known<'_>) -> Loaded {
    let shown = &format!("specs/{path}");
    let (mut cases, mut problems) = (Vec::new(), Vec::new());
    let tree = match yaml::parse(text) {
        Ok(tree) => tree,
        Err((message, line, column)) => {
            problems.push(Problem {
                file: shown.to_owned(),
                line,
                column,
                message,
                help: None,
            });
            return (cases, problems);
        }
    };
    let (file, mut notes) = tree::read::<SuiteFile>(&tree);
    let root = Path::default();
    if let Some(file) = file {
        let expected = path.trim_start_matches("cases/").trim_end_matches(".yaml");
        if file.version != 1 {
            notes.push(note(&root.key("version"), "expected `version: 1`"));
        }
        if file.suite != expected {
            notes.push(note(
                &root.key("suite"),
                &format!("expected `{expected}`, after the file's path"),
            ));
        }
        if file.cases.0.is_empty() && tree.get("cases").is_some() && notes.is_empty() {
            notes.push(note(&root.key("cases"), "a suite without a case"));
        }
        let shared: Arc<str> = text.into();
        for (i, case) in &file.cases.0 {
            let at = root.key("cases").index(*i);
            cases.push(load_case(
                case, &file, &at, shown, &shared, known, &mut notes,
            ));
        }
    }
    let mut told = BTreeSet::new();
    for n in notes {
        let (line, column) = yaml::locate(text, &n.path);
        if told.insert((line, column, n.message.clone())) {
            problems.push(Problem {
                file: shown.to_owned(),
                line,
                column,
                message: n.message,
                help: n.help,
            });
        }
    }
    (cases, problems)
}

fn note(path: &Path, message: &str) -> Note {
    Note {
        path: path.clone(),
        message: message.to_owned(),
        help: None,
    }
}

fn load_case(
    file: &CaseFile,
    suite: &SuiteFile,
    at: &Path,
    shown: &str,
    text: &Arc<str>,
    known: &Known<'_>,
    notes: &mut Vec<Note>,
) -> Case {
    if !file
        .id
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    {
        notes.push(note(
            &at.key("id"),
            "an id is lower-case letters, digits and `_`",
        ));
    }
    let versions: Vec<&Abi> = known
        .abis
        .iter()
        .copied()
        .filter(|a| a.dialect_of.is_none())
        .collect();
    if let Some(wanted) = &file.abi {
        for (i, id) in &wanted.0 {
            if !versions.iter().any(|v| v.id == *id) {
                notes.push(Note {
                    path: at.key("abi").index(*i),
                    message: format!("unknown ABI version `{id}`"),
                    help: nearest(id, versions.iter().map(|v| v.id.as_str())),
                });
            }
        }
    }
    let env = Env {
        token: "0",
        upstream: &|name| name.to_owned(),
        function: &|name| name.to_owned(),
    };
    let mut reasons = Vec::new();
    let mut found: Vec<(&Abi, Resolved)> = Vec::new();
    for version in versions {
        let wanted = file
            .abi
            .as_ref()
            .map(|l| l.items().any(|id| *id == version.id));
        if wanted == Some(false) {
            continue;
        }
        let Outcome {
            resolved,
            notes: more,
        } = resolve(file, at, version, known, &env);
        match resolved {
            Ok(r) => {
                found.push((version, r));
                notes.extend(more);
            }
            Err(Unavailable::NotInVersion(what) | Unavailable::NoCounterpart(what)) => {
                reasons.push(format!("{} has no {what}", version.id));
                if wanted == Some(true) {
                    notes.push(note(
                        &at.key("abi"),
                        &format!("{} has no {what}", version.id),
                    ));
                }
                // What the version lacks explains nothing about the rest of the case.
                notes.extend(more);
            }
        }
    }
    if found.is_empty() && file.abi.is_none() && !reasons.is_empty() {
        notes.push(note(
            at,
            &format!("the case exists in no ABI version: {}", reasons.join("; ")),
        ));
    }
    let id = format!("{}/{}", suite.suite, file.id);
    let (line, _) = case_line(text, &file.id, at);
    Case {
        area: suite.suite.split('/').next().unwrap_or_default().to_owned(),
        suite: suite.suite.clone(),
        about: file.about.clone(),
        since: file.since.clone().unwrap_or_else(|| suite.since.clone()),
        file: shown.to_owned(),
        line,
        indent: text
            .lines()
            .nth(line.saturating_sub(1) as usize)
            .map_or(0, indent),
        yaml: case_text(text, line),
        tags: file.tags.items().cloned().collect(),
        abi: found.iter().map(|(a, _)| a.id.clone()).collect(),
        covers: covers(&found),
        level: found
            .iter()
            .flat_map(|(_, r)| r.checks.iter())
            .filter(|c| !c.control)
            .map(|c| c.level)
            .max()
            .unwrap_or(Level::Survey),
        needs: needs(file, &found),
        source: Arc::new(Source {
            file: file.clone(),
            text: text.clone(),
            path: at.clone(),
        }),
        id,
    }
}

fn covers(found: &[(&Abi, Resolved)]) -> Vec<String> {
    let mut out = Vec::new();
    for (_, r) in found {
        let checks = r
            .checks
            .iter()
            .filter(|c: &&Check| !c.control)
            .map(|c| &c.req);
        for req in checks.chain(r.observations.iter().map(|o| &o.req)) {
            if !out.contains(req) {
                out.push(req.clone());
            }
        }
    }
    out
}

/// What was written, and what the loader can see by itself.
fn needs(file: &CaseFile, found: &[(&Abi, Resolved)]) -> BTreeSet<Need> {
    let mut out: BTreeSet<Need> = file.needs.items().copied().collect();
    let Some((_, r)) = found.first() else {
        return out;
    };
    match r.plugin_type {
        PluginType::Http => {}
        PluginType::Tcp => drop(out.insert(Need::Tcp)),
        PluginType::Service => drop(out.insert(Need::Service)),
    }
    let streams = &r.exchange.streams;
    let mut when = |yes: bool, need| {
        if yes {
            out.insert(need);
        }
    };
    when(
        streams.iter().any(|s| !s.request.trailers.is_empty()),
        Need::RequestTrailers,
    );
    when(
        streams.iter().any(|s| !s.answer.trailers.is_empty()),
        Need::ResponseTrailers,
    );
    when(!r.exchange.grpc.is_empty(), Need::Grpc);
    when(streams.iter().any(|s| s.request.http2), Need::Http2);
    when(r.functions, Need::ForeignFunction);
    let foreign = |p: &Play| matches!(p, Play::Foreign { .. });
    when(r.exchange.play.iter().any(foreign), Need::ForeignCallback);
    when(
        r.vms.iter().any(|v| !v.environment.is_empty()),
        Need::Environment,
    );
    when(
        r.vms.iter().any(|v| !v.config.is_empty()),
        Need::VmConfiguration,
    );
    let plugins = || r.vms.iter().flat_map(|v| &v.plugins);
    when(
        plugins().any(|p| !p.config.is_empty()),
        Need::PluginConfiguration,
    );
    when(shows_parts(&r.exchange), Need::ChunkedDelivery);
    when(r.vms.len() > 1, Need::SeveralVms);
    when(
        r.vms.iter().any(|v| v.plugins.len() > 1),
        Need::SeveralPlugins,
    );
    when(r.exchange.play.contains(&Play::Reload), Need::Reload);
    when(
        r.exchange
            .play
            .iter()
            .any(|p| matches!(p, Play::Remove | Play::Shutdown)),
        Need::Remove,
    );
    out
}

/// Whether a request must be seen before it is whole: its client leaves in the middle, or one that was
/// opened later is whole before it, and the streams of a case are numbered as they are opened.
fn shows_parts(exchange: &Exchange) -> bool {
    let in_one = |n: &u32| {
        let stream = exchange.streams.get((*n as usize).wrapping_sub(1));
        stream.is_none_or(|s| s.request.body.is_empty() && s.request.trailers.is_empty())
    };
    let mut whole: Vec<u32> = Vec::new();
    for step in &exchange.play {
        match step {
            Play::Head(n) if in_one(n) => whole.push(*n),
            Play::Rest(n) if !in_one(n) => whole.push(*n),
            Play::Abort(n) if !whole.contains(n) => return true,
            _ => {}
        }
    }
    whole.iter().zip(1..).any(|(n, nth)| *n != nth)
}

/// The line of `- id: NAME` at the case's place. Reads the text instead of walking the tree: this is
/// needed for every case of every run.
fn case_line(text: &str, id: &str, at: &Path) -> (u32, u32) {
    let is_it = |line: &str| {
        line.trim_start()
            .strip_prefix("- id:")
            .is_some_and(|rest| rest.trim().trim_matches('"') == id)
    };
    match text.lines().position(is_it) {
        Some(i) => (i as u32 + 1, 5),
        None => yaml::locate(text, at),
    }
}

/// How many columns a line is indented by.
fn indent(line: &str) -> u32 {
    (line.len() - line.trim_start().len()) as u32
}

/// The lines of the case that begins at `line`, without their common indentation.
fn case_text(text: &str, line: u32) -> String {
    let lines: Vec<&str> = text.lines().skip(line.saturating_sub(1) as usize).collect();
    let Some(first) = lines.first() else {
        return String::new();
    };
    let indent = first.len() - first.trim_start().len();
    let rest = lines[1..]
        .iter()
        .take_while(|l| l.trim().is_empty() || l.len() - l.trim_start().len() > indent);
    let mut out: Vec<&str> = vec![&first[indent..]];
    out.extend(rest.map(|l| l.get(indent..).unwrap_or("")));
    while out
        .last()
        .is_some_and(|l| l.trim().is_empty() || l.trim_start().starts_with('#'))
    {
        out.pop();
    }
    out.join("\n") + "\n"
}
