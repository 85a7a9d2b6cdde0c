//! A text cut into its sections, and what each line is by its form alone.
//!
//! Knows how the specification is written. Does not know any section of it.

/// A heading and the lines up to the next one.
#[derive(Debug)]
pub(super) struct Section {
    /// The heading without its marks; behind the one above it, where it comes several times.
    pub(super) name: String,
    /// The place of the heading among the text's lines, counted from 0.
    pub(super) start: usize,
    /// What each line is, the heading first.
    pub(super) forms: Vec<Form>,
}

/// What a line is by its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing.
    Blank,
    /// The line across the page.
    Rule,
    /// The heading of its section.
    Heading,
    /// The target of a link.
    Target,
    /// Parameters and results of a function.
    Signature,
    /// The head of a list of statuses.
    Lead,
    /// An entry of a list that begins with a word in code marks, or a further line of it.
    Row(String),
    /// Anything else.
    Prose,
}

impl Form {
    /// Why a line of this form asks nothing by itself.
    pub(super) fn idle(&self) -> Option<&'static str> {
        match self {
            Form::Blank => Some("blank"),
            Form::Rule => Some("rule"),
            Form::Heading => Some("heading"),
            Form::Target => Some("link target"),
            Form::Lead => Some("head of the list below"),
            Form::Signature | Form::Row(_) | Form::Prose => None,
        }
    }
}

/// Headings under which the text repeats the same words.
const REPEATED: [&str; 2] = [
    "Callbacks exposed by the Wasm module",
    "Functions exposed by the host",
];

/// The sections of a text in order. Lines before the first heading belong to none.
pub(super) fn sections(lines: &[&str]) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    let mut above = String::new();
    let mut last = Form::Blank;
    for (at, line) in lines.iter().enumerate() {
        if let Some(name) = heading(line) {
            let name = if REPEATED.contains(&name.as_str()) {
                format!("{above}: {name}")
            } else {
                if !line.starts_with("###") {
                    above.clone_from(&name);
                }
                name
            };
            found.push(Section {
                name,
                start: at,
                forms: vec![Form::Heading],
            });
            last = Form::Heading;
        } else if let Some(section) = found.last_mut() {
            last = form(line, &last);
            section.forms.push(last.clone());
        }
    }
    found
}

fn heading(line: &str) -> Option<String> {
    let words = line.trim_start_matches('#');
    (words.len() < line.len() && words.starts_with(' '))
        .then(|| words.trim().trim_matches('`').to_owned())
}

fn form(line: &str, before: &Form) -> Form {
    let words = line.trim();
    if words.is_empty() {
        return Form::Blank;
    }
    if words == "---" {
        return Form::Rule;
    }
    if words == "* params:" || *before == Form::Signature {
        return Form::Signature;
    }
    if words.starts_with('[') && words.contains("]: #") {
        return Form::Target;
    }
    if words == "Returned `status` value is:" || words == "Returned `errno` value is:" {
        return Form::Lead;
    }
    match (line.strip_prefix("- `"), before) {
        (Some(rest), _) => Form::Row(rest.split('`').next().unwrap_or_default().to_owned()),
        (None, Form::Row(word)) if line.starts_with("  ") => Form::Row(word.clone()),
        _ => Form::Prose,
    }
}
