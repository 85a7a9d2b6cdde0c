//! JUnit XML, as Jenkins' schema wants it.
//!
//! One suite a column and case file. That schema has no place for a case's file, line and properties:
//! the suite has the file, the suite's properties have the word beside a case that passed in its own
//! way, and the case's output begins with its place. Does not know a test framework.

use crate::record::Record;
use crate::report::machine::counted::{Counts, counts, rows};
use crate::report::machine::xml::Xml;
use crate::report::terminal::Failure;
use crate::report::{ColumnView, befell, plain, safe};

/// One document for all records.
pub fn junit(records: &[Record]) -> String {
    let suites: Vec<Suite<'_>> = records.iter().flat_map(suites).collect();
    let notes: Vec<(&Record, Vec<(&str, String)>)> = records
        .iter()
        .map(|r| (r, befell(r)))
        .filter(|(_, t)| !t.is_empty())
        .collect();
    let broken: usize = notes.iter().map(|(_, t)| t.len()).sum();
    let tests: usize = suites.iter().map(|s| s.rows.len()).sum();
    let failures: usize = suites.iter().map(|s| s.failures()).sum();
    let errors: usize = suites.iter().map(|s| s.errors()).sum();
    let seconds: f64 = records.iter().map(|r| r.footer.seconds).sum();
    let mut xml = Xml::new();
    let attributes = [
        ("name", "pwspec"),
        ("tests", &(tests + broken).to_string()),
        ("failures", &failures.to_string()),
        ("errors", &(errors + broken).to_string()),
        ("time", &format!("{seconds:.3}")),
    ];
    xml.open("testsuites", &attributes);
    for (record, notes) in &notes {
        run(&mut xml, record, notes);
    }
    suites.iter().for_each(|s| s.write(&mut xml));
    xml.close("testsuites");
    xml.finish()
}

/// What befell the run itself: a suite of errors.
fn run(xml: &mut Xml, record: &Record, notes: &[(&str, String)]) {
    let n = notes.len().to_string();
    let attributes = [
        ("name", "pwspec"),
        ("tests", &*n),
        ("failures", "0"),
        ("errors", &*n),
        ("skipped", "0"),
        ("timestamp", &*safe(&record.header.began)),
    ];
    xml.open("testsuite", &attributes);
    for (n, (kind, text)) in notes.iter().enumerate() {
        let name = format!("the run ({})", n + 1);
        xml.open("testcase", &[("name", &name), ("classname", "pwspec")]);
        xml.leaf("error", &[("type", kind), ("message", text)], text);
        xml.close("testcase");
    }
    xml.close("testsuite");
}

/// The cases of one file in one column.
struct Suite<'a> {
    record: &'a Record,
    /// Whether names must say which host it was.
    hosts: bool,
    rows: Vec<(Failure<'a>, Counts)>,
}

fn suites(record: &Record) -> Vec<Suite<'_>> {
    let first = record
        .header
        .columns
        .first()
        .map(|c| (&c.host, &c.host_version));
    let mut columns = record.header.columns.iter();
    let hosts = !columns.all(|c| Some((&c.host, &c.host_version)) == first);
    let mut out: Vec<Suite<'_>> = Vec::new();
    for row in rows(record) {
        let counts = counts(row.result);
        let same = |s: &Suite<'_>| {
            let (first, _) = &s.rows[0];
            first.column.name == row.column.name && first.case.suite == row.case.suite
        };
        match out.iter_mut().rev().find(|s| same(s)) {
            Some(suite) => suite.rows.push((row, counts)),
            None => out.push(Suite {
                record,
                hosts,
                rows: vec![(row, counts)],
            }),
        }
    }
    out
}

impl Suite<'_> {
    fn count(&self, which: fn(&Counts) -> bool) -> usize {
        self.rows.iter().filter(|(_, c)| which(c)).count()
    }

    fn failures(&self) -> usize {
        self.count(|c| matches!(c, Counts::Failed(_)))
    }

    fn errors(&self) -> usize {
        self.count(|c| matches!(c, Counts::Error(_)))
    }

    /// `absent (0.2.1)`; with the host where there are several.
    fn name(&self, row: &Failure<'_>) -> String {
        let case = row.case.id.strip_prefix(&row.case.suite);
        let case = case.unwrap_or(&row.case.id).trim_start_matches('/');
        let column = row.column;
        safe(&match self.hosts {
            true => format!(
                "{case} ({} {}, {})",
                column.host, column.host_version, column.abi
            ),
            false => format!("{case} ({})", column.abi),
        })
    }

    fn write(&self, xml: &mut Xml) {
        let (first, _) = &self.rows[0];
        let (column, case) = (first.column, first.case);
        let seconds: f64 = self.rows.iter().map(|(r, _)| seconds(r)).sum();
        let skipped = self.count(|c| matches!(c, Counts::Skipped(_)));
        let attributes = [
            ("name", safe(&format!("{} {}", column.name, case.suite))),
            ("tests", self.rows.len().to_string()),
            ("failures", self.failures().to_string()),
            ("errors", self.errors().to_string()),
            ("skipped", skipped.to_string()),
            ("time", format!("{seconds:.3}")),
            ("timestamp", safe(&self.record.header.began)),
            (
                "hostname",
                safe(&format!("{} {}", column.host, column.host_version)),
            ),
            ("package", safe(&column.name)),
            ("file", safe(&case.file)),
        ];
        let attributes: Vec<(&str, &str)> = attributes.iter().map(|(k, v)| (*k, &**v)).collect();
        xml.open("testsuite", &attributes);
        self.properties(xml);
        for (row, counts) in &self.rows {
            self.case(xml, row, counts);
        }
        xml.close("testsuite");
    }

    /// The column's verdict line, and the word beside each case that passed in its own way.
    fn properties(&self, xml: &mut Xml) {
        xml.open("properties", &[]);
        let (first, _) = &self.rows[0];
        let views = ColumnView::all(self.record);
        if let Some(view) = views.iter().find(|v| v.column.name == first.column.name) {
            let line = safe(&view.line);
            xml.leaf("property", &[("name", "verdict"), ("value", &line)], "");
        }
        for (row, counts) in &self.rows {
            if let Counts::Passed(Some(note)) = counts {
                let name = self.name(row);
                xml.leaf("property", &[("name", &name), ("value", note)], "");
            }
        }
        xml.close("properties");
    }

    fn case(&self, xml: &mut Xml, row: &Failure<'_>, counts: &Counts) {
        let place = format!("{}:{}", safe(&row.case.file), row.case.line);
        let attributes = [
            ("name", &*self.name(row)),
            ("classname", &*safe(&row.case.suite)),
            ("time", &*format!("{:.3}", seconds(row))),
        ];
        xml.open("testcase", &attributes);
        let line = || plain(&row.line()).trim().to_owned();
        let block = || plain(&row.block());
        match counts {
            Counts::Passed(_) => {}
            Counts::Skipped(why) => xml.leaf("skipped", &[("message", why)], ""),
            Counts::Failed(kind) => {
                xml.leaf("failure", &[("type", kind), ("message", &line())], &block());
            }
            Counts::Error(kind) => {
                xml.leaf("error", &[("type", kind), ("message", &line())], &block());
            }
        }
        let note = match counts {
            Counts::Passed(Some(note)) => format!("{place}\n{note}"),
            _ => place,
        };
        xml.leaf("system-out", &[], &note);
        xml.close("testcase");
    }
}

fn seconds(row: &Failure<'_>) -> f64 {
    let micros: u64 = row.result.attempts.iter().map(|a| a.micros).sum();
    micros as f64 / 1e6
}
