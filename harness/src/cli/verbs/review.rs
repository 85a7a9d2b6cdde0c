//! `review`: one pending snapshot after the other, settled by a key.
//!
//! Needs a terminal to read keys from; without one it says which command to use instead.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use console::{Key, Term};

use crate::case::Suite;
use crate::cli::Failed;
use crate::cli::args::{Global, SnapArgs};
use crate::cli::exit::Exit;
use crate::cli::out::println;
use crate::cli::verbs::{self, snapshots};
use crate::record::Drift;
use crate::report::{Paint, safe, safe_lines};
use crate::runner;

/// One change that somebody has to look at.
struct Item {
    column: String,
    file: PathBuf,
    case: String,
    drift: Drift,
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Accept,
    Reject,
    Skip,
    /// The same for all that are left.
    All(Settled),
    Diff,
    Case,
    Quit,
}

/// What becomes of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Settled {
    Accepted,
    Rejected,
    Skipped,
}

pub(crate) fn run(args: &SnapArgs, global: &Global) -> anyhow::Result<Exit> {
    snapshots::not_in_ci()?;
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        let failed = Failed::new(
            Exit::Usage,
            "review reads keys from a terminal, and there is none",
        );
        let columns: Vec<String> = args
            .columns
            .iter()
            .map(|c| format!(" {}", runner::quoted(c)))
            .collect();
        let columns = columns.concat();
        return Err(failed
            .help(format!("pwspec pending{columns} shows them, pwspec accept{columns} or pwspec reject{columns} settles them"))
            .into());
    }
    let mut items = Vec::new();
    for (column, file) in snapshots::pending(&args.columns, global)? {
        for (case, drift) in runner::changes(&file).map_err(snapshots::bad)? {
            items.push(Item {
                column: column.clone(),
                file: file.clone(),
                case,
                drift,
            });
        }
    }
    if items.is_empty() {
        println!("no pending snapshots");
        return Ok(Exit::Fine);
    }
    let suite = verbs::specs(global)?.suite().ok();
    let mut done: BTreeMap<Settled, usize> = BTreeMap::new();
    let mut rest = None;
    let term = Term::stdout();
    for (n, item) in items.iter().enumerate() {
        let what = match rest {
            Some(what) => what,
            None => match ask(&term, item, n + 1, items.len(), suite.as_ref())? {
                Asked::All(what) => *rest.insert(what),
                Asked::Accept => Settled::Accepted,
                Asked::Reject => Settled::Rejected,
                Asked::Skip => Settled::Skipped,
                _ => break,
            },
        };
        if what != Settled::Skipped {
            runner::settle_case(&item.file, &item.case, what == Settled::Accepted)
                .map_err(snapshots::bad)?;
        }
        *done.entry(what).or_default() += 1;
    }
    let n = |what| done.get(&what).copied().unwrap_or(0);
    let settled = n(Settled::Accepted) + n(Settled::Rejected);
    println!(
        "{} accepted, {} rejected, {} left",
        n(Settled::Accepted),
        n(Settled::Rejected),
        items.len() - settled
    );
    Ok(Exit::Fine)
}

/// Shows an item and reads keys until one of them settles it or ends the review.
fn ask(
    term: &Term,
    item: &Item,
    n: usize,
    of: usize,
    suite: Option<&Suite>,
) -> anyhow::Result<Asked> {
    let new = if item.drift.new { "new" } else { "changed" };
    println!(
        "\n{}  {}  {}  {new}",
        Paint::Dim.text(format!("{n}/{of}")),
        Paint::Bold.text(safe(&item.case)),
        Paint::Dim.text(safe(&item.column))
    );
    show_diff(item);
    let mut prompt = true;
    loop {
        if prompt {
            println!(
                "  {} accept  {} reject  {} skip  {} show diff  {} show case  {} {} {} the same for all  {} quit",
                key("a"),
                key("r"),
                key("s"),
                key("d"),
                key("c"),
                key("A"),
                key("R"),
                key("S"),
                key("q")
            );
        }
        let pressed = match term.read_key() {
            Ok(pressed) => asked(&pressed),
            // Ctrl-C, or a terminal that is gone.
            Err(_) => Some(Asked::Quit),
        };
        prompt = true;
        match pressed {
            Some(Asked::Diff) => show_diff(item),
            Some(Asked::Case) => show_case(item, suite),
            Some(what) => return Ok(what),
            None => prompt = false,
        }
    }
}

fn key(name: &str) -> String {
    Paint::Cyan.text(name)
}

fn asked(key: &Key) -> Option<Asked> {
    Some(match key {
        Key::Char('a') => Asked::Accept,
        Key::Char('r') => Asked::Reject,
        Key::Char('s') => Asked::Skip,
        Key::Char('A') => Asked::All(Settled::Accepted),
        Key::Char('R') => Asked::All(Settled::Rejected),
        Key::Char('S') => Asked::All(Settled::Skipped),
        Key::Char('d') => Asked::Diff,
        Key::Char('c') => Asked::Case,
        Key::Char('q') | Key::Escape | Key::CtrlC | Key::Char('\u{3}' | '\u{4}') => Asked::Quit,
        _ => return None,
    })
}

fn show_diff(item: &Item) {
    for line in item.drift.diff.lines() {
        let paint = match line.as_bytes().first() {
            Some(b'+') => Paint::Green,
            Some(b'-') => Paint::Red,
            Some(b'@') => Paint::Cyan,
            _ => Paint::Plain,
        };
        println!("    {}", paint.text(safe(line)));
    }
}

fn show_case(item: &Item, suite: Option<&Suite>) {
    let case = suite.and_then(|s| s.case(&item.case));
    let Some(case) = case else {
        println!("    there is no such case in the files");
        return;
    };
    println!(
        "    {}",
        Paint::Dim.text(format!("{}:{}", case.file, case.line))
    );
    for line in safe_lines(&case.yaml).lines() {
        println!("    {line}");
    }
}
