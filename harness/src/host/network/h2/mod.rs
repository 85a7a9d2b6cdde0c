//! HTTP/2: gRPC upstreams that follow a script, and clients that open streams.
//!
//! The one place with an asynchronous runtime: the `h2` crate asks for it. Each upstream process and
//! each client has one thread of its own for it; to the outside everything is a plain call. Does not
//! know the proxy.

mod call;
mod client;
mod frames;
mod upstream;

pub use client::Client;
pub use upstream::GrpcUpstreams;

/// A window that no message of a case fills, so that flow control never holds a proxy back.
const WINDOW: u32 = 64 << 20;

#[cfg(test)]
mod tests;
