//! Problems of the files that people write, with their place.
//!
//! Does not know how they are printed.

use std::fmt;

/// One problem in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as the user knows it (`specs/cases/fields/get_value.yaml`).
    pub file: String,
    /// Line, from 1; 0: the file as a whole.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// A lowercase fragment.
    pub message: String,
    /// What to do about it, where we know.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// `did you mean …?` for a name that is not among the known ones.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let (score, best) = known
        .into_iter()
        .map(|k| (strsim::jaro_winkler(name, k), k))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.75).then(|| format!("did you mean `{best}`?"))
}
