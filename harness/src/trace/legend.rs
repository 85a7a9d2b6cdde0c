//! What is needed to read the frames of one module: which index is which function.
//!
//! Made by the specialiser together with the module. Does not know what was expected.

use smol_str::SmolStr;

use crate::abi::{EnumDef, Param, Returns};
use crate::trace::Value;

/// The key to the numbers in a module's frames.
#[derive(Debug, Clone, Default)]
pub struct Legend {
    /// The case's and attempt's token, which every frame carries.
    pub token: String,
    /// By callback index: entry points, allocators and callbacks that the module exports.
    pub exports: Vec<ExportSig>,
    /// By step index: the hostcalls of the program, in program order.
    pub steps: Vec<StepSig>,
    /// The enums of the ABI or dialect.
    pub enums: Vec<EnumDef>,
}

/// One export.
#[derive(Debug, Clone)]
pub struct ExportSig {
    /// The text's name.
    pub name: SmolStr,
    /// A `proxy_on_*` callback (else an entry point or allocator).
    pub callback: bool,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its result.
    pub returns: Returns,
}

/// One hostcall step.
#[derive(Debug, Clone)]
pub struct StepSig {
    /// The text's name.
    pub hostcall: SmolStr,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its result.
    pub returns: Returns,
    /// Per parameter: the value passed, where the program fixes it; `None`: read it from the frame.
    pub fixed: Vec<Option<Value>>,
    /// Per parameter, of outputs: which words the program chose itself (an address, or a
    /// buffer's size) and which therefore show among the arguments.
    pub given: Vec<[bool; 2]>,
}
