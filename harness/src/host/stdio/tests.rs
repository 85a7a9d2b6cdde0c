//! Messages as they stand on the line, the engine against a library made up here, and programs that are
//! no adapters.

mod engine;
mod link;
mod protocol;
