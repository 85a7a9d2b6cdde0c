//! Colours, a glyph and a letter for each verdict, and columns that line up.
//!
//! Everything here writes ANSI colours; [`plain`] takes them out again, and `anstream` does so
//! where the terminal or the user does not want them. Colour never says anything alone.

use crate::judge::{HostVerdict, Verdict};

/// How a piece of text is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// As it is.
    Plain,
    /// Important.
    Bold,
    /// Unimportant.
    Dim,
    /// Good.
    Green,
    /// Bad.
    Red,
    /// Doubtful.
    Yellow,
    /// Neither good nor bad.
    Blue,
    /// A heading or a link.
    Cyan,
}

impl Paint {
    /// The text between the colour's escapes.
    pub fn text(self, text: impl AsRef<str>) -> String {
        let code = match self {
            Paint::Plain => return text.as_ref().to_owned(),
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Green => "32",
            Paint::Red => "1;31",
            Paint::Yellow => "33",
            Paint::Blue => "34",
            Paint::Cyan => "36",
        };
        format!("\x1b[{code}m{}\x1b[0m", text.as_ref())
    }
}

/// The text without colours.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// How a verdict looks wherever it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// One character.
    pub glyph: char,
    /// One capital letter, different for every verdict.
    pub letter: char,
    /// Its colour on a terminal.
    pub paint: Paint,
}

impl Mark {
    /// Glyph and letter, painted: `✗F`.
    pub fn text(self) -> String {
        self.paint.text(format!("{}{}", self.glyph, self.letter))
    }
}

/// The mark of a verdict.
pub fn mark(verdict: Verdict) -> Mark {
    let (glyph, letter, paint) = match verdict {
        Verdict::Pass => ('✓', 'P', Paint::Green),
        Verdict::Fail => ('✗', 'F', Paint::Red),
        Verdict::Warn => ('!', 'W', Paint::Yellow),
        Verdict::Survey => ('◇', 'S', Paint::Blue),
        Verdict::Unlinked => ('⊘', 'U', Paint::Red),
        Verdict::Refused => ('⊖', 'R', Paint::Red),
        Verdict::Trap => ('↯', 'T', Paint::Red),
        Verdict::Crash => ('✖', 'C', Paint::Red),
        Verdict::Timeout => ('◷', 'D', Paint::Red),
        Verdict::OutOfScope => ('–', 'O', Paint::Dim),
        Verdict::Blocked => ('▪', 'B', Paint::Yellow),
        Verdict::NotRun => ('?', 'N', Paint::Yellow),
    };
    Mark {
        glyph,
        letter,
        paint,
    }
}

/// The mark of a verdict on a host; `None`: a dialect, or nothing in scope.
pub fn host_mark(verdict: Option<HostVerdict>) -> Mark {
    let (glyph, letter, paint) = match verdict {
        Some(HostVerdict::Conformant) => ('✓', 'C', Paint::Green),
        Some(HostVerdict::NotConformant) => ('✗', 'N', Paint::Red),
        Some(HostVerdict::Incomplete) => ('?', 'I', Paint::Yellow),
        None => ('–', 'D', Paint::Dim),
    };
    Mark {
        glyph,
        letter,
        paint,
    }
}

/// Rows whose columns line up: two spaces between, the last column as long as it likes.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
}

/// A cell of a [`Table`].
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    paint: Paint,
    right: bool,
}

impl Cell {
    /// Text on the left, made [`crate::report::safe`].
    pub fn new(text: impl AsRef<str>) -> Cell {
        Cell {
            text: crate::report::safe(text.as_ref()),
            paint: Paint::Plain,
            right: false,
        }
    }

    /// The same, painted.
    #[must_use]
    pub fn paint(mut self, paint: Paint) -> Cell {
        self.paint = paint;
        self
    }

    /// The same, at the right edge of its column.
    #[must_use]
    pub fn right(mut self) -> Cell {
        self.right = true;
        self
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::new(text)
    }
}

impl Table {
    /// An empty table.
    pub fn new() -> Table {
        Table::default()
    }

    /// Adds a row of headings.
    pub fn head<const N: usize>(&mut self, names: [&str; N]) {
        self.row(names.map(|n| Cell::new(n).paint(Paint::Dim)));
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows as text, each behind `indent` spaces and with a newline.
    pub fn text(&self, indent: usize) -> String {
        let width = |c: &Cell| c.text.chars().count();
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| {
                let cells = self.rows.iter().filter_map(|r| r.get(i));
                cells.map(width).max().unwrap_or(0)
            })
            .collect();
        let mut out = String::new();
        for row in &self.rows {
            out.push_str(&" ".repeat(indent));
            for (i, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[i] - width(cell));
                if cell.right {
                    out.push_str(&pad);
                }
                out.push_str(&cell.paint.text(&cell.text));
                if i + 1 < row.len() {
                    if !cell.right {
                        out.push_str(&pad);
                    }
                    out.push_str("  ");
                }
            }
            out.push('\n');
        }
        out
    }
}
