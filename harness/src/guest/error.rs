//! What can go wrong when a module is made or inspected.

use std::fmt;

/// Why a module could not be made or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestError {
    kind: GuestErrorKind,
    text: String,
}

/// The kinds of [`GuestError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuestErrorKind {
    /// The ABI has no such hostcall, callback, parameter or enum value.
    Unknown,
    /// The dialect has no counterpart of the hostcall.
    Absent,
    /// An argument does not fit its parameter, or there are too few or too many.
    Argument,
    /// A handler stands for a function that the module does not export.
    NotExported,
    /// Something is larger than guests can hold.
    TooLarge,
    /// The token or the longest line cannot be used in frames.
    Frame,
    /// The bytes are no WebAssembly module.
    Module,
}

impl GuestError {
    pub(super) fn new(kind: GuestErrorKind, text: impl Into<String>) -> GuestError {
        GuestError {
            kind,
            text: text.into(),
        }
    }

    /// What kind of problem it is.
    pub fn kind(&self) -> GuestErrorKind {
        self.kind
    }
}

impl fmt::Display for GuestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for GuestError {}

impl From<wasmparser::BinaryReaderError> for GuestError {
    fn from(e: wasmparser::BinaryReaderError) -> GuestError {
        GuestError::new(GuestErrorKind::Module, format!("read the module: {e}"))
    }
}
