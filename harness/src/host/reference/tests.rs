//! Unit tests of the reference host, with the scripted guest.

mod bench;
mod http;
mod kit;
mod lives;
mod planted;
mod runaway;
mod scenes;
