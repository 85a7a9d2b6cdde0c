//! Canaries: cases whose outcome is known beforehand. They show that the way to the host works and
//! that a wrong answer would be seen.
//!
//! Each carries a random number that the guest hands on, so an answer cannot be canned. Does not
//! know hosts.

use std::sync::Arc;

use crate::abi::Abi;
use crate::case::{Problem, Suite};
use crate::judge::Verdict;

/// One canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// Must pass.
    Passes,
    /// Must fail.
    Fails,
    /// Must end as a trap.
    Traps,
    /// Must end as a time-out.
    Hangs,
}

impl Canary {
    /// Those that every run plays.
    pub const RUN: [Canary; 2] = [Canary::Passes, Canary::Fails];
    /// Those that `doctor` plays beside them.
    pub const MORE: [Canary; 2] = [Canary::Traps, Canary::Hangs];

    /// Its name: the last part of its case id.
    pub fn name(self) -> &'static str {
        match self {
            Canary::Passes => "passes",
            Canary::Fails => "fails",
            Canary::Traps => "traps",
            Canary::Hangs => "hangs",
        }
    }

    /// Whether a verdict is the one that it must get. A host that ends a loop by itself ends the guest, as
    /// a trap does.
    pub fn accepts(self, verdict: Verdict) -> bool {
        verdict == self.due() || self == Canary::Hangs && verdict == Verdict::Trap
    }

    /// The verdict that it must get.
    pub fn due(self) -> Verdict {
        match self {
            Canary::Passes => Verdict::Pass,
            Canary::Fails => Verdict::Fail,
            Canary::Traps => Verdict::Trap,
            Canary::Hangs => Verdict::Timeout,
        }
    }
}

/// The suite of canaries. The guest reads a field with a random number and writes it into another
/// one; the upstream must see it there. In the failing canary the expectation is off by one.
///
/// # Errors
/// The tables lack what the canaries rest on.
pub fn suite(abis: Vec<Arc<Abi>>, number: u64) -> Result<Suite, Vec<Problem>> {
    let wrong = number.wrapping_add(1);
    let case = |id: &str, due: u64, extra: &str| {
        format!(
            "  - id: {id}
    about: the way to the host
    program:
      request_headers:
        - call: proxy_get_header_map_value
          with: {{map_id: HTTP_REQUEST_HEADERS, key: x-canary}}
          save: {{value: number}}
          expect: {{value: \"{due}\"}}
        - call: proxy_replace_header_map_value
          with: {{map_id: HTTP_REQUEST_HEADERS, key: x-canary-echo, value: {{saved: number}}}}
{extra}    exchange:
      request: {{headers: [[x-canary, \"{number}\"], [x-canary-echo, none]]}}
"
        )
    };
    let text = format!(
        "version: 1\nsuite: canary\nabout: Canaries\nsince: 0.1.0\ncases:\n{}{}{}{}",
        case("passes", number, ""),
        case("fails", wrong, ""),
        case("traps", number, "        - trap: true\n"),
        case("hangs", number, "        - spin: true\n"),
    );
    let files = [("cases/canary.yaml".to_owned(), text)];
    Suite::load(&files, abis, std::sync::Arc::new([]))
}
