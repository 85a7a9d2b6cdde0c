//! Reads a record whole, or says by name what is wrong with it.
//!
//! Does not know what a record is read for.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use crate::record::pack::unpack;
use crate::record::{
    CaseLine, Footer, Header, Line, RECORD_VERSION, RecordError, RecordErrorKind, ResultLine,
};

/// A whole record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was run.
    pub header: Header,
    /// The selected cases, in order; one id may come once for each reading that differs.
    pub cases: Vec<CaseLine>,
    /// One case in one column, in the order in which they ended.
    pub results: Vec<ResultLine>,
    /// How it ended.
    pub footer: Footer,
}

/// The one thing that is read of a header before its version is known.
#[derive(Deserialize)]
struct Peek {
    header: PeekHeader,
}

/// See [`Peek`].
#[derive(Deserialize)]
struct PeekHeader {
    version: u64,
}

impl Record {
    /// Reads the record in the file `path`.
    ///
    /// # Errors
    /// See [`Record::read_from`]; also a file that cannot be opened.
    pub fn read(path: &Path) -> Result<Record, RecordError> {
        let name = path.display().to_string();
        let file = std::fs::File::open(path)
            .map_err(|e| RecordError::new(RecordErrorKind::Io(e.to_string()), &name))?;
        Record::read_from(file, &name)
    }

    /// Reads a record; `name` is what errors call it.
    ///
    /// # Errors
    /// No footer, a line that is not what the format says (also a result whose column or case was
    /// not announced), an unknown version, or the reader's own error.
    pub fn read_from(reader: impl Read, name: &str) -> Result<Record, RecordError> {
        let mut state = State::default();
        let mut reader = BufReader::new(reader);
        let (mut buffer, mut number) = (Vec::new(), 0);
        loop {
            buffer.clear();
            let n = reader
                .read_until(b'\n', &mut buffer)
                .map_err(|e| RecordError::new(RecordErrorKind::Io(e.to_string()), name))?;
            if n == 0 {
                break;
            }
            number += 1;
            // A line that was cut in the middle of writing has no newline: that is a truncated
            // record, not a bad line.
            let whole = buffer.ends_with(b"\n");
            match state.take(&buffer) {
                Ok(()) => {}
                Err(RecordErrorKind::BadLine { .. }) if !whole => break,
                Err(RecordErrorKind::BadLine { what, .. }) => {
                    let kind = RecordErrorKind::BadLine { line: number, what };
                    return Err(RecordError::new(kind, name));
                }
                Err(kind) => return Err(RecordError::new(kind, name)),
            }
        }
        match (state.header, state.footer) {
            (Some(header), Some(footer)) => Ok(Record {
                header,
                cases: state.cases,
                results: state.results,
                footer,
            }),
            _ => Err(RecordError::new(RecordErrorKind::Truncated, name)),
        }
    }

    /// The reading of a case that a result's column had, see [`Record::pick`].
    pub fn case_of(&self, result: &ResultLine) -> Option<&CaseLine> {
        Record::pick(self.cases.iter().filter(|c| c.id == result.case), result)
    }

    /// Of several readings of a case (ABI versions differ in levels and wording), the first one that
    /// has the requirements of all checks of the result.
    pub fn pick<'c>(
        readings: impl Iterator<Item = &'c CaseLine>,
        result: &ResultLine,
    ) -> Option<&'c CaseLine> {
        let checks = || result.judgement.checks.iter().filter(|k| !k.control);
        let has = |c: &CaseLine, id: &str, level| {
            let mut all = c.requirements.iter();
            all.any(|r| r.id == id && r.level >= level)
        };
        let mut first = None;
        for case in readings {
            if checks().all(|k| has(case, &k.req, k.level)) {
                return Some(case);
            }
            first = first.or(Some(case));
        }
        first
    }
}

/// What was read so far.
#[derive(Default)]
struct State {
    header: Option<Header>,
    cases: Vec<CaseLine>,
    results: Vec<ResultLine>,
    footer: Option<Footer>,
    columns: HashSet<String>,
    ids: HashSet<String>,
}

impl State {
    /// Takes the next line; `BadLine` comes back with line 0.
    fn take(&mut self, bytes: &[u8]) -> Result<(), RecordErrorKind> {
        let bad = |what: String| RecordErrorKind::BadLine { line: 0, what };
        if self.footer.is_some() {
            return Err(bad("a line after the footer".into()));
        }
        if self.header.is_none()
            && let Ok(peek) = serde_json::from_slice::<Peek>(bytes)
            && peek.header.version != u64::from(RECORD_VERSION)
        {
            let found = peek.header.version;
            return Err(RecordErrorKind::Version { found });
        }
        let line: Line = serde_json::from_slice(bytes).map_err(|e| bad(e.to_string()))?;
        match (line, &self.header) {
            (Line::Header(h), None) => {
                self.columns = h.columns.iter().map(|c| c.name.clone()).collect();
                self.header = Some(h);
            }
            (_, None) => return Err(bad("the first line is no header".into())),
            (Line::Header(_), Some(_)) => return Err(bad("a second header".into())),
            (Line::Case(c), _) => {
                self.ids.insert(c.id.clone());
                self.cases.push(c);
            }
            (Line::Result(r), _) => {
                if !self.columns.contains(&r.column) {
                    return Err(bad(format!("column {:?} is not in the header", r.column)));
                }
                if !self.ids.contains(&r.case) {
                    return Err(bad(format!("case {:?} was not announced", r.case)));
                }
                self.results.push(*r);
            }
            (Line::Packed(text), _) => {
                let lines = unpack(&text)?;
                for inner in lines.split_inclusive(|b| *b == b'\n') {
                    if inner.starts_with(b"{\"packed\"") {
                        return Err(bad("a packed line in a packed line".into()));
                    }
                    self.take(inner)?;
                }
            }
            (Line::Footer(f), _) => self.footer = Some(f),
        }
        Ok(())
    }
}
