//! Unit tests of the reference host, with the scripted guest.

mod aside;
mod bench;
mod grpc;
mod http;
mod kit;
mod later;
mod lives;
mod narrow;
mod odd;
mod planted;
mod runaway;
mod scenes;
mod tcp;
