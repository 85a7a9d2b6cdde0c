//! Records laid out as a matrix: columns, cases, requirements in the text's order.
//!
//! Does not know HTML.

use std::collections::{BTreeMap, HashMap};

use crate::abi::Abi;
use crate::judge::{Outcome, Verdict, failed};
use crate::record::{CaseLine, Record, ReqLine, ResultLine};
use crate::report::ColumnView;

/// All that a report shows.
pub(super) struct Model<'a> {
    pub records: &'a [Record],
    pub columns: Vec<Col<'a>>,
    /// By first appearance.
    pub cases: Vec<&'a CaseLine>,
    /// In the text's order, as far as it is known.
    pub requirements: Vec<Req<'a>>,
    /// By id.
    pub req_index: HashMap<&'a str, usize>,
    /// How each requirement fared in each column.
    pub fates: Vec<Vec<Option<Verdict>>>,
}

/// Columns of one host and version that stand side by side.
pub(super) struct Host<'m, 'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub columns: &'m [Col<'a>],
}

/// A column and the record that it comes from.
pub(super) struct Col<'a> {
    /// The column's name; a second one of the same name has a number behind it.
    pub name: String,
    pub view: ColumnView<'a>,
    /// The command of its run.
    pub command: &'a str,
    pub results: HashMap<&'a str, &'a ResultLine>,
}

impl Col<'_> {
    /// Whether it is the embedded reference host.
    pub(super) fn is_reference(&self) -> bool {
        self.view.column.driver == "reference"
    }
}

/// A requirement and the cases that look at it.
pub(super) struct Req<'a> {
    /// The reading with the highest level.
    pub line: &'a ReqLine,
    /// Indexes of cases.
    pub cases: Vec<usize>,
}

impl<'a> Model<'a> {
    pub(super) fn new(records: &'a [Record], abis: &[&Abi]) -> Model<'a> {
        let mut columns: Vec<Col<'a>> = Vec::new();
        let mut cases: Vec<&'a CaseLine> = Vec::new();
        let mut case_index = HashMap::new();
        let mut by_column: HashMap<(usize, &str), HashMap<&str, &ResultLine>> = HashMap::new();
        for (n, record) in records.iter().enumerate() {
            for r in &record.results {
                let of = by_column.entry((n, &r.column)).or_default();
                of.insert(&r.case, r);
            }
            for case in &record.cases {
                case_index.entry(case.id.as_str()).or_insert_with(|| {
                    cases.push(case);
                    cases.len() - 1
                });
            }
        }
        for (n, view) in ColumnView::matrix(records) {
            let own = view.column.name.as_str();
            let same = columns.iter().filter(|c| c.view.column.name == own).count();
            columns.push(Col {
                name: match same {
                    0 => own.to_owned(),
                    n => format!("{own} ({})", n + 1),
                },
                command: &records[n].header.command,
                results: by_column.remove(&(n, own)).unwrap_or_default(),
                view,
            });
        }
        let requirements = requirements(records, &case_index, abis);
        let ids = requirements.iter().enumerate();
        let mut model = Model {
            records,
            columns,
            cases,
            req_index: ids.map(|(i, r)| (r.line.id.as_str(), i)).collect(),
            requirements,
            fates: Vec::new(),
        };
        let fates = |r| model.columns.iter().map(|c| model.fate(r, c)).collect();
        model.fates = model.requirements.iter().map(fates).collect();
        model
    }

    /// The columns by host and version.
    pub(super) fn hosts(&self) -> Vec<Host<'_, 'a>> {
        let key = |c: &Col<'a>| (&c.view.column.host, &c.view.column.host_version);
        let groups = self.columns.chunk_by(|a, b| key(a) == key(b));
        groups
            .map(|columns| Host {
                name: &columns[0].view.column.host,
                version: &columns[0].view.column.host_version,
                columns,
            })
            .collect()
    }

    /// Whether some record holds all that there is to ask of a version: what has no case then is a
    /// gap, else it may only not have been chosen.
    pub(super) fn is_whole(&self, abi: &str) -> bool {
        self.records.iter().any(|r| {
            let h = &r.header;
            let chosen = !h.filters.is_empty() || h.shard.is_some() || h.pinned.is_some();
            let cut = r.footer.interrupted || h.command.contains("--level");
            !chosen && !cut && h.columns.iter().any(|c| c.abi == abi)
        })
    }

    /// The reference host's column beside which a column is shown: of the same ABI if there is one,
    /// else the last. None for the reference host itself.
    pub(super) fn reference(&self, column: &Col<'_>) -> Option<usize> {
        if column.is_reference() {
            return None;
        }
        let all = self.columns.iter().enumerate();
        let ours = all.filter(|(_, c)| c.is_reference());
        let same = |c: &Col<'_>| c.view.column.abi == column.view.column.abi;
        // `max_by_key` keeps the last of equals.
        ours.max_by_key(|(_, c)| same(c)).map(|(i, _)| i)
    }

    /// How a requirement fared in a column: the worst of what its cases say of it.
    fn fate(&self, req: &Req<'_>, column: &Col<'_>) -> Option<Verdict> {
        let results = req.cases.iter().filter_map(|c| {
            let result = column.results.get(self.cases[*c].id.as_str())?;
            Some(of(&req.line.id, result))
        });
        results.max_by_key(|v| badness(*v))
    }
}

/// What one result says of a requirement.
fn of(req: &str, result: &ResultLine) -> Verdict {
    let j = &result.judgement;
    if !j.verdict.fails() && j.verdict != Verdict::Warn {
        return j.verdict;
    }
    let mut own = j.checks.iter().filter(|c| !c.control && c.req == req);
    if own.clone().next().is_none() || failed(j).contains(&req) {
        return j.verdict;
    }
    match own.all(|c| c.outcome == Outcome::Pass) {
        true => Verdict::Pass,
        false => Verdict::Blocked,
    }
}

/// Of several verdicts the one with the highest number speaks for all.
pub(super) fn badness(v: Verdict) -> u8 {
    match v {
        Verdict::OutOfScope => 0,
        Verdict::Survey => 1,
        Verdict::Pass => 2,
        Verdict::Warn => 3,
        Verdict::Blocked => 4,
        Verdict::NotRun => 5,
        Verdict::Refused => 6,
        Verdict::Unlinked => 7,
        Verdict::Fail => 8,
        Verdict::Timeout => 9,
        Verdict::Trap => 10,
        Verdict::Crash => 11,
    }
}

fn requirements<'a>(
    records: &'a [Record],
    case_index: &HashMap<&'a str, usize>,
    abis: &[&Abi],
) -> Vec<Req<'a>> {
    let mut order: HashMap<&str, usize> = HashMap::new();
    let mut sections: Vec<&str> = Vec::new();
    for r in abis.iter().flat_map(|a| &a.requirements) {
        let next = order.len();
        order.entry(&r.id).or_insert(next);
        if !sections.contains(&r.section.as_str()) {
            sections.push(&r.section);
        }
    }
    let mut found: Vec<Req<'a>> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for case in records.iter().flat_map(|r| &r.cases) {
        let index = case_index[case.id.as_str()];
        for line in &case.requirements {
            let i = *at.entry(line.id.as_str()).or_insert_with(|| {
                found.push(Req {
                    line,
                    cases: Vec::new(),
                });
                found.len() - 1
            });
            if line.level > found[i].line.level {
                found[i].line = line;
            }
            if !found[i].cases.contains(&index) {
                found[i].cases.push(index);
            }
            if !sections.contains(&line.section.as_str()) {
                sections.push(&line.section);
            }
        }
    }
    let section: BTreeMap<&str, usize> =
        sections.iter().enumerate().map(|(i, s)| (*s, i)).collect();
    let chapter: BTreeMap<&str, usize> = sections
        .iter()
        .map(|s| (*s, chapter_place(&sections, s)))
        .collect();
    // The sort is stable: what no table names keeps the order of the cases.
    found.sort_by_key(|r| {
        let id = order.get(r.line.id.as_str()).copied();
        let s = r.line.section.as_str();
        (chapter[s], section[s], id.unwrap_or(usize::MAX))
    });
    found
}

/// The chapter of a section: `HTTP fields` of `HTTP fields: proxy_get_header_map_value`.
pub(super) fn chapter(section: &str) -> &str {
    section.rsplit_once(": ").map_or(section, |(c, _)| c)
}

/// Where the chapter of a section stands among sections in the order in which they first come: at its
/// first function if it has one, since rows about a chapter as a whole may stand anywhere.
pub(super) fn chapter_place(sections: &[&str], section: &str) -> usize {
    let same = |s: &&&str| chapter(s) == chapter(section);
    let mut of_functions = sections.iter().filter(same).filter(|s| s.contains(": "));
    let first = of_functions.next().or(sections.iter().find(same));
    let at = first.and_then(|f| sections.iter().position(|s| s == f));
    at.unwrap_or(sections.len())
}
