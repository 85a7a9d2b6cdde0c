//! What machines read: well formed, true to the mapping, and harmless whatever a host says.

use serde_json::Value;

use crate::judge::{Gate, Verdict};
use crate::record::Record;
use crate::report::fixture::{hostile, record};
use crate::report::machine::markdown::escape;
use crate::report::machine::{badge, junit, markdown, sarif};
use crate::report::{is_hidden, json};

/// The first result with a verdict, as nobody expected it where it fails.
fn result(record: &mut Record, verdict: Verdict) -> &mut crate::record::ResultLine {
    let mut all = record.results.iter_mut();
    let found = all.find(|r| r.judgement.verdict == verdict);
    let found = found.expect("every verdict is there");
    found.gate = match verdict.fails() {
        true => Gate::UnexpectedFailure,
        false => Gate::Expected,
    };
    found
}

/// The `<testcase>` of a case in a column of one ABI.
fn testcase<'x>(xml: &'x str, suite: &str, name: &str) -> &'x str {
    let head = format!("<testcase name=\"{name}\" classname=\"{suite}\"");
    let (_, rest) = xml
        .split_once(&head)
        .unwrap_or_else(|| panic!("no {head} in {xml}"));
    rest.split_once("</testcase>").expect("it closes").0
}

fn name(record: &Record, verdict: Verdict) -> (String, String) {
    let mut copy = record.clone();
    let r = result(&mut copy, verdict).clone();
    let column = record
        .header
        .columns
        .iter()
        .find(|c| c.name == r.column)
        .expect("announced");
    let (suite, case) = r.case.rsplit_once('/').expect("an id");
    (
        suite.to_owned(),
        format!(
            "{case} ({} {}, {})",
            column.host, column.host_version, column.abi
        ),
    )
}

#[test]
fn junit_maps_every_verdict() {
    let record = record();
    let xml = junit(std::slice::from_ref(&record));
    for (verdict, holds) in [
        (Verdict::Fail, "<failure type=\"fail\""),
        (Verdict::Unlinked, "<failure type=\"unlinked\""),
        (Verdict::Refused, "<failure type=\"refused\""),
        (Verdict::Trap, "<error type=\"trap\""),
        (Verdict::Crash, "<error type=\"crash\""),
        (Verdict::Timeout, "<error type=\"timeout\""),
        (Verdict::NotRun, "<error type=\"not-run\""),
        (Verdict::OutOfScope, "<skipped message=\"out-of-scope: "),
        (Verdict::Blocked, "<skipped message=\"blocked: "),
    ] {
        let mut copy = record.clone();
        let made = result(&mut copy, verdict);
        made.judgement.level = crate::abi::Level::Must;
        let (suite, name) = name(&copy, verdict);
        let xml = junit(&[copy]);
        let case = testcase(&xml, &suite, &name);
        assert!(case.contains(holds), "{verdict}: {case}");
    }
    for verdict in [Verdict::Pass, Verdict::Warn, Verdict::Survey] {
        let (suite, name) = name(&record, verdict);
        let case = testcase(&xml, &suite, &name);
        for bad in ["<failure", "<error", "<skipped"] {
            assert!(!case.contains(bad), "{verdict}: {case}");
        }
        let property = format!("<property name=\"{name}\" value=\"{verdict}: ");
        assert_eq!(
            xml.contains(&property),
            verdict != Verdict::Pass,
            "{verdict}"
        );
    }
}

#[test]
fn junit_skips_what_is_known_and_fails_a_known_failure_that_passed() {
    let mut known = record();
    let (suite, name) = name(&known, Verdict::Fail);
    result(&mut known, Verdict::Fail).gate = Gate::Known {
        entry: 0,
        why: "the host mixes up <both>".into(),
        link: Some("https://example.test/1".into()),
    };
    let xml = junit(&[known.clone()]);
    let case = testcase(&xml, &suite, &name);
    let message =
        "<skipped message=\"known: the host mixes up &lt;both&gt; https://example.test/1\"/>";
    assert!(case.contains(message), "{case}");
    let (suite, name) = self::name(&known, Verdict::Pass);
    result(&mut known, Verdict::Pass).gate = Gate::UnexpectedPass { entry: 0 };
    let xml = junit(&[known]);
    assert!(testcase(&xml, &suite, &name).contains("<failure type=\"unexpected-pass\""));
}

#[test]
fn junit_counts_what_it_holds() {
    let record = record();
    let xml = junit(std::slice::from_ref(&record));
    let head = xml.lines().nth(1).expect("the root");
    let number = |key: &str| {
        let (_, rest) = head.split_once(&format!(" {key}=\"")).expect(key);
        rest.split('"')
            .next()
            .and_then(|n| n.parse::<usize>().ok())
            .expect("a number")
    };
    assert_eq!(number("tests"), xml.matches("<testcase ").count());
    assert_eq!(number("failures"), xml.matches("<failure ").count());
    assert_eq!(number("errors"), xml.matches("<error ").count());
    assert!(number("failures") > 0 && number("errors") > 0);
}

#[test]
fn hostile_text_cannot_leave_a_junit_element() {
    let xml = junit(&[record()]);
    assert!(!xml.contains("<script"), "{xml}");
    assert!(!xml.contains("]]>") && !xml.contains("<!"));
    let odd = xml.chars().find(|c| *c != '\n' && is_hidden(*c));
    assert_eq!(odd, None);
    assert!(xml.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let mut named = record();
    named.results[0].gate = Gate::Known {
        entry: 0,
        why: "\u{fffe}".into(),
        link: None,
    };
    assert!(junit(&[named]).contains("\\u{fffe}"), "XML cannot hold it");
}

fn log(record: &Record) -> Value {
    serde_json::from_str(&sarif(std::slice::from_ref(record))).expect("JSON")
}

#[test]
fn sarif_has_a_rule_a_requirement_and_a_result_a_failed_check() {
    let record = record();
    let log = log(&record);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let mut reqs: Vec<&str> = Vec::new();
    for r in record.cases.iter().flat_map(|c| &c.requirements) {
        if !reqs.contains(&r.id.as_str()) {
            reqs.push(&r.id);
        }
    }
    let ids: Vec<&str> = rules.iter().filter_map(|r| r["id"].as_str()).collect();
    assert_eq!(ids, reqs);
    let results = run["results"].as_array().expect("results");
    assert!(!results.is_empty());
    for r in results {
        let index = r["ruleIndex"]
            .as_u64()
            .expect("each check has a requirement") as usize;
        assert_eq!(r["ruleId"], rules[index]["id"]);
        let place = &r["locations"][0]["physicalLocation"];
        let file = place["artifactLocation"]["uri"].as_str().expect("a file");
        assert!(file.starts_with("specs/cases/"), "{file}");
        assert!(place["region"]["startLine"].as_u64().expect("a line") > 0);
    }
}

#[test]
fn sarif_suppresses_what_is_known() {
    let record = record();
    let known = record
        .results
        .iter()
        .filter(|r| matches!(r.gate, Gate::Known { .. }));
    let known: Vec<&str> = known.map(|r| r.case.as_str()).collect();
    let log = log(&record);
    let results = log["runs"][0]["results"].as_array().expect("results");
    let suppressed = results.iter().filter(|r| r.get("suppressions").is_some());
    let suppressed: Vec<&str> = suppressed
        .filter_map(|r| r["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].as_str())
        .collect();
    assert_eq!(suppressed, known);
}

#[test]
fn hostile_text_is_named_in_sarif() {
    let text = sarif(&[record()]);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    let mut texts = Vec::new();
    strings(&value, &mut texts);
    let ours = texts.iter().any(|t| t.contains("<script>"));
    assert!(ours, "what a host said is there, as text");
    for t in texts {
        assert_eq!(t.chars().find(|c| is_hidden(*c)), None, "{t:?}");
        assert!(!t.trim_start().starts_with("::"), "{t}");
    }
}

fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(s) => out.push(s.clone()),
        Value::Array(all) => all.iter().for_each(|v| strings(v, out)),
        Value::Object(all) => all.values().for_each(|v| strings(v, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn markdown_says_each_column_and_each_surprise() {
    let record = record();
    let text = markdown(std::slice::from_ref(&record));
    for c in &record.header.columns {
        let row = format!(
            "{} {} | {}",
            escape(&c.host),
            escape(&c.host_version),
            escape(&c.abi)
        );
        assert!(text.contains(&row), "{row}: {text}");
    }
    let news = record
        .results
        .iter()
        .filter(|r| crate::report::terminal::is_news(r))
        .count();
    assert!(
        text.contains(&format!("### Unexpected, or not run ({news})")),
        "{text}"
    );
    let known = record
        .results
        .iter()
        .filter(|r| matches!(r.gate, Gate::Known { .. }))
        .count();
    assert!(
        text.contains(&format!("Known failures ({known})")),
        "{text}"
    );
}

#[test]
fn hostile_text_is_no_markup() {
    let text = markdown(&[record()]);
    let odd = text.chars().find(|c| *c != '\n' && is_hidden(*c));
    assert_eq!(odd, None);
    // Inside of a fence everything is text; the fence is longer than any run of backquotes in it.
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            assert!(!line.contains("<script"), "{line}");
            assert!(!line.contains("<!--"), "{line}");
        }
        assert!(!line.trim_start().starts_with("::"), "{line}");
        assert!(!line.contains("##["), "{line}");
    }
    assert!(!fenced);
    let bait = "@team | `x` [a](b) <b>*c*";
    assert_eq!(
        escape(bait),
        "&#64;team \\| \\`x\\` \\[a\\](b) &lt;b&gt;\\*c\\*"
    );
    let mut ticks = record();
    result(&mut ticks, Verdict::Fail)
        .judgement
        .checks
        .iter_mut()
        .for_each(|c| c.got = "``````".into());
    assert!(
        markdown(&[ticks]).contains("\n```````text\n"),
        "a longer fence"
    );
}

#[test]
fn a_badge_says_what_the_columns_say() {
    let mut record = record();
    let bad = badge(std::slice::from_ref(&record));
    // One of its hosts died for good.
    assert_eq!((bad.color.as_str(), bad.is_error), ("red", true));
    assert!(
        bad.message.contains("reference-0.1.0-0.2.1: conformant"),
        "{}",
        bad.message
    );
    assert!(
        bad.message
            .contains("envoy-1.40.0-0.2.1: 4 must cases fail"),
        "{}",
        bad.message
    );
    assert!(
        !bad.message.contains("mosn-v2"),
        "a dialect has no verdict: {}",
        bad.message
    );
    record.header.columns.truncate(1);
    record
        .results
        .retain(|r| r.column == record.header.columns[0].name);
    let troubled = badge(std::slice::from_ref(&record));
    assert_eq!(
        troubled.color, "lightgrey",
        "not before the trouble is gone"
    );
    assert!(troubled.message.ends_with(" (trouble with the host)"));
    record.footer.trouble.clear();
    record.footer.canaries.retain(|c| c.ok);
    let good = badge(std::slice::from_ref(&record));
    assert_eq!((good.color.as_str(), good.is_error), ("brightgreen", false));
    assert_eq!(good.label, "Proxy-Wasm · reference 0.1.0");
    let text = json::text(&good);
    let keys: Value = serde_json::from_str(&text).expect("JSON");
    let keys: Vec<&str> = keys
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        ["schemaVersion", "label", "message", "color", "isError"]
    );
    record.header.columns[0].host = hostile();
    let text = json::text(&badge(&[record]));
    assert_eq!(text.chars().find(|c| *c != '\n' && is_hidden(*c)), None);
}

#[test]
fn a_run_that_came_to_nothing_says_so_everywhere() {
    let mut empty = record();
    empty.header.columns.clear();
    empty.cases.clear();
    empty.results.clear();
    empty.footer.columns.clear();
    empty.footer.canaries.clear();
    empty.footer.trouble = vec![("envoy".into(), "envoy is not here".into())];
    empty.footer.interrupted = true;
    let all = |r: &Record| {
        let r = std::slice::from_ref(r);
        [
            junit(r),
            sarif(r),
            markdown(r),
            crate::report::html::render(r),
        ]
    };
    for text in all(&empty) {
        assert!(text.contains("envoy is not here"), "{text}");
        assert!(
            text.contains("the run was interrupted") || text.contains("The run was interrupted"),
            "{text}"
        );
    }
    assert!(badge(std::slice::from_ref(&empty)).is_error);
    empty.footer.trouble.clear();
    empty.footer.interrupted = false;
    empty.header.filters = vec!["area:none".into()];
    for text in all(&empty) {
        assert!(text.contains("nothing was selected by area:none"), "{text}");
    }
}

#[test]
fn links_lead_to_the_headings_of_the_text() {
    let link = |section| crate::report::text_link("0.2.0", section);
    let base = "https://github.com/proxy-wasm/spec/blob/main/abi-versions/v0.2.0/README.md#";
    assert_eq!(
        link("HTTP fields: proxy_get_header_map_value"),
        format!("{base}proxy_get_header_map_value")
    );
    assert_eq!(
        link("Logging: wasi_snapshot_preview1.fd_write"),
        format!("{base}wasi_snapshot_preview1fd_write")
    );
    assert_eq!(
        link("Foreign function interface (FFI)"),
        format!("{base}foreign-function-interface-ffi")
    );
    assert!(crate::report::text_link("mosn-v2", "Buffers").contains("/v0.2.1/"));
}
