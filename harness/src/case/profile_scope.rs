//! What of a case a host's description puts out of scope.
//!
//! Does not know verdicts.

use crate::case::profile::{Answers, DriverKind, Lacks, Profile};
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

impl Lacks {
    /// What it lacks in one column, without the column.
    pub fn within(&self, abi: &str) -> Lacks {
        let own = |all: &[String]| {
            all.iter()
                .filter_map(|entry| match entry.split_once('@') {
                    None => Some(entry.clone()),
                    Some((name, of)) => (of == abi).then(|| name.to_owned()),
                })
                .collect()
        };
        Lacks {
            hostcalls: own(&self.hostcalls),
            callbacks: own(&self.callbacks),
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

    /// Who answers a hostcall, a callback or a requirement of a library host in a column: what is said of
    /// the requirement itself goes before what is said of its function, and what is said of the column
    /// (`NAME@ABI`) before what is said of all; the library, where nothing is said.
    pub fn answered_by(&self, name: &str, abi: &str) -> Answers {
        let function = name.split('/').next().unwrap_or(name);
        let said = [
            self.answers.get(&format!("{name}@{abi}")),
            self.answers.get(name),
            self.answers.get(&format!("{function}@{abi}")),
            self.answers.get(function),
        ];
        let said = said.into_iter().flatten().next();
        said.copied().unwrap_or(Answers::Library)
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
