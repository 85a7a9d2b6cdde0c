//! What happened at the ABI boundary and on the wire: instances, events, what client and upstream
//! saw, faults with blame; the canonical text form that people read and diff.
//!
//! Does not know what was expected, nor which host ran.

mod attempt;
mod blob;
mod canon;
mod decode;
mod diff;
mod event;
mod frames;
mod legend;
mod pick;
mod reader;
mod seen;
mod sums;
mod typed;

pub use attempt::*;
pub use blob::*;
pub use canon::*;
pub use decode::WHOLE_MAP;
pub use diff::diff;
pub use event::*;
pub use frames::{
    FRAME_OVERHEAD, FramePart, frame_lead, frame_lines, frame_token, line_sums, parse_frame,
};
pub use legend::*;
pub use pick::*;
pub use reader::{Reader, Taken};
pub use seen::*;
pub use typed::typed_map;
