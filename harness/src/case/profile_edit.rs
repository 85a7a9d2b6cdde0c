//! Changes the known failures in the text of a profile and leaves everything else as people wrote
//! it: comments, order, quotes, line breaks.
//!
//! Works on lines, as profiles are written: a list with a dash an entry. What it cannot be sure of it
//! refuses: the new text must read as exactly what was asked for. Does not know why something changes.

use crate::case::profile_entry::{EntryText, render};
use crate::case::{Known, Profile};

/// An entry of the list as it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAs {
    /// The entry of the old list whose text it takes over, from 0. Two may take over the same one.
    pub from: Option<usize>,
    /// What it says.
    pub entry: Known,
}

/// The text of `old` with its known failures as in `new`. `read` reads a profile: the outcome is held
/// against what was asked for.
///
/// # Errors
/// A fragment: the list is not written in a way that can be edited.
pub fn edit_known(
    text: &str,
    old: &Profile,
    new: &[KnownAs],
    read: &dyn Fn(&str) -> Option<Profile>,
) -> Result<String, String> {
    let block = Block::find(text)?;
    if block.entries.len() != old.known.len() {
        return Err(format!(
            "the list `known` has {} entries and {} are seen on lines of their own",
            old.known.len(),
            block.entries.len()
        ));
    }
    let out = block.with(&old.known, new)?;
    let wanted: Vec<Known> = new.iter().map(|k| k.entry.clone()).collect();
    let fits = |p: Profile| {
        p.known == wanted
            && Profile {
                known: Vec::new(),
                ..p
            } == Profile {
                known: Vec::new(),
                ..old.clone()
            }
    };
    match read(&out).is_some_and(fits) {
        true => Ok(out),
        false => Err("the edited text would not read as it should".to_owned()),
    }
}

/// The line of each entry, from 1.
pub fn known_lines(text: &str) -> Vec<usize> {
    let block = Block::find(text);
    block.map_or(Vec::new(), |b| b.entries.iter().map(|e| e.line).collect())
}

/// The list of known failures as it stands in the text of a profile, with its comments: the lines from
/// `known:` on; none where the list is empty.
pub fn known_text(text: &str) -> Option<String> {
    let block = Block::find(text).ok()?;
    if block.entries.is_empty() {
        return None;
    }
    let lines = text.lines().skip(block.before.lines().count());
    let n = text.lines().count() - block.before.lines().count() - block.after.lines().count();
    let body: String = lines.take(n).map(|l| format!("{l}\n")).collect();
    Some(format!("known:\n{body}"))
}

/// A text taken apart at its list of known failures.
struct Block<'t> {
    /// Everything before the list, with the line `known:`.
    before: String,
    entries: Vec<Entry<'t>>,
    /// Comments and blank lines behind the last entry.
    tail: Vec<&'t str>,
    /// Everything behind.
    after: String,
    /// Columns before the dash.
    indent: usize,
}

/// One entry.
struct Entry<'t> {
    /// Comments and blank lines above it.
    lead: Vec<&'t str>,
    lines: Vec<&'t str>,
    line: usize,
}

pub(super) fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Blank, or a comment.
pub(super) fn is_between(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

impl<'t> Block<'t> {
    fn find(text: &'t str) -> Result<Block<'t>, String> {
        let lines: Vec<&str> = text.lines().collect();
        let joined = |lines: &[&str]| lines.iter().map(|l| format!("{l}\n")).collect::<String>();
        let Some(head) = lines.iter().position(|l| l.starts_with("known:")) else {
            let gap = if text.is_empty() || text.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            return Ok(Block {
                before: format!("{text}{gap}known:\n"),
                entries: Vec::new(),
                tail: Vec::new(),
                after: String::new(),
                indent: 2,
            });
        };
        let rest = lines[head]["known:".len()..].trim();
        let empty = rest.strip_prefix("[]").map(str::trim_start);
        let said = empty.unwrap_or(rest);
        if !said.is_empty() && !said.starts_with('#') {
            return Err("the list `known` is written on one line".to_owned());
        }
        let in_block = |l: &&str| is_between(l) || l.starts_with([' ', '-']);
        let end = lines[head + 1..].iter().position(|l| !in_block(l));
        let end = end.map_or(lines.len(), |n| head + 1 + n);
        let body = &lines[head + 1..end];
        let dash = |l: &str| l.trim_start().starts_with("- ") || l.trim_start() == "-";
        let indent = body.iter().find(|l| dash(l)).map_or(2, |l| indent_of(l));
        let mut entries: Vec<Entry<'t>> = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        for (n, line) in body.iter().enumerate() {
            if indent_of(line) == indent && dash(line) {
                entries.push(Entry {
                    lead: std::mem::take(&mut open),
                    lines: vec![line],
                    line: head + n + 2,
                });
            } else if is_between(line) && indent_of(line) <= indent {
                open.push(line);
            } else if let Some(entry) = entries.last_mut() {
                // What looked like the space between two entries was inside of this one.
                entry.lines.append(&mut open);
                entry.lines.push(line);
            } else {
                open.push(line);
            }
        }
        let head_line = match empty {
            Some(comment) => format!(
                "known:{}{comment}",
                if comment.is_empty() { "" } else { " " }
            ),
            None => lines[head].to_owned(),
        };
        Ok(Block {
            before: format!("{}{head_line}\n", joined(&lines[..head])),
            entries,
            tail: open,
            after: joined(&lines[end..]),
            indent,
        })
    }

    fn with(&self, old: &[Known], new: &[KnownAs]) -> Result<String, String> {
        let mut out: Vec<String> = Vec::new();
        let mut next = 0;
        let lead_until = |out: &mut Vec<String>, next: &mut usize, to: usize| {
            while *next < to {
                out.extend(self.entries[*next].lead.iter().map(|l| (*l).to_owned()));
                *next += 1;
            }
        };
        for k in new {
            let Some(from) = k.from else {
                lead_until(&mut out, &mut next, self.entries.len());
                out.extend(render(&k.entry, self.indent));
                continue;
            };
            let text = self.entries.get(from).ok_or("no such entry")?;
            lead_until(&mut out, &mut next, from + 1);
            if k.entry == old[from] {
                out.extend(text.lines.iter().map(|l| (*l).to_owned()));
            } else {
                out.extend(EntryText::read(&text.lines).with(&old[from], &k.entry));
            }
        }
        lead_until(&mut out, &mut next, self.entries.len());
        out.extend(self.tail.iter().map(|l| (*l).to_owned()));
        let body: String = out.iter().map(|l| format!("{l}\n")).collect();
        // A list without entries is nothing, and nothing is no list.
        let mut before = self.before.clone();
        if let (true, Some(at)) = (new.is_empty(), before.rfind("known:")) {
            before.insert_str(at + "known:".len(), " []");
        }
        Ok(format!("{before}{body}{}", self.after))
    }
}
