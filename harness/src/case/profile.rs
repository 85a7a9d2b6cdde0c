//! A host's description: how it is reached, what it offers, what is known to fail.
//!
//! Does not know how the description is used: drivers read `start`, `listeners`, `log`, `says` and
//! `over`; the judge reads `known` and `lacks`; the selection reads `offers`, `answers` and `limits`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::case::profile_parts::{Offer, unique};
use crate::case::secrets::secrets_in;

/// One file of `specs/hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Version of this format: 1.
    pub version: u32,
    /// The host's name: the first part of its columns.
    pub name: String,
    /// The profile whose keys hold where this one says nothing. Maps are taken key by key.
    #[serde(default)]
    pub extends: Option<String>,
    /// One sentence for people.
    #[serde(default)]
    pub about: String,
    /// How the host is reached.
    pub driver: DriverKind,
    /// The program, where there is one.
    #[serde(default)]
    pub binary: Option<Binary>,
    /// ABI versions and dialects, one column each.
    pub abi: Vec<String>,
    /// How a proxy is started.
    #[serde(default)]
    pub start: Option<Start>,
    /// How cases get into a proxy.
    #[serde(default)]
    pub listeners: Option<Listeners>,
    /// Where a proxy logs, and how a line looks.
    #[serde(default)]
    pub log: Option<Log>,
    /// What the host says when it does not take a module, and when a guest traps.
    #[serde(default)]
    pub says: Says,
    /// How a case is known to be over.
    #[serde(default)]
    pub over: Option<Over>,
    /// How a plugin names an upstream in a callout; `{name}` stands for the case's word for it, and
    /// `{port}` for a port of the loopback interface at which it then listens.
    #[serde(default)]
    pub upstream: Option<String>,
    /// What the host calls foreign functions that cases speak of: `there` gives bytes from which
    /// `back` makes its arguments again, `silent` gives nothing. Not given: `pwspec_there` and so
    /// on, which the harness registers where it can.
    #[serde(default, deserialize_with = "unique")]
    pub functions: BTreeMap<String, String>,
    /// What a case may need: `true`, or why it is not offered.
    #[serde(default, deserialize_with = "unique")]
    pub offers: BTreeMap<String, Offer>,
    /// Library hosts: who answers a hostcall, a callback or a requirement, by its name or id, with
    /// `@ABI` behind it in one column only; what is not named is the library's.
    #[serde(default, deserialize_with = "unique")]
    pub answers: BTreeMap<String, Answers>,
    /// What the host can take at most, after the harness raised it where it can.
    #[serde(default)]
    pub limits: Limits,
    /// Fields that the proxy adds on its own.
    #[serde(default)]
    pub adds: Adds,
    /// The one version that has snapshots.
    #[serde(default)]
    pub snapshots: Option<String>,
    /// Cases that fail for a known reason.
    #[serde(default)]
    pub known: Vec<Known>,
    /// What the host lacks as a whole.
    #[serde(default)]
    pub lacks: Lacks,
    /// Must cases that no other host passes, and why they stand all the same: of the reference host,
    /// which shares its code with the harness and is no second opinion.
    #[serde(default)]
    pub alone: Vec<Alone>,
    /// Cases that never share a process with others.
    #[serde(default)]
    pub apart: Vec<Apart>,
    /// Functions beyond the text that it links; not given: that is not known.
    #[serde(default)]
    pub links: Option<Vec<Links>>,
    /// Why it takes no module that exports neither allocator; not given: it takes one.
    #[serde(default)]
    pub wants_allocator: Option<String>,
    /// The file that it was read from, where that is a file that can be edited.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

/// Must cases that no other host passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alone {
    /// Case ids, prefixes that end in `/`, or globs.
    pub cases: Vec<String>,
    /// Why the text asks it all the same.
    pub why: String,
}

/// Cases that are played in a process of their own, for what they leave behind in the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apart {
    /// Case ids, prefixes that end in `/`, or globs.
    pub cases: Vec<String>,
    /// What they leave behind.
    pub why: String,
}

impl Alone {
    /// Whether this entry speaks of a case.
    pub fn names(&self, case: &str) -> bool {
        names(&self.cases, case)
    }
}

impl Apart {
    /// Whether this entry speaks of a case.
    pub fn names(&self, case: &str) -> bool {
        names(&self.cases, case)
    }
}

fn names(patterns: &[String], case: &str) -> bool {
    patterns.iter().any(|pattern| {
        let glob = globset::GlobBuilder::new(pattern)
            .literal_separator(true)
            .build();
        (pattern.ends_with('/') && case.starts_with(pattern.as_str()))
            || glob.is_ok_and(|g| g.compile_matcher().is_match(case))
    })
}

/// How a host is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriverKind {
    /// Embedded in the harness.
    Reference,
    /// An adapter program around a library.
    Stdio,
    /// A real proxy.
    Network,
}

/// A host's program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Binary {
    /// Its file name.
    pub name: String,
    /// Where it is, seen from the folder of the profile; without it it is looked for.
    #[serde(default)]
    pub path: Option<String>,
    /// How its version is asked for.
    #[serde(default)]
    pub version: Option<VersionCommand>,
    /// The command that gets it, for people without it.
    #[serde(default)]
    pub get: Option<String>,
}

/// How a program's version is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionCommand {
    /// Arguments.
    pub args: Vec<String>,
    /// A regular expression whose first group is the version.
    #[serde(rename = "match")]
    pub pattern: String,
}

/// How a proxy is started. Arguments and files are templates (minijinja).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Arguments, one template each.
    pub args: Vec<String>,
    /// Files in the proxy's working folder, by name. In files that end in `.yaml`, `.yml` or
    /// `.json` each value is written as JSON.
    #[serde(deserialize_with = "unique")]
    pub files: BTreeMap<String, String>,
    /// When it is ready.
    pub ready: Ready,
    /// It may have its working folder in memory, below `/dev`: some programs read no files there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_memory: bool,
}

/// When a proxy is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// A regular expression that one line of the log matches.
    pub log: String,
    /// Seconds until it counts as not started.
    #[serde(default = "ready_within")]
    pub within: u32,
}

fn ready_within() -> u32 {
    20
}

/// How cases get into a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listeners {
    /// How the set of listeners changes.
    pub change: Change,
    /// How many cases at most are in the proxy at once.
    pub batch: u32,
    /// `rename`: the file among `start.files` that holds the listeners.
    #[serde(default)]
    pub file: Option<String>,
    /// `boot`: a line of the log that says that the host has taken one module of a listener; group
    /// `name`. Where it dies of a later one, those before need not be tried for it.
    #[serde(default)]
    pub loaded: Option<String>,
    /// `rename`: a line of the log that says that a listener is in; group `name`.
    #[serde(default)]
    pub added: Option<String>,
    /// `rename`: a line of the log that says that a listener was not taken; groups `name`, `text`.
    #[serde(default)]
    pub rejected: Option<String>,
    /// `rename`: where some versions name all listeners that were not taken in one line, after the last
    /// one was tried. Which of the lines before it are about which of them is not to be told, so these
    /// cases are put in once more, alone.
    #[serde(default)]
    pub rejected_together: Option<Together>,
}

/// A line of the log that names several listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Together {
    /// The line.
    pub line: String,
    /// Each listener in it; groups `name`, `text`.
    pub each: String,
}

/// How the set of listeners changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A file is replaced by rename while the proxy runs.
    Rename,
    /// The proxy is started again.
    Boot,
}

/// Where a proxy logs, and how a line looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `stderr`, `stdout`, or a file in the working folder.
    pub from: String,
    /// A regular expression for a line: group `text`, and where the host shows them `level` and
    /// `thread`.
    pub line: String,
    /// A regular expression for the `text` of a line that a guest wrote: group `text`, and where the
    /// host shows it `vm` (its last word is the VM's id). Without it any line may be a guest's.
    #[serde(default)]
    pub guest: Option<String>,
    /// Where the host does not mark guests' lines: regular expressions for the `text` of lines that
    /// it writes itself. Any other line may then be a guest's.
    #[serde(default)]
    pub own: Vec<String>,
    /// The host's words for levels, and the text's.
    #[serde(default, deserialize_with = "unique")]
    pub levels: BTreeMap<String, String>,
    /// Whether control characters come out as backslash escapes.
    #[serde(default)]
    pub escaped: bool,
    /// Bytes that a line may have before a frame is sent in parts.
    #[serde(default = "max_line")]
    pub max_line: u32,
}

fn max_line() -> u32 {
    1000
}

/// Regular expressions for what a host says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// A module needs an import that the host lacks; group `import`.
    #[serde(default)]
    pub unlinked: Vec<String>,
    /// A module is not taken for another reason.
    #[serde(default)]
    pub refused: Vec<String>,
    /// A guest trapped.
    #[serde(default)]
    pub trap: Vec<String>,
}

/// How a case is known to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// A request to a plain listener whose guest logs a token.
    Fence,
    /// When the host was stopped and its log is whole.
    AtStop,
    /// When the adapter replied.
    Reply,
}

/// Who answers in a library host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// The library: it is judged.
    Library,
    /// The code that embeds the library: out of scope.
    Embedder,
    /// Nobody.
    None,
}

/// What a host can take at most. Nothing given: no limit that a case comes near.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// All fields of a message together.
    #[serde(default)]
    pub header_bytes: Option<u64>,
    /// Body bytes that are kept while a stream is paused.
    #[serde(default)]
    pub paused_body_bytes: Option<u64>,
}

/// Fields that a proxy adds on its own, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adds {
    /// To requests.
    #[serde(default)]
    pub upstream: Vec<String>,
    /// To responses.
    #[serde(default)]
    pub client: Vec<String>,
}

/// Cases that fail for one known reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Case ids, prefixes that end in `/`, or globs.
    pub cases: Vec<String>,
    /// Only in these ABI versions or dialects; empty: in all.
    #[serde(default)]
    pub abi: Vec<String>,
    /// Only in these versions of the host: `>=1.36 <1.40`.
    #[serde(default)]
    pub versions: Option<String>,
    /// Accepted verdicts; empty: `fail`.
    #[serde(default)]
    pub verdicts: Vec<String>,
    /// The requirements whose checks fail; empty: any.
    #[serde(default)]
    pub checks: Vec<String>,
    /// What kind of departure.
    #[serde(default)]
    pub class: Option<Class>,
    /// The host's answer, from a run alone.
    #[serde(default)]
    pub seen: String,
    /// One sentence on the host's own cause.
    #[serde(default)]
    pub why: String,
    /// The host's file and function, or `not read`.
    #[serde(default)]
    pub source: String,
    /// Where it was reported.
    #[serde(default)]
    pub link: Option<String>,
    /// The day on which it was written down: `2026-11-28`.
    #[serde(default)]
    pub since: Option<String>,
    /// The last day on which it holds: `2027-05-31`. After it the gate asks for it to be looked at.
    #[serde(default)]
    pub expires: Option<String>,
}

/// What kind of departure from the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Not there.
    Missing,
    /// There under another name.
    Renamed,
    /// There under another number.
    Renumbered,
    /// There, and wrong.
    Wrong,
    /// At another time.
    Order,
    /// Beyond a limit of the host.
    Limit,
}

impl Class {
    /// The word, as in YAML.
    pub fn word(self) -> &'static str {
        match self {
            Class::Missing => "missing",
            Class::Renamed => "renamed",
            Class::Renumbered => "renumbered",
            Class::Wrong => "wrong",
            Class::Order => "order",
            Class::Limit => "limit",
        }
    }
}

/// Functions beyond the text that a host links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// `module.name`; a `*` at the end stands for any rest.
    pub functions: Vec<String>,
    /// Only in these ABI versions or dialects; empty: in all.
    #[serde(default)]
    pub abi: Vec<String>,
}

impl Links {
    /// Whether this speaks of `module.name` in a column.
    pub fn has(&self, name: &str, abi: &str) -> bool {
        let one = |f: &String| match f.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => f == name,
        };
        (self.abi.is_empty() || self.abi.iter().any(|a| a == abi)) && self.functions.iter().any(one)
    }
}

/// What a host lacks as a whole, by the text's names: `NAME` in all columns, `NAME@ABI` in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lacks {
    /// Hostcalls.
    #[serde(default)]
    pub hostcalls: Vec<String>,
    /// Callbacks.
    #[serde(default)]
    pub callbacks: Vec<String>,
}

impl Profile {
    /// Whether a case that needs `need` can be played; if not, why.
    ///
    /// # Errors
    /// The reason.
    pub fn offers(&self, need: &str) -> Result<(), String> {
        match self.offers.get(need) {
            Some(Offer::Yes) => Ok(()),
            Some(Offer::No(why)) => Err(why.clone()),
            // Configuration is what every host gives unless its profile says why not.
            None if need.ends_with("_configuration") => Ok(()),
            None => Err(format!(
                "the profile of {} does not offer {need}",
                self.name
            )),
        }
    }

    /// Values that no output may show: of fields of the kind of `authorization`, and of environment
    /// variables, in the arguments and files with which the host is started; the longest first.
    pub fn secrets(&self) -> Vec<String> {
        let Some(start) = &self.start else {
            return Vec::new();
        };
        let mut texts: Vec<String> = start.files.values().cloned().collect();
        texts.extend(start.args.iter().cloned());
        // `--token`, `value` as two arguments.
        let pairs = start.args.windows(2);
        let pairs = pairs.filter(|p| p[0].starts_with('-') && !p[0].contains('='));
        texts.extend(pairs.map(|p| format!("{}={}", p[0], p[1])));
        secrets_in(&texts.join("\n"))
    }

    /// How a plugin names the upstream that a case calls `name`. In place of a port, which is not
    /// known before the host is started, stands [`port_stand_in`].
    pub fn upstream(&self, name: &str) -> String {
        match &self.upstream {
            Some(pattern) => pattern
                .replace("{name}", name)
                .replace("{port}", &port_stand_in(name)),
            None => name.to_owned(),
        }
    }

    /// What the host calls the foreign function that a case calls `name`, one of [`FUNCTIONS`].
    pub fn function(&self, name: &str) -> String {
        match self.functions.get(name) {
            Some(own) => own.clone(),
            None => format!("pwspec_{name}"),
        }
    }

    /// Whether plugins name upstreams by a port.
    pub fn upstreams_have_ports(&self) -> bool {
        let pattern = self.upstream.as_deref();
        pattern.is_some_and(|p| p.contains("{port}"))
    }
}

/// The foreign functions that cases speak of.
pub const FUNCTIONS: [&str; 3] = ["there", "back", "silent"];

/// What stands for the port of an upstream until it is known: as long as a port with five digits.
pub fn port_stand_in(name: &str) -> String {
    format!("~{name:~>4.4}")
}

impl Known {
    /// Whether this entry speaks of this column.
    pub fn applies(&self, abi: &str, version: &str) -> bool {
        (self.abi.is_empty() || self.abi.iter().any(|a| a == abi))
            && self
                .versions
                .as_deref()
                .is_none_or(|range| version_matches(range, version).unwrap_or(false))
    }
}

/// Whether `version` lies in a range such as `>=1.36 <1.40`; `None`: not a range.
/// Numbers are compared part by part, a missing part is 0.
pub fn version_matches(range: &str, version: &str) -> Option<bool> {
    let parse = |v: &str| -> Option<Vec<u64>> {
        let mut parts = v
            .split('.')
            .map(|p| p.parse().ok())
            .collect::<Option<Vec<u64>>>()?;
        while parts.last() == Some(&0) {
            parts.pop();
        }
        Some(parts)
    };
    let terms: Vec<(&str, Vec<u64>)> = range
        .split_whitespace()
        .map(|term| {
            let op = ["<=", ">=", "<", ">", "="]
                .into_iter()
                .find(|op| term.starts_with(op))
                .unwrap_or("");
            Some((op, parse(&term[op.len()..])?))
        })
        .collect::<Option<_>>()?;
    if terms.is_empty() {
        return None;
    }
    let Some(version) = parse(version) else {
        return Some(false);
    };
    Some(terms.iter().all(|(op, bound)| match *op {
        "<=" => version <= *bound,
        ">=" => version >= *bound,
        "<" => version < *bound,
        ">" => version > *bound,
        _ => version == *bound,
    }))
}
