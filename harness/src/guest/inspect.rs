//! What a module imports and exports, for any WebAssembly module.
//!
//! Does not know what a module does.

use wasmparser::{
    CompositeInnerType, DataKind, Encoding, ExternalKind, Operator, Parser, Payload, TypeRef,
};

use crate::guest::{GuestError, GuestErrorKind};

/// The outside of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// ABI markers (`proxy_abi_version_…`), in the order of the module.
    pub markers: Vec<String>,
    /// In the order of the module.
    pub imports: Vec<Import>,
    /// Exported functions without the markers: name and signature, in the order of the module.
    pub exports: Vec<(String, String)>,
    /// Whether it exports a memory named `memory`.
    pub memory: bool,
    /// The least size of its memory, in 64 KiB pages.
    pub pages: u64,
    /// Names of its custom sections.
    pub custom: Vec<String>,
    /// Whether it has a start function of WebAssembly's own.
    pub start: bool,
}

/// Something that a module imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// `env`.
    pub module: String,
    /// `proxy_log`.
    pub name: String,
    /// `(i32, i32, i32) -> i32`, or the kind of thing where it is not a function.
    pub signature: String,
}

/// The beginning of every ABI marker's name.
const MARKER: &str = "proxy_abi_version_";

/// Looks at a module from outside. It is not validated.
///
/// # Errors
/// When the bytes cannot be read as a WebAssembly module.
pub fn inspect(wasm: &[u8]) -> Result<Inspection, GuestError> {
    let mut seen = Inspection::default();
    let mut types = Vec::new();
    let mut functions = Vec::new();
    let signature = |types: &[String], index: u32| {
        types
            .get(index as usize)
            .cloned()
            .unwrap_or_else(|| "of an unknown type".to_owned())
    };
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        types.push(match &ty.composite_type.inner {
                            CompositeInnerType::Func(f) => describe(f),
                            _ => "not a function".to_owned(),
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let what = match import.ty {
                        TypeRef::Func(index) => {
                            functions.push(index);
                            signature(&types, index)
                        }
                        TypeRef::Memory(_) => "memory".to_owned(),
                        TypeRef::Table(_) => "table".to_owned(),
                        TypeRef::Global(_) => "global".to_owned(),
                        _ => "tag".to_owned(),
                    };
                    seen.imports.push(Import {
                        module: import.module.to_owned(),
                        name: import.name.to_owned(),
                        signature: what,
                    });
                }
            }
            Payload::FunctionSection(section) => {
                for index in section {
                    functions.push(index?);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    seen.pages = memory?.initial;
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    match export.kind {
                        ExternalKind::Func if export.name.starts_with(MARKER) => {
                            seen.markers.push(export.name.to_owned());
                        }
                        ExternalKind::Func => {
                            let ty = functions.get(export.index as usize).copied();
                            seen.exports.push((
                                export.name.to_owned(),
                                signature(&types, ty.unwrap_or(u32::MAX)),
                            ));
                        }
                        ExternalKind::Memory => seen.memory |= export.name == "memory",
                        _ => {}
                    }
                }
            }
            Payload::StartSection { .. } => seen.start = true,
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } => {
                return Err(GuestError::new(
                    GuestErrorKind::Module,
                    "read the module: it is a component",
                ));
            }
            Payload::CustomSection(section) => seen.custom.push(section.name().to_owned()),
            _ => {}
        }
    }
    Ok(seen)
}

fn describe(f: &wasmparser::FuncType) -> String {
    let list = |types: &[wasmparser::ValType]| {
        let names: Vec<String> = types.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    match f.results() {
        [] => format!("({})", list(f.params())),
        results => format!("({}) -> {}", list(f.params()), list(results)),
    }
}

/// A module without its data section, and the data: address and bytes of each segment. Modules
/// that differ only in their data share the first part, so compiled code can be shared.
///
/// # Errors
/// When the module cannot be read, or a segment has no constant address.
#[expect(clippy::type_complexity, reason = "said once, in words, above")]
pub fn split_data(wasm: &[u8]) -> Result<(Vec<u8>, Vec<(u32, Vec<u8>)>), GuestError> {
    let mut code = Vec::with_capacity(wasm.len());
    let mut data = Vec::new();
    let mut from = 0;
    let mut last = 8;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Payload::DataSection(section) = &payload {
            // The section begins where the one before it ended.
            code.extend_from_slice(&wasm[from..last]);
            from = section.range().end as usize;
            for segment in section.clone() {
                let segment = segment?;
                let DataKind::Active { offset_expr, .. } = &segment.kind else {
                    return Err(unplaced());
                };
                let Operator::I32Const { value } = offset_expr.get_operators_reader().read()?
                else {
                    return Err(unplaced());
                };
                data.push((value as u32, segment.data.to_vec()));
            }
        }
        if let Some((_, range)) = payload.as_section() {
            last = range.end as usize;
        }
    }
    code.extend_from_slice(&wasm[from..]);
    Ok((code, data))
}

fn unplaced() -> GuestError {
    GuestError::new(
        GuestErrorKind::Module,
        "take the data out of the module: a segment has no constant address",
    )
}
