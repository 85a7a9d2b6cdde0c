//! Which cases are meant: ids, prefixes, globs, and set expressions of `key:value` terms.
//!
//! `a & b`, `a | b`, `!a`, parentheses; several filters together mean any of them. Does not know
//! hosts or records: which names `host:` may have and what `last:` means the caller says.

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};

use crate::abi::Level;
use crate::case::problem::nearest;
use crate::case::{Case, Suite};

/// A parsed filter.
#[derive(Debug, Clone)]
pub struct Filter(Expr);

#[derive(Debug, Clone)]
enum Expr {
    All,
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Term(Term),
}

#[derive(Debug, Clone)]
enum Term {
    Id(String, GlobMatcher),
    Area(GlobMatcher),
    Abi(GlobMatcher),
    Level(Level),
    Covers(GlobMatcher),
    Tag(GlobMatcher),
    /// On this host only.
    Host(GlobMatcher),
    /// Ids that an earlier run's record answers for (`last:failed`).
    Among(BTreeSet<String>),
}

/// What a filter may ask of the world outside the case files.
pub trait Earlier {
    /// The cases whose last result is in this group (`failed`, a verdict's word).
    ///
    /// # Errors
    /// A fragment that fits behind the term: there is no earlier run, or no such group.
    fn last(&self, group: &str) -> Result<BTreeSet<String>, String>;

    /// The hosts that are run; empty: none are.
    fn hosts(&self) -> Vec<String>;
}

/// No earlier run, no host.
pub struct Nothing;

impl Earlier for Nothing {
    fn last(&self, _: &str) -> Result<BTreeSet<String>, String> {
        Err("has no earlier run to look at".to_owned())
    }

    fn hosts(&self) -> Vec<String> {
        Vec::new()
    }
}

const KEYS: [&str; 8] = [
    "id", "area", "abi", "level", "covers", "tag", "host", "last",
];

impl Filter {
    /// Parses filters as typed; none of them: everything.
    ///
    /// # Errors
    /// What is wrong, with the nearest known name.
    pub fn parse(texts: &[String], suite: &Suite, earlier: &dyn Earlier) -> Result<Filter, String> {
        let mut out: Option<Expr> = None;
        for text in texts {
            let mut parser = Parser {
                whole: text,
                rest: text,
                suite,
                earlier,
            };
            let expr = parser.or()?;
            if !parser.rest.trim().is_empty() {
                return Err(format!(
                    "unexpected `{}` in filter `{text}`",
                    parser.rest.trim()
                ));
            }
            out = Some(match out {
                None => expr,
                Some(before) => Expr::Or(Box::new(before), Box::new(expr)),
            });
        }
        Ok(Filter(out.unwrap_or(Expr::All)))
    }

    /// Whether the case is meant, where no host is run.
    pub fn matches(&self, case: &Case) -> bool {
        self.0.matches(case, "")
    }

    /// Whether the case is meant on this host.
    pub fn matches_on(&self, case: &Case, host: &str) -> bool {
        self.0.matches(case, host)
    }
}

impl Expr {
    fn matches(&self, case: &Case, host: &str) -> bool {
        match self {
            Expr::All => true,
            Expr::And(a, b) => a.matches(case, host) && b.matches(case, host),
            Expr::Or(a, b) => a.matches(case, host) || b.matches(case, host),
            Expr::Not(a) => !a.matches(case, host),
            Expr::Term(t) => t.matches(case, host),
        }
    }
}

impl Term {
    fn matches(&self, case: &Case, host: &str) -> bool {
        match self {
            Term::Id(text, glob) => {
                let below = case.id.strip_prefix(text.trim_end_matches('/'));
                below.is_some_and(|r| r.is_empty() || r.starts_with('/')) || glob.is_match(&case.id)
            }
            Term::Area(g) => g.is_match(&case.area),
            Term::Abi(g) => case.abi.iter().any(|a| g.is_match(a)),
            Term::Level(l) => case.level == *l,
            Term::Covers(g) => case.covers.iter().any(|c| g.is_match(c)),
            Term::Tag(g) => case.tags.iter().any(|t| g.is_match(t)),
            Term::Host(g) => g.is_match(host),
            Term::Among(ids) => ids.contains(&case.id),
        }
    }
}

struct Parser<'a> {
    whole: &'a str,
    rest: &'a str,
    suite: &'a Suite,
    earlier: &'a dyn Earlier,
}

impl<'a> Parser<'a> {
    fn take(&mut self, c: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Where the parser stands, for people.
    fn place(&self) -> String {
        match self.rest.trim() {
            "" => format!("`{}`, which ends too early", self.whole),
            rest => format!("`{}`, before `{rest}`", self.whole),
        }
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.take('|') {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.not()?;
        while self.take('&') {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, String> {
        if self.take('!') {
            return Ok(Expr::Not(Box::new(self.not()?)));
        }
        if self.take('(') {
            let inside = self.or()?;
            return if self.take(')') {
                Ok(inside)
            } else {
                Err(format!("expected `)` in filter {}", self.place()))
            };
        }
        self.term().map(Expr::Term)
    }

    fn term(&mut self) -> Result<Term, String> {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || "&|!()".contains(c));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if word.is_empty() {
            return Err(format!(
                "expected a case id or a term like `area:fields` in filter {}",
                self.place()
            ));
        }
        match word.split_once(':') {
            None => self.id(word),
            Some((key, value)) => self.keyed(key, value),
        }
    }

    fn id(&self, word: &str) -> Result<Term, String> {
        let term = Term::Id(word.to_owned(), glob(word)?);
        let any = self.suite.cases.iter().any(|c| term.matches(c, ""));
        if any || is_glob(word) {
            return Ok(term);
        }
        let ids = self
            .suite
            .cases
            .iter()
            .flat_map(|c| [c.id.as_str(), &c.suite, &c.area]);
        Err(unknown("case", word, ids))
    }

    fn keyed(&self, key: &str, value: &str) -> Result<Term, String> {
        let cases = &self.suite.cases;
        Ok(match key {
            "id" => return self.id(value),
            "area" => {
                Term::Area(self.known("area", value, cases.iter().map(|c| c.area.as_str()))?)
            }
            "abi" => Term::Abi(self.known(
                "ABI version",
                value,
                self.suite.abis.iter().map(|a| a.id.as_str()),
            )?),
            "tag" => {
                let tags = cases.iter().flat_map(|c| c.tags.iter().map(String::as_str));
                Term::Tag(self.known("tag", value, tags)?)
            }
            "covers" => {
                let rows = self.suite.abis.iter().flat_map(|a| a.requirements.iter());
                Term::Covers(self.known("requirement", value, rows.map(|r| r.id.as_str()))?)
            }
            "level" => Term::Level(match value {
                "must" => Level::Must,
                "should" => Level::Should,
                "survey" => Level::Survey,
                _ => return Err(unknown("level", value, ["must", "should", "survey"])),
            }),
            "host" => {
                let hosts = self.earlier.hosts();
                if hosts.is_empty() {
                    return Err(format!(
                        "`host:{value}` means something only where hosts are run"
                    ));
                }
                // Which hosts are run is another matter each time: a glob may match none of them.
                match is_glob(value) {
                    true => Term::Host(glob(value)?),
                    false => {
                        Term::Host(self.known("host", value, hosts.iter().map(String::as_str))?)
                    }
                }
            }
            "last" => match self.earlier.last(value) {
                Ok(ids) => Term::Among(ids),
                Err(why) => return Err(format!("`last:{value}` {why}")),
            },
            _ => return Err(unknown("filter key", key, KEYS)),
        })
    }

    /// A name, or a glob, that fits at least one of `names`.
    fn known<'n>(
        &self,
        what: &str,
        value: &str,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Result<GlobMatcher, String> {
        let glob = glob(value)?;
        if names.clone().any(|n| glob.is_match(n)) {
            return Ok(glob);
        }
        Err(unknown(what, value, names))
    }
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    Glob::new(text)
        .map(|g| g.compile_matcher())
        .map_err(|e| format!("bad glob `{text}`: {}", e.kind()))
}

fn unknown<'n>(what: &str, name: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    match nearest(name, names) {
        Some(help) => format!("unknown {what} `{name}`: {help}"),
        None => format!("unknown {what} `{name}`"),
    }
}

/// Whether a case of suite version `since` belongs to the suite that `pin` names: `0.2` holds 0.2.0
/// and 0.2.7, not 0.3.0. Parts that the pin does not give are not compared.
pub fn in_suite(since: &str, pin: &str) -> bool {
    let numbers = |v: &str| -> Vec<u64> { v.split('.').map_while(|p| p.parse().ok()).collect() };
    let (mut since, pin) = (numbers(since), numbers(pin));
    since.truncate(pin.len());
    since <= pin
}

/// Whether a text is a suite version or the beginning of one.
pub fn is_suite_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
    parts.len() <= 3 && parts.iter().all(number)
}
