//! What a host says is hostile until shown otherwise: one test an output, over a record in which
//! `<script>`, ANSI escapes, `::error::`, `##[error]`, `]]>`, NUL, invalid UTF-8 and a change of
//! direction stand wherever a host can put them. HTML, JUnit, SARIF and Markdown have theirs beside
//! their own tests.

use serde_json::Value;

use crate::judge::{Gate, Verdict};
use crate::record::summary;
use crate::report::fixture::{HOSTILE, hostile, record};
use crate::report::machine::{badge, column_page, matrix};
use crate::report::terminal::Failure;
use crate::report::{copies, is_hidden, json};
use crate::trace::Blob;

/// Nothing that a terminal, a CI system's log or a reader would take for more than text.
fn harmless(text: &str) {
    let odd = text.chars().find(|c| *c != '\n' && is_hidden(*c));
    assert_eq!(odd, None, "{text}");
    assert!(!text.contains("##["), "{text}");
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
}

/// No element of HTML, but in code where it is text.
fn no_markup(text: &str) {
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        if fenced {
            continue;
        }
        let outside: String = line.split('`').step_by(2).collect();
        let plain = !outside.contains("<script") && !outside.contains("<!--");
        assert!(plain, "{line}");
    }
}

/// All copies of the record's results that end so.
fn all(end: &str) -> Vec<String> {
    let results = record().results;
    let copies = results.iter().flat_map(copies).filter(|(e, _)| *e == end);
    copies.map(|(_, text)| text).collect()
}

#[test]
fn the_copy_of_a_trace() {
    let traces = all("trace");
    assert!(traces.iter().any(|t| t.contains("<script>")), "it is there");
    traces.iter().for_each(|t| harmless(t));
}

#[test]
fn the_copy_of_a_host_log() {
    let logs = all("host.log");
    assert!(!logs.is_empty());
    for log in &logs {
        harmless(log);
        assert!(log.contains("\\u{1b}[31mred") && log.contains("\\u{0}"));
        assert!(log.contains("\n\\x3a:error::pwned"), "lines stay: {log}");
    }
}

#[test]
fn the_copy_of_a_host_log_that_is_no_utf_8() {
    let mut record = record();
    let failed = |r: &&mut crate::record::ResultLine| r.judgement.verdict == Verdict::Fail;
    let result = record.results.iter_mut().find(failed).expect("one fails");
    let attempt = result.attempts.last_mut().expect("it was played");
    let mut long = HOSTILE.repeat(60);
    attempt.host_log = Some(Blob::Whole(HOSTILE.to_vec()));
    let log = copies(result).into_iter().find(|(e, _)| *e == "host.log");
    let (_, log) = log.expect("its copy");
    harmless(&log);
    assert!(log.contains("\\xff\\xfe"), "bytes are named: {log}");
    // A long one is kept as both ends.
    long.extend_from_slice(b"\n::error::the end");
    let attempt = result.attempts.last_mut().expect("it was played");
    attempt.host_log = Some(Blob::with_limit(&long, 2048));
    let log = copies(result).into_iter().find(|(e, _)| *e == "host.log");
    let (_, log) = log.expect("its copy");
    harmless(&log);
    assert!(log.contains("bytes left out") && log.ends_with("\\x3a:error::the end"));
}

#[test]
fn the_copy_of_the_wire() {
    let mut record = record();
    for result in &mut record.results {
        if let Some(attempt) = result.attempts.last_mut() {
            attempt.wire = Some(Blob::Whole(HOSTILE.to_vec()));
        }
    }
    let wires = record.results.iter().flat_map(copies);
    let wires = wires.filter(|(e, _)| *e == "wire.txt");
    let wires: Vec<String> = wires.map(|(_, text)| text).collect();
    assert!(!wires.is_empty());
    for wire in &wires {
        harmless(wire);
        assert!(wire.contains("\\xff\\xfe"), "{wire}");
    }
}

#[test]
fn annotations() {
    let record = record();
    let failures = record
        .results
        .iter()
        .filter(|r| r.judgement.verdict.fails());
    let mut seen = 0;
    for result in failures {
        let case = record.cases.iter().find(|c| c.id == result.case);
        let column = record
            .header
            .columns
            .iter()
            .find(|c| c.name == result.column);
        let failure = Failure {
            case: case.expect("it is there"),
            column: column.expect("it is there"),
            result,
            traces: "out",
            command: &record.header.command,
        };
        let text = failure.annotation();
        assert_eq!(text.lines().count(), 1, "{text}");
        // The command is ours, and there is no second one in it.
        let ours = text.strip_prefix("::error ");
        harmless(ours.unwrap_or_else(|| panic!("no command: {text}")));
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn the_summary_in_json() {
    let mut record = record();
    record.footer.columns[0].host = hostile();
    record.footer.columns[0].host_version = hostile();
    let text = json::text(&summary(&record));
    harmless(&text);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["runs"][0]["host"], hostile(), "it reads the same");
}

#[test]
fn the_badge() {
    let mut record = record();
    for c in &mut record.header.columns {
        c.host = hostile();
        c.host_version = hostile();
    }
    let text = json::text(&badge(&[record]));
    harmless(&text);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    // Whoever makes an image of it gets one line of text without anything hidden.
    for key in ["label", "message"] {
        harmless(value[key].as_str().expect("text"));
    }
}

#[test]
fn the_page_of_a_published_column() {
    let mut record = record();
    for c in &mut record.header.columns {
        c.host_version = hostile();
        c.not_offered = vec![("tcp".into(), hostile())];
    }
    for r in &mut record.results {
        if r.judgement.verdict.fails() {
            r.gate = Gate::Known {
                entry: 0,
                why: hostile(),
                link: None,
            };
        }
    }
    let text = column_page(&record);
    assert!(text.contains("alert(1)"), "it is there");
    harmless(&text);
    no_markup(&text);
}

#[test]
fn the_matrix_in_markdown() {
    let mut record = record();
    for c in &mut record.header.columns {
        c.host_version = hostile();
    }
    let name = hostile();
    for r in record
        .results
        .iter_mut()
        .filter(|r| r.column == record.header.columns[0].name)
    {
        r.column.clone_from(&name);
    }
    record.header.columns[0].name = name;
    for r in record.cases.iter_mut().flat_map(|c| &mut c.requirements) {
        r.section = format!("{}: {}", r.section, hostile());
    }
    let text = matrix(&[record], &[]);
    assert!(text.contains("alert(1)"), "it is there");
    harmless(&text);
    no_markup(&text);
}
