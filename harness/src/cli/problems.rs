//! Problems of files, printed like a compiler's: place, excerpt, what to do.
//!
//! Does not know what kind of file it is.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::case::Problem;
use crate::runner::Specs;

/// Every problem with its excerpt, and how many there are.
pub fn render(problems: &[Problem], specs: &Specs, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for problem in problems {
        out.push_str(&one(problem, specs, &renderer));
        out.push_str("\n\n");
    }
    let s = if problems.len() == 1 { "" } else { "s" };
    out.push_str(&format!("{} problem{s}; nothing was run\n", problems.len()));
    out
}

fn one(problem: &Problem, specs: &Specs, renderer: &Renderer) -> String {
    let known = specs.text(problem.file.trim_start_matches("specs/"));
    let read = || std::fs::read_to_string(&problem.file).unwrap_or_default();
    let text = &known.map_or_else(read, str::to_owned);
    let title = Level::ERROR.primary_title(&problem.message);
    let Some(span) = span(text, problem.line, problem.column) else {
        let place = format!("{}:{}:{}", problem.file, problem.line, problem.column);
        let group = title.element(Level::NOTE.message(place));
        return renderer.render(&[with_help(group, problem)]);
    };
    let snippet = Snippet::source(text)
        .path(&problem.file)
        .annotation(AnnotationKind::Primary.span(span).label(&problem.message));
    renderer.render(&[with_help(title.element(snippet), problem)])
}

fn with_help<'a>(
    group: annotate_snippets::Group<'a>,
    problem: &'a Problem,
) -> annotate_snippets::Group<'a> {
    match &problem.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

/// The bytes of the word or value at a place.
fn span(text: &str, line: u32, column: u32) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    for (i, l) in text.split_inclusive('\n').enumerate() {
        if i as u32 + 1 == line {
            let skip: usize = l
                .chars()
                .take(column.saturating_sub(1) as usize)
                .map(char::len_utf8)
                .sum();
            let rest = l[skip..].trim_end();
            let end = rest.find([',', '}', ']']).unwrap_or(rest.len());
            let end = rest[..end].find(": ").unwrap_or(end).max(1).min(rest.len());
            return (!rest.is_empty()).then_some(start + skip..start + skip + end);
        }
        start += l.len();
    }
    None
}
