//! Reading and writing a record: one JSON object a line.
//!
//! Does not know what the lines mean to whoever reads them.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::record::{CaseLine, Footer, Header, Line, RECORD_VERSION, ResultLine};

/// A whole record in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was run.
    pub header: Header,
    /// The cases, in the record's order.
    pub cases: Vec<CaseLine>,
    /// The results, in the record's order.
    pub results: Vec<ResultLine>,
    /// How it ended.
    pub footer: Footer,
}

/// Why a record cannot be read. Fits after "failed to read the record".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

impl std::error::Error for RecordError {}

impl Record {
    /// Reads a `record.jsonl`, or the one in the folder of a run.
    ///
    /// # Errors
    /// It is not there, a line is not one of a record, or it was truncated: it has no footer.
    pub fn open(path: &Path) -> Result<Record, RecordError> {
        let file = if path.is_dir() { path.join("record.jsonl") } else { path.to_owned() };
        let failed = |what: String| RecordError { file: file.display().to_string(), what };
        let reader = BufReader::new(File::open(&file).map_err(|e| failed(e.to_string()))?);
        Record::read(reader).map_err(failed)
    }

    /// Reads a record.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub fn read(reader: impl BufRead) -> Result<Record, String> {
        let (mut header, mut footer) = (None, None);
        let (mut cases, mut results) = (Vec::new(), Vec::new());
        for (n, line) in reader.lines().enumerate() {
            let line = line.map_err(|e| format!("line {}: {e}", n + 1))?;
            if footer.is_some() {
                return Err(format!("line {}: something follows the footer", n + 1));
            }
            let line = serde_json::from_str(&line);
            match line.map_err(|e| format!("line {}: truncated or not a record: {e}", n + 1))? {
                Line::Header(h) if n == 0 && h.version == RECORD_VERSION => header = Some(h),
                Line::Header(h) if n == 0 => {
                    return Err(format!("version {} of the format; this is {RECORD_VERSION}", h.version));
                }
                Line::Header(_) => return Err(format!("line {}: a second header", n + 1)),
                Line::Case(c) => cases.push(c),
                Line::Result(r) => results.push(*r),
                Line::Footer(f) => footer = Some(f),
            }
        }
        let header = header.ok_or("no header in the first line")?;
        let footer = footer.ok_or("truncated record: no footer")?;
        Ok(Record { header, cases, results, footer })
    }

    /// The record as lines.
    pub fn lines(&self) -> Vec<Line> {
        let mut out = vec![Line::Header(self.header.clone())];
        out.extend(self.cases.iter().cloned().map(Line::Case));
        out.extend(self.results.iter().cloned().map(|r| Line::Result(Box::new(r))));
        out.push(Line::Footer(self.footer.clone()));
        out
    }

    /// The case of a result.
    pub fn case(&self, id: &str) -> Option<&CaseLine> {
        self.cases.iter().find(|c| c.id == id)
    }
}

/// Writes a record, line by line, so that an interrupted run leaves what was done.
#[derive(Debug)]
pub struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Writer {
    /// Begins a new record.
    ///
    /// # Errors
    /// The file is there already, or cannot be written.
    pub fn create(path: &Path) -> Result<Writer, RecordError> {
        let failed = |e: std::io::Error| RecordError { file: path.display().to_string(), what: e.to_string() };
        let file = File::options().write(true).create_new(true).open(path).map_err(failed)?;
        Ok(Writer { file: BufWriter::new(file), path: path.to_owned() })
    }

    /// The next line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, line: &Line) -> Result<(), RecordError> {
        let failed = |what: String| RecordError { file: self.path.display().to_string(), what };
        let mut text = serde_json::to_vec(line).map_err(|e| failed(e.to_string()))?;
        text.push(b'\n');
        let flush = !matches!(line, Line::Case(_));
        let out = self.file.write_all(&text).and_then(|()| if flush { self.file.flush() } else { Ok(()) });
        out.map_err(|e| failed(e.to_string()))
    }
}
