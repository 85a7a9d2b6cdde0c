//! What a run tells while it goes on.
//!
//! Does not know who listens.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::record::{CaseLine, Footer, Header, Record, RecordError, RecordErrorKind, ResultLine};

/// One thing that happened in a run. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Event {
    /// First of all: what will be run. Every column runs the cases that its ABI has.
    Started {
        /// The record's first line.
        header: Arc<Header>,
        /// The selected cases.
        cases: Arc<Vec<CaseLine>>,
    },
    /// A case that the run added because another one is blocked by its requirement.
    CaseAdded(Arc<CaseLine>),
    /// The column's host is up and has passed its canaries.
    HostReady {
        /// Column name.
        column: String,
        /// How many results will come, as far as is known.
        cases: usize,
    },
    /// A host could not be driven, for now or for good.
    HostTrouble {
        /// Column name.
        column: String,
        /// A fragment.
        what: String,
        /// What the user can do.
        help: Option<String>,
    },
    /// A case was given to a host. It may come again when the case is repeated alone.
    CaseBegan {
        /// Column name.
        column: String,
        /// Case id.
        case: String,
    },
    /// A case has its verdict.
    CaseEnded(Arc<ResultLine>),
    /// Last of all.
    Finished(Arc<Footer>),
}

/// Somebody who listens to a run.
pub trait Sink {
    /// Takes the next event.
    ///
    /// # Errors
    /// It could not be written down.
    fn event(&mut self, event: &Event) -> Result<(), RecordError>;
}

/// A channel: the listener sits in another thread. A listener that is gone is no error.
impl Sink for Sender<Event> {
    fn event(&mut self, event: &Event) -> Result<(), RecordError> {
        let _ = self.send(event.clone());
        Ok(())
    }
}

/// Several listeners, told in order.
#[derive(Default)]
pub struct Tee<'a>(pub Vec<&'a mut dyn Sink>);

impl Sink for Tee<'_> {
    fn event(&mut self, event: &Event) -> Result<(), RecordError> {
        // All of them are told, also when one of them fails: the record must not end because a
        // terminal is gone.
        let results: Vec<_> = self.0.iter_mut().map(|s| s.event(event)).collect();
        results.into_iter().collect()
    }
}

/// Keeps a run in memory, for reports made in the same process.
#[derive(Debug, Default)]
pub struct Collector {
    header: Option<Arc<Header>>,
    cases: Vec<CaseLine>,
    results: Vec<Arc<ResultLine>>,
    footer: Option<Arc<Footer>>,
}

impl Collector {
    /// The record of the run.
    ///
    /// # Errors
    /// [`RecordErrorKind::Truncated`]: the run has not finished.
    pub fn into_record(self) -> Result<Record, RecordError> {
        let (Some(header), Some(footer)) = (self.header, self.footer) else {
            return Err(RecordError::new(RecordErrorKind::Truncated, "this run"));
        };
        Ok(Record {
            header: Arc::unwrap_or_clone(header),
            cases: self.cases,
            results: self.results.into_iter().map(Arc::unwrap_or_clone).collect(),
            footer: Arc::unwrap_or_clone(footer),
        })
    }
}

impl Sink for Collector {
    fn event(&mut self, event: &Event) -> Result<(), RecordError> {
        match event {
            Event::Started { header, cases } => {
                self.header = Some(header.clone());
                self.cases.extend(cases.iter().cloned());
            }
            Event::CaseAdded(case) => self.cases.push(CaseLine::clone(case)),
            Event::CaseEnded(result) => self.results.push(result.clone()),
            Event::Finished(footer) => self.footer = Some(footer.clone()),
            Event::HostReady { .. } | Event::HostTrouble { .. } | Event::CaseBegan { .. } => {}
        }
        Ok(())
    }
}
