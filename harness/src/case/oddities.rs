//! What is odd about a module: things that no ordinary compiler does and that a host may meet.
//!
//! Does not know how a module is made.

use std::collections::BTreeSet;

use crate::abi::Word;

/// What is odd about the module round the scripted guest; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Its memory begins with at least this many pages of 64 KiB.
    pub pages: Option<u64>,
    /// Its memory is not exported.
    pub hidden_memory: bool,
    /// It has a start function (the Wasm section, not an export).
    pub start: Option<StartFunction>,
    /// Custom sections.
    pub sections: Vec<Section>,
    /// Functions that it imports besides those that it calls.
    pub imports: Vec<OddImport>,
    /// Exports with another signature than the ABI's. They do nothing and return zero.
    pub signatures: Vec<(String, Signature)>,
}

/// What a start function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StartFunction {
    /// Nothing.
    Nothing,
    /// It traps.
    Trap,
}

/// A custom section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Before all other sections; else behind them.
    pub first: bool,
}

/// An imported function that nobody calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddImport {
    /// `env`.
    pub module: String,
    /// `proxy_no_such_call`.
    pub name: String,
    /// Its signature.
    pub signature: Signature,
}

/// A Wasm function type, as far as the ABI uses them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// Parameters.
    pub params: Vec<Word>,
    /// Results.
    pub results: Vec<Word>,
}

/// A guest that is a file, and is given to hosts as it is: what the loader must know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedGuest {
    /// `sdk/headers.wasm`: its path below `guest-fixtures/prebuilt`.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Its ABI markers.
    pub markers: Vec<String>,
    /// The functions that it imports: module and name.
    pub imports: BTreeSet<(String, String)>,
}

impl FixedGuest {
    /// Whether it is made by hand: it stands for every version, and its marker becomes the column's.
    pub fn handmade(&self) -> bool {
        self.name.starts_with("handmade/")
    }
}

/// Which fixed guest takes the place of the scripted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedRef {
    /// As in [`FixedGuest::name`].
    pub name: String,
    /// As in [`FixedGuest::digest`].
    pub digest: String,
    /// The marker that it is to have in place of its own.
    pub marker: Option<String>,
}
