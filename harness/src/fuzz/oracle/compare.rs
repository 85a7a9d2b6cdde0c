//! One program, two attempts: all that differs, the most telling first.

use crate::abi::{Abi, Level};
use crate::fuzz::model::Limits;
use crate::fuzz::oracle::{boundary, wire};
use crate::fuzz::program::Program;
use crate::fuzz::write::Watched;
use crate::trace::{Attempt, End, Load};

/// What one host did.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// The host is a library: callbacks and wire are the harness's own doing.
    pub library: bool,
}

/// How much a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// A requirement that binds hosts says what is right.
    Bound,
    /// It touches a requirement that one of the hosts is known to miss.
    Known,
    /// The text leaves it free.
    Free,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How much it means.
    pub rank: Rank,
    /// The requirement that it touches, and what a case observes to show it.
    pub watched: Watched,
    /// What differs, in short.
    pub what: String,
    /// What the first host did.
    pub left: String,
    /// What the second one did.
    pub right: String,
    /// Two programs that show the same difference have the same.
    pub signature: String,
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Nothing differs.
    Same,
    /// This does, the most telling first.
    Differ(Vec<Difference>),
    /// The attempts cannot be compared: why.
    Unfit(String),
    /// A host died of it.
    Died,
}

impl Compared {
    /// The first difference that a binding requirement speaks of.
    pub fn bound(&self) -> Option<&Difference> {
        match self {
            Compared::Differ(all) => all.first().filter(|d| d.rank == Rank::Bound),
            _ => None,
        }
    }

    /// Whether this difference is among them.
    pub fn shows(&self, signature: &str) -> Option<&Difference> {
        match self {
            Compared::Differ(all) => all.iter().find(|d| d.signature == signature),
            _ => None,
        }
    }
}

/// What is compared, and where what differs is gathered.
pub(super) struct Comparing<'a> {
    pub(super) abi: &'a Abi,
    pub(super) limits: &'a Limits,
    pub(super) program: &'a Program,
    pub(super) found: Vec<Difference>,
}

/// A difference before its rank is known.
pub(super) struct Seen<'a> {
    /// The requirements that it may touch; the first one that exists is named.
    pub(super) rows: &'a [String],
    /// What a case observes to show it.
    pub(super) observe: String,
    /// What differs.
    pub(super) what: String,
    /// On the first host.
    pub(super) left: String,
    /// On the second one.
    pub(super) right: String,
    /// Beside `what` and the row: what makes it another difference.
    pub(super) mark: String,
}

impl Comparing<'_> {
    /// Notes a difference.
    pub(super) fn note(&mut self, seen: Seen<'_>) {
        let mut rows = seen.rows.iter().filter_map(|id| self.abi.requirement(id));
        let known = seen.rows.iter().any(|id| self.limits.rows.contains(id));
        let bound = rows.clone().find(|r| r.level >= Level::Should);
        let (rank, row) = match (known, bound) {
            (true, _) => (Rank::Known, rows.next()),
            (_, Some(row)) => (Rank::Bound, Some(row)),
            _ => (Rank::Free, rows.next()),
        };
        let req = row.map_or("functions/silent.unlisted_status", |r| r.id.as_str());
        self.found.push(Difference {
            rank,
            signature: format!("{} {req} {}", seen.what, seen.mark),
            watched: Watched {
                req: req.to_owned(),
                what: seen.observe,
            },
            what: seen.what,
            left: seen.left,
            right: seen.right,
        });
    }
}

/// Compares what two hosts did with a program.
pub fn compare(
    abi: &Abi,
    program: &Program,
    limits: &Limits,
    left: Side<'_>,
    right: Side<'_>,
) -> Compared {
    let sides = [left.attempt, right.attempt];
    if sides.iter().any(|a| matches!(a.end, End::Crash(_))) {
        return Compared::Died;
    }
    if let Some(fault) = sides.iter().find_map(|a| a.faults.first()) {
        return Compared::Unfit(fault.what.clone());
    }
    if sides.iter().any(|a| a.load == Load::Unknown) {
        return Compared::Unfit("neither a frame nor a refusal was seen".to_owned());
    }
    let mut comparing = Comparing {
        abi,
        limits,
        program,
        found: Vec::new(),
    };
    comparing.loads(sides);
    if comparing.found.is_empty() && !left.attempt.load.refused() {
        boundary::steps(&mut comparing, sides);
        if !left.library && !right.library {
            boundary::callbacks(&mut comparing, sides);
            wire::wire(&mut comparing, sides);
            wire::logs(&mut comparing, sides);
        }
        comparing.ends(sides);
    }
    let mut found = comparing.found;
    // The order within a rank is that of time.
    found.sort_by_key(|d| d.rank);
    match found.is_empty() {
        true => Compared::Same,
        false => Compared::Differ(found),
    }
}

impl Comparing<'_> {
    fn loads(&mut self, sides: [&Attempt; 2]) {
        let word = |a: &Attempt| match &a.load {
            Load::Unlinked { import, .. } => format!("{import} is not linked"),
            Load::Refused { .. } => "the module is refused".to_owned(),
            _ => "the module is loaded".to_owned(),
        };
        let [left, right] = sides.map(word);
        if left != right {
            self.note(Seen {
                rows: &["functions/linked".to_owned()],
                observe: "load".to_owned(),
                what: "load".to_owned(),
                mark: format!("{left} {right}"),
                left,
                right,
            });
        }
    }

    fn ends(&mut self, sides: [&Attempt; 2]) {
        let word = |a: &Attempt| match &a.end {
            End::Normal => "normal",
            End::Trap(_) => "trap",
            End::Crash(_) => "crash",
            End::Timeout(_) => "timeout",
        };
        let [left, right] = sides.map(word);
        if left != right {
            self.note(Seen {
                rows: &["proxy_on_delete/called".to_owned()],
                observe: "end".to_owned(),
                what: "end".to_owned(),
                left: left.to_owned(),
                right: right.to_owned(),
                mark: format!("{left} {right}"),
            });
        }
    }
}
