//! Checks on what client and upstreams saw, on the log, on load and end.
//!
//! Does not know the boundary.

use crate::case::{FieldExpect, Matcher, MessageExpect};
use crate::judge::found::Found;
use crate::judge::matching::{Answer, Got, Scope};
use crate::judge::view::View;
use crate::judge::words;
use crate::trace::{Attempt, Blob, ClientSaw, End, Load, Message, UpstreamSaw};

/// The values of a field joined as one (RFC 9110, 5.3). `Err`: one of several was cut.
pub(super) fn joined(fields: &[(Blob, Blob)], name: &str) -> Result<Option<Blob>, ()> {
    let values = Message::values(fields, name);
    match values.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        many => {
            let whole: Option<Vec<&[u8]>> = many.iter().map(|b| b.whole()).collect();
            let whole = whole.ok_or(())?;
            Ok(Some(Blob::Whole(whole.join(b", ".as_slice()))))
        }
    }
}

pub(super) fn field(
    scope: Scope<'_, '_>,
    fields: &[(Blob, Blob)],
    name: &str,
    want: &FieldExpect,
) -> Answer {
    let one = joined(fields, name);
    match want {
        FieldExpect::Value(m) => match &one {
            Err(()) => Answer::Unknown,
            Ok(None) => scope.matches(m, Got::Missing),
            Ok(Some(b)) => scope.matches(m, Got::Bytes(b)),
        },
        FieldExpect::List(list) => {
            let values = Message::values(fields, name);
            let apart = values.len() == list.len()
                && values.iter().zip(list).all(|(v, w)| v.is(w.as_bytes()));
            let together = matches!(&one, Ok(Some(b)) if b.is(list.join(", ").as_bytes()));
            (apart || together).into()
        }
    }
}

pub(super) fn field_in_words(fields: &[(Blob, Blob)], name: &str) -> String {
    let values = Message::values(fields, name);
    if values.is_empty() {
        return "absent".to_owned();
    }
    let all: Vec<String> = values.iter().map(|v| v.display()).collect();
    all.join(" and ")
}

/// Holds a message against what must hold of it.
fn message(view: &View<'_>, what: &str, m: &Message, want: &MessageExpect) -> Found {
    if want.present == Some(false) {
        return Found::fail(None, format!("a {what} came: {}", summary(m)));
    }
    let scope = Scope { view, at: None };
    let mut wrong: Vec<String> = Vec::new();
    let mut unsure: Vec<String> = Vec::new();
    let mut note = |answer: Answer, words: &dyn Fn() -> String| match answer {
        Answer::Yes => {}
        Answer::No => wrong.push(words()),
        Answer::Unknown => unsure.push(words()),
    };
    for (name, have, want) in [
        ("method", &m.method, &want.method),
        ("path", &m.path, &want.path),
    ] {
        let Some(want) = want else { continue };
        let have = have.as_ref().map(|t| Blob::Whole(t.clone().into_bytes()));
        let got = have.as_ref().map_or(Got::Missing, Got::Bytes);
        note(scope.matches(want, got), &|| {
            format!("{name} {}", words::got(got))
        });
    }
    if let Some(want) = &want.status {
        let got = m.status.map_or(Got::Missing, |s| Got::Number(u64::from(s)));
        note(scope.matches(want, got), &|| {
            format!("status {}", words::got(got))
        });
    }
    for (kind, fields, wants) in [
        ("header", &m.headers, &want.headers),
        ("trailer", &m.trailers, &want.trailers),
    ] {
        for (name, want) in wants {
            note(field(scope, fields, name, want), &|| {
                format!("{kind} {name} {}", field_in_words(fields, name))
            });
        }
    }
    if let Some(want) = &want.body {
        let got = Got::Bytes(&m.body);
        note(scope.matches(want, got), &|| {
            format!("body {}", words::got(got))
        });
    }
    if let Some(want) = want.complete {
        note((m.complete == want).into(), &|| {
            words::completeness(m.complete).to_owned()
        });
    }
    if let Some(want) = want.closed {
        note((m.complete == want).into(), &|| {
            words::openness(m.complete).to_owned()
        });
    }
    if !wrong.is_empty() {
        return Found::fail(None, wrong.join(", "));
    }
    if !unsure.is_empty() {
        return Found::unreached(None, format!("{}: cannot be compared", unsure.join(", ")));
    }
    Found::pass(None)
}

fn summary(m: &Message) -> String {
    if m.is_tcp() {
        return format!("{}, {}", m.body.display(), words::openness(m.complete));
    }
    let mut parts: Vec<String> = Vec::new();
    parts.extend(m.method.clone());
    parts.extend(m.path.clone());
    parts.extend(m.status.map(|s| s.to_string()));
    parts.join(" ")
}

/// How many of what arrived at an upstream.
fn arrived(all: &[&UpstreamSaw], name: &str) -> String {
    let what = match all.first() {
        Some(u) if u.request.is_tcp() => "connections",
        _ => "requests",
    };
    format!("{} {what} at {name}", all.len())
}

/// The requests, or TCP connections, that arrived at an upstream, in order.
pub(super) fn requests<'a>(attempt: &'a Attempt, upstream: &str) -> Vec<&'a UpstreamSaw> {
    let all = attempt.seen.upstream.iter();
    all.filter(|u| u.upstream == upstream).collect()
}

/// What the client of a stream saw.
pub(super) fn client_of(attempt: &Attempt, stream: u32) -> Option<&ClientSaw> {
    attempt.seen.client.iter().find(|c| c.stream == stream)
}

pub(super) fn upstream(view: &View<'_>, name: &str, nth: u32, want: &MessageExpect) -> Found {
    let all = requests(view.attempt, name);
    let one = (nth as usize).checked_sub(1).and_then(|n| all.get(n));
    match one {
        Some(u) => message(view, "request", &u.request, want),
        None if want.optional || want.present == Some(false) => Found::pass(None),
        None => Found::fail(None, arrived(&all, name)),
    }
}

pub(super) fn count(view: &View<'_>, name: &str, want: &Matcher) -> Found {
    let all = requests(view.attempt, name);
    let scope = Scope { view, at: None };
    match scope.matches(want, Got::Number(all.len() as u64)) {
        Answer::Yes => Found::pass(None),
        Answer::No => Found::fail(None, arrived(&all, name)),
        Answer::Unknown => {
            let got = format!("{}: cannot be compared", arrived(&all, name));
            Found::unreached(None, got)
        }
    }
}

pub(super) fn client(view: &View<'_>, stream: u32, want: &MessageExpect) -> Found {
    let Some(saw) = client_of(view.attempt, stream) else {
        return Found::unreached(None, format!("stream {stream} was never opened"));
    };
    match &saw.response {
        Some(m) => message(view, "response", m, want),
        None if want.optional || want.present == Some(false) => Found::pass(None),
        None => {
            let why = saw.trouble.iter().map(|t| format!(": {t}"));
            Found::fail(None, format!("no response{}", why.collect::<String>()))
        }
    }
}

pub(super) fn log(
    view: &View<'_>,
    text: &Matcher,
    log_level: &[String],
    times: Option<u32>,
) -> Found {
    let scope = Scope { view, at: None };
    let (mut sure, mut maybe) = (0_u32, 0_u32);
    let mut others: Vec<String> = Vec::new();
    for line in &view.attempt.logs {
        let told = match scope.matches(text, Got::Bytes(&line.text)) {
            Answer::Yes => level_answer(line.level.as_deref(), log_level),
            a => a,
        };
        match told {
            Answer::Yes => sure += 1,
            Answer::Unknown => maybe += 1,
            Answer::No => {
                let level = line.level.as_deref().unwrap_or("no level");
                others.push(format!("{} at {level}", line.text.display()));
            }
        }
    }
    let told = match times {
        None => sure > 0,
        Some(n) => sure == n,
    };
    let open = match times {
        None => sure == 0 && maybe > 0,
        Some(n) => sure <= n && maybe > 0,
    };
    if open {
        return Found::unreached(None, "the host's log does not show enough of it");
    }
    if told {
        return Found::pass(None);
    }
    let mut got = match times {
        Some(_) => format!("{sure} such lines"),
        None => "no such line".to_owned(),
    };
    if !others.is_empty() {
        got.push_str(&format!("; others: {}", others.join(", ")));
    }
    Found::fail(None, got)
}

fn level_answer(have: Option<&str>, want: &[String]) -> Answer {
    match (have, want) {
        (_, []) => Answer::Yes,
        (None, _) => Answer::Unknown,
        (Some(h), any_of) => any_of.iter().any(|w| h.eq_ignore_ascii_case(w)).into(),
    }
}

/// Whether the host took the module, as far as it can be said.
pub(super) fn loaded(attempt: &Attempt) -> Option<bool> {
    match (&attempt.load, &attempt.end) {
        (Load::Loaded, _) => Some(true),
        (Load::Unlinked { .. } | Load::Refused { .. }, _) => Some(false),
        (Load::Unknown, _) if !attempt.trace.instances.is_empty() => Some(true),
        (Load::Unknown, End::Trap(_)) => Some(false),
        (Load::Unknown, _) => None,
    }
}

pub(super) fn load(attempt: &Attempt, want: bool) -> Found {
    match loaded(attempt) {
        None => Found::unreached(None, "neither a frame nor a refusal"),
        Some(have) if have == want => Found::pass(None),
        Some(true) => Found::fail(None, "loaded".to_owned()),
        Some(false) => {
            let text = match &attempt.load {
                Load::Unlinked { text, .. } | Load::Refused { text } => text.display(),
                _ => words::end_in_full(&attempt.end),
            };
            Found::fail(None, format!("{}: {text}", words::load(&attempt.load)))
        }
    }
}

pub(super) fn ends(attempt: &Attempt, any_of: &[String]) -> Found {
    let end = words::end(&attempt.end);
    if any_of.iter().any(|w| w == end) {
        Found::pass(None)
    } else {
        Found::fail(None, words::end_in_full(&attempt.end))
    }
}
