//! What went over the wire, in a form that people read.
//!
//! Not what is judged: that is [`crate::trace::Seen`].

use std::sync::{Arc, Mutex, PoisonError};

use crate::case::Fields;
use crate::trace::{Blob, quote};

/// A case keeps this much.
const WHOLE: usize = 32 << 10;

/// Collects lines from all ends; clones write to the same log.
#[derive(Debug, Clone, Default)]
pub struct WireLog(Arc<Mutex<String>>);

impl WireLog {
    /// One line.
    pub fn note(&self, line: &str) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() + line.len() < WHOLE {
            log.push_str(line);
            log.push('\n');
        } else if !log.ends_with("…\n") {
            log.push_str("…\n");
        }
    }

    /// Bytes, quoted; long ones keep their ends.
    pub fn bytes(&self, who: &str, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.note(&format!(
                "{who} {}",
                Blob::with_limit(bytes, 2048).display()
            ));
        }
    }

    /// A head that was read.
    pub fn head(&self, who: &str, start: &[Vec<u8>; 3], all: &Fields) {
        let words: Vec<_> = start.iter().map(|w| String::from_utf8_lossy(w)).collect();
        self.note(&format!("{who} {}", quote(words.join(" ").as_bytes())));
        self.trailers(who, all);
    }

    /// Fields that were read.
    pub fn trailers(&self, who: &str, all: &Fields) {
        for (name, value) in all {
            let value = Blob::with_limit(value, 512).display();
            self.note(&format!("{who}   {}: {value}", quote(name)));
        }
    }

    /// All lines so far; the log is empty afterwards.
    pub fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Fields as a record keeps them.
pub fn fields(all: &Fields) -> Vec<(Blob, Blob)> {
    all.iter()
        .map(|(k, v)| (Blob::new(k), Blob::new(v)))
        .collect()
}
