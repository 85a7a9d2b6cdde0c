//! `‹varies›` in a snapshot: what is another thing from run to run, and stands for anything.
//!
//! Does not know where snapshots lie.

use crate::trace::VARIES;

/// A line that stands for any number of lines: how often a timer ticks, how a body is cut.
const LINES: &str = "‹varies› …";
/// Fewer lines in common than this between lines that vary are common by chance.
const COMMON: usize = 3;

/// Whether a trace is the one that the snapshot has.
pub(super) fn same(then: &str, now: &str) -> bool {
    let (then, now) = (then.trim_end(), now.trim_end());
    if then == now {
        return true;
    }
    if !then.contains(VARIES) {
        return false;
    }
    let (then, now): (Vec<&str>, Vec<&str>) = (then.lines().collect(), now.lines().collect());
    covers(&then, &now)
}

/// Whether all lines fit, one that stands for many any number of them.
fn covers(then: &[&str], now: &[&str]) -> bool {
    let fit = |t: &[&str], n: &[&str]| t.iter().zip(n).all(|(t, n)| fits(t, n));
    let parts: Vec<&[&str]> = then.split(|l| is_lines(l)).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return false;
    };
    if parts.len() == 1 {
        return first.len() == now.len() && fit(first, now);
    }
    let Some(between) = now.len().checked_sub(last.len()) else {
        return false;
    };
    if between < first.len() || !fit(first, now) || !fit(last, &now[between..]) {
        return false;
    }
    let mut rest = &now[first.len()..between];
    parts[1..parts.len() - 1].iter().all(|part| {
        let at = (0..(rest.len() + 1).saturating_sub(part.len())).find(|n| fit(part, &rest[*n..]));
        at.is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}

fn is_lines(line: &str) -> bool {
    line.trim() == LINES
}

/// The snapshot with `‹varies›` where the trace is another one; `None`: nothing is different.
pub(super) fn mark(then: &str, now: &str) -> Option<String> {
    if same(then, now) {
        return None;
    }
    let mut out: Vec<String> = Vec::new();
    // Of a few lines in common between such that vary nothing is to be learnt.
    let mut since = COMMON;
    for (then, now) in pieces(
        &then.trim_end().lines().collect::<Vec<_>>(),
        &now.trim_end().lines().collect::<Vec<_>>(),
    ) {
        let line_by_line = then.len() == now.len() && !then.iter().any(|l| is_lines(l));
        if line_by_line {
            let pairs = then.iter().zip(&now);
            let each = pairs.map(|(t, n)| match fits(t, n) {
                true => (*t).to_owned(),
                false => marked(t, n),
            });
            out.extend(each);
            since += then.len();
            continue;
        }
        let before = out.iter().rposition(|l| is_lines(l));
        match before.filter(|_| since < COMMON) {
            Some(at) => out.truncate(at + 1),
            None => out.push(LINES.to_owned()),
        }
        since = 0;
    }
    Some(out.join("\n") + "\n")
}

/// Lines of a snapshot beside those of a trace: such as fit, and between them such as do not. As many
/// as can be fit.
fn pieces<'t>(then: &[&'t str], now: &[&'t str]) -> Vec<(Vec<&'t str>, Vec<&'t str>)> {
    let alike = |t: usize, n: usize| !is_lines(then[t]) && fits(then[t], now[n]);
    // How many lines fit from here on.
    let mut best = vec![vec![0_usize; now.len() + 1]; then.len() + 1];
    for t in (0..then.len()).rev() {
        for n in (0..now.len()).rev() {
            best[t][n] = match alike(t, n) {
                true => best[t + 1][n + 1] + 1,
                false => best[t + 1][n].max(best[t][n + 1]),
            };
        }
    }
    let (mut t, mut n) = (0, 0);
    let mut out: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    let mut other = (Vec::new(), Vec::new());
    while t < then.len() || n < now.len() {
        if t < then.len() && n < now.len() && alike(t, n) {
            if other != (Vec::new(), Vec::new()) {
                out.push(std::mem::take(&mut other));
            }
            out.push((vec![then[t]], vec![now[n]]));
            (t, n) = (t + 1, n + 1);
        } else if n == now.len() || (t < then.len() && best[t + 1][n] >= best[t][n + 1]) {
            other.0.push(then[t]);
            t += 1;
        } else {
            other.1.push(now[n]);
            n += 1;
        }
    }
    if other != (Vec::new(), Vec::new()) {
        out.push(other);
    }
    out
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
    // What stands in quotes is one word.
    let quoted = quoted(&then_chars);
    let is = |n: usize, c: char| then_chars[n] == c && !quoted[n];
    let inside = |n: usize| !" {[}]".chars().any(|c| is(n, c));
    while front > 0 && inside(front - 1) {
        front -= 1;
    }
    while back > 0 && inside(then_chars.len() - back) {
        back -= 1;
    }
    // In a list in braces the order may be what varies: all of it goes.
    let open = (0..front).rev().find(|n| is(*n, '{'));
    let shut = (0..back).find(|n| is(then_chars.len() - back + n, '}'));
    if let (Some(open), Some(shut)) = (open, shut)
        && !(open..front).any(|n| is(n, '}'))
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

/// Which characters stand in quotes, the quotes among them.
fn quoted(line: &[char]) -> Vec<bool> {
    let (mut within, mut escaped) = (false, false);
    let each = line.iter().map(|c| {
        let quote = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        let was = within;
        within ^= quote;
        was || within
    });
    each.collect()
}

#[cfg(test)]
mod tests;
