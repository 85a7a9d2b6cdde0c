//! The verdicts of a record and nothing else of it: much quicker to read than the whole.
//!
//! Does not know what a record is read for.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;

use crate::judge::Verdict;
use crate::record::{RecordError, RecordErrorKind};

/// By column and case.
pub type Verdicts = BTreeMap<(String, String), Verdict>;

/// What is read of a line.
#[derive(Deserialize)]
struct Slim {
    result: Option<SlimResult>,
    footer: Option<serde::de::IgnoredAny>,
}

/// See [`Slim`].
#[derive(Deserialize)]
struct SlimResult {
    column: String,
    case: String,
    judgement: SlimJudgement,
}

/// See [`Slim`].
#[derive(Deserialize)]
struct SlimJudgement {
    verdict: Verdict,
}

/// The verdicts in the record at `path`, as a run wrote it. A published record, which is packed, has to
/// be read whole.
///
/// # Errors
/// A file that cannot be read, a line that is none of a record, no footer.
pub fn verdicts(path: &Path) -> Result<Verdicts, RecordError> {
    let name = path.display().to_string();
    let wrong = |kind| RecordError::new(kind, &name);
    let io = |e: std::io::Error| wrong(RecordErrorKind::Io(e.to_string()));
    let mut lines = BufReader::new(std::fs::File::open(path).map_err(io)?);
    let mut out = Verdicts::new();
    let (mut bytes, mut ended, mut number) = (Vec::new(), false, 0);
    while lines.read_until(b'\n', &mut bytes).map_err(io)? > 0 {
        number += 1;
        let line: Slim = serde_json::from_slice(&bytes).map_err(|e| {
            wrong(RecordErrorKind::BadLine {
                line: number,
                what: e.to_string(),
            })
        })?;
        ended |= line.footer.is_some();
        let found = line
            .result
            .map(|r| ((r.column, r.case), r.judgement.verdict));
        out.extend(found);
        bytes.clear();
    }
    match ended {
        true => Ok(out),
        false => Err(wrong(RecordErrorKind::Truncated)),
    }
}
