//! Cases: the YAML schema, what a guest does (program), what the world does (exchange), what is
//! expected (checks), host profiles, loading with positions, expansion over ABI columns, selection.
//!
//! Does not know guests' byte code, hosts, or verdicts.

mod check;
mod exchange;
mod program;

pub use check::*;
pub use exchange::*;
pub use program::*;
