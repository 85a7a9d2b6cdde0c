//! Surveys: hosts grouped by what they did.
//!
//! Does not know which answer is right: none is.

use crate::judge::Verdict;
use crate::record::Record;

/// The hosts' answers to one survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Case id.
    pub case: String,
    /// What it is about.
    pub about: String,
    /// The requirement's wording and its heading in the text.
    pub text: Option<(String, String)>,
    /// Groups, the largest first, then in the order of the columns.
    pub groups: Vec<Group>,
}

impl Survey {
    /// A question to the text's authors, ready to be sent; nothing where all hosts did the same.
    pub fn question(&self) -> Option<String> {
        if self.groups.len() < 2 {
            return None;
        }
        let mut out = match &self.text {
            Some((text, section)) => format!("{section}: {text}.\n"),
            None => String::new(),
        };
        out.push_str(&format!("In this case ({}) hosts differ:\n", self.about));
        for g in &self.groups {
            let seen = g.observed.iter().map(|(w, a)| format!("{w}: {a}"));
            let seen = seen.collect::<Vec<_>>().join("; ");
            out.push_str(&format!("- {}: {seen}\n", g.columns.join(", ")));
        }
        out.push_str("Is one of these meant, or is a host free to choose?\n");
        Some(out)
    }
}

/// Columns that did the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// `(what, answer)`.
    pub observed: Vec<(String, String)>,
    /// Column names, in the order of the records.
    pub columns: Vec<String>,
}

/// The surveys of several records, in the order in which the cases first come.
pub fn surveys(records: &[Record]) -> Vec<Survey> {
    let mut out: Vec<Survey> = Vec::new();
    for record in records {
        for case in &record.cases {
            let results = record.results.iter();
            let mine =
                results.filter(|r| r.case == case.id && r.judgement.verdict == Verdict::Survey);
            for r in mine {
                let at = out.iter().position(|s| s.case == case.id);
                let at = at.unwrap_or_else(|| {
                    out.push(Survey {
                        case: case.id.clone(),
                        about: case.about.clone(),
                        text: case
                            .requirements
                            .first()
                            .map(|r| (r.text.clone(), r.section.clone())),
                        groups: Vec::new(),
                    });
                    out.len() - 1
                });
                add(&mut out[at].groups, &r.column, &r.judgement.observed);
            }
        }
    }
    for s in &mut out {
        s.groups.sort_by_key(|g| std::cmp::Reverse(g.columns.len()));
    }
    out
}

fn add(groups: &mut Vec<Group>, column: &str, observed: &[(String, String)]) {
    match groups.iter_mut().find(|g| g.observed == observed) {
        Some(g) if g.columns.iter().any(|c| c == column) => {}
        Some(g) => g.columns.push(column.to_owned()),
        None => groups.push(Group {
            observed: observed.to_vec(),
            columns: vec![column.to_owned()],
        }),
    }
}
