//! The first page: verdicts, what was unexpected, what could not be run and why, where it all
//! comes from.
//!
//! Does not know single traces.

use std::collections::BTreeMap;

use minijinja::value::{Serde, Value};
use serde::Serialize;

use crate::abi::Level;
use crate::judge::{Gate, Verdict};
use crate::report::html::model::{Col, Host, Model};
use crate::report::terminal::{Unplayed, is_news};
use crate::report::{befell, host_mark, host_named, mark, safe, safe_short, speaker, words};

/// So many unexpected results of one column are listed; the matrix has the rest.
const NEWS: usize = 50;

#[derive(Serialize)]
struct Overview {
    lede: Lede,
    hosts: Vec<HostCard>,
    verdicts: Vec<(char, char, &'static str)>,
    news: Vec<News>,
    /// Columns that have more than is shown: `(name, how many more)`.
    more: Vec<(String, usize)>,
    left_out: Vec<LeftOut>,
    /// What befell the runs as a whole: kind, words, and what to do next.
    befell: Vec<(&'static str, String, Option<String>)>,
    runs: Vec<Run>,
}

/// What a stranger reads first: what was played, and where to begin.
#[derive(Serialize)]
struct Lede {
    cases: usize,
    hosts: usize,
    /// The texts, then the dialects: `0.1.0, 0.2.0, 0.2.1`.
    texts: String,
    days: String,
    /// Results that are not as the profiles expect, or were not run.
    unexpected: usize,
    /// The first of them: case and column.
    first: Option<(String, String)>,
    /// Failing results that are known.
    known: usize,
}

/// A host of one version.
#[derive(Serialize)]
struct HostCard {
    name: String,
    version: String,
    driver: String,
    digest: String,
    not_offered: Vec<(String, String)>,
    columns: Vec<Card>,
}

/// A host in one ABI version or dialect.
#[derive(Serialize)]
struct Card {
    name: String,
    abi: String,
    dialect: bool,
    glyph: char,
    letter: char,
    class: &'static str,
    words: String,
    gate: String,
    unexpected: bool,
    /// How many results differ from their snapshot.
    drift: usize,
    seconds: Option<String>,
    /// Of the must cases, in parts of 1000: `(class, from, width, words)`.
    bar: Vec<(char, u32, u32, String)>,
    levels: Vec<LevelCounts>,
}

#[derive(Serialize)]
struct LevelCounts {
    level: String,
    cases: u32,
    /// `(glyph, letter, word, number)`.
    verdicts: Vec<(char, char, &'static str, u32)>,
}

#[derive(Serialize)]
struct News {
    column: String,
    case: String,
    glyph: char,
    letter: char,
    word: &'static str,
    gate: &'static str,
    level: String,
    why: String,
}

#[derive(Serialize)]
struct LeftOut {
    glyph: char,
    letter: char,
    word: &'static str,
    column: String,
    why: String,
    cases: Vec<String>,
}

#[derive(Serialize)]
struct Run {
    pwspec: String,
    suite: String,
    suite_digest: String,
    began: String,
    ended: String,
    seconds: String,
    seed: u64,
    command: String,
    exit_code: u8,
}

pub(super) fn context(model: &Model<'_>) -> Value {
    let (mut shown, mut more, mut total) = (Vec::new(), Vec::new(), 0);
    let mut unplayed = Unplayed::default();
    for c in &model.columns {
        let cases = model.cases.iter();
        let results = cases.filter_map(|k| c.results.get(k.id.as_str()));
        let mut all: Vec<_> = results.filter(|r| is_news(r)).collect();
        // What was not run says less than what came out otherwise; must before survey.
        let unsaid = |r: &crate::record::ResultLine| matches!(r.gate, Gate::Expected);
        all.sort_by_key(|r| (unsaid(r), std::cmp::Reverse(r.judgement.level)));
        total += all.len();
        let listed = all.iter().filter(|r| !unplayed.only_counts(r));
        let listed: Vec<News> = listed.take(NEWS).map(|r| news(c, r)).collect();
        if all.len() > listed.len() {
            more.push((safe(&c.name), all.len() - listed.len()));
        }
        shown.extend(listed);
    }
    Value::from(Serde(Overview {
        lede: lede(model, total, &shown),
        hosts: model.hosts().iter().map(host).collect(),
        verdicts: Verdict::ALL
            .map(|v| (mark(v).glyph, mark(v).letter, v.word()))
            .to_vec(),
        news: shown,
        more,
        left_out: left_out(model),
        befell: model.records.iter().flat_map(troubles).collect(),
        runs: model.records.iter().map(run).collect(),
    }))
}

fn lede(model: &Model<'_>, unexpected: usize, news: &[News]) -> Lede {
    let mut texts: Vec<(bool, &str)> = Vec::new();
    for c in model.columns.iter().map(|c| c.view.column) {
        texts.push((c.dialect, &c.abi));
    }
    texts.sort_unstable();
    texts.dedup();
    let texts: Vec<String> = texts.iter().map(|(_, t)| safe(t)).collect();
    let mut days: Vec<&str> = model.records.iter().map(|r| day(&r.header.began)).collect();
    days.sort_unstable();
    days.dedup();
    let known = |c: &Col<'_>| {
        let known = |r: &&&crate::record::ResultLine| matches!(r.gate, Gate::Known { .. });
        c.results.values().filter(known).count()
    };
    Lede {
        cases: model.cases.len(),
        hosts: model.hosts().len(),
        texts: texts.join(", "),
        days: match days.as_slice() {
            [first, .., last] => format!("{} to {}", safe(first), safe(last)),
            _ => safe(&days.concat()),
        },
        unexpected,
        first: {
            // What was not run says less than what came out otherwise.
            let spoke = news.iter().find(|n| !n.gate.is_empty());
            let first = spoke.or(news.first());
            first.map(|n| (n.case.clone(), n.column.clone()))
        },
        known: model.columns.iter().map(known).sum(),
    }
}

/// The day of a time as RFC 3339 writes it.
fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

/// What befell a run, each with the command that tells more.
fn troubles(record: &crate::record::Record) -> Vec<(&'static str, String, Option<String>)> {
    let named = |c| safe(&host_named(c, &record.header.command));
    let next = |kind: &str, text: &str| {
        let column = record.header.columns.iter();
        let mut of = column.filter(|c| text.starts_with(&safe(&c.name)));
        match kind {
            "host" | "canary" => of.next().map(|c| format!("pwspec doctor {}", named(c))),
            _ => None,
        }
    };
    befell(record)
        .into_iter()
        .map(|(kind, text)| {
            let next = next(kind, &text);
            (kind, text, next)
        })
        .collect()
}

fn host(h: &Host<'_, '_>) -> HostCard {
    let first = h.columns[0].view.column;
    HostCard {
        name: safe(h.name),
        version: safe(h.version),
        driver: match first.driver.as_str() {
            "reference" => "embedded".to_owned(),
            "stdio" => "library behind an adapter, boundary only".to_owned(),
            "network" => "proxy".to_owned(),
            other => safe(other),
        },
        digest: safe(&first.host_digest),
        not_offered: first
            .not_offered
            .iter()
            .map(|(n, w)| (safe(n), safe(w)))
            .collect(),
        columns: h.columns.iter().map(card).collect(),
    }
}

fn card(c: &Col<'_>) -> Card {
    let t = &c.view.tally;
    let column = c.view.column;
    let verdict = t.verdict().filter(|_| !column.dialect);
    let m = host_mark(verdict);
    let (words, gate) = c.view.line.rsplit_once(" · ").unwrap_or((&c.view.line, ""));
    // What is not offered, and that it is a library, stands once, with the host.
    let words = words.split("; not offered: ").next().unwrap_or(words);
    let words = words
        .strip_prefix("library, boundary only")
        .map_or(words, |w| w.trim_start_matches([',', ':', ' ']));
    let total: u32 = t.must.iter().sum();
    let mut before = 0;
    let used = Verdict::ALL.into_iter().filter(|v| t.must_count(*v) > 0);
    let bar = used.map(|v| {
        let n = t.must_count(v);
        let (from, to) = (before * 1000 / total, (before + n) * 1000 / total);
        before += n;
        (mark(v).letter, from, to - from, format!("{n} {v}"))
    });
    let levels = [
        (Level::Must, &t.must),
        (Level::Should, &t.should),
        (Level::Survey, &t.survey),
    ];
    let levels = levels
        .into_iter()
        .filter(|(_, by)| by.iter().any(|n| *n > 0));
    Card {
        bar: bar.collect(),
        name: safe(&c.name),
        abi: safe(&column.abi),
        dialect: column.dialect,
        glyph: m.glyph,
        letter: m.letter,
        class: match m.letter {
            'C' => "good",
            'N' => "bad",
            'I' => "open",
            _ => "none",
        },
        words: safe(words),
        gate: gate.to_owned(),
        unexpected: gate == "unexpected",
        drift: c.results.values().filter(|r| drifted(r)).count(),
        seconds: c.view.summary.map(|s| format!("{:.1}", s.seconds)),
        levels: levels
            .map(|(level, by)| {
                let used = Verdict::ALL.into_iter().filter(|v| by[*v as usize] > 0);
                let each = used.map(|v| (mark(v).glyph, mark(v).letter, v.word(), by[v as usize]));
                LevelCounts {
                    level: level.to_string(),
                    cases: by.iter().sum(),
                    verdicts: each.collect(),
                }
            })
            .collect(),
    }
}

/// Whether a result differs from the snapshot that there is.
fn drifted(r: &crate::record::ResultLine) -> bool {
    r.drift.as_ref().is_some_and(|d| !d.new)
}

fn news(c: &Col<'_>, r: &crate::record::ResultLine) -> News {
    let v = r.judgement.verdict;
    let got = speaker(r).filter(|k| !k.got.is_empty());
    let why = match (got, words(r).first()) {
        (Some(k), _) => format!("{}: got {}", k.name, k.got),
        (None, Some(w)) => w.clone(),
        (None, None) => String::new(),
    };
    News {
        column: safe(&c.name),
        case: safe(&r.case),
        glyph: mark(v).glyph,
        letter: mark(v).letter,
        word: v.word(),
        gate: match r.gate {
            Gate::Expected | Gate::Known { .. } => "",
            Gate::UnexpectedFailure => "unexpected failure",
            Gate::UnexpectedPass { .. } => "unexpected pass",
            Gate::ChangedReason { .. } => "another reason than known",
        },
        level: r.judgement.level.to_string(),
        why: safe_short(&why, 200),
    }
}

/// Results without a verdict of their own, by column and reason.
fn left_out(model: &Model<'_>) -> Vec<LeftOut> {
    let mut groups: BTreeMap<(usize, Verdict, String), Vec<String>> = BTreeMap::new();
    for (n, c) in model.columns.iter().enumerate() {
        for case in &model.cases {
            let Some(r) = c.results.get(case.id.as_str()).filter(|r| !r.added) else {
                continue;
            };
            let j = &r.judgement;
            let why = match j.verdict {
                Verdict::Blocked => j.blocked_by.clone(),
                Verdict::NotRun | Verdict::OutOfScope => words(r).first().cloned(),
                _ => continue,
            };
            let key = (n, j.verdict, why.unwrap_or_default());
            groups.entry(key).or_default().push(safe(&r.case));
        }
    }
    groups
        .into_iter()
        .map(|((n, v, why), cases)| LeftOut {
            glyph: mark(v).glyph,
            letter: mark(v).letter,
            word: v.word(),
            column: safe(&model.columns[n].name),
            why: safe_short(&why, 300),
            cases,
        })
        .collect()
}

fn run(r: &crate::record::Record) -> Run {
    Run {
        pwspec: safe(&r.header.pwspec),
        suite: safe(&r.header.suite),
        suite_digest: safe(&r.header.suite_digest),
        began: safe(&r.header.began),
        ended: safe(&r.footer.ended),
        seconds: format!("{:.1}", r.footer.seconds),
        seed: r.header.seed,
        command: safe(&r.header.command),
        exit_code: r.footer.exit_code,
    }
}
