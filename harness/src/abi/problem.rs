//! What is wrong with a table, and where: the error type of this room.
//!
//! Finds the place of a value by its text, since YAML values carry no positions. Does not print
//! excerpts.

use std::fmt;

/// One thing wrong with one file of `specs/abi`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as given to the loader (`abi/v0_2_1.yaml`).
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// A lowercase fragment: `unknown type `u23``.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )
    }
}

impl std::error::Error for Problem {}

/// Collects the problems of one file.
pub(super) struct Problems<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// Nothing found yet in this file.
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Problems {
            file,
            text,
            found: Vec::new(),
        }
    }

    /// What YAML itself refuses: it stops at the first.
    pub(super) fn yaml(&mut self, error: &serde_yaml::Error) {
        let (line, column) = error
            .location()
            .map_or((1, 1), |at| (at.line(), at.column()));
        let message = error.to_string();
        // The library ends its message with the place, which we print in front.
        let message = message
            .split(" at line ")
            .next()
            .unwrap_or(&message)
            .to_owned();
        self.push(line, column, message);
    }

    /// A problem at the words of `path`, each looked for behind the one before; where one is not
    /// found the place of the one before stands.
    pub(super) fn at(&mut self, path: &[&str], message: impl Into<String>) {
        let offset = locate(self.text, path);
        let before = &self.text[..offset];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        self.push(line, column, message.into());
    }

    fn push(&mut self, line: usize, column: usize, message: String) {
        self.found.push(Problem {
            file: self.file.to_owned(),
            line,
            column,
            message,
        });
    }

    /// All of them, in the order of the file.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort();
        self.found.dedup();
        self.found
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

/// The offset of the last word of `path` that is found as a whole word, each behind the one before.
fn locate(text: &str, path: &[&str]) -> usize {
    let mut at = 0;
    for (n, word) in path.iter().enumerate() {
        let from = if n == 0 { 0 } else { at + path[n - 1].len() };
        let Some(offset) = find_word(&text[from.min(text.len())..], word) else {
            break;
        };
        at = from + offset;
    }
    at
}

fn find_word(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.');
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        let before = text[..at].chars().next_back().is_some_and(part);
        let after = text[at + word.len()..].chars().next().is_some_and(part);
        !before && !after
    })
}
