//! Writes a record, line by line, so that a killed run leaves whole lines and no footer.
//!
//! Does not know where its lines come from.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::record::{
    CaseLine, Event, Footer, Header, Line, Record, RecordError, RecordErrorKind, ResultLine, Sink,
    slim_result,
};

/// Writes one record. Every line is written in one piece and flushed.
pub struct Writer {
    out: Box<dyn Write + Send>,
    name: String,
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
        let mut bytes = self.io(serde_json::to_vec(line).map_err(Into::into))?;
        bytes.push(b'\n');
        let written = self.out.write_all(&bytes).and_then(|()| self.out.flush());
        self.io(written)
    }

    /// A trouble of the system as one of this record.
    pub(super) fn io<T>(&self, result: std::io::Result<T>) -> Result<T, RecordError> {
        result.map_err(|e| RecordError::new(RecordErrorKind::Io(e.to_string()), self.name.clone()))
    }
}

impl Sink for Writer {
    fn event(&mut self, event: &Event) -> Result<(), RecordError> {
        match event {
            Event::Started { header, cases } => {
                self.header(header)?;
                cases.iter().try_for_each(|c| self.case(c))
            }
            Event::CaseAdded(case) => self.case(case),
            Event::CaseEnded(result) => {
                let mut kept = ResultLine::clone(result);
                slim_result(&mut kept);
                self.result(&kept)
            }
            Event::Finished(footer) => self.footer(footer),
            Event::CaseBegan { .. } | Event::HostReady { .. } | Event::HostTrouble { .. } => Ok(()),
        }
    }
}
