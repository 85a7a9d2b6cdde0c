//! Whether the text says what the table says: functions, signatures, statuses, numbers.
//!
//! Reads names and types out of the text. Does not judge prose.

use crate::abi::text::outline::{Form, Section};
use crate::abi::text::{LineMeaning, TextLine, TextMap, TextProblem};
use crate::abi::{Abi, EnumDef, Param, Returns, Word};

/// The name of a function in the table, from its heading.
pub(super) fn function(heading: &str) -> &str {
    heading
        .strip_prefix("wasi_snapshot_preview1.")
        .unwrap_or(heading)
}

pub(super) fn check(
    map: &TextMap,
    abi: &Abi,
    sections: &[Section],
    lines: &[&str],
    read: &[TextLine],
    problems: &mut Vec<TextProblem>,
) {
    let mut problem = |line: usize, message: String| problems.push(TextProblem { line, message });
    for section in sections {
        let name = function(&section.name);
        let line = section.start + 1;
        let text = &lines[section.start..section.start + section.forms.len()];
        if let Some(def) = abi.enumeration(name) {
            if let Some(message) = numbers(def, text, &section.forms) {
                problem(line, message);
            }
            continue;
        }
        let Some(said) = signature(text, &section.forms) else {
            continue;
        };
        let (params, returns) = match (abi.hostcall(name), abi.callback(name)) {
            (Some(h), _) => (&h.params, &h.returns),
            (None, Some(c)) => (&c.params, &c.returns),
            (None, None) => {
                problem(line, format!("the table has no function `{name}`"));
                continue;
            }
        };
        let known = words(params, returns);
        let departs = map.departs.get(name).is_some();
        if (said == known) == departs {
            let message = if departs {
                format!("`{name}` is said to depart from the text and does not")
            } else {
                format!("`{name}` is {said} in the text and {known} in the table")
            };
            problem(line, message);
        }
        for (at, form) in section.forms.iter().enumerate() {
            let Form::Row(word) = form else { continue };
            let row = &read[section.start + at];
            if let LineMeaning::Reqs(ids) = &row.meaning {
                let start = format!("{name}/{word}");
                let of_row = |id: &String| {
                    id.strip_prefix(&start)
                        .is_some_and(|end| end.is_empty() || end.starts_with('.'))
                };
                if !ids.iter().any(of_row) {
                    problem(row.number, format!("no requirement `{start}` for this row"));
                }
            }
        }
    }
    let names = abi.hostcalls.iter().map(|h| &h.name);
    for name in names.chain(abi.callbacks.iter().map(|c| &c.name)) {
        if !sections.iter().any(|s| function(&s.name) == name) {
            problem(0, format!("the text has no section on `{name}`"));
        }
    }
    for def in &abi.enums {
        if !sections.iter().any(|s| s.name == def.name) {
            problem(0, format!("the text has no section on `{}`", def.name));
        }
    }
}

/// `(i32 i64) -> i32`, from the lines of a signature.
fn signature(text: &[&str], forms: &[Form]) -> Option<String> {
    let mut params = Vec::new();
    let mut results = Vec::new();
    let mut behind = false;
    let mut any = false;
    for (line, _) in text
        .iter()
        .zip(forms)
        .filter(|(_, f)| **f == Form::Signature)
    {
        any = true;
        let words = line.trim();
        behind |= words == "* returns:";
        if let Some(ty) = words.strip_prefix("- `") {
            let ty = ty.split([' ', '`']).next().unwrap_or_default();
            if behind { &mut results } else { &mut params }.push(ty);
        }
    }
    any.then(|| shown(&params, &results))
}

fn words(params: &[Param], returns: &Returns) -> String {
    let word = |word: &Word| if *word == Word::I32 { "i32" } else { "i64" };
    let params: Vec<&str> = params.iter().flat_map(|p| p.ty.words()).map(word).collect();
    let results: &[&str] = match returns {
        Returns::Nothing => &[],
        _ => &["i32"],
    };
    shown(&params, results)
}

fn shown(params: &[&str], results: &[&str]) -> String {
    let result = match results {
        [] => "none".to_owned(),
        some => some.join(" "),
    };
    format!("({}) -> {result}", params.join(" "))
}

/// What is wrong with the numbers of an enum.
fn numbers(def: &EnumDef, text: &[&str], forms: &[Form]) -> Option<String> {
    let mut said: Vec<(String, u64)> = Vec::new();
    for (line, form) in text.iter().zip(forms) {
        if let Form::Row(name) = form {
            match line.split('`').nth(3).and_then(|n| n.parse().ok()) {
                Some(number) => said.push((name.clone(), number)),
                None => return Some(format!("`{name}` of `{}` has no number", def.name)),
            }
        }
    }
    (said != def.values).then(|| {
        format!(
            "`{}` is {said:?} in the text and {:?} in the table",
            def.name, def.values
        )
    })
}
