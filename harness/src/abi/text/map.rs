//! Reads `specs/abi/text`: the sections of a version laid over those of the version it extends.
//!
//! Does not know whether the requirements exist: `read` holds the map against text and table.

use std::ops::RangeInclusive;

use crate::abi::problem::Problems;
use crate::abi::text::{Meaning, TextMapFile};
use crate::abi::{Entries, Problem};

/// The version of the form that this room reads.
const FORM: u32 = 1;

/// The folder of line maps.
pub(in crate::abi) const FOLDER: &str = "abi/text/";

/// The line map of one version, whole.
#[derive(Debug, Clone)]
pub struct TextMap {
    /// The version of the ABI.
    pub abi: String,
    /// Where the text lies.
    pub text: String,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    pub(super) signature: Vec<String>,
    pub(super) departs: Entries<String>,
    pub(super) sections: Vec<(String, SectionMap)>,
}

/// What is said of the lines of one section.
#[derive(Debug, Clone, Default)]
pub(super) struct SectionMap {
    pub(super) lines: Vec<(RangeInclusive<usize>, Meaning)>,
    pub(super) signature: Option<Meaning>,
    pub(super) rest: Option<Meaning>,
}

impl TextMap {
    /// The map of version `abi`; `files` are paths and texts of `specs/`.
    ///
    /// # Errors
    /// Every problem of the files that it is made of; one without a place if there is no such map.
    pub fn load(files: &[(String, String)], abi: &str) -> Result<TextMap, Vec<Problem>> {
        let mut read = Vec::new();
        let mut found = Vec::new();
        for (path, text) in files.iter().filter(|(path, _)| path.starts_with(FOLDER)) {
            let mut problems = Problems::new(path, text);
            match serde_yaml::from_str::<TextMapFile>(text) {
                Ok(file) if file.version == FORM => read.push((path, text, file)),
                Ok(file) => {
                    let other = file.version;
                    let message = format!("version {other} of this form is unknown: it is {FORM}");
                    problems.at(&["version"], message);
                }
                Err(error) => problems.yaml(&error),
            }
            found.extend(problems.into_sorted());
        }
        if !found.is_empty() {
            return Err(found);
        }
        whole(&read, abi, 0)
    }
}

type Read<'a> = (&'a String, &'a String, TextMapFile);

fn whole(read: &[Read<'_>], abi: &str, deep: usize) -> Result<TextMap, Vec<Problem>> {
    let Some((path, text, file)) = read.iter().find(|(_, _, file)| file.abi == abi) else {
        return Err(vec![Problem {
            file: FOLDER.to_owned(),
            line: 1,
            column: 1,
            message: format!("no line map of `{abi}`"),
        }]);
    };
    let mut problems = Problems::new(path, text);
    let mut map = match &file.extends {
        // A circle of versions is longer than there are files.
        Some(base) if deep > read.len() => {
            problems.at(&["extends", base], format!("`{abi}` extends itself"));
            return Err(problems.into_sorted());
        }
        Some(base) => whole(read, base, deep + 1)?,
        None => TextMap {
            abi: String::new(),
            text: String::new(),
            sha256: String::new(),
            signature: Vec::new(),
            departs: Entries::default(),
            sections: Vec::new(),
        },
    };
    map.abi = abi.to_owned();
    map.text.clone_from(&file.text);
    map.sha256.clone_from(&file.sha256);
    map.departs = file.departs.clone();
    if let Some(signature) = &file.signature {
        map.signature.clone_from(signature);
    }
    for name in &file.drop {
        let before = map.sections.len();
        map.sections.retain(|(section, _)| section != name);
        if map.sections.len() == before {
            problems.at(&["drop", name], format!("no section `{name}` to drop"));
        }
    }
    for (name, entries) in file.sections.iter() {
        let section = section(name, entries, &mut problems);
        match map.sections.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = section,
            None => map.sections.push((name.to_owned(), section)),
        }
    }
    let problems = problems.into_sorted();
    if problems.is_empty() {
        Ok(map)
    } else {
        Err(problems)
    }
}

fn section(name: &str, entries: &Entries<Meaning>, problems: &mut Problems<'_>) -> SectionMap {
    let mut map = SectionMap::default();
    for (key, meaning) in entries.iter() {
        match key {
            "signature" => map.signature = Some(meaning.clone()),
            "rest" => map.rest = Some(meaning.clone()),
            _ => match range(key) {
                Some(range) => {
                    let overlap = |(r, _): &(RangeInclusive<usize>, Meaning)| {
                        r.start() <= range.end() && range.start() <= r.end()
                    };
                    if map.lines.iter().any(overlap) {
                        problems.at(&[name, key], format!("`{key}` speaks of a line again"));
                    }
                    map.lines.push((range, meaning.clone()));
                }
                None => problems.at(
                    &[name, key],
                    format!("`{key}` is no line, no range, not `signature` and not `rest`"),
                ),
            },
        }
    }
    map
}

fn range(key: &str) -> Option<RangeInclusive<usize>> {
    let (first, last) = key.split_once('-').unwrap_or((key, key));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..=last)
}
