//! Known failures: which columns and cases an entry is about.
//!
//! Does not know what came of them: that is the gate's.

use std::cmp::Ordering;
use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

use crate::judge::Verdict;

/// One entry of a profile's known failures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Case ids or globs (`*` within a part, `**` across parts).
    pub cases: Vec<String>,
    /// ABI versions and dialects; empty: all.
    pub abi: Vec<String>,
    /// Host versions: `>=1.36 <1.40`; none: all.
    pub versions: Option<String>,
    /// Accepted verdicts; empty: any that fails.
    pub verdicts: Vec<Verdict>,
    /// Requirements whose checks fail; empty: any.
    pub checks: Vec<String>,
    /// The host's own cause.
    pub why: String,
    /// Where to read more.
    pub link: Option<String>,
    /// The last day on which it holds, as ISO 8601 writes it; none: for ever.
    pub expires: Option<String>,
}

/// What a profile says that the host lacks: cases about these are known to be unlinked or to fail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks {
    /// By the text's names.
    pub hostcalls: Vec<String>,
    /// By the text's names.
    pub callbacks: Vec<String>,
}

/// Why known failures cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownError {
    /// A version range is wrong: the part.
    Version(String),
    /// A glob is wrong: the glob, why.
    Glob(String, String),
}

impl fmt::Display for KnownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KnownError::Version(part) => write!(f, "read the version range part {part:?}"),
            KnownError::Glob(glob, why) => write!(f, "read the glob {glob:?}: {why}"),
        }
    }
}

impl std::error::Error for KnownError {}

/// A list of conditions on a version, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange(Vec<(Op, Vec<u64>)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    AtLeast,
    AtMost,
    Above,
    Below,
    Is,
}

impl VersionRange {
    /// Reads `>=1.36 <1.40`: conditions apart by spaces or commas, each with `>=`, `<=`, `>`, `<`,
    /// `=` or nothing (the same as `=`) and a dotted number.
    ///
    /// # Errors
    /// A part is no such condition.
    pub fn parse(text: &str) -> Result<VersionRange, KnownError> {
        let parts = text.split([' ', ',']).filter(|p| !p.is_empty());
        let ops = [
            (">=", Op::AtLeast),
            ("<=", Op::AtMost),
            (">", Op::Above),
            ("<", Op::Below),
            ("=", Op::Is),
            ("", Op::Is),
        ];
        let mut all = Vec::new();
        for part in parts {
            let bad = || KnownError::Version(part.to_owned());
            let split = |(sign, op): &(&str, Op)| Some((*op, part.strip_prefix(sign)?));
            let (op, number) = ops.iter().find_map(split).ok_or_else(bad)?;
            let numbers: Option<Vec<u64>> = number.split('.').map(|n| n.parse().ok()).collect();
            all.push((op, numbers.ok_or_else(bad)?));
        }
        if all.is_empty() {
            return Err(KnownError::Version(text.to_owned()));
        }
        Ok(VersionRange(all))
    }

    /// Whether a version lies within. Missing parts are 0; what follows the numbers is not looked at.
    pub fn holds(&self, version: &str) -> bool {
        let have = numbers(version);
        self.0.iter().all(|(op, want)| {
            let order = compare(&have, want);
            match op {
                Op::AtLeast => order != Ordering::Less,
                Op::AtMost => order != Ordering::Greater,
                Op::Above => order == Ordering::Greater,
                Op::Below => order == Ordering::Less,
                Op::Is => order == Ordering::Equal,
            }
        })
    }
}

/// The leading numbers of `1.40.0-dev`.
fn numbers(version: &str) -> Vec<u64> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let end = version.find(|c: char| c != '.' && !c.is_ascii_digit());
    let version = &version[..end.unwrap_or(version.len())];
    version.split('.').map_while(|n| n.parse().ok()).collect()
}

fn compare(a: &[u64], b: &[u64]) -> Ordering {
    let at = |v: &[u64], i: usize| v.get(i).copied().unwrap_or(0);
    let all = (0..a.len().max(b.len())).map(|i| at(a, i).cmp(&at(b, i)));
    all.fold(Ordering::Equal, Ordering::then)
}

/// A pattern that names cases: `*` within a part, `**` across parts.
///
/// # Errors
/// It cannot be read.
pub fn case_glob(text: &str) -> Result<GlobMatcher, KnownError> {
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    glob.map(|g| g.compile_matcher())
        .map_err(|e| KnownError::Glob(text.to_owned(), e.kind().to_string()))
}

/// An entry made ready for one column.
pub(super) struct Ready<'a> {
    pub(super) entry: &'a Known,
    /// Its patterns in order.
    pub(super) globs: Vec<GlobMatcher>,
    /// Whether it is about this column at all.
    pub(super) here: bool,
}

impl<'a> Ready<'a> {
    pub(super) fn new(entry: &'a Known, abi: &str, version: &str) -> Result<Ready<'a>, KnownError> {
        let range = entry
            .versions
            .as_deref()
            .map(VersionRange::parse)
            .transpose()?;
        let glob = |text: &String| case_glob(text);
        Ok(Ready {
            entry,
            globs: entry.cases.iter().map(glob).collect::<Result<_, _>>()?,
            here: (entry.abi.is_empty() || entry.abi.iter().any(|a| a == abi))
                && range.is_none_or(|r| r.holds(version)),
        })
    }

    pub(super) fn names(&self, case: &str) -> bool {
        self.globs.iter().any(|g| g.is_match(case))
    }
}
