//! What can be known of this room without a host.

mod grpc;
mod needs;
mod profile;
mod profile_edit;
mod secrets;
mod tcp;
