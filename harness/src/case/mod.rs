//! Cases: the YAML schema, what a guest does (program), what the world does (exchange), what is
//! expected (checks), host profiles, loading with positions, expansion over ABI columns, selection.
//!
//! Does not know guests' byte code, hosts, or verdicts.

mod check;
mod exchange;
mod profile;
mod profile_load;
mod profile_parts;
mod program;

pub use check::*;
pub use exchange::*;
pub use profile::*;
pub use profile_load::{NEEDS, ProfileProblem, TRIGGER, load_profile};
pub use profile_parts::Offer;
pub use program::*;
