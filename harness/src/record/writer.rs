//! Writes a record, line by line, so that a killed run leaves whole lines and no footer.
//!
//! Does not know where its lines come from.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use crate::record::{
    CaseLine, Event, Footer, Header, Line, Record, RecordError, RecordErrorKind, ResultLine, Sink,
    slim_result,
};

/// So many results of one burst become lines at once.
const BURST: usize = 256;

/// Writes one record. Whole lines only are written, and flushed; results that come in a burst go out
/// together.
pub struct Writer {
    out: Box<dyn Write + Send>,
    name: String,
    /// Results whose lines are not made yet.
    burst: Vec<Arc<ResultLine>>,
}

impl Writer {
    /// Begins a record in a new file.
    ///
    /// # Errors
    /// The file exists ([`RecordErrorKind::Exists`]) or cannot be made.
    pub fn create(path: &Path) -> Result<Writer, RecordError> {
        let name = path.display().to_string();
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => Ok(Writer::new(file, name)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(RecordError::new(RecordErrorKind::Exists, name))
            }
            Err(e) => Err(RecordError::new(RecordErrorKind::Io(e.to_string()), name)),
        }
    }

    /// Begins a record anywhere; `name` is what errors call it.
    pub fn new(out: impl Write + Send + 'static, name: impl Into<String>) -> Writer {
        Writer {
            out: Box::new(out),
            name: name.into(),
            burst: Vec::new(),
        }
    }

    /// Writes the first line.
    ///
    /// # Errors
    /// The system refused, as in all methods here.
    pub fn header(&mut self, header: &Header) -> Result<(), RecordError> {
        self.line(&Line::Header(header.clone()))
    }

    /// Announces a case.
    ///
    /// # Errors
    /// See [`Writer::header`].
    pub fn case(&mut self, case: &CaseLine) -> Result<(), RecordError> {
        self.line(&Line::Case(case.clone()))
    }

    /// Writes a result.
    ///
    /// # Errors
    /// See [`Writer::header`].
    pub fn result(&mut self, result: &ResultLine) -> Result<(), RecordError> {
        self.line(&Line::Result(Box::new(result.clone())))
    }

    /// Writes the last line. What comes after it makes the record bad.
    ///
    /// # Errors
    /// See [`Writer::header`].
    pub fn footer(&mut self, footer: &Footer) -> Result<(), RecordError> {
        self.line(&Line::Footer(footer.clone()))
    }

    /// Writes a whole record.
    ///
    /// # Errors
    /// See [`Writer::header`].
    pub fn record(&mut self, record: &Record) -> Result<(), RecordError> {
        self.header(&record.header)?;
        record.cases.iter().try_for_each(|c| self.case(c))?;
        record.results.iter().try_for_each(|r| self.result(r))?;
        self.footer(&record.footer)
    }

    pub(super) fn line(&mut self, line: &Line) -> Result<(), RecordError> {
        let bytes = self.io(bytes_of(line))?;
        self.lines(&bytes)
    }

    fn lines(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush());
        self.io(written)
    }

    /// Writes the results that wait.
    fn settle(&mut self) -> Result<(), RecordError> {
        let waiting = std::mem::take(&mut self.burst);
        let made: std::io::Result<Vec<Vec<u8>>> = waiting.par_iter().map(|r| slimmed(r)).collect();
        let lines = self.io(made)?.concat();
        self.lines(&lines)
    }

    /// A trouble of the system as one of this record.
    pub(super) fn io<T>(&self, result: std::io::Result<T>) -> Result<T, RecordError> {
        result.map_err(|e| RecordError::new(RecordErrorKind::Io(e.to_string()), self.name.clone()))
    }
}

/// A line, with its end.
fn bytes_of(line: &Line) -> std::io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The line of what a record keeps of a result.
fn slimmed(result: &ResultLine) -> std::io::Result<Vec<u8>> {
    let mut kept = Box::new(result.clone());
    slim_result(&mut kept);
    bytes_of(&Line::Result(kept))
}

impl Sink for Writer {
    fn event(&mut self, event: &Event) -> Result<(), RecordError> {
        match event {
            Event::Started { header, cases } => {
                self.header(header)?;
                cases.iter().try_for_each(|c| self.case(c))
            }
            Event::CaseAdded(case) => {
                self.settle()?;
                self.case(case)
            }
            Event::CaseEnded(result) => {
                self.burst.push(result.clone());
                match self.burst.len() < BURST {
                    true => Ok(()),
                    false => self.settle(),
                }
            }
            Event::Finished(footer) => {
                self.settle()?;
                self.footer(footer)
            }
            Event::CaseBegan { .. } | Event::HostReady { .. } | Event::HostTrouble { .. } => Ok(()),
        }
    }
}
