//! What is seen while a run goes on: a progress bar on a terminal, a line a failure in a log.
//!
//! Does not know what the terminal is: the caller says so, and gives the place to write to.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::record::{
    CaseLine, Event, Header, Record, RecordError, RecordErrorKind, ResultLine, SUMMARY_VERSION,
    Sink, Summary,
};
use crate::report::terminal::annotation::annotation;
use crate::report::terminal::end::unplayed_line;
use crate::report::terminal::{Failure, Unplayed, is_news};
use crate::report::{Paint, safe};

/// `--format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Pretty,
    /// One line a failure, and the verdict lines.
    Terse,
    /// `summary.json` on standard output, nothing else.
    Json,
}

/// How a run is shown.
#[derive(Debug, Clone, Default)]
pub struct LiveOptions {
    /// `--format`.
    pub format: Format,
    /// Somebody watches: blocks at once and a progress bar; else a line a failure.
    pub watched: bool,
    /// Annotations of GitHub Actions beside the lines.
    pub annotations: bool,
    /// The folder of traces, see [`Failure::traces`].
    pub traces: String,
}

/// Shows a run while it goes on.
pub struct Live {
    out: Box<dyn Write + Send>,
    options: LiveOptions,
    bar: ProgressBar,
    header: Option<Arc<Header>>,
    cases: Vec<Arc<CaseLine>>,
    by_id: HashMap<String, Vec<usize>>,
    running: Vec<(String, String)>,
    failed: u64,
    unplayed: Unplayed,
}

impl Live {
    /// Writes to `out`; the progress bar goes to standard error.
    pub fn new(out: Box<dyn Write + Send>, options: LiveOptions) -> Live {
        let shown = options.watched && options.format == Format::Pretty;
        let target = match shown {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = "{elapsed:>4} {bar:24.cyan/dim} {pos}/{len} {prefix:.red} {wide_msg:.dim}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("━━╌"));
        }
        Live {
            out,
            options,
            bar,
            header: None,
            cases: Vec::new(),
            by_id: HashMap::new(),
            running: Vec::new(),
            failed: 0,
            unplayed: Unplayed::default(),
        }
    }

    fn write(&mut self, text: &str) -> Result<(), RecordError> {
        let out = &mut self.out;
        let done = self.bar.suspend(|| {
            out.write_all(text.as_bytes())?;
            out.flush()
        });
        done.map_err(|e| RecordError::new(RecordErrorKind::Io(e.to_string()), "standard output"))
    }

    fn announce(&mut self, case: Arc<CaseLine>) {
        let at = self.cases.len();
        self.by_id.entry(case.id.clone()).or_default().push(at);
        self.cases.push(case);
    }

    fn ended(&mut self, result: &ResultLine) -> Result<(), RecordError> {
        self.running
            .retain(|(column, case)| (column, case) != (&result.column, &result.case));
        self.bar.inc(1);
        self.message();
        if !is_news(result) || self.unplayed.only_counts(result) {
            return Ok(());
        }
        self.failed += 1;
        self.bar.set_prefix(format!("{} unexpected", self.failed));
        let Some(header) = self.header.clone() else {
            return Ok(());
        };
        let column = header.columns.iter().find(|c| c.name == result.column);
        let readings = self.by_id.get(&result.case);
        let readings = readings.into_iter().flatten().map(|i| &*self.cases[*i]);
        let (Some(column), Some(case)) = (column, Record::pick(readings, result)) else {
            return Ok(());
        };
        let failure = Failure {
            column,
            case,
            result,
            traces: &self.options.traces,
            command: &header.command,
        };
        let mut text = match (self.options.format, self.options.watched) {
            (Format::Json, _) => return Ok(()),
            (Format::Pretty, true) => format!("{}\n", failure.block()),
            _ => format!("{}\n", failure.line()),
        };
        if self.options.annotations {
            text.push_str(&failure.annotation());
            text.push('\n');
        }
        self.write(&text)
    }

    /// What was only counted while the run went on.
    fn unplayed(&mut self) -> Result<(), RecordError> {
        if self.options.format == Format::Json {
            return Ok(());
        }
        let mut text = String::new();
        for rest in self.unplayed.rest() {
            let line = unplayed_line(rest);
            text.push_str(&format!("{line}\n"));
            if self.options.annotations {
                text.push_str(&format!("{}\n", annotation("not-run", &line)));
            }
        }
        self.write(&text)
    }

    fn message(&self) {
        let names: Vec<&str> = self.running.iter().map(|(_, c)| c.as_str()).collect();
        self.bar.set_message(safe(&names.join(" ")));
    }
}

impl Sink for Live {
    fn event(&mut self, event: &Event) -> Result<(), RecordError> {
        match event {
            Event::Started { header, cases } => {
                self.header = Some(header.clone());
                for case in cases.iter() {
                    self.announce(Arc::new(case.clone()));
                }
            }
            Event::CaseAdded(case) => self.announce(case.clone()),
            Event::HostReady { cases, .. } => self.bar.inc_length(*cases as u64),
            Event::HostTrouble { column, what, help } if self.options.format != Format::Json => {
                let head = Paint::Red.text("trouble");
                let mut text = format!("{head}  {}: {}\n", safe(column), safe(what));
                if let Some(help) = help {
                    text.push_str(&format!(
                        "{}  {}\n",
                        Paint::Cyan.text("help   "),
                        safe(help)
                    ));
                }
                self.write(&text)?;
            }
            Event::HostTrouble { .. } => {}
            Event::CaseBegan { column, case } => {
                let key = (column.clone(), case.clone());
                if !self.running.contains(&key) {
                    self.running.push(key);
                }
                self.message();
            }
            Event::CaseEnded(result) => self.ended(result)?,
            Event::Finished(footer) => {
                self.bar.finish_and_clear();
                self.unplayed()?;
                if self.options.format == Format::Json {
                    let summary = Summary {
                        version: SUMMARY_VERSION,
                        exit_code: footer.exit_code,
                        runs: footer.columns.clone(),
                    };
                    self.write(&crate::report::json::text(&summary))?;
                }
            }
        }
        Ok(())
    }
}
