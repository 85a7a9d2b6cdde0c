//! Makes foreign text harmless for a terminal and for a CI system that reads commands from its log.
//!
//! Does not know HTML: the template engine escapes there.

use std::fmt::Write as _;

/// `text` on one line with every control, bidirectional and invisible character escaped, and with
/// no way to begin a command of a CI log (`::error::`, `##[error]`).
pub fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let command = text.trim_start().starts_with("::");
    let mut rest = text.chars();
    let mut begun = false;
    while let Some(c) = rest.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ':' if command && !begun => out.push_str("\\x3a"),
            '#' if rest.clone().take(2).eq(['#', '[']) => out.push_str("\\x23"),
            c if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
        begun |= !c.is_whitespace();
    }
    out
}

/// [`safe`] for a text of several lines, whose line ends stay.
pub fn safe_lines(text: &str) -> String {
    text.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// [`safe_lines`] for bytes that need not be UTF-8: what is not is escaped.
pub fn safe_bytes(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for b in chunk.invalid() {
            let _ = write!(text, "\\x{b:02x}");
        }
    }
    safe_lines(&text)
}

/// [`safe`], and no longer than `max` characters: the rest is an ellipsis.
pub fn safe_short(text: &str, max: usize) -> String {
    let all = safe(text);
    if all.chars().count() <= max {
        return all;
    }
    let mut cut: String = all.chars().take(max.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Whether a character is not seen, or changes how the text around it is seen.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
