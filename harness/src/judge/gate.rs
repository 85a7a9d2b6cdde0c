//! Results held against what was expected of this host: the gate, and the state of each entry.
//!
//! Changes no verdict.

use crate::judge::known::{Known, KnownError, Lacks, Ready};
use crate::judge::settle::{belongs, failed};
use crate::judge::{Gate, Judgement, Outcome, Verdict};

/// Why something is known that the profile does not name: it lists the function as lacking.
pub const LACKED: &str = "the profile says that the host lacks it";

/// One result of a column, as the gate looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Gated<'a> {
    /// The case's id.
    pub case: &'a str,
    /// By the text, settled.
    pub judgement: &'a Judgement,
    /// The import that the host named as missing.
    pub missing: Option<&'a str>,
}

/// What was expected of this host in one column.
#[derive(Debug, Clone, Copy)]
pub struct Expectation<'a> {
    /// ABI version or dialect.
    pub abi: &'a str,
    /// The host's version; of a build of one's own: the newest version of the profile.
    pub version: &'a str,
    /// The profile's entries, in order.
    pub known: &'a [Known],
    /// What the profile says that the host lacks.
    pub lacks: &'a Lacks,
    /// Ids of all cases of the suite, selected or not.
    pub suite: &'a [&'a str],
    /// Warnings count as failures.
    pub strict: bool,
    /// The day on which it is asked, as ISO 8601 writes it.
    pub today: &'a str,
}

/// How an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// Every selected case that it names fails as it says, or it names none of this column.
    Fine,
    /// These patterns name no case of the suite.
    Unmatched(Vec<String>),
    /// Every selected case that it names passes: these.
    Stale(Vec<String>),
    /// Some cases fail as it says, these pass.
    OverBroad(Vec<String>),
    /// These fail otherwise: case, what is different.
    ChangedReason(Vec<(String, String)>),
    /// All fail as it says, but it was to hold until this day only.
    Expired(String),
}

/// The gate of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gating {
    /// One per result, in order.
    pub gates: Vec<Gate>,
    /// One per entry, in order.
    pub entries: Vec<EntryState>,
    /// The same in full: one per entry, in order.
    pub ledgers: Vec<Ledger>,
}

impl Gating {
    /// Whether a result or an entry is unexpected (exit 1); unmatched entries are usage errors.
    pub fn unexpected(&self) -> bool {
        let moved = |e: &EntryState| !matches!(e, EntryState::Fine | EntryState::Unmatched(_));
        self.gates.iter().any(Gate::unexpected) || self.entries.iter().any(moved)
    }
}

/// What one entry did over the column: cases that have no verdict of their own stand nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Fail as it says.
    pub failed: Vec<String>,
    /// Do not fail, or not in what it is about.
    pub passed: Vec<String>,
    /// Fail otherwise: case, what is different.
    pub changed: Vec<(String, String)>,
}

/// Holds every result of a column against the profile.
///
/// # Errors
/// An entry's glob or version range cannot be read.
pub fn gate(results: &[Gated<'_>], expectation: &Expectation<'_>) -> Result<Gating, KnownError> {
    let x = expectation;
    let ready = x.known.iter().map(|k| Ready::new(k, x.abi, x.version));
    let ready: Vec<Ready<'_>> = ready.collect::<Result<_, _>>()?;
    let mut ledgers: Vec<Ledger> = ready.iter().map(|_| Ledger::default()).collect();
    let gates = results.iter().map(|r| one(r, x, &ready, &mut ledgers));
    let gates = gates.collect();
    let entries = ready.iter().zip(&ledgers).map(|(r, l)| state(r, l, x));
    Ok(Gating {
        gates,
        entries: entries.collect(),
        ledgers,
    })
}

fn state(ready: &Ready<'_>, ledger: &Ledger, x: &Expectation<'_>) -> EntryState {
    let named = ready.entry.cases.iter().zip(&ready.globs);
    let unmatched = named.filter(|(_, g)| !x.suite.iter().any(|c| g.is_match(c)));
    let unmatched: Vec<String> = unmatched.map(|(c, _)| c.clone()).collect();
    if !unmatched.is_empty() {
        return EntryState::Unmatched(unmatched);
    }
    let expired = ready.entry.expires.as_deref().filter(|day| *day < x.today);
    match (&ledger.changed[..], &ledger.passed[..], &ledger.failed[..]) {
        ([], [], []) => EntryState::Fine,
        ([], [], _) => match expired {
            Some(day) => EntryState::Expired(day.to_owned()),
            None => EntryState::Fine,
        },
        ([], p, []) => EntryState::Stale(p.to_vec()),
        ([], p, _) => EntryState::OverBroad(p.to_vec()),
        (c, _, _) => EntryState::ChangedReason(c.to_vec()),
    }
}

fn one(r: &Gated<'_>, x: &Expectation<'_>, ready: &[Ready<'_>], ledgers: &mut [Ledger]) -> Gate {
    let j = r.judgement;
    let named = ready
        .iter()
        .enumerate()
        .filter(|(_, k)| k.here && k.names(r.case));
    let named: Vec<(usize, &Known)> = named.map(|(n, k)| (n, k.entry)).collect();
    match j.verdict {
        Verdict::OutOfScope | Verdict::Blocked | Verdict::NotRun => return Gate::Expected,
        Verdict::Warn if named.is_empty() => {
            return if x.strict && !lacking(j, r.missing, x.lacks) {
                Gate::UnexpectedFailure
            } else {
                Gate::Expected
            };
        }
        _ => {}
    }
    if !j.verdict.fails() && j.verdict != Verdict::Warn {
        return passes(r, &named, ledgers);
    }
    let Some((first, _)) = named.first() else {
        return match lacking(j, r.missing, x.lacks) {
            true => Gate::Known {
                entry: x.known.len() as u32,
                why: LACKED.to_owned(),
                link: None,
            },
            false => Gate::UnexpectedFailure,
        };
    };
    let mut open: Vec<&str> = fails_of(j);
    let mut by: Option<(usize, &Known)> = None;
    for (n, k) in &named {
        if !verdict_fits(k, j.verdict) {
            continue;
        }
        let fails = fails_of(j);
        open.retain(|req| !check_fits(k, req));
        let its_own = fails.is_empty() || fails.iter().any(|req| check_fits(k, req));
        if its_own {
            ledgers[*n].failed.push(r.case.to_owned());
            by = by.or(Some((*n, k)));
        } else {
            ledgers[*n].passed.push(r.case.to_owned());
        }
    }
    match by {
        Some((n, k)) if open.is_empty() => Gate::Known {
            entry: n as u32,
            why: k.why.clone(),
            link: k.link.clone(),
        },
        _ => {
            let n = by.map_or(*first, |(n, _)| n);
            let how = if by.is_some() || named.iter().any(|(_, k)| verdict_fits(k, j.verdict)) {
                open.dedup();
                format!("{} fails", open.join(", "))
            } else {
                let want: Vec<&str> = x.known[n].verdicts.iter().map(|v| v.word()).collect();
                format!("{}, not {}", j.verdict, want.join(" or "))
            };
            ledgers[n].changed.push((r.case.to_owned(), how.clone()));
            Gate::ChangedReason {
                entry: n as u32,
                how,
            }
        }
    }
}

fn passes(r: &Gated<'_>, named: &[(usize, &Known)], ledgers: &mut [Ledger]) -> Gate {
    for (n, _) in named {
        ledgers[*n].passed.push(r.case.to_owned());
    }
    match named.first() {
        Some((n, _)) => Gate::UnexpectedPass { entry: *n as u32 },
        None => Gate::Expected,
    }
}

/// The requirements whose checks failed outright.
fn fails_of(j: &Judgement) -> Vec<&str> {
    let own = j
        .checks
        .iter()
        .filter(|c| !c.control && c.outcome == Outcome::Fail);
    own.map(|c| c.req.as_str()).collect()
}

fn verdict_fits(k: &Known, v: Verdict) -> bool {
    k.verdicts.contains(&v) || k.verdicts.is_empty()
}

fn check_fits(k: &Known, req: &str) -> bool {
    k.checks.is_empty() || k.checks.iter().any(|c| c == req)
}

/// Whether everything that is wrong here is about a function that the profile says is lacking.
/// `missing`: the import that the host named, where that is known.
pub fn lacking(judgement: &Judgement, missing: Option<&str>, lacks: &Lacks) -> bool {
    if let (Verdict::Unlinked, Some(import)) = (judgement.verdict, missing) {
        return lacks.hostcalls.iter().any(|h| h == import);
    }
    let about = |req: &&str| {
        let all = match judgement.verdict {
            Verdict::Unlinked => &lacks.hostcalls,
            _ => &lacks.callbacks,
        };
        all.iter().any(|f| belongs(req, f))
    };
    let failed = failed(judgement);
    match judgement.verdict {
        Verdict::Unlinked => failed.iter().any(about),
        Verdict::Fail | Verdict::Warn => !failed.is_empty() && failed.iter().all(about),
        _ => false,
    }
}
