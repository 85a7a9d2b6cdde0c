//! A dialect: a version of the text under other names, numbers and parameter lists.
//!
//! Knows the form of `specs/abi/dialects/*.yaml` and how it lies over its base. A dialect keeps
//! the requirements of its base, for it is the text that it is held against.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::abi::build::params;
use crate::abi::problem::Problems;
use crate::abi::{Abi, Entries, Param};

/// One file of `specs/abi/dialects`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DialectFile {
    /// The version of this form: 1.
    pub version: u32,
    /// Its name: `mosn-v2`.
    pub dialect: String,
    /// The version of the text that it is held against.
    pub base: String,
    /// The export by which a plugin of this dialect is known.
    pub marker: String,
    /// Where it is found, and how it came about.
    pub about: String,
    /// Every hostcall of the base by the text's name: its counterpart, or why there is none.
    pub hostcalls: Entries<Counterpart>,
    /// Callbacks of another form.
    #[serde(default)]
    pub callbacks: Entries<OtherForm>,
    /// Requirements of the text that nothing in the dialect stands for, and why: of a parameter that it
    /// has not.
    #[serde(default)]
    pub requirements: Entries<String>,
    /// Enums with other numbers. A name of the text that is left out has no number here.
    #[serde(default)]
    pub enums: Entries<Entries<u64>>,
    /// Numbers of these enums that the host knows and the text does not.
    #[serde(default)]
    pub foreign: Entries<Entries<u64>>,
}

/// What a hostcall of the text is in the dialect; `{}` is the same.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counterpart {
    /// The name under which the host exposes it.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// The module, where it is another.
    pub module: Option<String>,
    /// `[name, type]` in the host's order. A parameter that the text lacks needs a `default`.
    pub params: Option<Vec<(String, String)>>,
    /// Why the host has none.
    pub absent: Option<String>,
}

/// A callback of another form.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherForm {
    /// The name by which the host calls it.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// `[name, type]` in the host's order. A parameter that the text lacks needs a `default`.
    pub params: Option<Vec<(String, String)>>,
    /// Why the host has none.
    pub absent: Option<String>,
}

/// The dialect, whole.
pub(super) fn over(file: DialectFile, base: &Abi, problems: &mut Problems<'_>) -> Abi {
    let mut abi = base.clone();
    abi.id = file.dialect;
    abi.dialect_of = Some(file.base);
    // The planted faults are the reference host's, which speaks the text.
    abi.faults.clear();
    if let Some(marker) = abi.callbacks.iter_mut().find(|c| c.name == base.marker) {
        marker.name.clone_from(&file.marker);
    }
    abi.marker = file.marker;

    for (name, _) in file.hostcalls.iter() {
        if base.hostcall(name).is_none() {
            problems.at(
                &["hostcalls", name],
                format!("{} has no hostcall `{name}`", base.id),
            );
        }
    }
    for hostcall in &mut abi.hostcalls {
        let name = hostcall.name.clone();
        let Some(row) = file.hostcalls.get(&name) else {
            let message = format!("says nothing of `{name}`: give its counterpart or `absent`");
            problems.at(&["hostcalls"], message);
            continue;
        };
        if row.absent.is_some() && (row.name.is_some() || row.params.is_some()) {
            problems.at(&[&name, "absent"], "`absent` excludes a counterpart");
        }
        hostcall.absent.clone_from(&row.absent);
        if let Some(other) = &row.name {
            hostcall.import.1.clone_from(other);
        }
        if let Some(module) = &row.module {
            hostcall.import.0.clone_from(module);
        }
        if let Some(rows) = &row.params {
            hostcall.params = reordered(&name, rows, &hostcall.params, problems);
        }
    }
    for (name, row) in file.callbacks.iter() {
        let Some(callback) = abi.callbacks.iter_mut().find(|c| c.name == name) else {
            let message = format!("{} has no callback `{name}`", base.id);
            problems.at(&["callbacks", name], message);
            continue;
        };
        if row.absent.is_some() && (row.name.is_some() || row.params.is_some()) {
            problems.at(&[name, "absent"], "`absent` excludes a counterpart");
        }
        callback.export.clone_from(&row.name);
        callback.absent.clone_from(&row.absent);
        if let Some(rows) = &row.params {
            callback.params = reordered(name, rows, &callback.params, problems);
        }
    }
    for (id, _) in file.requirements.iter() {
        if base.requirement(id).is_none() {
            let message = format!("{} has no requirement `{id}`", base.id);
            problems.at(&["requirements", id], message);
        }
    }
    abi.absent = file.requirements.0;
    renumber(&mut abi, file.enums, file.foreign, problems);
    abi
}

fn reordered(
    owner: &str,
    rows: &[(String, String)],
    base: &[Param],
    problems: &mut Problems<'_>,
) -> Vec<Param> {
    let list = params(owner, rows, problems);
    for param in &list {
        let given = param.default.is_none() && !param.ty.is_out();
        if given && !base.iter().any(|b| b.name == param.name) {
            let message = format!(
                "`{}` is no parameter of the text's `{owner}` and needs a default",
                param.name
            );
            problems.at(&[owner, &param.name], message);
        }
    }
    list
}

fn renumber(
    abi: &mut Abi,
    numbers: Entries<Entries<u64>>,
    foreign: Entries<Entries<u64>>,
    problems: &mut Problems<'_>,
) {
    for (name, values) in numbers.0 {
        let Some(def) = abi.enums.iter_mut().find(|e| e.name == name) else {
            problems.at(&["enums", &name], format!("the text has no enum `{name}`"));
            continue;
        };
        for (value, _) in values.iter() {
            if def.number(value).is_none() {
                let message = format!("`{name}` has no `{value}` in the text: see `foreign`");
                problems.at(&["enums", &name, value], message);
            }
        }
        def.values = values.0;
    }
    for (name, values) in foreign.0 {
        match abi.enums.iter_mut().find(|e| e.name == name) {
            Some(def) => def.foreign = values.0,
            None => problems.at(
                &["foreign", &name],
                format!("the text has no enum `{name}`"),
            ),
        }
    }
}
