//! Whether a host takes a plugin, from the host's description and the ABI tables; nothing is started.
//!
//! Does not know more of a host than its profile says: where that says nothing, the answer is that it
//! is not known.

use schemars::JsonSchema;
use serde::Serialize;

use crate::abi::Abi;
use crate::case::{Known, Profile};
use crate::guest::looked::{
    ExportRole, ImportKind, Looked, callback_signature, hostcall, hostcall_signature,
};

/// What a host would do with a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HostSeen {
    /// The profile's name.
    pub name: String,
    /// The version of the text, or the dialect, under which the host would take it.
    pub abi: Option<String>,
    /// Whether it would.
    pub loads: Loads,
    /// Why not.
    pub reasons: Vec<String>,
    /// What the profile does not tell.
    pub doubts: Vec<String>,
    /// Callbacks that the plugin exports and the host never calls.
    pub never_calls: Vec<String>,
}

/// Whether a host would take a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Loads {
    /// Nothing speaks against it.
    Yes,
    /// It would refuse it.
    No,
    /// Its profile does not say enough.
    Unknown,
}

/// The requirement that a host takes a module of a version at all.
const MARKER: &str = "abi_version/marker";
/// The case that asks for it.
const MARKER_CASE: &str = "lifecycle/entry_points/marker";

/// What the host of `profile`, in this version of it, would do with the plugin.
pub fn taken(looked: &Looked, profile: &Profile, version: &str, abis: &[&Abi]) -> HostSeen {
    let mut out = HostSeen {
        name: profile.name.clone(),
        abi: None,
        loads: Loads::Yes,
        reasons: Vec::new(),
        doubts: Vec::new(),
        never_calls: Vec::new(),
    };
    if looked.invalid.is_some() {
        out.reasons.push("it is no valid module".to_owned());
    } else if let Some(abi) = fitting(looked, profile, version, abis, &mut out) {
        out.abi = Some(abi.id.clone());
        let known = |k: &&Known| k.applies(&abi.id, version);
        let known: Vec<&Known> = profile.known.iter().filter(known).collect();
        imports(looked, profile, abi, &known, &mut out);
        exports(looked, profile, abi, &mut out);
    }
    out.loads = match (out.reasons.is_empty(), out.doubts.is_empty()) {
        (false, _) => Loads::No,
        (true, false) => Loads::Unknown,
        (true, true) => Loads::Yes,
    };
    out
}

/// The table under which the host would take the plugin.
fn fitting<'a>(
    looked: &Looked,
    profile: &Profile,
    version: &str,
    abis: &[&'a Abi],
    out: &mut HostSeen,
) -> Option<&'a Abi> {
    let declared = profile.abi.iter();
    let declared: Vec<&Abi> = declared
        .filter_map(|id| abis.iter().copied().find(|a| a.id == *id))
        .collect();
    // A column in which no module of the version loads is there to show just that.
    let refused = |abi: &Abi| {
        let about = |k: &&Known| {
            k.checks.iter().any(|c| c == MARKER) || k.cases.iter().any(|c| c == MARKER_CASE)
        };
        profile
            .known
            .iter()
            .filter(about)
            .find(|k| k.applies(&abi.id, version))
    };
    let fits: Vec<&Abi> = declared
        .iter()
        .copied()
        .filter(|a| looked.markers.contains(&a.marker))
        .collect();
    if looked.markers.len() > 1 {
        out.doubts
            .push("its profile does not say which of several markers it takes".to_owned());
    }
    if let Some(abi) = fits.iter().find(|a| refused(a).is_none()) {
        // Where the host's own names go with the marker, those are what it links.
        let own = fits
            .iter()
            .find(|a| a.dialect_of.is_some() && a.marker == abi.marker);
        return Some(own.unwrap_or(abi));
    }
    if let Some((abi, entry)) = fits.iter().find_map(|a| Some((a, refused(a)?))) {
        out.reasons.push(format!(
            "it takes no module with {}: {}",
            abi.marker, entry.why
        ));
        return None;
    }
    let mut takes: Vec<&str> = Vec::new();
    for abi in declared.iter().filter(|a| refused(a).is_none()) {
        if !takes.contains(&abi.marker.as_str()) {
            takes.push(&abi.marker);
        }
    }
    out.reasons.push(match looked.markers.as_slice() {
        [] => format!("it wants one of the markers {}", takes.join(", ")),
        have => format!("it takes {}, not {}", takes.join(", "), have.join(", ")),
    });
    None
}

fn imports(looked: &Looked, profile: &Profile, abi: &Abi, known: &[&Known], out: &mut HostSeen) {
    for i in &looked.imports {
        let name = format!("{}.{}", i.module, i.name);
        if let Some(there) = hostcall(abi, &i.module, &i.name) {
            if let Some(why) = lacks(profile, abi, known, &there.name) {
                out.reasons.push(format!("it lacks {name}{why}"));
            } else if hostcall_signature(there) != i.signature {
                let (have, want) = (&i.signature, hostcall_signature(there));
                out.reasons
                    .push(format!("it links {name} as {want}, not {have}"));
            }
            continue;
        }
        let absent = abi
            .hostcalls
            .iter()
            .find(|h| h.import.1 == i.name || h.name == i.name);
        if let Some(why) = absent.and_then(|h| h.absent.as_ref()) {
            out.reasons.push(format!("it lacks {name}: {why}"));
            continue;
        }
        if i.kind != ImportKind::Foreign {
            out.reasons.push(format!("{} has no {name}", abi.id));
            continue;
        }
        match &profile.links {
            Some(links) if links.iter().any(|l| l.has(&name, &abi.id)) => {}
            Some(_) => out.reasons.push(format!("it has no {name}")),
            None => out
                .doubts
                .push(format!("its profile does not say whether it has {name}")),
        }
    }
}

/// Whether the host lacks a hostcall; if so, why, as far as that is known. A dialect's own table says what
/// it has: what the profile lacks is meant of the text.
fn lacks(profile: &Profile, abi: &Abi, known: &[&Known], name: &str) -> Option<String> {
    let listed = || profile.lacks.within(&abi.id).hostcalls;
    if abi.dialect_of.is_none() && listed().iter().any(|h| h == name) {
        return Some(String::new());
    }
    let about = |c: &String| {
        c.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let entry = known
        .iter()
        .find(|k| k.verdicts.iter().any(|v| v == "unlinked") && k.checks.iter().any(about))?;
    Some(format!(": {}", entry.why))
}

fn exports(looked: &Looked, profile: &Profile, abi: &Abi, out: &mut HostSeen) {
    for e in &looked.exports {
        let Some(there) = abi.callback(&e.name) else {
            continue;
        };
        let want = callback_signature(there);
        // Guests whose `main` returns nothing do no harm.
        if want != e.signature && e.name != "main" {
            let (name, have) = (&e.name, &e.signature);
            let text = format!("{name} is exported as {have}, it calls {want}");
            if profile.is_reference() {
                out.reasons.push(text);
            } else {
                out.doubts.push(text);
            }
        }
        let lacks = match abi.dialect_of {
            Some(_) => there.absent.is_some(),
            None => profile.lacks.within(&abi.id).callbacks.contains(&e.name),
        };
        if lacks {
            out.never_calls.push(e.name.clone());
        }
    }
    let allocates = looked
        .exports
        .iter()
        .any(|e| e.kind == ExportRole::Allocator);
    if let (false, Some(why)) = (allocates, &profile.wants_allocator) {
        out.reasons.push(format!("it wants an allocator: {why}"));
    }
}
