//! The stream engine: one exchange, played against whoever calls the library.
//!
//! It opens streams, hands messages over piece by piece and forwards what comes back, lets virtual time
//! pass, answers callouts. What it decides itself is never judged: see the profile's `answers` and the
//! seats of requirements. Does not know what is expected, nor any library.

mod ask;
mod callouts;
mod carried;
mod ends;
mod grpc;
mod half;
mod life;
mod passage;
mod play;
mod tcp;
mod time;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::host::Job;
use crate::host::stdio::engine::callouts::Calls;
use crate::host::stdio::engine::grpc::Grpc;
use crate::host::stdio::engine::half::Stream;
use crate::host::stdio::engine::life::Vm;
use crate::host::stdio::engine::time::Timeline;
use crate::host::stdio::link::Peer;
use crate::host::stdio::protocol::{Caused, Hello};
use crate::trace::{Attempt, Isolation, Reader, UpstreamSaw};

/// What an adapter can do, and how its library says that it lacks a function.
pub struct Abilities<'a> {
    /// What the adapter said of itself.
    pub hello: &'a Hello,
    /// The function that the library lacks, if these words of its are about one.
    pub unlinked: &'a dyn Fn(&str) -> Option<String>,
}

/// Plays one job.
pub struct Engine<'e> {
    peer: &'e mut dyn Peer,
    job: &'e Job,
    abilities: Abilities<'e>,
    until: Instant,
    attempt: Attempt,
    /// One per VM of the job.
    readers: Vec<Option<Reader>>,
    vms: Vec<Vm>,
    streams: Vec<Stream>,
    time: Timeline,
    calls: Calls,
    grpc: Grpc,
    upstream: Vec<UpstreamSaw>,
    /// What plugins asked for and was not done yet.
    asked: Vec<Caused>,
    /// Metrics that the embedder keeps, for people.
    metrics: BTreeMap<String, u64>,
    notes: Vec<String>,
}

/// The attempt cannot go on; the attempt says why.
pub struct Over;

impl<'e> Engine<'e> {
    /// An engine for a job.
    pub fn new(peer: &'e mut dyn Peer, job: &'e Job, abilities: Abilities<'e>) -> Engine<'e> {
        let reader = |(n, vm): (usize, &crate::host::VmJob)| {
            vm.legend.clone().map(|l| Reader::shared(l).vm(n as u32))
        };
        Engine {
            peer,
            job,
            abilities,
            until: Instant::now() + job.deadline,
            attempt: Attempt::empty(Isolation::Shared),
            readers: job.vms.iter().enumerate().map(reader).collect(),
            vms: Vec::new(),
            streams: Vec::new(),
            time: Timeline::default(),
            calls: Calls::default(),
            grpc: Grpc::default(),
            upstream: Vec::new(),
            asked: Vec::new(),
            metrics: BTreeMap::new(),
            notes: Vec::new(),
        }
    }
}
