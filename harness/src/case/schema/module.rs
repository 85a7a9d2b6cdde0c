//! `module:` in a case: what is odd about the module round the scripted guest.
//!
//! Does not know how it is made.

use schemars::JsonSchema;

use crate::abi::Word;
use crate::case::StartFunction;
use crate::case::lenient::{List, Table, lenient};
use crate::case::yaml::Node;

/// What is odd about a module.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModuleFile {
    /// Its memory.
    #[serde(default, deserialize_with = "lenient")]
    pub memory: MemoryFile,
    /// It has a start function (the Wasm section): `nothing`, `trap`.
    #[serde(default, deserialize_with = "lenient")]
    pub start: Option<StartFunction>,
    /// Custom sections.
    #[serde(default, deserialize_with = "lenient")]
    pub sections: List<SectionFile>,
    /// Functions that it imports besides those that it calls.
    #[serde(default, deserialize_with = "lenient")]
    pub imports: List<ImportFile>,
    /// Exports with another signature than the ABI's; they do nothing and return zero.
    #[serde(default, deserialize_with = "lenient")]
    pub signatures: Table<SignatureFile>,
}

/// A module's memory.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryFile {
    /// It begins with at least this many pages of 64 KiB.
    #[serde(default, deserialize_with = "lenient")]
    pub pages: Option<u64>,
    /// It is not exported.
    #[serde(default, deserialize_with = "lenient")]
    pub hidden: bool,
}

/// A custom section.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SectionFile {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Node,
    /// Before all other sections; else behind them.
    #[serde(default, deserialize_with = "lenient")]
    pub first: bool,
}

/// An imported function that nobody calls.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportFile {
    /// Its module: `env`.
    pub from: String,
    /// Its name.
    pub name: String,
    /// Its parameters: `i32`, `i64`.
    #[serde(default, deserialize_with = "lenient")]
    pub params: List<Word>,
    /// Its results.
    #[serde(default, deserialize_with = "lenient")]
    pub results: List<Word>,
}

/// A function type.
#[derive(Debug, Clone, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureFile {
    /// Its parameters: `i32`, `i64`.
    #[serde(default, deserialize_with = "lenient")]
    pub params: List<Word>,
    /// Its results.
    #[serde(default, deserialize_with = "lenient")]
    pub results: List<Word>,
}
