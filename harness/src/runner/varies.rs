//! `‹varies›` in a snapshot: what is another thing from run to run, and stands for anything.
//!
//! Does not know where snapshots lie.

use crate::trace::VARIES;

/// Whether a trace is the one that the snapshot has.
pub(super) fn same(then: &str, now: &str) -> bool {
    let (then, now) = (then.trim_end(), now.trim_end());
    if then == now {
        return true;
    }
    let lines = |text: &str| text.lines().count();
    then.contains(VARIES)
        && lines(then) == lines(now)
        && then.lines().zip(now.lines()).all(|(t, n)| fits(t, n))
}

/// The snapshot with `‹varies›` where the trace is another one; `None`: they do not even have the same
/// number of lines, or nothing is different.
pub(super) fn mark(then: &str, now: &str) -> Option<String> {
    let lines = |text: &str| text.trim_end().lines().count();
    if lines(then) != lines(now) || same(then, now) {
        return None;
    }
    let pairs = then.trim_end().lines().zip(now.trim_end().lines());
    let marked: Vec<String> = pairs
        .map(|(t, n)| match fits(t, n) {
            true => t.to_owned(),
            false => marked(t, n),
        })
        .collect();
    Some(marked.join("\n") + "\n")
}

/// A line of a snapshot and one of a trace. How far calls are set in from their results hangs on the
/// longest of them, so spaces between words count as one.
fn fits(then: &str, now: &str) -> bool {
    let (then, now) = (tight(then), tight(now));
    let mut parts = then.split(VARIES);
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = now.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// A line with single spaces behind its indentation.
fn tight(line: &str) -> String {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    let words: Vec<&str> = text.split(' ').filter(|w| !w.is_empty()).collect();
    format!("{indent}{}", words.join(" "))
}

/// The line with `‹varies›` in place of what is different, whole words or the whole of a list.
fn marked(then: &str, now: &str) -> String {
    let then_chars: Vec<char> = tight(then).chars().collect();
    let now: Vec<char> = tight(now).chars().collect();
    let most = then_chars.len().min(now.len());
    let mut front = (0..most).take_while(|n| then_chars[*n] == now[*n]).count();
    let ends = then_chars.iter().rev().zip(now.iter().rev());
    let mut back = ends.take(most - front).take_while(|(t, n)| t == n).count();
    let inside = |c: char| !matches!(c, ' ' | '{' | '[' | '}' | ']');
    while front > 0 && inside(then_chars[front - 1]) {
        front -= 1;
    }
    while back > 0 && inside(then_chars[then_chars.len() - back]) {
        back -= 1;
    }
    // In a list in braces the order may be what varies: all of it goes.
    let open = then_chars[..front].iter().rposition(|c| *c == '{');
    let shut = then_chars[then_chars.len() - back..]
        .iter()
        .position(|c| *c == '}');
    if let (Some(open), Some(shut)) = (open, shut)
        && !then_chars[open..front].contains(&'}')
    {
        front = open + 1;
        back -= shut;
    }
    let text = |chars: &[char]| chars.iter().collect::<String>();
    format!(
        "{}{VARIES}{}",
        text(&then_chars[..front]),
        text(&then_chars[then_chars.len() - back..])
    )
}

#[cfg(test)]
mod tests;
