//! From records to work lists: each case of a column of the text beside the same case in the column of
//! the host's dialect.
//!
//! Does not know the words of a step.

use std::collections::{BTreeMap, BTreeSet};

use crate::abi::{Abi, Level};
use crate::judge::Verdict;
use crate::record::{CaseLine, Column, Record, ResultLine};
use crate::report::ColumnView;
use crate::report::adaptation::own::{self, Own};
use crate::report::adaptation::roots::{Root, about, by_numbers, root};
use crate::report::adaptation::steps::{self, Topics};
use crate::report::adaptation::{Area, Sums, Topic, Work};

/// The work on every column of the text in these records but those of the reference host.
pub fn adaptation(records: &[Record], abis: &[&Abi]) -> Vec<Work> {
    let mut out = Vec::new();
    for record in records {
        for view in ColumnView::all(record) {
            let column = view.column;
            let of_text = !column.dialect && column.driver != "reference";
            let Some(text) = abis.iter().find(|a| of_text && a.id == column.abi) else {
                continue;
            };
            let own = dialect_of(record, column, abis);
            out.push(Pairs::new(record, column, text, own).work(view.line));
        }
    }
    out
}

/// The dialect of this text in which the same host was run.
fn dialect_of<'r>(
    record: &'r Record,
    column: &Column,
    abis: &[&'r Abi],
) -> Option<(&'r Column, &'r Abi)> {
    let columns = record.header.columns.iter();
    let mut own = columns
        .filter(|c| c.dialect && c.host == column.host && c.host_version == column.host_version);
    own.find_map(|c| {
        let abi = abis.iter().find(|a| a.id == c.abi)?;
        (abi.dialect_of.as_deref() == Some(&column.abi)).then_some((c, *abi))
    })
}

/// A case of the column, and the same case in the dialect's.
pub struct Pair<'r> {
    /// In the column of the text.
    pub text: &'r ResultLine,
    /// In the dialect's.
    pub own: Option<&'r ResultLine>,
    /// What it is about.
    pub about: &'r str,
    /// Its area.
    pub area: &'r str,
    /// What holds it up.
    pub root: Option<Root>,
}

impl Pair<'_> {
    /// Whether it passes in the dialect.
    pub fn own_passes(&self) -> bool {
        self.own
            .is_some_and(|r| r.judgement.verdict == Verdict::Pass)
    }

    /// Whether it passes in the column of the text.
    pub fn passes(&self) -> bool {
        self.text.judgement.verdict == Verdict::Pass
    }

    /// The case's id.
    pub fn case(&self) -> &str {
        &self.text.case
    }
}

/// One column of the text with all that it is held against.
pub struct Pairs<'r> {
    record: &'r Record,
    column: &'r Column,
    /// The text's table.
    pub text: &'r Abi,
    /// The dialect's.
    pub dialect: Option<&'r Abi>,
    /// Must cases in scope, in the order of the suite.
    pub must: Vec<Pair<'r>>,
    /// All results of the column, whatever their level.
    pub all: Vec<&'r ResultLine>,
    /// All results of the dialect's column.
    pub own: Vec<&'r ResultLine>,
}

impl<'r> Pairs<'r> {
    fn new(
        record: &'r Record,
        column: &'r Column,
        text: &'r Abi,
        own: Option<(&'r Column, &'r Abi)>,
    ) -> Pairs<'r> {
        let of = |name: &str| -> Vec<&'r ResultLine> {
            let all = record.results.iter();
            all.filter(|r| r.column == name).collect()
        };
        let all = of(&column.name);
        let theirs = own.map_or_else(Vec::new, |(c, _)| of(&c.name));
        let by_case: BTreeMap<&str, &'r ResultLine> =
            theirs.iter().map(|r| (r.case.as_str(), *r)).collect();
        let mut cases: BTreeMap<&str, (usize, &'r CaseLine)> = BTreeMap::new();
        for (n, case) in record.cases.iter().enumerate() {
            cases.entry(&case.id).or_insert((n, case));
        }
        let mut must: Vec<(usize, Pair<'r>)> = Vec::new();
        for r in all.iter().filter(|r| !r.added) {
            let in_scope = r.judgement.verdict != Verdict::OutOfScope;
            let (Some((n, case)), Some(about)) = (cases.get(r.case.as_str()), about(r)) else {
                continue;
            };
            if in_scope && r.judgement.level == Level::Must {
                let mut pair = Pair {
                    text: r,
                    own: by_case.get(r.case.as_str()).copied(),
                    about,
                    area: &case.area,
                    root: root(r, text),
                };
                let numbers = own.and_then(|(_, d)| by_numbers(r, text, d));
                if let (Some(call), Some(root)) = (numbers, &mut pair.root)
                    && by_case
                        .get(r.case.as_str())
                        .is_some_and(|o| o.judgement.verdict == Verdict::Pass)
                {
                    root.direct = root.direct && root.topic == call || about == call;
                    root.topic = call.to_owned();
                }
                must.push((*n, pair));
            }
        }
        must.sort_by_key(|(n, _)| *n);
        Pairs {
            record,
            column,
            text,
            dialect: own.map(|(_, abi)| abi),
            must: must.into_iter().map(|(_, p)| p).collect(),
            all,
            own: theirs,
        }
    }

    /// What the dialect's table says of a topic.
    pub fn own_of(&self, topic: &str) -> Own {
        self.dialect
            .map_or_else(Own::default, |d| own::own(topic, self.text, d))
    }

    /// Another version of the text under which the same host passes some of these cases: how many.
    pub fn elsewhere(&self, cases: &[&Pair<'_>]) -> Option<(String, u32)> {
        let columns = self.record.header.columns.iter().filter(|c| {
            !c.dialect
                && c.name != self.column.name
                && c.host == self.column.host
                && c.host_version == self.column.host_version
        });
        let passes = columns.map(|c| {
            let here = self
                .record
                .results
                .iter()
                .filter(|r| r.column == c.name && r.judgement.verdict == Verdict::Pass);
            let here: BTreeSet<&str> = here.map(|r| r.case.as_str()).collect();
            let n = cases.iter().filter(|p| here.contains(p.case())).count();
            (c.abi.clone(), n as u32)
        });
        passes.filter(|(_, n)| *n > 0).max_by_key(|(_, n)| *n)
    }

    /// The wording of a row.
    pub fn wording(&self, req: &str) -> String {
        let row = self.text.requirement(req).map(|r| r.text.clone());
        row.or_else(|| {
            let rows = self.record.cases.iter().flat_map(|c| &c.requirements);
            rows.clone().find(|r| r.id == req).map(|r| r.text.clone())
        })
        .unwrap_or_default()
    }

    fn work(&self, line: String) -> Work {
        let topics = Topics::new(self);
        let steps = steps::steps(self, &topics);
        let mut sums = Sums::default();
        let mut areas: Vec<Area> = Vec::new();
        for pair in &self.must {
            let add = |to: &mut Sums| count(to, pair, &topics);
            add(&mut sums);
            let at = areas.iter().position(|a| a.name == pair.area);
            let at = at.unwrap_or_else(|| {
                areas.push(Area {
                    name: pair.area.to_owned(),
                    sums: Sums::default(),
                    topics: Vec::new(),
                });
                areas.len() - 1
            });
            let area = &mut areas[at];
            add(&mut area.sums);
            let at = area.topics.iter().position(|t| t.name == pair.about);
            let at = at.unwrap_or_else(|| {
                let found = topics.of(pair.about);
                area.topics.push(Topic {
                    name: pair.about.to_owned(),
                    sums: Sums::default(),
                    links: found.links.clone(),
                    number: found.number.clone(),
                    behaviour: found.behaviour.clone(),
                    step: steps
                        .iter()
                        .position(|s| s.topic == pair.about)
                        .map(|n| n + 1),
                });
                area.topics.len() - 1
            });
            add(&mut area.topics[at].sums);
        }
        let not_run = self.must.iter();
        let not_run = not_run.filter(|p| p.text.judgement.verdict == Verdict::NotRun);
        Work {
            column: self.column.name.clone(),
            host: self.column.host.clone(),
            abi: self.column.abi.clone(),
            own: self.dialect.map(|d| d.id.clone()),
            line,
            sums,
            areas,
            steps,
            numbers: self
                .dialect
                .map_or_else(Vec::new, |d| own::all_numbers(self.text, d)),
            not_run: not_run.map(|p| p.case().to_owned()).collect(),
        }
    }
}

/// Counts one case where it belongs.
fn count(sums: &mut Sums, pair: &Pair<'_>, topics: &Topics) {
    sums.all += 1;
    let place = match (&pair.root, pair.text.judgement.verdict) {
        (_, Verdict::Pass) => &mut sums.pass,
        (None, _) => &mut sums.not_run,
        _ if pair.own_passes() => &mut sums.words,
        (Some(root), _) if !root.direct => &mut sums.behind,
        (Some(root), _) if topics.of(&root.topic).there => &mut sums.behaviour,
        _ => &mut sums.missing,
    };
    *place += 1;
}
