//! From a case as written to a case for one ABI column: names become numbers, slots and positions.
//!
//! Does not know hosts: what a host calls its upstreams comes in through [`crate::case::Env`].

mod exchange;
mod expect;
mod grpc;
mod module;
mod observe;
mod program;
mod resolver;
mod tcp;
mod value;

pub(crate) use resolver::{Known, Outcome, resolve};
