//! Annotations of GitHub Actions: a failure beside the line of the case file.
//!
//! Does not know whether it runs there.

use crate::report::terminal::Failure;
use crate::report::{plain, speaker};

impl Failure<'_> {
    /// A workflow command on one line, without newline.
    pub fn annotation(&self) -> String {
        let check = speaker(self.result);
        let line = check.map_or(self.case.line, |c| c.line.max(1));
        let mut place = format!("file={},line={line}", property(&self.case.file));
        if let Some(c) = check.filter(|c| c.column > 0) {
            place.push_str(&format!(",col={}", c.column));
        }
        let title = format!(
            "{} {} on {}",
            self.result.judgement.verdict, self.result.case, self.column.name
        );
        format!(
            "::error {place},title={}::{}",
            property(&title),
            data(&plain(&self.line()))
        )
    }
}

/// A workflow command that speaks of no file, on one line, without newline.
pub(super) fn annotation(title: &str, text: &str) -> String {
    format!("::error title={}::{}", property(title), data(&plain(text)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&crate::report::safe(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}
