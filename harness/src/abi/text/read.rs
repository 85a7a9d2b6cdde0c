//! A text under its map: what each line means, and what does not fit.
//!
//! Does not know which requirement a case tests.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use crate::abi::Abi;
use crate::abi::text::map::SectionMap;
use crate::abi::text::outline::{self, Form, Section};
use crate::abi::text::{Meaning, TextMap, agree};

/// A text, line by line.
#[derive(Debug)]
pub struct Reading {
    /// Whether it is, byte by byte, the text that the map was made for.
    pub known: bool,
    /// Every line.
    pub lines: Vec<TextLine>,
    /// What does not fit, in the order of the text.
    pub problems: Vec<TextProblem>,
}

/// One line of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct TextLine {
    /// Counted from 1.
    pub number: usize,
    /// As it stands.
    pub text: String,
    /// What it means.
    pub meaning: LineMeaning,
}

/// What one line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineMeaning {
    /// It is behind these requirements.
    Reqs(Vec<String>),
    /// It asks nothing of a host, for this reason.
    Informative(String),
    /// The map does not speak of it.
    Unmapped,
}

/// One thing that does not fit between text, map and table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextProblem {
    /// The line of the text, counted from 1; 0: the whole.
    pub line: usize,
    /// A lowercase fragment.
    pub message: String,
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.message)
    }
}

impl TextMap {
    /// Reads `text` under this map and holds both against the table of the same version.
    pub fn read(&self, text: &str, abi: &Abi) -> Reading {
        let lines: Vec<&str> = text.lines().collect();
        let sections = outline::sections(&lines);
        let mut reader = Reader {
            map: self,
            abi,
            cited: BTreeSet::new(),
            problems: Vec::new(),
        };
        let mut read: Vec<TextLine> = Vec::with_capacity(lines.len());
        let first = sections.first().map_or(lines.len(), |s| s.start);
        for (at, line) in lines[..first].iter().enumerate() {
            read.push(TextLine {
                number: at + 1,
                text: (*line).to_owned(),
                meaning: match line.trim() {
                    "" => LineMeaning::Informative("blank".to_owned()),
                    _ => LineMeaning::Unmapped,
                },
            });
        }
        for section in &sections {
            reader.section(section, &lines, &mut read);
        }
        let digest = sha256(text);
        let known = digest == self.sha256;
        if !known {
            let message = format!(
                "this is not the text of {} that the map was made for: its sha256 is {digest}, not {}",
                self.abi, self.sha256
            );
            reader.problem(0, message);
        }
        for (name, _) in &self.sections {
            if !sections.iter().any(|s| s.name == *name) {
                reader.problem(0, format!("the text has no section `{name}`"));
            }
        }
        for line in &read {
            if line.meaning == LineMeaning::Unmapped {
                reader.problem(line.number, "the map does not speak of it".to_owned());
            }
        }
        for r in &abi.requirements {
            if !reader.cited.contains(r.id.as_str()) {
                reader.problem(0, format!("no line is behind `{}`", r.id));
            }
        }
        agree::check(self, abi, &sections, &lines, &read, &mut reader.problems);
        reader.problems.sort();
        reader.problems.dedup();
        Reading {
            known,
            lines: read,
            problems: reader.problems,
        }
    }

    /// What is wrong with the map whatever the text: ids that do not exist, and requirements other
    /// than status rows that no line names.
    pub fn check(&self, abi: &Abi) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut cited = BTreeSet::new();
        let mut see = |ids: &[String], wrong: &mut Vec<String>| {
            for id in ids {
                let found = matching(abi, id);
                if found.is_empty() {
                    wrong.push(format!("no requirement `{id}`"));
                }
                cited.extend(found);
            }
        };
        see(&self.signature, &mut wrong);
        for (_, section) in &self.sections {
            let named = section.lines.iter().map(|(_, meaning)| meaning);
            for meaning in named.chain(&section.signature).chain(&section.rest) {
                if let Meaning::Reqs(ids) = meaning {
                    see(ids, &mut wrong);
                }
            }
        }
        for r in abi.requirements.iter().filter(|r| !is_row(abi, &r.id)) {
            if !cited.contains(r.id.as_str()) {
                wrong.push(format!("no line is behind `{}`", r.id));
            }
        }
        wrong
    }
}

/// The digest of a text, in hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether the text's list of returned values brings this requirement with it.
fn is_row(abi: &Abi, id: &str) -> bool {
    let Some((name, what)) = id.split_once('/') else {
        return false;
    };
    let word = what.split('.').next().unwrap_or_default();
    let shouts = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let function = abi.hostcall(name).is_some() || abi.callback(name).is_some();
    function && (shouts(word) || word == "true" || word == "false")
}

/// The ids that a name in the map means.
fn matching<'a>(abi: &'a Abi, id: &str) -> Vec<&'a str> {
    let fits = |known: &str| match id.strip_suffix('*') {
        Some(start) => known.starts_with(start),
        None => known == id,
    };
    let ids = abi.requirements.iter().map(|r| r.id.as_str());
    ids.filter(|known| fits(known)).collect()
}

struct Reader<'a> {
    map: &'a TextMap,
    abi: &'a Abi,
    cited: BTreeSet<&'a str>,
    problems: Vec<TextProblem>,
}

impl<'a> Reader<'a> {
    fn problem(&mut self, line: usize, message: String) {
        self.problems.push(TextProblem { line, message });
    }

    fn section(&mut self, section: &Section, lines: &[&str], out: &mut Vec<TextLine>) {
        let said = self.map.sections.iter().find(|(n, _)| *n == section.name);
        let nothing = SectionMap::default();
        let said = said.map_or(&nothing, |(_, said)| said);
        for (range, _) in &said.lines {
            if *range.end() >= section.forms.len() {
                let message = format!(
                    "the map speaks of lines {}-{} of `{}`, which has {}",
                    range.start(),
                    range.end(),
                    section.name,
                    section.forms.len()
                );
                self.problem(section.start + 1, message);
            }
        }
        for (at, form) in section.forms.iter().enumerate() {
            let number = section.start + at + 1;
            let meaning = match self.meaning(section, said, at, form) {
                Some(Meaning::Reqs(ids)) => LineMeaning::Reqs(self.resolve(number, &ids)),
                Some(Meaning::Informative(why)) => LineMeaning::Informative(why),
                None => LineMeaning::Unmapped,
            };
            out.push(TextLine {
                number,
                text: lines[section.start + at].to_owned(),
                meaning,
            });
        }
    }

    /// What the map says of a line goes before what its form says, `rest` comes last.
    fn meaning(
        &self,
        section: &Section,
        said: &SectionMap,
        at: usize,
        form: &Form,
    ) -> Option<Meaning> {
        let idle = || form.idle().map(|why| Meaning::Informative(why.to_owned()));
        if *form == Form::Blank {
            return idle();
        }
        let own = said.lines.iter().find(|(range, _)| range.contains(&at));
        own.map(|(_, meaning)| meaning.clone())
            .or_else(|| self.by_form(section, said, form))
            .or_else(idle)
            .or_else(|| said.rest.clone())
    }

    fn by_form(&self, section: &Section, said: &SectionMap, form: &Form) -> Option<Meaning> {
        let name = agree::function(&section.name);
        let hostcall = self.abi.hostcall(name).is_some();
        if !hostcall && self.abi.callback(name).is_none() {
            return None;
        }
        match form {
            // What a plugin exports is not the host's to link, so its section says what it means.
            Form::Heading | Form::Signature => said.signature.clone().or_else(|| {
                (hostcall && !self.map.signature.is_empty())
                    .then(|| Meaning::Reqs(self.map.signature.clone()))
            }),
            Form::Row(word) => {
                let row = format!("{name}/{word}");
                let mut ids = matching(self.abi, &row);
                ids.extend(matching(self.abi, &format!("{row}.*")));
                let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
                (!ids.is_empty()).then_some(Meaning::Reqs(ids))
            }
            _ => None,
        }
    }

    fn resolve(&mut self, line: usize, names: &[String]) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for name in names {
            let found = matching(self.abi, name);
            if found.is_empty() {
                self.problem(line, format!("the map names no requirement: `{name}`"));
            }
            for id in found {
                self.cited.insert(id);
                if !ids.iter().any(|known| known == id) {
                    ids.push(id.to_owned());
                }
            }
        }
        ids
    }
}
