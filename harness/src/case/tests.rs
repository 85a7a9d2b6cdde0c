//! What can be known of this room without a host.

mod profile;
mod tcp;
