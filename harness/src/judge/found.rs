//! What came of looking at one thing.
//!
//! Does not know verdicts.

use crate::judge::Outcome;
use crate::judge::view::{Place, kept};

/// The outcome of one check, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) outcome: Outcome,
    /// What came instead, for people; empty when it passed.
    pub(super) got: String,
    /// The event that it looked at.
    pub(super) event: Option<(u32, u32)>,
    /// Unreached: the callback that never came.
    pub(super) lacks: Option<String>,
}

impl Found {
    pub(super) fn pass(event: Option<Place>) -> Found {
        Found {
            outcome: Outcome::Pass,
            got: String::new(),
            event: event.map(kept),
            lacks: None,
        }
    }

    pub(super) fn fail(event: Option<Place>, got: String) -> Found {
        Found {
            outcome: Outcome::Fail,
            got,
            event: event.map(kept),
            lacks: None,
        }
    }

    pub(super) fn unreached(event: Option<Place>, got: impl Into<String>) -> Found {
        Found {
            outcome: Outcome::Unreached,
            got: got.into(),
            event: event.map(kept),
            lacks: None,
        }
    }

    /// Unreached because this callback never came.
    pub(super) fn lacking(callback: &str) -> Found {
        Found {
            lacks: Some(callback.to_owned()),
            ..Found::unreached(None, format!("{callback} never came"))
        }
    }
}
