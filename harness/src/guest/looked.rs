//! A plugin seen from outside and held against the text: what it needs, what it offers, what is odd
//! about it.
//!
//! Does not know hosts (see [`crate::guest::taken`]) nor what the plugin does.

use schemars::JsonSchema;
use serde::Serialize;
use wasmparser::{Validator, WasmFeatures};

use crate::abi::{Abi, Callback, ExportKind, Hostcall, Param, Returns, Word};
use crate::guest::taken::HostSeen;
use crate::guest::{Inspection, inspect};

/// What `pwspec inspect` tells of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Looked {
    /// Version of this format: 1.
    pub version: u32,
    /// The size of the file.
    pub bytes: u64,
    /// Why it is no valid WebAssembly module; then most of the rest is empty.
    pub invalid: Option<String>,
    /// What it needs beyond the first version of WebAssembly (`bulk memory`).
    pub features: Vec<String>,
    /// Its ABI markers, in the order of the module.
    pub markers: Vec<String>,
    /// The version of the text that its marker names; the one against which it is held.
    pub abi: Option<String>,
    /// What it imports, in the order of the module.
    pub imports: Vec<ImportSeen>,
    /// What it exports, in the order of the module.
    pub exports: Vec<ExportSeen>,
    /// Callbacks, entry points and allocators of that version that it does not export.
    pub not_exported: Vec<String>,
    /// Its memory.
    pub memory: MemorySeen,
    /// It has a start function of WebAssembly's own.
    pub start_function: bool,
    /// Names of its custom sections.
    pub custom_sections: Vec<String>,
    /// What is odd about it, a sentence each.
    pub findings: Vec<String>,
    /// What each host would do with it.
    pub hosts: Vec<HostSeen>,
}

/// A memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MemorySeen {
    /// As `memory`.
    pub exported: bool,
    /// With how many pages of 64 KiB it begins.
    pub pages: u64,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImportSeen {
    /// `env`.
    pub module: String,
    /// `proxy_log`.
    pub name: String,
    /// `(i32, i32, i32) -> i32`.
    pub signature: String,
    /// Whose it is.
    pub kind: ImportKind,
    /// The text's signature, where it is another.
    pub wanted: Option<String>,
}

/// Whose an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// A hostcall of the text.
    Hostcall,
    /// A function of WASI that the text lists.
    Wasi,
    /// Beyond the text.
    Foreign,
}

/// An exported function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExportSeen {
    /// Its name.
    pub name: String,
    /// `(i32) -> i32`.
    pub signature: String,
    /// What it is in the text.
    pub kind: ExportRole,
    /// The text's signature, where it is another.
    pub wanted: Option<String>,
}

/// What an export is in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportRole {
    /// A callback.
    Callback,
    /// `_initialize`, `main`, `_start`.
    EntryPoint,
    /// An allocator.
    Allocator,
    /// Not in the text.
    Other,
}

/// Looks at a file. `abis` are all tables; without a marker that one of them knows, the file is held
/// against the newest version of the text.
pub fn look(wasm: &[u8], abis: &[&Abi]) -> Looked {
    let mut out = Looked {
        version: 1,
        bytes: wasm.len() as u64,
        ..Looked::default()
    };
    let seen = match inspect(wasm) {
        Ok(seen) => seen,
        Err(error) => {
            out.invalid = Some(one_line(&error.to_string()));
            return out;
        }
    };
    out.invalid = Validator::new()
        .validate_all(wasm)
        .err()
        .map(|e| one_line(&e.to_string()));
    if out.invalid.is_none() {
        out.features = features(wasm);
    }
    let text: Vec<&Abi> = abis
        .iter()
        .copied()
        .filter(|a| a.dialect_of.is_none())
        .collect();
    let named = text.iter().rev().find(|a| seen.markers.contains(&a.marker));
    out.abi = named.map(|a| a.id.clone());
    let against = named.or(text.last()).copied();
    out.imports = seen.imports.iter().map(|i| import(i, against)).collect();
    out.exports = seen.exports.iter().map(|e| export(e, against)).collect();
    let has = |name: &str| seen.exports.iter().any(|(n, _)| n == name);
    let callbacks = against.into_iter().flat_map(|a| &a.callbacks);
    let missing = callbacks.filter(|c| c.kind != ExportKind::Marker && !has(&c.name));
    out.not_exported = missing.map(|c| c.name.clone()).collect();
    out.memory = MemorySeen {
        exported: seen.memory,
        pages: seen.pages,
    };
    out.start_function = seen.start;
    out.custom_sections.clone_from(&seen.custom);
    out.findings = findings(&out, &seen, against);
    out.markers = seen.markers;
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn import(of: &crate::guest::Import, against: Option<&Abi>) -> ImportSeen {
    let known = against.and_then(|a| hostcall(a, &of.module, &of.name));
    let wanted = known.map(hostcall_signature).filter(|w| *w != of.signature);
    let kind = match known {
        None => ImportKind::Foreign,
        Some(h) if h.import.0 == "env" => ImportKind::Hostcall,
        Some(_) => ImportKind::Wasi,
    };
    ImportSeen {
        module: of.module.clone(),
        name: of.name.clone(),
        signature: of.signature.clone(),
        kind,
        wanted,
    }
}

fn export((name, signature): &(String, String), against: Option<&Abi>) -> ExportSeen {
    let known = against.and_then(|a| a.callback(name));
    let kind = match known.map(|c| c.kind) {
        Some(ExportKind::Callback) => ExportRole::Callback,
        Some(ExportKind::Entry) => ExportRole::EntryPoint,
        Some(ExportKind::Allocator) => ExportRole::Allocator,
        Some(ExportKind::Marker) | None => ExportRole::Other,
    };
    ExportSeen {
        name: name.clone(),
        signature: signature.clone(),
        kind,
        wanted: known.map(callback_signature).filter(|w| w != signature),
    }
}

fn findings(out: &Looked, seen: &Inspection, against: Option<&Abi>) -> Vec<String> {
    let mut all = Vec::new();
    let version = against.map_or("the text", |a| a.id.as_str());
    match seen.markers.as_slice() {
        [] => all.push(format!(
            "it exports no ABI marker; it is held against {version}"
        )),
        [one] if out.abi.is_none() => all.push(format!(
            "no version of the text has the marker {one}; it is held against {version}"
        )),
        [_] => {}
        more => all.push(format!("it exports several markers: {}", more.join(", "))),
    }
    for i in &out.imports {
        let name = format!("{}.{}", i.module, i.name);
        if i.kind == ImportKind::Foreign {
            all.push(format!("{version} has no function {name}"));
        }
        if let Some(wanted) = &i.wanted {
            let have = &i.signature;
            all.push(format!(
                "{name} is imported as {have}, {version} has {wanted}"
            ));
        }
    }
    for e in &out.exports {
        if let Some(wanted) = &e.wanted {
            let (name, have) = (&e.name, &e.signature);
            all.push(format!(
                "{name} is exported as {have}, {version} has {wanted}"
            ));
        }
        if e.kind == ExportRole::Other && e.name.starts_with("proxy_on_") {
            all.push(format!("{version} has no callback {}", e.name));
        }
    }
    if out.exports.iter().all(|e| e.kind != ExportRole::Allocator) {
        all.push("it exports no allocator: a host cannot return bytes to it".to_owned());
    }
    if out.exports.iter().all(|e| e.kind != ExportRole::Callback) {
        all.push("it exports no callback: a host never calls it".to_owned());
    }
    if !seen.memory {
        all.push("it exports no memory: a host can neither read nor write its bytes".to_owned());
    }
    if seen.start {
        all.push(
            "it has a start function of WebAssembly's own, of which the text says nothing"
                .to_owned(),
        );
    }
    all
}

/// A hostcall by what a module imports.
pub(super) fn hostcall<'a>(abi: &'a Abi, module: &str, name: &str) -> Option<&'a Hostcall> {
    let mut all = abi.hostcalls.iter().filter(|h| h.absent.is_none());
    all.find(|h| h.import.0 == module && h.import.1 == name)
}

/// A hostcall's signature, as [`inspect`] writes one.
pub(super) fn hostcall_signature(of: &Hostcall) -> String {
    signature(&of.params, &of.returns)
}

/// A callback's signature, as [`inspect`] writes one.
pub(super) fn callback_signature(of: &Callback) -> String {
    signature(&of.params, &of.returns)
}

fn signature(params: &[Param], returns: &Returns) -> String {
    let words = params.iter().flat_map(|p| p.ty.words());
    let words: Vec<&str> = words
        .map(|w| match w {
            Word::I32 => "i32",
            Word::I64 => "i64",
        })
        .collect();
    let words = words.join(", ");
    match returns {
        Returns::Nothing => format!("({words})"),
        _ => format!("({words}) -> i32"),
    }
}

/// The features beyond the first version of WebAssembly without which a valid module is not valid.
fn features(wasm: &[u8]) -> Vec<String> {
    let valid = |features| {
        Validator::new_with_features(features)
            .validate_all(wasm)
            .is_ok()
    };
    if valid(WasmFeatures::WASM1) {
        return Vec::new();
    }
    let names = [
        ("sign extension", WasmFeatures::SIGN_EXTENSION),
        (
            "saturating conversions",
            WasmFeatures::SATURATING_FLOAT_TO_INT,
        ),
        ("multi-value", WasmFeatures::MULTI_VALUE),
        ("bulk memory", WasmFeatures::BULK_MEMORY),
        ("reference types", WasmFeatures::REFERENCE_TYPES),
        ("SIMD", WasmFeatures::SIMD),
        ("tail calls", WasmFeatures::TAIL_CALL),
        ("threads", WasmFeatures::THREADS),
        ("exceptions", WasmFeatures::EXCEPTIONS),
        ("extended constants", WasmFeatures::EXTENDED_CONST),
        ("several memories", WasmFeatures::MULTI_MEMORY),
        ("64-bit memory", WasmFeatures::MEMORY64),
    ];
    let needed = names
        .iter()
        .filter(|(_, f)| !valid(WasmFeatures::default() - *f));
    needed.map(|(name, _)| (*name).to_owned()).collect()
}
