//! The words in which a hostcall answers: statuses, errnos, and why it failed.
//!
//! Does not know numbers: those come from the ABI or dialect of the job.

use wasmer::RuntimeError;

use crate::abi::Abi;

/// A status of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// `OK`.
    Ok,
    /// `NOT_FOUND`.
    NotFound,
    /// `BAD_ARGUMENT`.
    BadArgument,
    /// `PARSE_FAILURE`.
    ParseFailure,
    /// `INVALID_MEMORY_ACCESS`.
    InvalidMemoryAccess,
    /// `EMPTY`.
    Empty,
    /// `CAS_MISMATCH`.
    CasMismatch,
    /// `INTERNAL_FAILURE`.
    InternalFailure,
    /// `UNIMPLEMENTED`.
    Unimplemented,
    /// A planted fault: a number that the text does not define.
    Undefined,
}

impl Status {
    /// The number by which the ABI of the job knows this status.
    pub(super) fn number(self, abi: &Abi) -> u64 {
        let (name, of_the_text) = match self {
            Status::Ok => ("OK", 0),
            Status::NotFound => ("NOT_FOUND", 1),
            Status::BadArgument => ("BAD_ARGUMENT", 2),
            Status::ParseFailure => ("PARSE_FAILURE", 4),
            Status::InvalidMemoryAccess => ("INVALID_MEMORY_ACCESS", 6),
            Status::Empty => ("EMPTY", 7),
            Status::CasMismatch => ("CAS_MISMATCH", 8),
            Status::InternalFailure => ("INTERNAL_FAILURE", 10),
            Status::Unimplemented => ("UNIMPLEMENTED", 12),
            Status::Undefined => ("", 99),
        };
        let own = abi.enumeration("proxy_status_t");
        own.and_then(|e| e.number(name)).unwrap_or(of_the_text)
    }
}

/// An errno of the eight WASI functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errno {
    /// `BADF`.
    Badf,
    /// `FAULT`.
    Fault,
    /// `INVAL`.
    Inval,
    /// `NOTSUP`.
    Notsup,
}

impl Errno {
    /// The number by which the ABI of the job knows this errno.
    pub(super) fn number(self, abi: &Abi) -> u64 {
        let (name, of_the_text) = match self {
            Errno::Badf => ("BADF", 8),
            Errno::Fault => ("FAULT", 21),
            Errno::Inval => ("INVAL", 28),
            Errno::Notsup => ("NOTSUP", 58),
        };
        let own = abi.enumeration("wasi_errno_t");
        own.and_then(|e| e.number(name)).unwrap_or(of_the_text)
    }
}

/// Why a hostcall did not end well.
#[derive(Debug)]
pub(super) enum Fail {
    /// It answers this status.
    Status(Status),
    /// It answers this errno.
    Errno(Errno),
    /// It does not answer: the guest trapped in its allocator, or asked to exit.
    Stop(RuntimeError),
}

impl From<Status> for Fail {
    fn from(s: Status) -> Fail {
        Fail::Status(s)
    }
}

impl From<Errno> for Fail {
    fn from(e: Errno) -> Fail {
        Fail::Errno(e)
    }
}
