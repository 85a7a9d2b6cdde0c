//! A result that is not fine, as a compiler would say it, and in one line.
//!
//! Does not know which results are worth showing.

use crate::judge::{CheckResult, Gate, Outcome, Verdict};
use crate::record::{CaseLine, Column, ResultLine};
use crate::report::terminal::Spot;
use crate::report::{Paint, again, mark, safe, safe_short, speaker, trace_name, trace_text, words};

/// What a failure is shown with.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// Where.
    pub column: &'a Column,
    /// The case in this column's reading.
    pub case: &'a CaseLine,
    /// What came out.
    pub result: &'a ResultLine,
    /// The folder of traces as the user would type it (`target/pwspec/latest/traces`); empty: none
    /// are written.
    pub traces: &'a str,
    /// The command of the run.
    pub command: &'a str,
}

/// Where labels begin and values begin.
const INDENT: usize = 8;
const LABEL: usize = 11;

impl Failure<'_> {
    /// The head of a failure: id, call, level, requirement.
    fn head(&self, check: Option<&CheckResult>) -> String {
        let mut parts = vec![Paint::Bold.text(safe(&self.result.case))];
        match check {
            Some(c) => {
                // `call 2 status` speaks of call 2: what of it is seen at the carets.
                let name = c.name.strip_suffix(" status").unwrap_or(&c.name);
                parts.push(safe(name));
                parts.push(c.level.to_string());
                parts.push(safe(&c.req));
            }
            None => parts.push(self.result.judgement.level.to_string()),
        }
        parts.join(" · ")
    }

    /// Verdict in capitals; an unexpected pass has its own word.
    fn word(&self) -> String {
        let verdict = self.result.judgement.verdict;
        let word = match self.result.gate {
            Gate::UnexpectedPass { .. } => "UNEXPECTED PASS".to_owned(),
            _ => verdict.word().to_uppercase(),
        };
        mark(verdict).paint.text(format!("{word:<4}"))
    }

    /// Several lines, the last one ends with a newline.
    pub fn block(&self) -> String {
        let check = speaker(self.result);
        let mut out = format!("  {}  {}\n", self.word(), self.head(check));
        if let Some(c) = check {
            let mut told = vec![c.req.as_str()];
            self.requirement(&mut out, c);
            out.push_str(&self.spot(c).excerpt(INDENT, &what_came(c)));
            for other in self.others(c) {
                let name = format!("{} · {} · {}", other.name, other.level, other.req);
                self.label(&mut out, "and", &safe(&name));
                // Two checks of one requirement share its ruling.
                if !told.contains(&other.req.as_str()) {
                    told.push(&other.req);
                    self.ruling(&mut out, other);
                }
                out.push_str(&self.spot(other).excerpt(INDENT, &what_came(other)));
            }
        }
        for w in words(self.result) {
            self.label(&mut out, "because", &safe_short(&w, 400));
        }
        match &self.result.gate {
            Gate::ChangedReason { how, .. } => self.label(&mut out, "known as", &safe(how)),
            Gate::UnexpectedPass { entry } => {
                let entry = format!("entry {} of the profile's known failures", entry + 1);
                self.label(&mut out, "stale", &entry);
            }
            Gate::Known { why, .. } => self.label(&mut out, "known", &safe(why)),
            Gate::Expected | Gate::UnexpectedFailure => {}
        }
        if let Some(path) = self.trace(check) {
            self.label(&mut out, "trace", &path);
        }
        let again = safe(&again(&self.result.case, self.column, self.command));
        self.label(&mut out, "again", &again);
        out
    }

    /// One line, without newline.
    pub fn line(&self) -> String {
        let check = speaker(self.result);
        let mut out = format!(
            "{}  {}  {}",
            self.word(),
            safe(&self.column.name),
            self.head(check)
        );
        let said = words(self.result);
        let why = match check {
            Some(c) if c.outcome == Outcome::Fail => what_came(c),
            _ => said.first().cloned().unwrap_or_default(),
        };
        if !why.is_empty() {
            out.push_str(&format!(" · {}", safe_short(&why, 160)));
        }
        if let Some(c) = check {
            out.push_str(&format!("  ({})", self.spot(c).place()));
        }
        out
    }

    fn requirement(&self, out: &mut String, check: &CheckResult) {
        let all = &self.case.requirements;
        if let Some(req) = all.iter().find(|r| r.id == check.req) {
            let text = format!("{} ({}, {})", req.text, self.column.abi, req.section);
            self.label(out, "the text", &safe(&text));
        }
        self.ruling(out, check);
    }

    /// How the text is read where it is silent or wrong about what the check asks.
    fn ruling(&self, out: &mut String, check: &CheckResult) {
        let all = &self.case.requirements;
        let of = all.iter().find(|r| r.id == check.req);
        if let Some(ruling) = of.and_then(|r| r.ruling.as_ref()) {
            self.label(out, "ruling", &safe(ruling));
        }
    }

    /// Failed checks beside the one that speaks.
    fn others<'c>(&'c self, check: &'c CheckResult) -> impl Iterator<Item = &'c CheckResult> {
        let checks = self.result.judgement.checks.iter();
        checks.filter(move |c| c.outcome == Outcome::Fail && !std::ptr::eq(*c, check))
    }

    fn spot(&self, check: &CheckResult) -> Spot<'_> {
        Spot {
            case: self.case,
            line: check.line,
            column: check.column,
        }
    }

    fn trace(&self, check: Option<&CheckResult>) -> Option<String> {
        let attempt = self.result.attempts.last()?;
        if self.traces.is_empty() || self.result.judgement.verdict == Verdict::OutOfScope {
            return None;
        }
        let file = format!(
            "{}/{}/{}.trace",
            self.traces.trim_end_matches('/'),
            self.column.name,
            trace_name(&self.result.case)
        );
        let event = check.and_then(|c| c.event);
        let line = event.and_then(|e| trace_text(attempt).lines.get(&e).copied());
        Some(match line {
            Some(n) => format!("{}:{n}", safe(&file)),
            None => safe(&file),
        })
    }

    fn label(&self, out: &mut String, label: &str, text: &str) {
        let label = Paint::Cyan.text(format!("{label:<w$}", w = LABEL));
        out.push_str(&format!("{}{label}{text}\n", " ".repeat(INDENT)));
    }
}

/// What stands behind the carets.
fn what_came(check: &CheckResult) -> String {
    match (check.outcome, check.got.as_str()) {
        (Outcome::Unreached, "") => "never reached".to_owned(),
        (Outcome::Unreached, got) => format!("never reached: {got}"),
        (Outcome::Pass, "") => String::new(),
        (_, "") => format!("expected {}", check.expected),
        (_, got) => format!("got {got}"),
    }
}
