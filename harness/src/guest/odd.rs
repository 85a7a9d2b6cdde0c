//! The odd parts of a module: custom sections, a start function, another signature of an export.
//!
//! Does not know what a case wants with them.

use std::borrow::Cow;

use wasm_encoder::{CustomSection, Function};

use crate::abi::{Abi, Word};
use crate::case::{ModuleSpec, Oddities, Section, Signature, StartFunction};
use crate::guest::base::Sig;
use crate::guest::exports::Exports;
use crate::guest::{GuestError, GuestErrorKind};

/// Refuses signatures of functions that the module does not export.
pub(super) fn check(spec: &ModuleSpec, exports: &Exports<'_>, abi: &Abi) -> Result<(), GuestError> {
    for (name, _) in &spec.oddities.signatures {
        if exports.index(name).is_none() {
            let text = format!(
                "give {name} a signature: the module of ABI {} does not export it",
                abi.id
            );
            return Err(GuestError::new(GuestErrorKind::NotExported, text));
        }
    }
    Ok(())
}

/// The sections that come first, or those that come last.
pub(super) fn sections(odd: &Oddities, first: bool, into: &mut wasm_encoder::Module) {
    for Section { name, bytes, .. } in odd.sections.iter().filter(|s| s.first == first) {
        into.section(&CustomSection {
            name: Cow::Borrowed(name),
            data: Cow::Borrowed(bytes),
        });
    }
}

/// The body of a start function.
pub(super) fn start(what: StartFunction) -> Function {
    let mut body = Function::new([]);
    match what {
        StartFunction::Nothing => body.instructions().end(),
        StartFunction::Trap => body.instructions().unreachable().end(),
    };
    body
}

/// A signature as the module's own.
pub(super) fn sig(of: &Signature) -> Sig {
    let types = |words: &[Word]| {
        let value = |w: &Word| match w {
            Word::I32 => wasmparser::ValType::I32,
            Word::I64 => wasmparser::ValType::I64,
        };
        words.iter().map(value).collect()
    };
    Sig {
        params: types(&of.params),
        results: types(&of.results),
    }
}

/// A function that returns zeros.
pub(super) fn zeros(of: &Signature) -> Function {
    let mut body = Function::new([]);
    let mut code = body.instructions();
    for word in &of.results {
        match word {
            Word::I32 => code.i32_const(0),
            Word::I64 => code.i64_const(0),
        };
    }
    code.end();
    body
}
