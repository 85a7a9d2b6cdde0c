//! The work list on the terminal.
//!
//! Writes colours; does not know whether there is a terminal.

use crate::report::adaptation::{Answer, Numbers, State, Step, Sums, Work};
use crate::report::{Cell, Paint, Table, safe, safe_short};

/// So many steps are shown in full; the others get a line each.
const SHOWN: usize = 12;
/// So many rows of a step are shown.
const ROWS: usize = 6;
/// Words of a host are cut here.
const WORDS: usize = 110;

/// All work lists, one after the other.
pub fn text(all: &[Work]) -> String {
    let mut out = String::new();
    for (n, work) in all.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        one(&mut out, work);
    }
    match all.first() {
        None => out.push_str("no column of a host in these records\n"),
        Some(work) => out.push_str(&format!(
            "\n{} pwspec run --host {}=PATH, then pwspec diff RECORD target/pwspec/latest\n",
            Paint::Dim.text("after a change"),
            safe(&work.host)
        )),
    }
    out
}

fn one(out: &mut String, work: &Work) {
    let held = match &work.own {
        Some(own) => format!("  held against {}", safe(own)),
        None => String::new(),
    };
    out.push_str(&format!(
        "{}{}\n{}\n\n",
        Paint::Bold.text(safe(&work.column)),
        Paint::Dim.text(held),
        safe(&work.line)
    ));
    areas(out, work);
    if work.steps.is_empty() {
        out.push_str(&format!(
            "\n{}\n",
            Paint::Green.text("nothing is left to do")
        ));
    }
    for (n, step) in work.steps.iter().enumerate() {
        match n {
            n if n < SHOWN => full(out, work, n + 1, step),
            n => {
                if n == SHOWN {
                    out.push('\n');
                }
                line(out, n + 1, step);
            }
        }
    }
    if !work.not_run.is_empty() {
        let head = format!("{} cases could not be run", work.not_run.len());
        out.push_str(&format!("\n{}\n", Paint::Yellow.text(head)));
        for case in &work.not_run {
            out.push_str(&format!("    {}\n", safe(case)));
        }
    }
    numbers(out, &work.numbers);
}

fn areas(out: &mut String, work: &Work) {
    let mut table = Table::new();
    table.row(
        [
            "must cases",
            "all",
            "pass",
            "words",
            "behaviour",
            "missing",
            "behind",
            "not run",
        ]
        .map(|h| match h {
            "must cases" => Cell::new(h).paint(Paint::Dim),
            h => Cell::new(h).paint(Paint::Dim).right(),
        }),
    );
    let mut row = |name: &str, sums: &Sums, paint: Paint| {
        let number = |n: u32, paint: Paint| match n {
            0 => Cell::new("·").paint(Paint::Dim).right(),
            n => Cell::new(n.to_string()).paint(paint).right(),
        };
        table.row([
            Cell::new(name).paint(paint),
            number(sums.all, Paint::Plain),
            number(sums.pass, Paint::Green),
            number(sums.words, Paint::Cyan),
            number(sums.behaviour, Paint::Red),
            number(sums.missing, Paint::Red),
            number(sums.behind, Paint::Yellow),
            number(sums.not_run, Paint::Yellow),
        ]);
    };
    for area in &work.areas {
        row(&area.name, &area.sums, Paint::Plain);
    }
    row("all", &work.sums, Paint::Bold);
    out.push_str(&table.text(2));
    for (word, says) in [
        (
            "words",
            "right in the host's own names and numbers, so only those are left",
        ),
        ("behaviour", "it is there and does something else"),
        ("missing", "it is not there in any form"),
        ("behind", "it needs one of the steps below first"),
    ] {
        out.push_str(&format!(
            "  {}\n",
            Paint::Dim.text(format!("{word}: {says}"))
        ));
    }
}

fn head(n: usize, step: &Step) -> String {
    let cases = match step.unlocks {
        1 => "1 case".to_owned(),
        n => format!("{n} cases"),
    };
    let mut head = format!(
        "{:>3}  {}  {}",
        n,
        Paint::Bold.text(safe(&step.title)),
        Paint::Yellow.text(cases)
    );
    let waiting = step.unlocks - step.direct;
    if waiting > 0 {
        let also = match step.direct {
            0 => "all waiting for it".to_owned(),
            _ => format!("{waiting} of them waiting for it"),
        };
        head.push_str(&format!(", {also}"));
    }
    head.push_str(&format!("  {}", Paint::Dim.text(safe(&step.area))));
    head
}

fn line(out: &mut String, n: usize, step: &Step) {
    let todo = safe_short(&step.todo.join("; "), WORDS);
    out.push_str(&format!("{}  {todo}\n", head(n, step)));
}

fn full(out: &mut String, work: &Work, n: usize, step: &Step) {
    out.push_str(&format!("\n{}\n", head(n, step)));
    for (label, answer) in [
        ("links", &step.links),
        ("number", &step.number),
        ("behaviour", &step.behaviour),
    ] {
        if answer.state != State::Unasked {
            labelled(out, label, &question(answer));
        }
    }
    let todo: Vec<String> = step.todo.iter().map(|t| safe_short(t, 2 * WORDS)).collect();
    labelled(out, "do", &Paint::Cyan.text(todo.join("; ")));
    if step.own_pass > 0 {
        let own = work.own.as_deref().unwrap_or_default();
        let words = format!(
            "{} of these cases pass in {} as it is",
            step.own_pass,
            safe(own)
        );
        labelled(out, "then", &words);
    }
    if let Some((abi, n)) = &step.elsewhere {
        let words = format!("{n} of these cases pass under {}", safe(abi));
        labelled(out, "then", &words);
    }
    for row in step.rows.iter().take(ROWS) {
        let note = match (row.own_passes, row.seen_in_own) {
            (true, _) => " (passes with its own numbers)",
            (false, true) => " (in its own words)",
            (false, false) => "",
        };
        let got = safe_short(&row.got, WORDS);
        labelled(
            out,
            "row",
            &format!("{}: {}", safe(&row.req), safe(&row.text)),
        );
        labelled(
            out,
            "",
            &Paint::Dim.text(format!("got {got}{note}: {}", safe(&row.case))),
        );
        if let Some(why) = &row.why {
            let words = format!("why {}", safe_short(why, 2 * WORDS));
            labelled(out, "", &Paint::Dim.text(words));
        }
    }
    if step.rows.len() > ROWS {
        labelled(
            out,
            "",
            &Paint::Dim.text(format!("and {} more rows", step.rows.len() - ROWS)),
        );
    }
    labelled(out, "run", &safe(&step.command(work)));
}

fn question(answer: &Answer) -> String {
    let paint = match answer.state {
        State::Yes => Paint::Green,
        State::No => Paint::Red,
        State::Open | State::Unasked => Paint::Yellow,
    };
    let mut words = paint.text(answer.state.word());
    if !answer.words.is_empty() {
        words.push_str(&format!(": {}", safe_short(&answer.words, 2 * WORDS)));
    }
    if let Some(case) = &answer.case {
        words.push_str(&format!("  {}", Paint::Dim.text(safe(case))));
    }
    words
}

fn labelled(out: &mut String, label: &str, words: &str) {
    let label = Paint::Dim.text(format!("{label:<9}"));
    out.push_str(&format!("       {label}  {words}\n"));
}

fn numbers(out: &mut String, all: &[Numbers]) {
    if all.is_empty() {
        return;
    }
    out.push_str(&format!(
        "\n{}\n",
        Paint::Bold.text("numbers that are others there")
    ));
    for numbers in all {
        let mut parts: Vec<String> = numbers
            .rows
            .iter()
            .map(|(member, text, own)| match own {
                Some(own) => format!("{member} {text} → {own}"),
                None => format!("{member} {text} → none"),
            })
            .collect();
        let foreign = numbers.foreign.iter();
        parts.extend(foreign.map(|(member, n)| format!("{member} {n} (its own)")));
        out.push_str(&format!(
            "    {}: {}\n",
            safe(&numbers.name),
            safe(&parts.join(", "))
        ));
    }
}
