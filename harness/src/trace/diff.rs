//! Differences between two canonical texts, for people.
//!
//! Does not know which of them is right.

use similar::TextDiff;

/// A unified diff from `old` to `new` with three lines around each change; empty when they are equal.
pub fn diff(old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let diff = TextDiff::from_lines(old, new);
    let mut unified = diff.unified_diff();
    unified
        .context_radius(3)
        .header("snapshot", "now")
        .to_string()
}

#[cfg(test)]
mod tests;
