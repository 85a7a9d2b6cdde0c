//! What can be known of the driver without a host.

mod backend;
mod ear;
mod http1;
mod lines;
mod settle;
mod template;
mod upstream;
mod work;
