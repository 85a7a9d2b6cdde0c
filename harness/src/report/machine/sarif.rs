//! SARIF 2.1.0: one rule a requirement, one result a failed check, at its place in the case file.
//!
//! All hosts are in one run, since consumers refuse several runs of one tool. A known failure is a
//! suppressed result. Does not know who reads it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::abi::Level;
use crate::judge::{CheckResult, Gate, Outcome, Verdict};
use crate::record::{Record, ReqLine};
use crate::report::machine::counted::{Counts, counts, rows};
use crate::report::terminal::Failure;
use crate::report::{again, befell, plain, safe, safe_short, text_link, words};

/// One log for all records.
pub fn sarif(records: &[Record]) -> String {
    let mut rules: Vec<&ReqLine> = Vec::new();
    for line in records
        .iter()
        .flat_map(|r| &r.cases)
        .flat_map(|c| &c.requirements)
    {
        if !rules.iter().any(|r| r.id == line.id) {
            rules.push(line);
        }
    }
    let results: Vec<Value> = records
        .iter()
        .flat_map(rows)
        .flat_map(|row| results(&row, &rules))
        .collect();
    let rule = |r: &&ReqLine| {
        let mut help = safe(&r.text);
        if let Some(ruling) = &r.ruling {
            help.push_str(&format!(" (ruling: {})", safe(ruling)));
        }
        json!({
            "id": safe(&r.id),
            "shortDescription": {"text": safe(&r.text)},
            "fullDescription": {"text": help},
            "helpUri": text_link("0.2.1", &r.section),
            "defaultConfiguration": {"level": level(r.level)},
            "properties": {"level": r.level, "seat": r.seat, "section": safe(&r.section)},
        })
    };
    let version = records.first().map_or("", |r| &r.header.pwspec);
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "pwspec",
                "semanticVersion": safe(version),
                "informationUri": "https://github.com/proxy-wasm/spec",
                "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the folder that holds specs/"}}},
            "invocations": records.iter().map(invocation).collect::<Vec<_>>(),
            "results": results,
        }],
    });
    crate::report::json::text(&log)
}

fn invocation(record: &Record) -> Value {
    let notes = befell(record);
    let successful = notes.is_empty();
    let note = |level: &str, kind: &str, text: &str| json!({"level": level, "descriptor": {"id": kind}, "message": {"text": text}});
    let mut not_run: BTreeMap<(&str, String), u32> = BTreeMap::new();
    let results = record.results.iter().filter(|r| !r.added);
    for r in results.filter(|r| r.judgement.verdict == Verdict::NotRun) {
        *not_run.entry((&r.column, words(r).join("; "))).or_default() += 1;
    }
    let not_run = not_run.iter().map(|((column, why), n)| {
        let text = format!(
            "{}: {n} cases were not run: {}",
            safe(column),
            safe_short(why, 400)
        );
        note("warning", "not-run", &text)
    });
    let notes = notes.iter().map(|(kind, text)| note("error", kind, text));
    json!({
        "commandLine": safe(&record.header.command),
        "startTimeUtc": safe(&record.header.began),
        "endTimeUtc": safe(&record.footer.ended),
        "exitCode": record.footer.exit_code,
        "executionSuccessful": successful,
        "toolExecutionNotifications": notes.chain(not_run).collect::<Vec<_>>(),
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "error",
        Level::Should => "warning",
        Level::Survey => "note",
    }
}

/// The failed checks of a result; where it ended badly before any check could fail, one for the
/// first requirement of the case.
fn results(row: &Failure<'_>, rules: &[&ReqLine]) -> Vec<Value> {
    let known = matches!(row.result.gate, Gate::Known { .. });
    let bad = matches!(counts(row.result), Counts::Failed(_) | Counts::Error(_));
    let verdict = row.result.judgement.verdict;
    let warns = verdict == Verdict::Warn;
    // What was not run says nothing of the host: a notification of the invocation names it.
    if verdict == Verdict::NotRun || !(known || bad || warns) {
        return Vec::new();
    }
    let failed = |c: &&CheckResult| !c.control && c.outcome == Outcome::Fail;
    let checks = row.result.judgement.checks.iter().filter(failed);
    let checks: Vec<&CheckResult> = checks.collect();
    if checks.is_empty() {
        let first = row.case.requirements.first().map(|r| r.id.as_str());
        let must = row.result.judgement.level;
        return vec![one(row, rules, first.unwrap_or(""), must, None)];
    }
    let each = checks
        .iter()
        .map(|c| one(row, rules, &c.req, c.level, Some(c)));
    each.collect()
}

fn one(
    row: &Failure<'_>,
    rules: &[&ReqLine],
    req: &str,
    own: Level,
    check: Option<&CheckResult>,
) -> Value {
    let (column, case, result) = (row.column, row.case, row.result);
    let name = check.map_or("", |c| c.name.as_str());
    let text = match check {
        Some(c) => format!(
            "{}: {}: expected {}, got {}",
            case.id, c.name, c.expected, c.got
        ),
        None => plain(&row.line()).trim().to_owned(),
    };
    let line = check.map_or(0, |c| c.line);
    let mut region = json!({"startLine": if line > 0 { line } else { case.line.max(1) }});
    if let Some(c) = check.filter(|c| c.column > 0) {
        region["startColumn"] = json!(c.column);
    }
    let key = [&column.host, &column.abi, &case.id, name, req].join("\n");
    let print: String = Sha256::digest(key.as_bytes())[..16]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let mut out = json!({
        "ruleId": safe(req),
        "level": level(own),
        "message": {"text": format!("{} {}, {}: {}", safe(&column.host), safe(&column.host_version), safe(&column.abi), safe(&text))},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": uri(&case.file), "uriBaseId": "SRCROOT"},
                "region": region,
            },
            "logicalLocations": [{"fullyQualifiedName": safe(&case.id), "kind": "member"}],
        }],
        "partialFingerprints": {"pwspecCheck/v1": print},
        "properties": {
            "column": safe(&column.name),
            "verdict": result.judgement.verdict.word(),
            "check": safe(name),
            "again": safe(&again(&case.id, column, row.command)),
        },
    });
    if let Some(index) = rules.iter().position(|r| r.id == req) {
        out["ruleIndex"] = json!(index);
    }
    if let Gate::Known { why, .. } = &result.gate {
        out["suppressions"] = json!([{"kind": "external", "justification": safe(why)}]);
    }
    out
}

/// A relative path as a URI: everything but the plainest characters is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for b in path.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                out.push(char::from(b));
            }
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
