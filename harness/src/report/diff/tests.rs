//! Comparisons of made-up records: each kind of change, the word for all of them, hostile text.

use crate::judge::{Outcome, Verdict};
use crate::record::{Record, ResultLine};
use crate::report::diff::{Diff, DiffVerdict, Kind, compare, markdown, text};
use crate::report::fixture::record_of;
use crate::report::plain;
use crate::trace::{CanonOptions, canonical};

fn trace(_: &Record, r: &ResultLine) -> Option<String> {
    let attempt = r.attempts.last()?;
    Some(canonical(
        &attempt.trace,
        &attempt.seen,
        &CanonOptions::default(),
    ))
}

fn diff(base: &Record, head: &Record) -> Diff {
    compare(base, head, &trace)
}

/// A record of one column in which every case passes.
fn passing() -> Record {
    let mut record = record_of(1, 12);
    for r in &mut record.results {
        r.added = false;
        set(r, Verdict::Pass);
    }
    record
}

fn set(r: &mut ResultLine, verdict: Verdict) {
    r.judgement.verdict = verdict;
    r.judgement.blocked_by = None;
    for c in &mut r.judgement.checks {
        c.outcome = match verdict.fails() {
            true => Outcome::Fail,
            false => Outcome::Pass,
        };
    }
}

fn kinds(diff: &Diff) -> Vec<Kind> {
    diff.changes.iter().map(|c| c.kind).collect()
}

#[test]
fn a_record_is_the_same_as_itself() {
    let record = record_of(3, 40);
    let diff = diff(&record, &record);
    assert_eq!(diff.verdict, DiffVerdict::Same);
    assert_eq!(diff.changes, []);
    let own = record.results.iter().filter(|r| !r.added).count() as u32;
    assert_eq!(diff.columns.iter().map(|c| c.same).sum::<u32>(), own);
    assert_eq!(diff.line(), format!("same: {own} results as they were"));
}

#[test]
fn each_way_from_one_verdict_to_another_has_its_kind() {
    use Verdict::{Blocked, Fail, NotRun, OutOfScope, Pass, Survey, Trap, Warn};
    let ways = [
        (Pass, Fail, Some(Kind::Broken), DiffVerdict::Worse),
        (Survey, Blocked, Some(Kind::Broken), DiffVerdict::Worse),
        (Warn, Trap, Some(Kind::Broken), DiffVerdict::Worse),
        (Fail, Pass, Some(Kind::Fixed), DiffVerdict::Better),
        (Blocked, Pass, Some(Kind::Fixed), DiffVerdict::Better),
        (Fail, Warn, Some(Kind::Fixed), DiffVerdict::Better),
        (Warn, Pass, Some(Kind::Fixed), DiffVerdict::Better),
        (Pass, Warn, Some(Kind::Warns), DiffVerdict::Changed),
        (Fail, Trap, Some(Kind::OtherReason), DiffVerdict::Changed),
        (Fail, Blocked, Some(Kind::OtherReason), DiffVerdict::Changed),
        (NotRun, Fail, Some(Kind::Added), DiffVerdict::Changed),
        (OutOfScope, Pass, Some(Kind::Added), DiffVerdict::Changed),
        (OutOfScope, NotRun, None, DiffVerdict::Same),
        (Fail, Fail, None, DiffVerdict::Same),
    ];
    for (was, is, kind, verdict) in ways {
        let (mut base, mut head) = (passing(), passing());
        set(&mut base.results[3], was);
        set(&mut head.results[3], is);
        let diff = diff(&base, &head);
        assert_eq!(kinds(&diff), Vec::from_iter(kind), "{was} → {is}");
        assert_eq!(diff.verdict, verdict, "{was} → {is}");
    }
}

#[test]
fn a_must_case_without_a_verdict_makes_it_incomplete() {
    let (base, mut head) = (passing(), passing());
    set(&mut head.results[0], Verdict::NotRun);
    head.results[0].judgement.level = crate::abi::Level::Must;
    assert_eq!(diff(&base, &head).verdict, DiffVerdict::Incomplete);
    head.results[0].judgement.level = crate::abi::Level::Should;
    let diff = diff(&base, &head);
    assert_eq!(diff.verdict, DiffVerdict::Changed);
    assert_eq!(kinds(&diff), [Kind::Unjudged]);
}

#[test]
fn another_check_that_fails_is_another_reason() {
    let (mut base, mut head) = (passing(), passing());
    let at = base
        .results
        .iter()
        .position(|r| !r.judgement.checks.is_empty())
        .expect("a result with checks");
    for r in [&mut base.results[at], &mut head.results[at]] {
        set(r, Verdict::Fail);
    }
    head.results[at].judgement.checks[0].name = "another call".to_owned();
    assert_eq!(kinds(&diff(&base, &head)), [Kind::OtherReason]);
}

#[test]
fn another_trace_is_drift_unless_the_program_changed() {
    let (base, mut head) = (passing(), passing());
    let at = head
        .results
        .iter()
        .position(|r| !r.attempts.is_empty())
        .expect("a result that was played");
    let last = head.results[at].attempts.last_mut().expect("played");
    last.trace.instances.clear();
    let drifted = diff(&base, &head);
    assert_eq!(kinds(&drifted), [Kind::Drifted]);
    assert!(
        drifted.changes[0]
            .trace
            .as_ref()
            .is_some_and(|t| t.contains('-'))
    );
    assert!(plain(&text(&drifted)).contains("1 drifted"));
    head.results[at].program_digest = "another".to_owned();
    assert_eq!(kinds(&diff(&base, &head)), []);
}

#[test]
fn cases_come_and_go() {
    let (mut base, mut head) = (passing(), passing());
    base.results.remove(1);
    head.results.remove(5);
    let diff = diff(&base, &head);
    assert_eq!(kinds(&diff), [Kind::Added, Kind::Removed]);
    assert_eq!(diff.columns[0].counts.added, 1);
    assert_eq!(diff.columns[0].counts.removed, 1);
}

#[test]
fn what_a_run_added_for_another_case_counts_in_nothing() {
    let (mut base, mut head) = (passing(), passing());
    head.results[2].added = true;
    base.results[2].added = true;
    set(&mut head.results[2], Verdict::Fail);
    assert_eq!(diff(&base, &head).verdict, DiffVerdict::Same);
}

#[test]
fn another_version_of_the_one_host_is_its_partner() {
    let base = passing();
    let mut head = passing();
    let old = head.header.columns[0].name.clone();
    head.header.columns[0].name = "renamed-local-0.2.1".to_owned();
    for r in head.results.iter_mut().filter(|r| r.column == old) {
        r.column = "renamed-local-0.2.1".to_owned();
    }
    let same = diff(&base, &head);
    assert_eq!(same.columns[0].base_column, old);
    assert_eq!(same.columns[0].column, "renamed-local-0.2.1");
    assert_eq!(same.verdict, DiffVerdict::Same);
    // Another host is nobody's partner.
    head.header.columns[0].host = "other".to_owned();
    let none = diff(&base, &head);
    assert!(none.columns.is_empty());
    assert_eq!(none.only_base, [old]);
    assert_eq!(none.only_head, ["renamed-local-0.2.1"]);
}

#[test]
fn hostile_text_is_harmless_in_text_and_markdown() {
    // The made-up record has hostile text wherever a host speaks.
    let head = record_of(3, 40);
    let mut base = head.clone();
    base.results.iter_mut().for_each(|r| set(r, Verdict::Pass));
    let diff = diff(&base, &head);
    assert_eq!(diff.verdict, DiffVerdict::Worse);
    for shown in [plain(&text(&diff)), markdown(&diff)] {
        let bad = |c: char| c != '\n' && crate::report::is_hidden(c);
        assert!(!shown.contains(bad), "{shown:?}");
        let lines = shown.lines();
        assert!(lines.clone().all(|l| !l.trim_start().starts_with("::")));
        assert!(lines.clone().all(|l| !l.contains("##[")));
    }
    for line in markdown(&diff).lines().filter(|l| l.contains("<script>")) {
        let before = line.split("<script>").next().unwrap_or_default();
        assert_eq!(before.matches('`').count() % 2, 1, "not in code: {line}");
    }
}

#[test]
fn nothing_leaves_a_code_span_or_a_cell() {
    let (base, mut head) = (passing(), passing());
    let at = head
        .results
        .iter()
        .position(|r| !r.judgement.checks.is_empty())
        .expect("a result with checks");
    set(&mut head.results[at], Verdict::Fail);
    for c in &mut head.results[at].judgement.checks {
        c.got = "a ``` b ` | c | <b>".to_owned();
        c.control = false;
    }
    let shown = markdown(&diff(&base, &head));
    let row = shown.lines().find(|l| l.contains("<b>")).expect("its row");
    assert!(row.contains("````"), "the fence is longer: {row}");
    assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
}
