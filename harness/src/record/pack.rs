//! The published form of a record: header and footer as they are, the lines between them packed, so that
//! a column stays small in a repository.
//!
//! A packed line holds whole lines of a record, deflated and in base64. Does not know what they say.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::record::places::unplaced;
use crate::record::{Column, Line, Record, RecordError, RecordErrorKind, Writer, slim};

/// So many bytes may come out of one packed line: a record is never that large.
const MOST: u64 = 256 << 20;

/// Lines of a record as the text of one packed line.
///
/// # Errors
/// None that memory gives.
pub(super) fn pack(lines: &[Line]) -> std::io::Result<String> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::best());
    for line in lines {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")?;
    }
    Ok(BASE64.encode(out.finish()?))
}

/// The lines of a packed line.
///
/// # Errors
/// It is no base64, it cannot be inflated, or it is far too large.
pub(super) fn unpack(text: &str) -> Result<Vec<u8>, RecordErrorKind> {
    let bad = |what: String| RecordErrorKind::BadLine { line: 0, what };
    let bytes = BASE64.decode(text).map_err(|e| bad(e.to_string()))?;
    let mut out = Vec::new();
    let mut reader = DeflateDecoder::new(bytes.as_slice()).take(MOST + 1);
    reader
        .read_to_end(&mut out)
        .map_err(|e| bad(e.to_string()))?;
    match out.len() as u64 > MOST {
        true => Err(bad("a packed line is too large".to_owned())),
        false => Ok(out),
    }
}

/// The part of a record that is published for one of its columns: passing cases without log and wire,
/// no difference to snapshots, and nothing that only this machine has: no folders, a command without paths.
pub fn published(record: &Record, column: &Column) -> Record {
    let mut out = record.clone();
    out.header.columns = vec![column.clone()];
    out.header.command = command(column);
    out.results.retain(|r| r.column == column.name);
    for result in &mut out.results {
        result.drift = None;
        *result = unplaced(result);
    }
    let ran: std::collections::HashSet<&str> =
        out.results.iter().map(|r| r.case.as_str()).collect();
    out.cases.retain(|c| ran.contains(c.id.as_str()));
    let columns = &record.header.columns;
    let same_host = |name: &str| {
        let found = columns.iter().find(|c| c.name == name);
        found.is_some_and(|c| c.host == column.host && c.host_version == column.host_version)
    };
    out.footer.trouble.retain(|(name, _)| *name == column.name);
    out.footer.canaries.retain(|c| same_host(&c.column));
    out.footer.columns.retain(|c| c.column == column.name);
    for sum in &mut out.footer.columns {
        sum.drift = 0;
    }
    slim(&mut out);
    out
}

/// The command that makes a column again.
pub fn command(column: &Column) -> String {
    let host = match column.driver.as_str() {
        "reference" => column.host.clone(),
        _ => format!("{}@{}", column.host, column.host_version),
    };
    format!("pwspec run --host {host} --abi {}", column.abi)
}

impl Writer {
    /// Writes a whole record in its published form.
    ///
    /// # Errors
    /// See [`Writer::header`].
    pub fn packed(&mut self, record: &Record) -> Result<(), RecordError> {
        self.header(&record.header)?;
        let cases = record.cases.iter().map(|c| Line::Case(c.clone()));
        let results = record
            .results
            .iter()
            .map(|r| Line::Result(Box::new(r.clone())));
        let lines: Vec<Line> = cases.chain(results).collect();
        self.line(&Line::Packed(self.io(pack(&lines))?))?;
        self.footer(&record.footer)
    }
}
