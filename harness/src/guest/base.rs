//! The prebuilt guest, taken apart once: what every specialised module starts from.
//!
//! Knows the WebAssembly sections that the guest's compiler writes. Does not know programs.

use std::sync::OnceLock;

use wasmparser::{DataKind, ExternalKind, Operator, Parser, Payload, TypeRef, ValType};

use crate::guest::{GuestError, GuestErrorKind};

/// The guest as it is built by `make guests`.
pub(super) const PREBUILT: &[u8] = include_bytes!("../../../guest-fixtures/prebuilt/scripted.wasm");

/// A function type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sig {
    pub params: Vec<ValType>,
    pub results: Vec<ValType>,
}

/// A function body cut at its calls, because specialising moves the functions.
pub(super) enum Piece {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// A call, with the index of the called function as the base numbers it.
    Call(u32),
}

/// A global with its initial value.
pub(super) struct Global {
    pub ty: ValType,
    pub mutable: bool,
    pub value: i64,
}

/// The parts of the prebuilt guest.
#[derive(Default)]
pub(super) struct Base {
    pub types: Vec<Sig>,
    /// Type index of each defined function; function 0 is the placeholder import.
    pub functions: Vec<u32>,
    pub globals: Vec<Global>,
    pub bodies: Vec<Vec<Piece>>,
    /// Address and bytes.
    pub data: Vec<(u32, Vec<u8>)>,
    /// Index of `pwspec_on`.
    pub on: u32,
    /// What can be left out: names, and indices of the functions.
    pub parts: Vec<(String, u32)>,
    /// Index of the stack pointer among the globals.
    pub stack: u32,
    /// Address of the header.
    pub header: u32,
    /// The first address that the guest does not use.
    pub heap: u32,
}

/// The prebuilt guest, parsed at the first call.
pub(super) fn base() -> Result<&'static Base, GuestError> {
    static BASE: OnceLock<Result<Base, GuestError>> = OnceLock::new();
    BASE.get_or_init(|| parse(PREBUILT))
        .as_ref()
        .map_err(Clone::clone)
}

fn parse(wasm: &[u8]) -> Result<Base, GuestError> {
    let mut base = Base::default();
    let mut exported_globals = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::TypeSection(types) => {
                for ty in types.into_iter_err_on_gc_types() {
                    let ty = ty?;
                    base.types.push(Sig {
                        params: ty.params().to_vec(),
                        results: ty.results().to_vec(),
                    });
                }
            }
            Payload::ImportSection(imports) => {
                let all = imports.into_imports().collect::<Result<Vec<_>, _>>()?;
                let only = |i: &wasmparser::Import| {
                    (i.module, i.name) == ("pwspec", "call") && matches!(i.ty, TypeRef::Func(_))
                };
                if all.len() != 1 || !only(&all[0]) {
                    return Err(unusable("it must import pwspec.call and nothing else"));
                }
            }
            Payload::FunctionSection(functions) => {
                base.functions = functions.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let global = global?;
                    base.globals.push(Global {
                        ty: global.ty.content_type,
                        mutable: global.ty.mutable,
                        value: constant(&global.init_expr)?,
                    });
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    match (export.name, export.kind) {
                        ("pwspec_on", ExternalKind::Func) => base.on = export.index,
                        (name, ExternalKind::Func) => {
                            let part = name.strip_prefix("pwspec_part_");
                            base.parts
                                .extend(part.map(|name| (name.to_owned(), export.index)));
                        }
                        (name, ExternalKind::Global) => exported_globals.push((name, export.index)),
                        _ => {}
                    }
                }
            }
            Payload::CodeSectionEntry(body) => base.bodies.push(cut(wasm, &body)?),
            Payload::DataSection(data) => {
                for segment in data {
                    let segment = segment?;
                    let DataKind::Active { offset_expr, .. } = &segment.kind else {
                        return Err(unusable("a data segment is passive"));
                    };
                    base.data
                        .push((constant(offset_expr)? as u32, segment.data.to_vec()));
                }
            }
            Payload::ElementSection(_) | Payload::StartSection { .. } => {
                return Err(unusable("it has a function table or a start function"));
            }
            _ => {}
        }
    }
    let address = |name: &str| {
        let found = exported_globals.iter().find(|(n, _)| *n == name);
        let global = found.and_then(|(_, i)| base.globals.get(*i as usize));
        global
            .map(|g| g.value as u32)
            .ok_or_else(|| unusable(&format!("it does not export {name}")))
    };
    (base.header, base.heap) = (address("PWSPEC_HEADER")?, address("__heap_base")?);
    let mut mutable = (0u32..).zip(&base.globals).filter(|(_, g)| g.mutable);
    match (mutable.next(), mutable.next()) {
        (Some((index, _)), None) => base.stack = index,
        _ => {
            return Err(unusable(
                "it must have one mutable global, the stack pointer",
            ));
        }
    }
    if base.on == 0 {
        return Err(unusable("it does not export pwspec_on"));
    }
    Ok(base)
}

fn unusable(why: &str) -> GuestError {
    GuestError::new(
        GuestErrorKind::Module,
        format!("use the prebuilt guest: {why}; run `make guests`"),
    )
}

fn constant(expr: &wasmparser::ConstExpr<'_>) -> Result<i64, GuestError> {
    match expr.get_operators_reader().read()? {
        Operator::I32Const { value } => Ok(i64::from(value)),
        Operator::I64Const { value } => Ok(value),
        _ => Err(unusable("an initial value is not a constant")),
    }
}

/// Cuts a body (local declarations included) at the operands of its calls.
fn cut(wasm: &[u8], body: &wasmparser::FunctionBody<'_>) -> Result<Vec<Piece>, GuestError> {
    let mut pieces = Vec::new();
    let mut from = body.range().start as usize;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let at = operators.original_position() as usize;
        match operators.read()? {
            Operator::Call { function_index } => {
                pieces.push(Piece::Bytes(wasm[from..at].to_vec()));
                pieces.push(Piece::Call(function_index));
                from = operators.original_position() as usize;
            }
            Operator::CallIndirect { .. } | Operator::RefFunc { .. } => {
                return Err(unusable("it calls through a table"));
            }
            _ => {}
        }
    }
    pieces.push(Piece::Bytes(wasm[from..body.range().end as usize].to_vec()));
    Ok(pieces)
}
