//! The work list in Markdown.
//!
//! Text of hosts stands in code spans, which nothing in it can leave.

use crate::report::adaptation::{Answer, Numbers, State, Step, Sums, Work};
use crate::report::{safe, safe_short};

/// Words of a host are cut here.
const WORDS: usize = 200;

/// All work lists, one after the other.
pub fn markdown(all: &[Work]) -> String {
    let mut out = String::from("# What is to be done\n");
    for work in all {
        one(&mut out, work);
    }
    if let Some(work) = all.first() {
        out.push_str(&format!(
            "\nAfter a change: {}, then {}.\n",
            code(&format!("pwspec run --host {}=PATH", work.host)),
            code("pwspec diff RECORD target/pwspec/latest")
        ));
    }
    out
}

fn one(out: &mut String, work: &Work) {
    out.push_str(&format!(
        "\n## {}\n\n{}.\n",
        code(&work.column),
        escape(&work.line)
    ));
    if let Some(own) = &work.own {
        out.push_str(&format!(
            "Each case is held against the same case in {}, the host's own names and numbers.\n",
            code(own)
        ));
    }
    out.push_str(
        "\n| must cases | all | pass | words | behaviour | missing | behind | not run |\n",
    );
    out.push_str("|---|---:|---:|---:|---:|---:|---:|---:|\n");
    for area in &work.areas {
        out.push_str(&sums(&escape(&area.name), &area.sums));
    }
    out.push_str(&sums("**all**", &work.sums));
    out.push_str(
        "\nwords: right in the host's own names and numbers, so only those are left; behaviour: it is there and does \
         something else; missing: it is not there in any form; behind: it needs one of the steps first.\n",
    );
    out.push_str("\n### Steps\n\nWhat unlocks most comes first.\n");
    for (n, step) in work.steps.iter().enumerate() {
        full(out, work, n + 1, step);
    }
    if work.steps.is_empty() {
        out.push_str("\nNothing is left to do.\n");
    }
    if !work.not_run.is_empty() {
        out.push_str("\n### Could not be run\n\n");
        for case in &work.not_run {
            out.push_str(&format!("- {}\n", code(case)));
        }
    }
    topics(out, work);
    numbers(out, &work.numbers);
}

fn sums(name: &str, s: &Sums) -> String {
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} |\n",
        s.all, s.pass, s.words, s.behaviour, s.missing, s.behind, s.not_run
    )
}

fn full(out: &mut String, work: &Work, n: usize, step: &Step) {
    let cases = match step.unlocks {
        1 => "1 case".to_owned(),
        n => format!("{n} cases"),
    };
    let waiting = match step.unlocks - step.direct {
        0 => String::new(),
        n => format!(", {n} of them waiting for it"),
    };
    out.push_str(&format!(
        "\n#### {n}. {} ({cases}{waiting})\n\n",
        code(&step.title)
    ));
    for (label, answer) in [
        ("links", &step.links),
        ("name and number", &step.number),
        ("behaviour", &step.behaviour),
    ] {
        if answer.state != State::Unasked {
            out.push_str(&format!("- {label}: {}\n", question(answer)));
        }
    }
    let todo: Vec<String> = step
        .todo
        .iter()
        .map(|t| escape(&safe_short(t, WORDS)))
        .collect();
    out.push_str(&format!("- **do**: {}\n", todo.join("; ")));
    if let (Some(own), true) = (&work.own, step.own_pass > 0) {
        out.push_str(&format!(
            "- then: {} of these cases pass in {} as it is\n",
            step.own_pass,
            code(own)
        ));
    }
    if let Some((abi, n)) = &step.elsewhere {
        out.push_str(&format!(
            "- then: {n} of these cases pass under {}\n",
            code(abi)
        ));
    }
    out.push_str(&format!("- run: {}\n", code(&step.command(work))));
    if step.rows.is_empty() {
        return;
    }
    out.push_str("\n| row | the text | came | case |\n|---|---|---|---|\n");
    for row in &step.rows {
        let note = match (row.own_passes, row.seen_in_own) {
            (true, _) => " (passes with its own numbers)",
            (false, true) => " (in its own words)",
            (false, false) => "",
        };
        let why = match &row.why {
            Some(why) => format!("<br>{}", escape(&safe_short(why, 2 * WORDS))),
            None => String::new(),
        };
        let more = match row.cases {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        out.push_str(&format!(
            "| {} | {} | {}{note}{why} | {}{more} |\n",
            code(&row.req),
            escape(&row.text),
            code(&safe_short(&row.got, WORDS)),
            code(&row.case)
        ));
    }
}

fn question(answer: &Answer) -> String {
    let mut words = answer.state.word().to_owned();
    if !answer.words.is_empty() {
        words.push_str(&format!(
            ": {}",
            escape(&safe_short(&answer.words, 2 * WORDS))
        ));
    }
    if let Some(case) = &answer.case {
        words.push_str(&format!(" ({})", code(case)));
    }
    words
}

fn topics(out: &mut String, work: &Work) {
    out.push_str("\n### By area\n\n");
    out.push_str("| area | what | links | name, number | pass | words | behaviour | missing | behind | step |\n");
    out.push_str("|---|---|---|---|---:|---:|---:|---:|---:|---:|\n");
    for area in &work.areas {
        for t in &area.topics {
            let s = &t.sums;
            let step = t.step.map_or_else(String::new, |n| n.to_string());
            out.push_str(&format!(
                "| {} | {} | {} | {} | {} of {} | {} | {} | {} | {} | {step} |\n",
                escape(&area.name),
                code(&t.name),
                t.links.state.word(),
                t.number.state.word(),
                s.pass,
                s.all,
                s.words,
                s.behaviour,
                s.missing,
                s.behind
            ));
        }
    }
}

fn numbers(out: &mut String, all: &[Numbers]) {
    if all.is_empty() {
        return;
    }
    out.push_str("\n### Numbers\n\n| enum | member | the text | the host |\n|---|---|---:|---:|\n");
    for numbers in all {
        for (member, text, own) in &numbers.rows {
            let own = own.map_or_else(|| "none".to_owned(), |n| n.to_string());
            out.push_str(&format!(
                "| {} | {} | {text} | {own} |\n",
                code(&numbers.name),
                code(member)
            ));
        }
        for (member, n) in &numbers.foreign {
            out.push_str(&format!(
                "| {} | {} |  | {n} |\n",
                code(&numbers.name),
                code(member)
            ));
        }
    }
}

/// Text as it is, in a cell of a table.
fn code(text: &str) -> String {
    let text = safe(text).replace('|', "\\|");
    if text.is_empty() {
        return String::new();
    }
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text that is no markup.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in safe(text).chars() {
        if "\\`*_{}[]()<>#+!|~@&".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
