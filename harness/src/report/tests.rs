//! Reports of the made-up record: hostile text comes out harmless, everything that failed is seen.

use crate::judge::{CheckResult, Outcome, Verdict};
use crate::record::{Event, Record, ReqLine, ResultLine, Sink, Summary, Verdicts, summary};
use crate::report::fixture::{HOSTILE, record};
use crate::report::terminal::{
    EndOptions, Failure, Format, Live, LiveOptions, Spot, end, failures,
};
use crate::report::{Cell, Table, json, mark, plain, safe, surveys};
use std::sync::{Arc, Mutex};

const TRACES: &str = "target/pwspec/latest/traces";

fn failure<'a>(record: &'a Record, verdict: Verdict) -> Failure<'a> {
    let result = record
        .results
        .iter()
        .find(|r| r.judgement.verdict == verdict)
        .expect("every verdict is there");
    Failure {
        column: record
            .header
            .columns
            .iter()
            .find(|c| c.name == result.column)
            .expect("announced"),
        case: record.case_of(result).expect("announced"),
        result,
        traces: TRACES,
        command: &record.header.command,
    }
}

/// Nothing that a terminal or a CI system would act on, once our own colours are out.
fn harmless(text: &str) {
    let text = plain(text);
    assert!(
        text.chars()
            .all(|c| c == '\n' || !crate::report::is_hidden(c)),
        "{text:?}"
    );
    assert!(!text.contains("##["), "{text}");
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
}

#[test]
fn a_failure_reads_like_a_compilers() {
    let record = record();
    let failure = failure(&record, Verdict::Fail);
    let block = plain(&failure.block());
    insta::assert_snapshot!(block);
    assert!(block.contains("^^^^"), "{block}");
    assert!(block.contains(".trace:4"), "{block}");
}

#[test]
fn a_failure_says_the_ruling_of_each_check_that_has_one() {
    let mut record = record();
    let of = record
        .results
        .iter_mut()
        .find(|r| r.judgement.verdict == Verdict::Fail)
        .expect("one fails");
    let case = of.case.clone();
    let first = of.judgement.checks[0].clone();
    for (name, req) in [
        ("call 3", "x/ruled"),
        ("call 4", "x/ruled"),
        ("call 5", "x/plain"),
    ] {
        of.judgement.checks.push(CheckResult {
            name: name.to_owned(),
            req: req.to_owned(),
            outcome: Outcome::Fail,
            ..first.clone()
        });
    }
    let lines = record.cases.iter_mut().filter(|c| c.id == case);
    for line in lines {
        for (id, ruling) in [("x/ruled", Some("read so")), ("x/plain", None)] {
            line.requirements.push(ReqLine {
                id: id.to_owned(),
                ruling: ruling.map(str::to_owned),
                ..line.requirements[0].clone()
            });
        }
    }
    let block = plain(&failure(&record, Verdict::Fail).block());
    let said: Vec<String> = block
        .lines()
        .filter_map(|l| l.trim_start().split_once("  "))
        .filter(|(label, _)| ["and", "ruling"].contains(label))
        .map(|(label, text)| format!("{label}: {}", text.trim_start()))
        .collect();
    let level = first.level;
    let and = |call: u32, req: &str| format!("and: call {call} · {level} · {req}");
    let want = [
        and(3, "x/ruled"),
        "ruling: read so".to_owned(),
        and(4, "x/ruled"),
        and(5, "x/plain"),
    ];
    assert_eq!(said, want, "{block}");
}

#[test]
fn every_verdict_has_a_block_and_a_line_and_none_does_harm() {
    let record = record();
    for verdict in Verdict::ALL {
        let failure = failure(&record, verdict);
        harmless(&failure.block());
        harmless(&failure.line());
        assert_eq!(plain(&failure.line()).lines().count(), 1);
        let word = verdict.word().to_uppercase();
        assert!(plain(&failure.block()).contains(&word), "{word}");
    }
}

#[test]
fn an_annotation_is_one_command_of_ours() {
    let record = record();
    let text = failure(&record, Verdict::Fail).annotation();
    assert!(text.starts_with("::error file=specs/cases/"), "{text}");
    assert_eq!(text.lines().count(), 1);
    assert!(!text.contains('\x1b'));
}

#[test]
fn the_end_says_verdict_counts_and_reasons() {
    let record = record();
    let options = EndOptions {
        folder: "target/pwspec/latest",
        report: Some("target/pwspec/latest/report/index.html"),
        ..EndOptions::default()
    };
    let text = end(&record, &options);
    harmless(&text);
    let text = plain(&text);
    insta::assert_snapshot!(text);
    assert!(text.contains("✗ envoy-1.40.0-0.2.1  not conformant"));
    assert!(text.contains("✓ reference-0.1.0-0.2.1  conformant · as expected"));
}

#[test]
fn the_end_names_what_changed() {
    let now = record();
    let key = |r: &ResultLine| (r.column.clone(), r.case.clone());
    let all = now.results.iter().map(|r| (key(r), r.judgement.verdict));
    let mut before: Verdicts = all.collect();
    let changed = now
        .results
        .iter()
        .find(|r| r.judgement.verdict == Verdict::Fail);
    let changed = changed.expect("one fails");
    before.insert(key(changed), Verdict::Pass);
    let id = changed.case.clone();
    let options = EndOptions {
        before: Some(&before),
        ..EndOptions::default()
    };
    let text = plain(&end(&now, &options));
    let line = text.lines().find(|l| l.contains("pass") && l.contains('→'));
    assert!(
        line.is_some_and(|l| l.contains("fail") && l.contains(&id)),
        "{text}"
    );
}

#[test]
fn all_failures_together_do_no_harm() {
    let text = failures(&record(), TRACES, false);
    harmless(&text);
    assert!(text.contains("pwspec run "));
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic holds it").extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn live(options: LiveOptions) -> String {
    let record = record();
    let out = Shared::default();
    let mut live = Live::new(Box::new(out.clone()), options);
    let mut events = vec![Event::Started {
        header: Arc::new(record.header.clone()),
        cases: Arc::new(record.cases.clone()),
    }];
    for r in &record.results {
        events.push(Event::CaseBegan {
            column: r.column.clone(),
            case: r.case.clone(),
        });
        events.push(Event::CaseEnded(Arc::new(r.clone())));
    }
    events.push(Event::Finished(Arc::new(record.footer.clone())));
    for e in &events {
        live.event(e).expect("memory takes it");
    }
    let bytes = out.0.lock().expect("no panic holds it").clone();
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_log_gets_a_line_a_failure() {
    let text = live(LiveOptions::default());
    harmless(&text);
    let record = record();
    let news = |r: &&crate::record::ResultLine| crate::report::terminal::is_news(r);
    assert_eq!(
        text.lines().count(),
        record.results.iter().filter(news).count()
    );
}

#[test]
fn json_is_the_summary_and_nothing_else() {
    let text = live(LiveOptions {
        format: Format::Json,
        ..LiveOptions::default()
    });
    let read: Summary = serde_json::from_str(&text).expect("one object");
    assert_eq!(read, summary(&record()));
}

#[test]
fn carets_stand_under_the_value_as_it_is_in_the_file() {
    let record = record();
    let case = &record.cases[0];
    let spot = Spot {
        case,
        line: case.line + 6,
        column: 20,
    };
    let text = plain(&spot.excerpt(0, "got OK"));
    let lines: Vec<&str> = text.lines().collect();
    let at = lines[2].find('^').expect("carets");
    assert_eq!(
        &lines[1][at..at + 6],
        "status".get(..6).expect("six"),
        "{text}"
    );
}

#[test]
fn a_place_outside_of_the_case_has_no_excerpt() {
    let record = record();
    let spot = Spot {
        case: &record.cases[0],
        line: 4000,
        column: 1,
    };
    assert_eq!(plain(&spot.excerpt(0, "got OK")).lines().count(), 2);
}

#[test]
fn hostile_text_is_named_not_obeyed() {
    let text = safe(&String::from_utf8_lossy(HOSTILE));
    harmless(&text);
    assert!(text.contains("\\u{1b}[31m") && text.contains("\\u{0}") && text.contains("\\u{202e}"));
    assert_eq!(safe("  ::error::x"), "  \\x3a:error::x");
    assert_eq!(safe("a ##[group]"), "a \\x23#[group]");
    assert_eq!(safe("a :: b # c ## d"), "a :: b # c ## d");
}

#[test]
fn no_two_verdicts_share_a_letter_or_a_glyph() {
    let all = Verdict::ALL.map(mark);
    for (i, a) in all.iter().enumerate() {
        for b in &all[..i] {
            assert!(a.letter != b.letter && a.glyph != b.glyph);
        }
    }
}

#[test]
fn columns_line_up() {
    let mut t = Table::new();
    t.head(["name", "n", "what"]);
    t.row([Cell::new("a"), Cell::new("7").right(), Cell::new("x")]);
    t.row([
        Cell::new("long name"),
        Cell::new("12").right(),
        Cell::new("y"),
    ]);
    assert_eq!(
        plain(&t.text(2)),
        "  name       n   what\n  a           7  x\n  long name  12  y\n"
    );
}

#[test]
fn surveys_group_the_columns() {
    let groups = surveys(&[record()]);
    let first = groups.first().expect("there are surveys");
    assert_eq!(first.groups.len(), 2);
    assert_eq!(
        first.groups[0].columns.len(),
        2,
        "the largest group is first"
    );
}

#[test]
fn a_survey_asks_its_question() {
    let groups = surveys(&[record()]);
    let question = groups[0].question().expect("they differ");
    assert!(
        question.contains("- reference-0.1.0-0.2.1: call 2 status: NOT_FOUND"),
        "{question}"
    );
}

#[test]
fn the_summary_has_the_published_shape() {
    let value = serde_json::to_value(summary(&record())).expect("plain data");
    let keys = |v: &serde_json::Value| -> Vec<String> {
        v.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(keys(&value), ["version", "exit_code", "runs"]);
    assert_eq!(
        keys(&value["runs"][0]).join(" "),
        "column host host_version abi verdict gate seconds must_failed cases known \
         unexpected_failures unexpected_passes drift company faults"
    );
    assert_eq!(
        keys(&value["runs"][0]["cases"]).join(" "),
        "selected pass fail warn survey unlinked refused trap crash timeout out_of_scope blocked not_run"
    );
    assert_eq!(value["runs"][0]["verdict"], "conformant");
    assert_eq!(value["runs"][1]["verdict"], "not conformant");
    assert!(value["runs"][2]["verdict"].is_null(), "a dialect");
}

#[test]
fn every_schema_names_its_fields() {
    let schemas = json::schemas();
    let names: Vec<&str> = schemas.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names.join(" "),
        "summary cases requirements changes coverage coverage-text prove hosts pending probe fuzz diff badge"
    );
    for (name, schema) in &schemas {
        assert!(schema.get("$schema").is_some(), "{name}");
    }
    let summary = &schemas[0].1;
    assert!(summary["properties"]["runs"].is_object());
    assert_eq!(summary["additionalProperties"], false);
}
