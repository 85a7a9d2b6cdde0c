//! What can be wrong with a record.
//!
//! Does not know what the caller wanted it for.

use std::fmt;

/// A record could not be read or written. Its display is a lowercase fragment with the file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// What kind.
    pub kind: RecordErrorKind,
    /// The file, as the caller named it.
    pub file: String,
}

/// What kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordErrorKind {
    /// The last line is no footer: the run was killed, or the file was cut.
    Truncated,
    /// A line is not what the format says.
    BadLine {
        /// From 1.
        line: usize,
        /// Why.
        what: String,
    },
    /// A format that this harness does not read.
    Version {
        /// The number in the file.
        found: u64,
    },
    /// The file is there already; a run never writes over an old record.
    Exists,
    /// The system refused.
    Io(String),
}

impl RecordError {
    /// An error about `file`.
    pub fn new(kind: RecordErrorKind, file: impl Into<String>) -> RecordError {
        RecordError {
            kind,
            file: file.into(),
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.file;
        match &self.kind {
            RecordErrorKind::Truncated => write!(f, "truncated record: no footer ({file})"),
            RecordErrorKind::BadLine { line, what } => {
                write!(f, "bad record: {what} ({file}:{line})")
            }
            RecordErrorKind::Version { found } => write!(
                f,
                "record of version {found}, this pwspec reads version {} ({file})",
                crate::record::RECORD_VERSION
            ),
            RecordErrorKind::Exists => write!(f, "record exists already ({file})"),
            RecordErrorKind::Io(what) => write!(f, "record: {what} ({file})"),
        }
    }
}

impl std::error::Error for RecordError {}
