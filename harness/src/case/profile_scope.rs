//! What of a case a host's description puts out of scope.
//!
//! Does not know verdicts.

use std::collections::BTreeSet;

use crate::case::profile::{Answers, DriverKind, Profile};
use crate::case::profile_parts::Offer;
use crate::case::{Act, Chunk, Fields, Resolved};

impl DriverKind {
    /// The word, as in YAML.
    pub fn word(self) -> &'static str {
        match self {
            DriverKind::Reference => "reference",
            DriverKind::Stdio => "stdio",
            DriverKind::Network => "network",
        }
    }
}

impl Profile {
    /// Whether this is the embedded reference host.
    pub fn is_reference(&self) -> bool {
        self.driver == DriverKind::Reference
    }

    /// What it says that it does not offer, with the reasons.
    pub fn not_offered(&self) -> Vec<(String, String)> {
        let offers = self.offers.iter();
        offers
            .filter_map(|(need, offer)| match offer {
                Offer::Yes => None,
                Offer::No(why) => Some((need.clone(), why.clone())),
            })
            .collect()
    }

    /// The first hostcall that the embedder answers in place of the library: nothing that it shows
    /// would be the library's doing.
    pub fn not_answered(&self, hostcalls: &BTreeSet<String>) -> Option<String> {
        hostcalls.iter().find_map(|h| match self.answers.get(h) {
            Some(Answers::Embedder) => Some(format!("the adapter answers {h}")),
            Some(Answers::None) => Some(format!("nobody answers {h} through this adapter")),
            Some(Answers::Library) | None => None,
        })
    }

    /// Which stated limit of the host the case is beyond.
    pub fn beyond_limits(&self, case: &Resolved) -> Option<String> {
        let size = |fields: &Fields| -> u64 {
            fields.iter().map(|(k, v)| (k.len() + v.len()) as u64).sum()
        };
        let body = |chunks: &[Chunk]| -> u64 { chunks.iter().map(|c| c.len() as u64).sum() };
        let streams = &case.exchange.streams;
        let headers = streams
            .iter()
            .flat_map(|s| [size(&s.request.headers), size(&s.answer.headers)])
            .max();
        if let (Some(limit), Some(have)) = (self.limits.header_bytes, headers)
            && have > limit
        {
            return Some(format!(
                "fields of {have} bytes are beyond the host's limit of {limit}"
            ));
        }
        let pauses = case.vms.iter().flat_map(|v| &v.module.handlers).any(|h| {
            h.steps
                .iter()
                .any(|s| matches!(s.act, Act::Return(crate::case::Operand::Const(1))))
                && h.callback.contains("_body")
        });
        let largest = streams
            .iter()
            .flat_map(|s| [body(&s.request.body), body(&s.answer.body)])
            .max();
        match (self.limits.paused_body_bytes, largest) {
            (Some(limit), Some(have)) if pauses && have > limit => Some(format!(
                "a paused body of {have} bytes is beyond the host's limit of {limit}"
            )),
            _ => None,
        }
    }
}
