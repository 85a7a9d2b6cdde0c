//! Which values in the text of a profile are secrets: those of fields of the kind of `authorization`
//! and of environment variables.
//!
//! Reads words, not YAML: a profile's files are templates, and a profile with a mistake in it has secrets
//! too. Does not know where secrets are kept out.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Shorter values are in every text.
const SHORTEST: usize = 4;
/// A field of the kind of `authorization`, with the quotes round it.
const KEY: &str = r#"(?i)["']?\b[\w-]*(?:authorization|cookie|credentials?|api[-_]?key|private[-_]?key|token|secret|passwd|password)\b["']?"#;
/// What stands between a field's name and its value: `:`, `=`, `,` or a key `value` of its own.
const TO_VALUE: &str =
    r#"^[ \t]*(?:[:=,][ \t]*(?:["']?value["']?[ \t]*:)?|,?\s*["']?value["']?[ \t]*:)[ \t]*"#;
/// A field's name behind its value.
const FROM_VALUE: &str =
    r#"["']?value["']?[ \t]*:[ \t]*(.*?)[ \t]*[,\n]\s*-?\s*["']?(?:key|name)["']?[ \t]*:[ \t]*$"#;
/// An environment variable by its name in capitals.
const VARIABLE: &str = r#"(?m)(?:^|[\s{,\["'])[A-Z][A-Z0-9_]{2,}["']?[ \t]*[:=][ \t]*"#;
/// A map or list of environment variables, whatever their names.
const ENVIRONMENT: &str = r#"(?m)^([ \t-]*)(?:.*[\s{,])?["']?(?:env|environ|environment|environment_variables|env_vars|key_values)["']?[ \t]*:[ \t]*"#;
/// One of them.
const ENTRY: &str = r#"["']?([\w.-]+)["']?[ \t]*[:=][ \t]*"#;
/// The name of a scheme before a credential.
const SCHEME: &str = r"(?i)^(?:bearer|basic|digest|token|negotiate|apikey)\s+(\S.*)$";

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        key: pattern(KEY)?,
        to_value: pattern(TO_VALUE)?,
        from_value: pattern(FROM_VALUE)?,
        variable: pattern(VARIABLE)?,
        environment: pattern(ENVIRONMENT)?,
        entry: pattern(ENTRY)?,
        scheme: pattern(SCHEME)?,
    })
});

struct Patterns {
    key: Regex,
    to_value: Regex,
    from_value: Regex,
    variable: Regex,
    environment: Regex,
    entry: Regex,
    scheme: Regex,
}

/// The secrets in a text, the longest first.
pub fn secrets_in(text: &str) -> Vec<String> {
    let Some(patterns) = &*PATTERNS else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for key in patterns.key.find_iter(text) {
        if let Some(to) = patterns.to_value.find(&text[key.end()..]) {
            out.extend(value(text, key.end() + to.end()));
        }
        let before = &text[line_start(text, line_start(text, key.start()).saturating_sub(1))..];
        let before = &before[..before.len() - (text.len() - key.start())];
        if let Some(found) = patterns.from_value.captures(before).and_then(|c| c.get(1)) {
            let at = key.start() - before.len() + found.start();
            out.extend(value(text, at));
        }
    }
    for name in patterns.variable.find_iter(text) {
        out.extend(value(text, name.end()));
    }
    for head in patterns.environment.captures_iter(text) {
        let (Some(whole), Some(indent)) = (head.get(0), head.get(1)) else {
            continue;
        };
        let block = block(text, whole.end(), indent.len());
        for entry in patterns.entry.captures_iter(&text[block.clone()]) {
            let (Some(all), Some(name)) = (entry.get(0), entry.get(1)) else {
                continue;
            };
            if !["name", "key"].contains(&name.as_str()) {
                out.extend(value(text, block.start + all.end()));
            }
        }
    }
    let bare = |v: &String| {
        let found = patterns.scheme.captures(v)?;
        Some(found.get(1)?.as_str().to_owned())
    };
    let bare: Vec<String> = out.iter().filter_map(bare).collect();
    out.extend(bare);
    out.retain(|v| is_secret(v));
    out.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    out.dedup();
    out
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |n| n + 1)
}

/// The value that begins at a place: quoted, or to the end of its line, or within brackets to the next
/// comma or bracket.
fn value(text: &str, at: usize) -> Option<String> {
    let rest = text[at..].split('\n').next()?;
    if let Some(quoted) = rest.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let raw = &quoted[..end];
        return Some(
            serde_json::from_str(&format!("\"{raw}\"")).unwrap_or_else(|_| raw.to_owned()),
        );
    }
    if let Some(quoted) = rest.strip_prefix('\'') {
        return Some(quoted[..quoted.find('\'')?].to_owned());
    }
    let before = &text[line_start(text, at)..at];
    let open = |c: char| before.matches(c).count();
    let within = open('{') > open('}') || open('[') > open(']');
    let plain = match within {
        true => rest.split([',', '}', ']']).next()?,
        false => rest.split(" #").next()?,
    };
    // What quotes a whole argument ends it too.
    Some(plain.trim().trim_end_matches(['"', '\'']).to_owned())
}

/// What belongs to a key whose value begins at a place: brackets to their end, or the lines that stand
/// deeper than the key.
fn block(text: &str, at: usize, indent: usize) -> Range<usize> {
    let rest = &text[at..];
    if rest.starts_with(['{', '[']) {
        let mut depth = 0;
        let end = rest.find(|c| {
            depth += i32::from(c == '{' || c == '[') - i32::from(c == '}' || c == ']');
            depth == 0
        });
        return at..at + end.unwrap_or(rest.len());
    }
    let mut end = at + rest.find('\n').map_or(rest.len(), |n| n + 1);
    let begin = end;
    for line in text[end..].split_inclusive('\n') {
        let deep = line.len() - line.trim_start().len();
        let list = deep == indent && line.trim_start().starts_with("- ");
        if !line.trim().is_empty() && deep <= indent && !list {
            break;
        }
        end += line.len();
    }
    begin..end
}

/// Templates, words of YAML and small numbers are none.
fn is_secret(value: &str) -> bool {
    let word = ["true", "false", "null", "none"].contains(&value.to_lowercase().as_str());
    let number = value.len() < 6 && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let template = value.contains("{{") || value.contains("{%");
    value.len() >= SHORTEST
        && !word
        && !number
        && !template
        && !value.starts_with(['{', '[', '|', '>'])
}
