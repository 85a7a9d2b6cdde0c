//! Messages as they stand on the line, the engine against a library made up here, the driver, and programs
//! that are no adapters.

mod driver;
mod engine;
mod link;
mod protocol;
