//! Cases: the YAML schema, what a guest does (program), what the world does (exchange), what is
//! expected (checks), host profiles, loading with positions, expansion over ABI columns, selection.
//!
//! Does not know guests' byte code, hosts, or verdicts.

mod check;
mod exchange;
mod fill;
mod grpc;
mod lenient;
mod load;
mod load_file;
mod model;
mod oddities;
mod problem;
mod profile;
mod profile_edit;
mod profile_entry;
mod profile_load;
mod profile_parts;
mod profile_scope;
mod program;
mod resolve;
mod schema;
mod secrets;
mod select;
#[cfg(test)]
mod tests;
mod tree;
mod yaml;

pub use check::*;
pub use exchange::*;
pub use fill::{Chunk, filled};
pub use grpc::*;
pub use load::*;
pub use model::*;
pub use oddities::*;
pub use problem::*;
pub use profile::*;
pub use profile_edit::*;
pub use profile_load::*;
pub use profile_parts::Offer;
pub use program::*;
pub use schema::{CaseFile, Need, SuiteFile};
pub use secrets::secrets_in;
pub use select::*;
