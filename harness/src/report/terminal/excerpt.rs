//! A line of a case file with carets under what did not hold.
//!
//! Does not read files: the record has the case's YAML.

use crate::record::CaseLine;
use crate::report::{Paint, safe, safe_short};

/// A place in a case.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    /// The case.
    pub case: &'a CaseLine,
    /// Line in the file, from 1; 0: unknown.
    pub line: u32,
    /// Column in the file, from 1; 0: unknown.
    pub column: u32,
}

impl Spot<'_> {
    /// `specs/cases/fields/get_value.yaml:16:28`.
    pub fn place(&self) -> String {
        let file = safe(&self.case.file);
        match (self.line, self.column) {
            (0, _) => format!("{file}:{}", self.case.line),
            (l, 0) => format!("{file}:{l}"),
            (l, c) => format!("{file}:{l}:{c}"),
        }
    }

    /// The line, dedented, and the column in it from 0; nothing where the place is not in the case.
    fn source(&self) -> Option<(&str, usize)> {
        let nth = self.line.checked_sub(self.case.line)?;
        let text = self.case.yaml.lines().nth(nth as usize)?;
        let column = self.column.saturating_sub(1 + self.case.indent) as usize;
        (column < text.chars().count()).then_some((text, column))
    }

    /// Place, line and carets, behind `indent` spaces; `label` stands behind the carets.
    pub fn excerpt(&self, indent: usize, label: &str) -> String {
        let pad = " ".repeat(indent);
        let mut out = format!("{pad}{} {}\n", Paint::Blue.text("-->"), self.place());
        let label = safe_short(label, 160);
        let Some((text, column)) = self.source() else {
            if !label.is_empty() {
                out.push_str(&format!("{pad}  {} {}\n", Paint::Blue.text("="), label));
            }
            return out;
        };
        let number = self.line.to_string();
        let at = byte_of(text, column);
        let len = span(&text[at..]);
        let before = safe(&text[..at]).chars().count();
        let carets = safe(&text[at..at + len]).chars().count().max(1);
        let lead = " ".repeat(self.case.indent as usize);
        let bar = Paint::Blue.text("|");
        out.push_str(&format!(
            "{pad} {} {bar} {lead}{}\n",
            Paint::Blue.text(&number),
            safe(text)
        ));
        out.push_str(&format!(
            "{pad} {} {bar} {lead}{}{}\n",
            " ".repeat(number.len()),
            " ".repeat(before),
            Paint::Red.text(format!("{} {label}", "^".repeat(carets)).trim_end())
        ));
        out
    }
}

fn byte_of(text: &str, column: usize) -> usize {
    text.char_indices()
        .nth(column)
        .map_or(text.len(), |(i, _)| i)
}

/// Length in bytes of the YAML value that begins `text`: to the matching bracket or quote, else to
/// the next comma, closing bracket, comment or line end.
fn span(text: &str) -> usize {
    let mut depth = 0usize;
    let mut quote: Option<char> = None;
    let mut before = ' ';
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q && before != '\\' => {
                quote = None;
                if depth == 0 {
                    return i + c.len_utf8();
                }
            }
            (Some(_), _) => {}
            (None, '"' | '\'') if i == 0 || depth > 0 => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']' | ',') if depth == 0 => return text[..i].trim_end().len(),
            (None, '}' | ']') => {
                depth -= 1;
                if depth == 0 {
                    return i + 1;
                }
            }
            (None, '#') if before == ' ' && i > 0 => return text[..i].trim_end().len(),
            (None, _) => {}
        }
        before = c;
    }
    text.trim_end().len()
}
