//! Guests: programs as bytes, the module made for one case, the inspector of any module.
//!
//! Does not know hosts, nor what is expected of them. The other side of the byte layout is
//! `guest-fixtures/scripted`; the reader of what guests send is the room `trace`.

mod base;
mod encode;
mod error;
mod exports;
mod fixed;
mod inspect;
mod kept;
mod layout;
mod looked;
mod odd;
mod sections;
mod specialise;
mod taken;
#[cfg(test)]
mod tests;

pub use error::{GuestError, GuestErrorKind};
pub use fixed::{fixed, fixed_guests, guest_files};
pub use inspect::{Import, Inspection, inspect, split_data};
pub use looked::{ExportRole, ExportSeen, ImportKind, ImportSeen, Looked, MemorySeen, look};
pub use specialise::{MAX_LINE, Module, build, build_with_line};
pub use taken::{HostSeen, Loads, taken};
