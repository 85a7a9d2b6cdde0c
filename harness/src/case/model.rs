//! A case as loaded, and a case resolved for one ABI column.
//!
//! Does not know hosts or verdicts.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::abi::{Level, PluginType};
use crate::case::schema::{CaseFile, Need};
use crate::case::yaml::Path;
use crate::case::{Check, Exchange, ModuleSpec, Observation};

/// One case, whatever the column.
#[derive(Debug, Clone)]
pub struct Case {
    /// `fields/get_value/absent`.
    pub id: String,
    /// `fields/get_value`.
    pub suite: String,
    /// `fields`.
    pub area: String,
    /// The one behaviour that it is about.
    pub about: String,
    /// The suite version in which it appeared.
    pub since: String,
    /// Its file: `specs/cases/fields/get_value.yaml`.
    pub file: String,
    /// Its line in the file, from 1.
    pub line: u32,
    /// Its YAML, dedented.
    pub yaml: String,
    /// How many columns its YAML was dedented by.
    pub indent: u32,
    /// Free words for selection.
    pub tags: Vec<String>,
    /// The ABI versions (not dialects) in which it runs.
    pub abi: Vec<String>,
    /// The requirements of its checks and observations, over all its versions, controls left out.
    pub covers: Vec<String>,
    /// The highest level of its checks, over all its versions.
    pub level: Level,
    /// What the host must offer.
    pub needs: BTreeSet<Need>,
    /// What was written.
    pub(crate) source: Arc<Source>,
}

/// What was written, and where.
#[derive(Debug)]
pub struct Source {
    /// The case as read.
    pub(crate) file: CaseFile,
    /// The whole file's text, for places.
    pub(crate) text: Arc<str>,
    /// Path of the case in its file.
    pub(crate) path: Path,
}

/// A case for one column and one attempt.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Where the plugin sits.
    pub plugin_type: PluginType,
    /// The VMs, in order of loading.
    pub vms: Vec<VmSpec>,
    /// What the world does.
    pub exchange: Arc<Exchange>,
    /// What is expected.
    pub checks: Vec<Check>,
    /// Where each check stands in the file.
    pub(crate) paths: Vec<Path>,
    /// What a survey looks at.
    pub observations: Vec<Observation>,
    /// Ends as a time-out after this many milliseconds; `None`: the driver's default.
    pub deadline_ms: Option<u64>,
    /// It loops, recurses or grows on purpose: not in company.
    pub alone: bool,
    /// It calls a foreign function that the host has.
    pub functions: bool,
    /// The hostcalls that its modules import, by the text's names.
    pub hostcalls: BTreeSet<String>,
}

/// One VM of a resolved case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmSpec {
    /// Its name in the case.
    pub name: String,
    /// Its module.
    pub module: ModuleSpec,
    /// VM configuration.
    pub config: Vec<u8>,
    /// Environment variables: name and value.
    pub environment: Vec<(String, String)>,
    /// Its plugins, in order of root contexts.
    pub plugins: Vec<PluginSpec>,
}

/// One plugin of a resolved case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginSpec {
    /// Its name in the case.
    pub name: String,
    /// Its root id.
    pub root: String,
    /// Plugin configuration.
    pub config: Vec<u8>,
}

/// Why a case does not exist in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// The ABI version lacks something that the case needs.
    NotInVersion(String),
    /// The dialect has no counterpart for something that the case needs: the reason.
    NoCounterpart(String),
}

/// What the column and the attempt contribute to values.
pub struct Env<'a> {
    /// The token of case and attempt: letters and digits.
    pub token: &'a str,
    /// The name under which the host knows an upstream of the exchange (`a`).
    pub upstream: &'a dyn Fn(&str) -> String,
    /// The name of a foreign function of the host (`there`, `back`, `silent`).
    pub function: &'a dyn Fn(&str) -> String,
}
