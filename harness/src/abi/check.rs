//! Whether a table agrees with itself.
//!
//! Knows what a good table looks like, not how it came to be. Run by the loader on every version
//! and dialect.

use std::collections::HashSet;

use crate::abi::problem::Problems;
use crate::abi::{Abi, ExportKind, Param, Requirement, Returns, Type};

/// Everything in which `abi` contradicts itself.
pub(super) fn check(abi: &Abi, problems: &mut Problems<'_>) {
    names(abi, problems);
    enums(abi, problems);
    for hostcall in &abi.hostcalls {
        params(abi, &hostcall.name, &hostcall.params, problems);
        result(abi, &hostcall.name, &hostcall.returns, problems);
    }
    for callback in &abi.callbacks {
        params(abi, &callback.name, &callback.params, problems);
        result(abi, &callback.name, &callback.returns, problems);
    }
    for requirement in &abi.requirements {
        outcome(abi, requirement, problems);
        words(requirement, problems);
    }
    faults(abi, problems);
}

fn names(abi: &Abi, problems: &mut Problems<'_>) {
    let mut functions = HashSet::new();
    let hostcalls = abi.hostcalls.iter().map(|h| &h.name);
    for name in hostcalls.chain(abi.callbacks.iter().map(|c| &c.name)) {
        if !functions.insert(name) {
            problems.at(&[name, name], format!("`{name}` stands twice"));
        }
    }
    let mut ids = HashSet::new();
    for requirement in &abi.requirements {
        let id = &requirement.id;
        if !ids.insert(id) {
            problems.at(
                &["requirements", id, id],
                format!("requirement `{id}` stands twice"),
            );
        }
    }
    let is_marker = |c: &&crate::abi::Callback| c.kind == ExportKind::Marker;
    let mut markers = abi.callbacks.iter().filter(is_marker);
    if markers.next().is_none_or(|c| c.name != abi.marker) || markers.next().is_some() {
        problems.at(
            &["marker"],
            format!("`{}` is not the one export of kind marker", abi.marker),
        );
    }
}

fn enums(abi: &Abi, problems: &mut Problems<'_>) {
    for def in &abi.enums {
        let mut seen = HashSet::new();
        for (name, number) in def.values.iter().chain(&def.foreign) {
            if !seen.insert(number) {
                let message = format!("`{}` has the number {number} twice", def.name);
                problems.at(&[&def.name, name], message);
            }
        }
    }
}

fn params(abi: &Abi, owner: &str, params: &[Param], problems: &mut Problems<'_>) {
    let mut seen = HashSet::new();
    for param in params {
        if !seen.insert(&param.name) {
            let message = format!("`{owner}` has the parameter `{}` twice", param.name);
            problems.at(&[owner, &param.name, &param.name], message);
        }
        if let Type::Enum(name) | Type::OutEnum(name) = &param.ty
            && abi.enumeration(name).is_none()
        {
            problems.at(
                &[owner, &param.name, name],
                format!("unknown enum `{name}`"),
            );
        }
        if param.default.is_some() && param.ty.words().len() > 1 {
            let message = format!("`{}` takes two words and can have no default", param.name);
            problems.at(&[owner, &param.name], message);
        }
    }
}

fn result(abi: &Abi, owner: &str, returns: &Returns, problems: &mut Problems<'_>) {
    if let Returns::Enum(name) = returns
        && abi.enumeration(name).is_none()
    {
        problems.at(&[owner, name], format!("unknown enum `{name}`"));
    }
}

/// An id like `proxy_log/BAD_ARGUMENT` or `proxy_http_call/BAD_ARGUMENT.upstream` names a member of
/// the function's result. A dialect is not asked: it may lack the number.
fn outcome(abi: &Abi, requirement: &Requirement, problems: &mut Problems<'_>) {
    let id = &requirement.id;
    let Some((owner, rest)) = id.split_once('/') else {
        problems.at(
            &["requirements", id],
            format!("`{id}` is not of the form `owner/what`"),
        );
        return;
    };
    if owner.starts_with("proxy_") && abi.hostcall(owner).is_none() && abi.callback(owner).is_none()
    {
        let marker = abi.dialect_of.is_some() && owner.starts_with("proxy_abi_version_");
        if !marker {
            problems.at(&["requirements", id], format!("no function `{owner}`"));
        }
        return;
    }
    let word = rest.split('.').next().unwrap_or(rest);
    let shouts = |c: char| c.is_ascii_uppercase() || c == '_';
    if abi.dialect_of.is_some() || !word.chars().all(shouts) {
        return;
    }
    let hostcall = abi.hostcall(owner).map(|h| &h.returns);
    let returns = hostcall.or_else(|| abi.callback(owner).map(|c| &c.returns));
    if let Some(Returns::Enum(name)) = returns
        && abi
            .enumeration(name)
            .is_some_and(|e| e.number(word).is_none())
    {
        problems.at(&["requirements", id], format!("`{name}` has no `{word}`"));
    }
}

fn words(requirement: &Requirement, problems: &mut Problems<'_>) {
    let Requirement { id, text, .. } = requirement;
    let at = ["requirements", id, "text"];
    if !text.contains("the host") {
        problems.at(&at, format!("`{id}` does not say what the host does"));
    }
    if text.ends_with('.') || text.starts_with(char::is_uppercase) {
        problems.at(
            &at,
            format!("`{id}` is worded as a sentence, not as a fragment"),
        );
    }
    let empty = |words: &Option<String>| words.as_ref().is_some_and(|w| w.trim().is_empty());
    if empty(&requirement.ruling) || empty(&requirement.excluded) || requirement.section.is_empty()
    {
        problems.at(&at, format!("`{id}` has an empty field"));
    }
}

fn faults(abi: &Abi, problems: &mut Problems<'_>) {
    let ids: HashSet<&str> = abi.requirements.iter().map(|r| r.id.as_str()).collect();
    let mut seen = HashSet::new();
    for fault in &abi.faults {
        let name = &fault.fault;
        if !seen.insert(name) {
            problems.at(
                &["faults", name, name],
                format!("fault `{name}` stands twice"),
            );
        }
        for id in fault.also.iter().map(|(id, _)| id).chain([&fault.req]) {
            if !ids.contains(id.as_str()) {
                problems.at(&["faults", name, id], format!("no requirement `{id}`"));
            }
        }
    }
}
