//! XML, as little of it as a test report needs. By itself, since quick-junit (0.8) counts `skipped` on
//! `testsuites`, which Jenkins' schema refuses, and takes out the characters that XML cannot hold where
//! here they are named, all but U+FFFE and U+FFFF.
//!
//! Does not know test reports.

use std::fmt::Write as _;

use crate::report::is_hidden;

/// A document in the making.
pub(super) struct Xml {
    out: String,
    depth: usize,
}

impl Xml {
    /// A document with its first line.
    pub(super) fn new() -> Xml {
        Xml {
            out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
            depth: 0,
        }
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let _ = write!(self.out, "{}<{name}", "  ".repeat(self.depth));
        for (key, value) in attributes {
            let _ = write!(
                self.out,
                " {key}=\"{}\"",
                escape(value).replace('\n', "&#10;")
            );
        }
    }

    /// Opens an element; [`Xml::close`] it.
    pub(super) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
        self.depth += 1;
    }

    /// Closes the element that was opened last, whose name this is.
    pub(super) fn close(&mut self, name: &str) {
        self.depth -= 1;
        let _ = writeln!(self.out, "{}</{name}>", "  ".repeat(self.depth));
    }

    /// An element that holds text, or nothing.
    pub(super) fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.tag(name, attributes);
        match text {
            "" => self.out.push_str("/>\n"),
            text => {
                let _ = writeln!(self.out, ">{}</{name}>", escape(text));
            }
        }
    }

    /// The document.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// Text for an element or an attribute; what XML cannot hold at all, or what is not seen, is named.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push(c),
            c if is_hidden(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
