//! The text of one known failure: written anew, or changed key by key with its comments kept.
//!
//! Does not know the file around it.

use crate::case::profile_edit::{indent_of, is_between};
use crate::case::yaml::{self, Node};
use crate::case::{Class, Known};

/// Lines longer than this are broken where that is possible.
const WIDE: usize = 100;

/// The keys of an entry in the order in which they are written.
const KEYS: [&str; 12] = [
    "cases", "abi", "versions", "verdicts", "checks", "class", "seen", "why", "source", "link",
    "since", "expires",
];

/// The value of a key.
#[derive(PartialEq)]
enum Value<'k> {
    List(&'k [String]),
    Text(&'k str),
    Nothing,
}

fn value<'k>(k: &'k Known, key: &str) -> Value<'k> {
    let list = |l: &'k [String]| match l {
        [] => Value::Nothing,
        _ => Value::List(l),
    };
    let text = |t: Option<&'k str>| match t {
        Some(t) if !t.is_empty() => Value::Text(t),
        _ => Value::Nothing,
    };
    match key {
        "cases" => list(&k.cases),
        "abi" => list(&k.abi),
        "versions" => text(k.versions.as_deref()),
        "verdicts" => list(&k.verdicts),
        "checks" => list(&k.checks),
        "class" => text(k.class.map(Class::word)),
        "seen" => text(Some(&k.seen)),
        "why" => text(Some(&k.why)),
        "source" => text(Some(&k.source)),
        "link" => text(k.link.as_deref()),
        "since" => text(k.since.as_deref()),
        "expires" => text(k.expires.as_deref()),
        _ => Value::Nothing,
    }
}

/// An entry as lines, its dash at column `indent`.
pub(super) fn render(entry: &Known, indent: usize) -> Vec<String> {
    let keys = KEYS.iter().filter(|k| value(entry, k) != Value::Nothing);
    let chunks = keys.map(|k| (Vec::new(), write(k, &value(entry, k), indent + 2)));
    emit(chunks, indent, indent + 2)
}

/// The lines of a key, each behind `column` spaces.
fn write(key: &str, value: &Value<'_>, column: usize) -> Vec<String> {
    let pad = " ".repeat(column);
    match value {
        Value::Nothing => Vec::new(),
        Value::List(items) => {
            let flow: Vec<String> = items.iter().map(|i| scalar(i, true)).collect();
            let line = format!("{pad}{key}: [{}]", flow.join(", "));
            if line.chars().count() <= WIDE {
                return vec![line];
            }
            let items = items
                .iter()
                .map(|i| format!("{pad}  - {}", scalar(i, false)));
            std::iter::once(format!("{pad}{key}:"))
                .chain(items)
                .collect()
        }
        Value::Text(text) => {
            let line = format!("{pad}{key}: {}", scalar(text, false));
            if line.chars().count() <= WIDE || !foldable(text) {
                return vec![line];
            }
            let mut out = vec![format!("{pad}{key}: >-")];
            let mut now = format!("{pad} ");
            for word in text.split(' ') {
                if now.chars().count() + 1 + word.chars().count() > WIDE && now.trim() != "" {
                    out.push(std::mem::replace(&mut now, format!("{pad} ")));
                }
                now.push(' ');
                now.push_str(word);
            }
            out.push(now);
            out
        }
    }
}

/// Whether a folded block gives the text back.
fn foldable(text: &str) -> bool {
    !text.contains("  ") && !text.contains(['\n', '\r', '\t']) && text.trim() == text
}

/// A scalar as plain as YAML allows.
fn scalar(text: &str, flow: bool) -> String {
    let reads = |written: &str| {
        let (document, wanted) = if flow {
            let list = Node::Seq(vec![Node::Str(text.to_owned())]);
            (format!("k: [{written}]"), list)
        } else {
            (format!("k: {written}"), Node::Str(text.to_owned()))
        };
        yaml::parse(&document).ok() == Some(Node::Map(vec![("k".to_owned(), wanted)]))
    };
    let quoted = format!("'{}'", text.replace('\'', "''"));
    // JSON's way to write text is one of YAML's.
    let escaped = Node::Str(text.to_owned());
    let escaped = serde_json::to_string(&escaped).unwrap_or_default();
    let all = [text.to_owned(), quoted];
    let plain = all.into_iter().find(|w| !w.contains('\n') && reads(w));
    plain.unwrap_or(escaped)
}

/// The text of an entry, taken apart at its keys.
pub(super) struct EntryText<'t> {
    /// Columns before the dash, and before the keys.
    indent: usize,
    column: usize,
    /// `None`: it is written in braces.
    chunks: Option<Vec<Chunk<'t>>>,
    /// A comment behind the braces.
    comment: Option<&'t str>,
}

/// A key with its value.
struct Chunk<'t> {
    key: &'t str,
    /// Comments and blank lines above it.
    lead: Vec<&'t str>,
    /// Its lines; the dash is replaced by a space.
    lines: Vec<String>,
}

impl<'t> EntryText<'t> {
    /// Takes the lines of an entry apart.
    pub(super) fn read(lines: &[&'t str]) -> EntryText<'t> {
        let first = lines.first().copied().unwrap_or("- ");
        let indent = indent_of(first);
        let behind = &first[(indent + 1).min(first.len())..];
        let column = indent + 1 + indent_of(behind);
        let mut out = EntryText {
            indent,
            column,
            chunks: None,
            comment: None,
        };
        if behind.trim_start().starts_with('{') {
            let last = lines.last().copied().unwrap_or_default();
            let tail = last.rsplit_once('}').map(|(_, t)| t.trim());
            out.comment = tail.filter(|t| t.starts_with('#'));
            return out;
        }
        let mut chunks: Vec<Chunk<'t>> = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        for (n, line) in lines.iter().enumerate() {
            let key = line.get(column..).and_then(key_of);
            let starts = n == 0 || indent_of(line) == column;
            if let (true, Some(key)) = (starts, key) {
                chunks.push(Chunk {
                    key,
                    lead: std::mem::take(&mut open),
                    lines: vec![format!("{}{}", " ".repeat(column), &line[column..])],
                });
            } else if is_between(line) && indent_of(line) <= column {
                open.push(line);
            } else if let Some(chunk) = chunks.last_mut() {
                chunk.lines.extend(open.drain(..).map(str::to_owned));
                chunk.lines.push((*line).to_owned());
            }
        }
        // Comments below the last key stay with it.
        if let Some(chunk) = chunks.last_mut() {
            chunk.lines.extend(open.drain(..).map(str::to_owned));
        }
        out.chunks = Some(chunks);
        out
    }

    /// The lines of the entry when it says `new` in place of `old`.
    pub(super) fn with(self, old: &Known, new: &Known) -> Vec<String> {
        let Some(mut chunks) = self.chunks else {
            let mut out = render(new, self.indent);
            if let (Some(comment), Some(first)) = (self.comment, out.first_mut()) {
                first.push_str(&format!("  {comment}"));
            }
            return out;
        };
        for (rank, key) in KEYS.iter().enumerate() {
            let (was, is) = (value(old, key), value(new, key));
            if was == is {
                continue;
            }
            let at = chunks.iter().position(|c| c.key == *key);
            match (at, &is) {
                (Some(at), Value::Nothing) => {
                    let gone = chunks.remove(at);
                    if let Some(next) = chunks.get_mut(at) {
                        next.lead.splice(0..0, gone.lead);
                    }
                }
                (Some(at), _) => {
                    let lines = &mut chunks[at].lines;
                    *lines = fewer(lines, &was, &is).unwrap_or_else(|| {
                        let mut fresh = write(key, &is, self.column);
                        if let (Some(c), Some(first)) = (comment(lines), fresh.first_mut()) {
                            first.push_str(&format!("  {c}"));
                        }
                        fresh
                    });
                }
                (None, _) => {
                    let rank_of = |k: &str| KEYS.iter().position(|x| *x == k);
                    let before = |c: &Chunk<'_>| rank_of(c.key).is_some_and(|r| r < rank);
                    let at = chunks.iter().rposition(before).map_or(0, |p| p + 1);
                    let fresh = Chunk {
                        key,
                        lead: Vec::new(),
                        lines: write(key, &is, self.column),
                    };
                    chunks.insert(at, fresh);
                }
            }
        }
        let chunks = chunks.into_iter().map(|c| {
            let lead = c.lead.iter().map(|l| (*l).to_owned()).collect();
            (lead, c.lines)
        });
        emit(chunks, self.indent, self.column)
    }
}

/// Chunks one below the other, the dash before the first one.
fn emit(
    chunks: impl Iterator<Item = (Vec<String>, Vec<String>)>,
    indent: usize,
    column: usize,
) -> Vec<String> {
    let mut out = Vec::new();
    for (n, (lead, mut lines)) in chunks.enumerate() {
        if let (0, Some(first)) = (n, lines.first_mut()) {
            let gap = " ".repeat(column - indent - 1);
            *first = format!("{}-{gap}{}", " ".repeat(indent), &first[column..]);
        }
        out.extend(lead);
        out.extend(lines);
    }
    out
}

/// `cases` of `cases: [a]`.
fn key_of(text: &str) -> Option<&str> {
    let (key, rest) = text.split_once(':')?;
    let word = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (word && (rest.is_empty() || rest.starts_with(' '))).then_some(key)
}

/// A list with a line an item, from which items are gone: their lines are taken out, the others stay.
fn fewer(lines: &[String], was: &Value<'_>, is: &Value<'_>) -> Option<Vec<String>> {
    let (Value::List(was), Value::List(is)) = (was, is) else {
        return None;
    };
    let gone: Vec<&String> = was.iter().filter(|w| !is.contains(w)).collect();
    let stays = was.iter().filter(|w| !gone.contains(w)).eq(is.iter());
    let item = |line: &str| {
        let text = line.trim_start().strip_prefix("- ")?;
        yaml::parse(&format!("k: {text}")).ok()?.get("k")?.scalar()
    };
    let items: Vec<String> = lines.iter().skip(1).filter_map(|l| item(l)).collect();
    if !stays || items != *was {
        return None;
    }
    let kept = lines
        .iter()
        .filter(|l| !item(l).is_some_and(|i| gone.contains(&&i)));
    Some(kept.cloned().collect())
}

/// The comment behind a value that stands on one line.
fn comment(lines: &[String]) -> Option<&str> {
    let [line] = lines else { return None };
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') if " [,".contains(before) => quote = Some(c),
            (None, '#') if before == ' ' => return Some(&line[at..]),
            _ => {}
        }
        before = c;
    }
    None
}
