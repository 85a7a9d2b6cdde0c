//! What happened at the ABI boundary and on the wire: instances, events, what client and upstream
//! saw, faults with blame; the canonical text form that people read and diff.
//!
//! Does not know what was expected, nor which host ran.

mod attempt;
mod blob;
mod canon;
mod diff;
mod event;
mod legend;
mod pick;
mod seen;

pub use attempt::*;
pub use blob::*;
pub use canon::*;
pub use diff::diff;
pub use event::*;
pub use legend::*;
pub use pick::*;
pub use seen::*;
