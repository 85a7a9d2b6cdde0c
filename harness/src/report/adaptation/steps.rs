//! The three questions about each topic, and the steps that follow from the answers.
//!
//! Does not know how they are shown.

use std::collections::BTreeMap;

use crate::abi::Level;
use crate::judge::{CheckResult, Gate, LACKED, Outcome, Verdict};
use crate::record::ResultLine;
use crate::report::adaptation::build::{Pair, Pairs};
use crate::report::adaptation::own::Own;
use crate::report::adaptation::roots::{MARKER, lacking, own_checks, owner, seen};
use crate::report::adaptation::{Answer, Row, State, Step};

/// What was found out about one topic.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Is it there under the text's name?
    pub links: Answer,
    /// Has it the text's name, parameters and numbers?
    pub number: Answer,
    /// Does it do what the text says?
    pub behaviour: Answer,
    /// It is there in some form.
    pub there: bool,
    own: Own,
    /// Where the dialect answers always the same: what.
    always: Option<String>,
}

/// What was found out about all topics.
pub struct Topics {
    all: BTreeMap<String, Found>,
    nothing: Found,
}

impl Topics {
    /// Of one column.
    pub fn new(pairs: &Pairs<'_>) -> Topics {
        let mut all = BTreeMap::new();
        for p in &pairs.must {
            let root = p.root.as_ref().map(|r| r.topic.as_str());
            for topic in [Some(p.about), root].into_iter().flatten() {
                if !all.contains_key(topic) {
                    all.insert(topic.to_owned(), found(pairs, topic));
                }
            }
        }
        Topics {
            all,
            nothing: Found::default(),
        }
    }

    /// One of them.
    pub fn of(&self, topic: &str) -> &Found {
        self.all.get(topic).unwrap_or(&self.nothing)
    }
}

fn found(pairs: &Pairs<'_>, topic: &str) -> Found {
    let own = pairs.own_of(topic);
    let links = links(pairs, topic, &own);
    let in_own = seen(&pairs.own, topic);
    let is_function = pairs.text.hostcall(topic).is_some() || pairs.text.callback(topic).is_some();
    let mine: Vec<&Pair<'_>> = pairs.must.iter().filter(|p| p.about == topic).collect();
    let (behaviour, always) = behaviour(pairs, &mine, links.state);
    Found {
        number: number(&own, &mine, &always),
        there: !is_function || links.state == State::Yes || in_own,
        links,
        behaviour,
        own,
        always,
    }
}

fn links(pairs: &Pairs<'_>, topic: &str, own: &Own) -> Answer {
    if topic == owner(MARKER) {
        return marker(pairs);
    }
    let hostcall = pairs.text.hostcall(topic);
    let callback = pairs.text.callback(topic);
    if hostcall.is_none() && callback.is_none() {
        return Answer::default();
    }
    if let Some(h) = hostcall {
        let lacks = |r: &&&ResultLine| lacking(r) == Some(&h.import.1);
        let mut without = pairs.all.iter().filter(lacks);
        let first = without
            .clone()
            .find(|r| own_checks(r).any(|c| owner(&c.req) == topic));
        if let Some(r) = first.or_else(|| without.next()) {
            return no(not_there(own, "not exported"), &r.case);
        }
    }
    if seen(&pairs.all, topic) {
        return Answer {
            state: State::Yes,
            ..Answer::default()
        };
    }
    let called = format!("{topic}/called");
    let fails = |r: &&&ResultLine| {
        r.judgement
            .checks
            .iter()
            .any(|c| !c.control && c.req == called && c.outcome == Outcome::Fail)
    };
    match pairs.all.iter().find(fails).filter(|_| callback.is_some()) {
        Some(r) => no(not_there(own, "never called"), &r.case),
        None => Answer {
            state: State::Open,
            words: "nothing has come so far".to_owned(),
            case: None,
        },
    }
}

fn marker(pairs: &Pairs<'_>) -> Answer {
    let fails = pairs.all.iter().find(|r| {
        own_checks(r).any(|c| c.req == MARKER && c.outcome != Outcome::Pass)
            && r.judgement.verdict.fails()
    });
    match fails {
        Some(r) => no(
            format!("no module with the marker {} is taken", pairs.text.marker),
            &r.case,
        ),
        None => Answer {
            state: State::Yes,
            ..Answer::default()
        },
    }
}

fn not_there(own: &Own, otherwise: &str) -> String {
    match (&own.absent, &own.name, &own.params) {
        (Some(why), ..) => format!("{otherwise}, and there is nothing like it ({why})"),
        (None, Some(name), _) => format!("{otherwise}; the host has it as {name}"),
        (None, None, Some((text, theirs))) => {
            format!("{otherwise} with ({text}); the host has it with ({theirs})")
        }
        (None, None, None) => otherwise.to_owned(),
    }
}

fn no(words: String, case: &str) -> Answer {
    Answer {
        state: State::No,
        words,
        case: Some(case.to_owned()),
    }
}

fn number(own: &Own, mine: &[&Pair<'_>], always: &Option<String>) -> Answer {
    if !own.known || own.absent.is_some() {
        return Answer::default();
    }
    if own.same() {
        return Answer {
            state: State::Yes,
            ..Answer::default()
        };
    }
    // A case that passes with the host's own numbers and not with the text's shows it; where the host
    // does nothing with them, none can.
    let shown = mine.iter().find(|p| !p.passes() && p.own_passes());
    Answer {
        state: State::No,
        words: own.words(),
        case: shown
            .filter(|_| always.is_none())
            .map(|p| p.case().to_owned()),
    }
}

fn behaviour(pairs: &Pairs<'_>, mine: &[&Pair<'_>], links: State) -> (Answer, Option<String>) {
    let all = mine.len();
    if all == 0 {
        return (Answer::default(), None);
    }
    let passes = mine.iter().filter(|p| p.passes()).count();
    let own_passes = mine.iter().filter(|p| p.own_passes()).count();
    let in_own = pairs.dialect.is_some();
    let mut words = format!("{passes} of {all} cases pass");
    if in_own {
        words.push_str(&format!(", {own_passes} in its own words"));
    }
    let best = passes.max(own_passes);
    let failing: Vec<&&Pair<'_>> = mine
        .iter()
        .filter(|p| !p.passes() && !p.own_passes())
        .collect();
    let shows: Vec<&CheckResult> = failing
        .iter()
        .filter_map(|p| failed(p).map(|(c, _)| c))
        .collect();
    let is_call = mine.iter().any(|p| pairs.text.hostcall(p.about).is_some());
    let same = |got: &String| shows.len() > 1 && shows.iter().all(|c| c.got == *got);
    let always = shows.first().map(|c| c.got.clone());
    let always = always.filter(|got| is_call && best == 0 && same(got));
    if let Some(got) = &always {
        words.push_str(&format!("; it always answers {got}"));
    }
    for (need, n) in needs(&failing) {
        words.push_str(&format!("; {n} of them also {need}"));
    }
    let state = match (best == all, shows.is_empty()) {
        (true, _) => State::Yes,
        (false, false) => State::No,
        (false, true) if links == State::No || passes == 0 => State::Open,
        (false, true) => State::No,
    };
    let case = failing.iter().find(|p| failed(p).is_some());
    let case = case.map(|p| p.case().to_owned());
    (Answer { state, words, case }, always)
}

/// What else cases need that do not pass in the dialect: the two that most need.
fn needs(failing: &[&&Pair<'_>]) -> Vec<(String, usize)> {
    let mut all: BTreeMap<String, usize> = BTreeMap::new();
    for p in failing {
        let Some(own) = p.own.map(|r| &r.judgement) else {
            continue;
        };
        // "no counterpart in DIALECT: NAME (why)"
        let reason = own.reason.as_deref().unwrap_or_default();
        let absent = reason
            .strip_prefix("no counterpart in ")
            .and_then(|r| r.split_once(": ")?.1.split_once(" ("))
            .map(|(name, _)| name);
        let need = match (own.verdict, absent, &own.blocked_by) {
            (Verdict::OutOfScope, Some(name), _) if name != p.about => {
                format!("need {name}, which it has in no form")
            }
            (Verdict::Blocked, _, Some(req)) if owner(req) != p.about => {
                format!("wait for {}", owner(req))
            }
            _ => continue,
        };
        *all.entry(need).or_default() += 1;
    }
    let mut all: Vec<(String, usize)> = all.into_iter().collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    all.truncate(2);
    all
}

/// The check that fails in the text's column, else the one that fails in the dialect's; whether it is
/// the dialect's.
fn failed<'p>(pair: &Pair<'p>) -> Option<(&'p CheckResult, bool)> {
    let fails = |r: &'p ResultLine| {
        let outright = matches!(
            r.judgement.verdict,
            Verdict::Fail | Verdict::Timeout | Verdict::Trap | Verdict::Crash
        );
        let must =
            |o: Outcome| own_checks(r).find(move |c| c.level == Level::Must && c.outcome == o);
        let died = || must(Outcome::Unreached).filter(|_| r.judgement.verdict != Verdict::Fail);
        must(Outcome::Fail).or_else(died).filter(|_| outright)
    };
    let own = || pair.own.and_then(fails).map(|c| (c, true));
    fails(pair.text).map(|c| (c, false)).or_else(own)
}

/// What is to be done, what unlocks most first.
pub fn steps(pairs: &Pairs<'_>, topics: &Topics) -> Vec<Step> {
    let mut by_topic: BTreeMap<&str, Vec<&Pair<'_>>> = BTreeMap::new();
    for p in &pairs.must {
        if let Some(root) = &p.root {
            by_topic.entry(&root.topic).or_default().push(p);
        }
    }
    let mut all: Vec<Step> = by_topic
        .into_iter()
        .map(|(topic, held)| step(pairs, topics, topic, &held))
        .collect();
    all.sort_by(|a, b| {
        let key = |s: &Step| (s.unlocks, s.own_pass);
        key(b).cmp(&key(a)).then_with(|| a.topic.cmp(&b.topic))
    });
    all
}

fn step(pairs: &Pairs<'_>, topics: &Topics, topic: &str, held: &[&Pair<'_>]) -> Step {
    let found = topics.of(topic);
    let direct: Vec<&&Pair<'_>> = held
        .iter()
        .filter(|p| p.root.as_ref().is_some_and(|r| r.direct))
        .collect();
    let rows = rows(pairs, &direct);
    let mut areas: BTreeMap<&str, usize> = BTreeMap::new();
    for p in held {
        *areas.entry(p.area).or_default() += if p.about == topic { held.len() + 1 } else { 1 };
    }
    let area = areas
        .iter()
        .max_by_key(|(name, n)| (**n, std::cmp::Reverse(**name)));
    let case = [&found.links.case, &found.number.case, &found.behaviour.case];
    let case = case.into_iter().flatten().next().cloned();
    // What passes in the host's own words is the first to turn green.
    let first = direct.iter().find(|p| p.own_passes());
    let case = first.map(|p| p.case().to_owned()).or(case);
    let case = case.or_else(|| held.first().map(|p| p.case().to_owned()));
    Step {
        topic: topic.to_owned(),
        title: match topic == owner(MARKER) {
            true => pairs.text.marker.clone(),
            false => topic.to_owned(),
        },
        elsewhere: match topic == owner(MARKER) {
            true => pairs.elsewhere(held),
            false => None,
        },
        area: area.map_or("", |(name, _)| *name).to_owned(),
        unlocks: held.len() as u32,
        own_pass: held.iter().filter(|p| p.own_passes()).count() as u32,
        direct: direct.len() as u32,
        links: found.links.clone(),
        number: found.number.clone(),
        behaviour: found.behaviour.clone(),
        todo: todo(pairs, topic, found, &rows),
        rows,
        case: case.unwrap_or_default(),
    }
}

fn rows(pairs: &Pairs<'_>, direct: &[&&Pair<'_>]) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::new();
    for p in direct {
        let Some((check, in_own)) = failed(p) else {
            continue;
        };
        if let Some(row) = out.iter_mut().find(|r| r.req == check.req) {
            row.cases += 1;
            continue;
        }
        out.push(Row {
            req: check.req.clone(),
            text: pairs.wording(&check.req),
            got: came(p, check, in_own),
            case: p.case().to_owned(),
            cases: 1,
            own_passes: p.own_passes(),
            seen_in_own: in_own,
            why: why(p, in_own),
        });
    }
    out
}

/// What the profile says of the cause.
fn why(pair: &Pair<'_>, in_own: bool) -> Option<String> {
    let result = match pair.own {
        Some(own) if in_own => own,
        _ => pair.text,
    };
    match &result.gate {
        Gate::Known { why, .. } if why != LACKED => Some(why.clone()),
        _ => None,
    }
}

/// What came; where the guest or the host did not get so far, how they ended.
fn came(pair: &Pair<'_>, check: &CheckResult, in_own: bool) -> String {
    let result = match pair.own {
        Some(own) if in_own => own,
        _ => pair.text,
    };
    let j = &result.judgement;
    match (j.verdict, check.outcome, &j.reason) {
        (Verdict::Fail, ..) | (_, Outcome::Fail, _) | (_, _, None) => check.got.clone(),
        (verdict, _, Some(reason)) => format!("{verdict}: {reason}"),
    }
}

/// What is to be done about a topic, in order.
fn todo(pairs: &Pairs<'_>, topic: &str, found: &Found, rows: &[Row]) -> Vec<String> {
    let own = &found.own;
    let mut out = Vec::new();
    let is_callback = pairs.text.callback(topic).is_some();
    match found.links.state {
        State::No if topic == owner(MARKER) => {
            out.push(format!(
                "take modules with the marker {}",
                pairs.text.marker
            ));
            return out;
        }
        State::No => out.push(match (&own.absent, &own.name, &own.params, is_callback) {
            (Some(_), _, _, false) => "write it and export it".to_owned(),
            (Some(_), _, _, true) => "call it".to_owned(),
            (None, Some(name), _, false) => format!("export {name} under the text's name too"),
            (None, Some(name), _, true) => format!("call it by this name and not {name}"),
            (None, None, Some((text, _)), false) => format!("export it with ({text})"),
            (None, None, Some((text, _)), true) => format!("call it with ({text})"),
            (None, None, None, false) => "export it".to_owned(),
            (None, None, None, true) => "call it".to_owned(),
        }),
        State::Yes | State::Open | State::Unasked => {}
    }
    if found.number.state == State::No && !own.numbers.is_empty() && found.there {
        out.push("take and give the text's numbers".to_owned());
    }
    if let Some(got) = &found.always {
        out.push(format!("give it a behaviour: it always answers {got}"));
    } else if rows.iter().any(|r| !r.own_passes) {
        out.push("mend the rows below".to_owned());
    }
    if out.is_empty() {
        out.push("see the case".to_owned());
    }
    out
}
