//! `pwspec schema record`: real records, line by line, are what the schema says.
//!
//! Holds them against the part of JSON Schema that schemas made from types use, and takes any other
//! keyword for an error. `.ci/validate` does the same with a whole validator.

use serde_json::{Value, json};

use crate::cli::{Bench, GOOD, WRONG};

/// Where and why a value is not what a schema says.
fn wrong(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Value::Object(rules) = schema else {
        return match schema {
            Value::Bool(true) => Ok(()),
            _ => Err(format!("{at}: nothing is allowed here")),
        };
    };
    for (keyword, rule) in rules {
        let fits = |one: &Value| wrong(root, one, value, at).is_ok();
        let all = |rule: &Value| rule.as_array().cloned().unwrap_or_default();
        let ok = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" | "format" => true,
            "$ref" => {
                let path = rule.as_str().unwrap().trim_start_matches('#');
                wrong(root, root.pointer(path).unwrap(), value, at)?;
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|t| is(value, t)),
                one => is(value, one),
            },
            "const" => value == rule,
            "enum" => all(rule).contains(value),
            "oneOf" => all(rule).iter().filter(|one| fits(one)).count() == 1,
            "anyOf" => all(rule).iter().any(fits),
            "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|n| n <= rule.as_f64().unwrap()),
            "minItems" => value
                .as_array()
                .is_none_or(|a| a.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value
                .as_array()
                .is_none_or(|a| a.len() as u64 <= rule.as_u64().unwrap()),
            "required" => all(rule)
                .iter()
                .all(|k| value.get(k.as_str().unwrap()).is_some()),
            "properties" => {
                for (key, rule) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        wrong(root, rule, value, &format!("{at}/{key}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                assert_eq!(rule, &json!(false), "another use of it is not looked at");
                let known = rules.get("properties").and_then(Value::as_object);
                let known = |k: &String| known.is_some_and(|p| p.contains_key(k));
                value.as_object().is_none_or(|o| o.keys().all(known))
            }
            "prefixItems" => {
                let values = value.as_array().cloned().unwrap_or_default();
                for (n, (rule, value)) in all(rule).iter().zip(&values).enumerate() {
                    wrong(root, rule, value, &format!("{at}/{n}"))?;
                }
                true
            }
            "items" => {
                let values = value.as_array().cloned().unwrap_or_default();
                for (n, value) in values.iter().enumerate() {
                    wrong(root, rule, value, &format!("{at}/{n}"))?;
                }
                true
            }
            other => panic!("the keyword {other} is not looked at"),
        };
        if !ok {
            return Err(format!("{at}: {keyword} {rule}: {value}"));
        }
    }
    Ok(())
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("there is no type {other}"),
    }
}

/// Cases that end in ways in which results differ: an effect on the wire, bytes that are no text, a trap,
/// a control that fails.
const ENDS: (&str, &str) = (
    "demo/ends.yaml",
    "version: 1
suite: demo/ends
about: Demo
since: 0.1.0
cases:
  - id: bytes
    about: a body that is no text, longer than is kept
    program:
      request_body[end_of_stream=false]:
        - return: PAUSE
      request_body[end_of_stream=true]:
        - call: proxy_set_buffer_bytes
          with: {buffer_id: HTTP_REQUEST_BODY, start: 0, size: 0, value: {hex: ff 00 c3 28}}
          expect: {status: OK}
        - call: proxy_get_buffer_bytes
          with: {buffer_id: HTTP_REQUEST_BODY, start: 0, max_size: 0xffff}
          expect: {status: OK}
    exchange:
      request: {body: [one, {fill: ab, len: 9000}], trailers: []}
      upstream: {body: [x, y], trailers: [[x-end, \"1\"]]}
  - id: trap
    about: a plugin that traps
    program:
      request_headers:
        - call: proxy_log
          with: {log_level: WARN, message: a line}
          expect: {status: OK}
        - trap: true
  - id: blocked
    about: a set-up that is not as it should be
    program:
      request_headers:
        - call: proxy_get_header_map_value
          with: {map_id: HTTP_REQUEST_HEADERS, key: x-other}
          expect: {status: OK}
          control: true
        - call: proxy_log
          with: {log_level: WARN, message: a line}
          expect: {status: OK}
  - id: seen
    about: what was seen
    program:
      request_headers:
        - call: proxy_define_metric
          with: {metric_type: COUNTER, name: {unique: metric}}
          save: {metric_id: metric}
        - call: proxy_get_metric
          with: {metric_id: {saved: metric}}
    observe: [{req: proxy_define_metric/starts_at_zero, what: call 2 value}]
",
);

const KNOWN: &str = "known:
  - cases: [demo/wrong/other]
    verdicts: [fail]
    seen: the value 1
    why: the case is wrong
    source: not read
";

#[test]
fn real_records_are_what_their_schema_says_line_by_line() {
    let bench = Bench::new(&[GOOD, WRONG, ENDS]);
    let profile = bench.read("specs/hosts/reference.yaml");
    let known = format!("{}\n{KNOWN}", profile.trim_end());
    let schema: Value =
        serde_json::from_str(&bench.run(&["schema", "record"]).code(0).out).unwrap();
    let mut lines: Vec<Value> = Vec::new();
    // As it fails, as it is known, and with nothing played.
    let runs: [(&str, &[&str]); 3] = [
        ("fails", &["--abi", "0.2.1"]),
        ("knows", &[]),
        ("late", &["--max-time", "0s"]),
    ];
    for (name, more) in runs {
        if name == "knows" {
            bench.write("specs/hosts/reference.yaml", &known);
        }
        let mut args = vec!["run", "--out", name, "--snapshots", "new"];
        args.extend(more);
        bench.run(&args);
        let text = bench.read(&format!("{name}/record.jsonl"));
        let read = text.lines().map(|l| serde_json::from_str(l).unwrap());
        lines.extend(read.collect::<Vec<Value>>());
    }
    bench
        .run(&["report", "fails", "--publish", "published"])
        .code(0);
    let column = "published/reference-0.1.0-0.2.1";
    let text = bench.read(&format!("{column}/record.jsonl"));
    lines.extend(
        text.lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap()),
    );
    for line in &lines {
        if let Err(why) = wrong(&schema, &schema, line, "") {
            panic!("{why}\n{line}");
        }
    }
    // They hold what a record can hold.
    let has = |words: &str| lines.iter().any(|l| l.to_string().contains(words));
    for words in [
        "\"header\":",
        "\"case\":",
        "\"result\":",
        "\"footer\":",
        "\"packed\":",
        "\"verdict\":\"fail\"",
        "\"verdict\":\"not-run\"",
        "\"verdict\":\"blocked\"",
        "\"verdict\":\"survey\"",
        "\"known\":{",
        "unexpected_failure",
        "\"trap\":",
        "\"cut\":[",
        "\"b64\":",
        "\"drift\":",
        "\"observed\":",
    ] {
        assert!(has(words), "no line has {words}");
    }
    // What is not in the schema is noticed.
    let result = lines.iter().find(|l| l.get("result").is_some()).unwrap();
    for (key, value) in [
        ("other", json!(1)),
        ("attempts", json!("none")),
        ("gate", json!("odd")),
    ] {
        let mut changed = result.clone();
        changed["result"][key] = value;
        assert!(wrong(&schema, &schema, &changed, "").is_err(), "{key}");
    }
    let mut short = result.clone();
    short["result"].as_object_mut().unwrap().remove("case");
    assert!(wrong(&schema, &schema, &short, "").is_err());
}
