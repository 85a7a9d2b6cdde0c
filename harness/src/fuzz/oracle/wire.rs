//! What differs on the wire and in the log.

use std::collections::BTreeSet;

use crate::fuzz::model::map_name;
use crate::fuzz::oracle::compare::{Comparing, Seen};
use crate::fuzz::plan::{Map, Way};
use crate::fuzz::program::{Arg, Effect};
use crate::trace::{Attempt, Blob, LogLine, Message};

/// Compares what upstream and client saw.
pub(super) fn wire(c: &mut Comparing<'_>, sides: [&Attempt; 2]) {
    let count = |name: &str| {
        sides.map(|a| {
            let all = a.seen.upstream.iter();
            all.filter(|u| u.upstream == name).count().to_string()
        })
    };
    for (name, row) in [
        ("main", "proxy_on_request_headers/CONTINUE"),
        ("a", "proxy_http_call/upstream"),
    ] {
        let row = match c.program.local {
            Some(Way::Request) if name == "main" => "proxy_send_local_response/not_forwarded",
            _ => row,
        };
        let [left, right] = count(name);
        if left != right {
            c.note(Seen {
                rows: &[row.to_owned()],
                observe: format!("upstream {name} count"),
                what: format!("requests at the upstream {name}"),
                mark: String::new(),
                left,
                right,
            });
        }
    }
    let main = sides.map(|a| {
        let mut all = a.seen.upstream.iter();
        all.find(|u| u.upstream == "main").map(|u| &u.request)
    });
    if let [Some(left), Some(right)] = main {
        message(c, Way::Request, [left, right]);
    }
    let client = sides.map(|a| a.seen.client.first().and_then(|c| c.response.as_ref()));
    let status = client.map(|m| match m.and_then(|m| m.status) {
        Some(status) => status.to_string(),
        None => "no response".to_owned(),
    });
    if status[0] != status[1] {
        let row = match c.program.local {
            Some(_) => "proxy_send_local_response/status_code",
            None => "proxy_on_response_headers/CONTINUE",
        };
        let [left, right] = status;
        c.note(Seen {
            rows: &[row.to_owned()],
            observe: "client 1 status".to_owned(),
            what: "status at the client".to_owned(),
            mark: String::new(),
            left,
            right,
        });
    } else if let [Some(left), Some(right)] = client {
        message(c, Way::Response, [left, right]);
    }
}

/// Fields, body and trailers of a message as it arrived.
fn message(c: &mut Comparing<'_>, way: Way, sides: [&Message; 2]) {
    let end = match way {
        Way::Request => "upstream main",
        Way::Response => "client 1",
    };
    let local = way == Way::Response && c.program.local.is_some();
    let own = |fields: &[(Blob, Blob)]| -> BTreeSet<String> {
        let names = fields.iter().filter_map(|(k, _)| k.whole());
        let names = names.filter(|k| super::words::own_field(k));
        names
            .map(|k| String::from_utf8_lossy(k).to_ascii_lowercase())
            .collect()
    };
    for (part, map) in [
        ("header", Map::Headers(way)),
        ("trailer", Map::Trailers(way)),
    ] {
        let fields = sides.map(|m| match map {
            Map::Headers(_) => &m.headers,
            _ => &m.trailers,
        });
        let names: BTreeSet<String> = fields.iter().flat_map(|f| own(f)).collect();
        for name in names {
            let [left, right] = fields.map(|f| joined(f, &name));
            // What a field without a value becomes is not said.
            if left == right || [&left, &right].into_iter().flatten().any(String::is_empty) {
                continue;
            }
            let rows = match local {
                true => vec!["proxy_send_local_response/headers".to_owned()],
                false => field_rows(c, map, &name),
            };
            let word = |v: Option<String>| v.unwrap_or_else(|| "absent".to_owned());
            c.note(Seen {
                rows: &rows,
                observe: format!("{end} {part} {name}"),
                what: format!("{part} at {end}"),
                mark: String::new(),
                left: word(left),
                right: word(right),
            });
        }
    }
    if !same(&sides[0].body, &sides[1].body) {
        let rows = match local {
            true => vec!["proxy_send_local_response/body".to_owned()],
            false => body_rows(c, way),
        };
        let [left, right] = sides.map(|m| shortened(&m.body).display());
        c.note(Seen {
            rows: &rows,
            observe: format!("{end} body"),
            what: format!("body at {end}"),
            mark: String::new(),
            left,
            right,
        });
    }
}

/// Whether two values are the same, however much of each was kept.
fn same(a: &Blob, b: &Blob) -> bool {
    match (a.whole(), b.whole()) {
        (Some(a), _) => b.is(a),
        (_, Some(b)) => a.is(b),
        _ => a == b,
    }
}

/// A value as guests send it.
fn shortened(blob: &Blob) -> Blob {
    blob.whole().map_or_else(|| blob.clone(), Blob::new)
}

/// The values of a field, joined as RFC 9110 lets anybody join them.
fn joined(fields: &[(Blob, Blob)], name: &str) -> Option<String> {
    let values = Message::values(fields, name);
    let shown = |b: &&Blob| match b.whole() {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => b.display(),
    };
    let all: Vec<String> = values.iter().map(shown).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// The requirements behind a field: those of the last call that changed it, else that it is forwarded.
fn field_rows(c: &Comparing<'_>, map: Map, name: &str) -> Vec<String> {
    let calls = c.program.calls();
    let mut last = calls.iter().rev().filter_map(|p| p.call);
    let changed = last.find(|call| match call.effect {
        Some(Effect::Field(m, key)) => m == map && key == name,
        Some(Effect::Fields(m)) => m == map,
        _ => false,
    });
    let by_itself = match map {
        Map::Headers(Way::Request) => "proxy_on_request_headers/CONTINUE",
        Map::Headers(Way::Response) => "proxy_on_response_headers/CONTINUE",
        Map::Trailers(Way::Request) => "proxy_on_request_trailers/CONTINUE",
        _ => "proxy_on_response_trailers/CONTINUE",
    };
    match changed {
        Some(call) => call.rests.clone(),
        None => vec![
            by_itself.to_owned(),
            map_name(map).unwrap_or_default().to_owned(),
        ],
    }
}

/// The requirements behind a body.
fn body_rows(c: &Comparing<'_>, way: Way) -> Vec<String> {
    let calls = c.program.calls();
    let mut last = calls.iter().rev().filter_map(|p| p.call);
    let changed = last.find(|call| call.effect == Some(Effect::Body(way)));
    match (changed, way) {
        (Some(call), _) => call.rests.clone(),
        (None, Way::Request) => vec!["proxy_on_request_body/CONTINUE".to_owned()],
        (None, Way::Response) => vec!["proxy_on_response_body/CONTINUE".to_owned()],
    }
}

/// Levels below which hosts may not log.
const QUIET: [&str; 2] = ["TRACE", "DEBUG"];

/// Compares what the plugin logged.
pub(super) fn logs(c: &mut Comparing<'_>, sides: [&Attempt; 2]) {
    let shown = |l: &LogLine| {
        let level = l.level.as_deref().unwrap_or("no level");
        (!QUIET.contains(&level)).then(|| (level.to_owned(), l.text.display()))
    };
    let lines = sides.map(|a| a.logs.iter().filter_map(shown).collect::<Vec<_>>());
    let [left, right] = &lines;
    let longest = left.len().max(right.len());
    let Some(at) = (0..longest).find(|n| left.get(*n) != right.get(*n)) else {
        return;
    };
    let line = |side: &[(String, String)]| match side.get(at) {
        Some((level, text)) => format!("{level} {text}"),
        None => "no line".to_owned(),
    };
    let (rows, word) = logged(c, at);
    c.note(Seen {
        rows: &rows,
        observe: format!("log {word}"),
        what: "a line of the log".to_owned(),
        mark: String::new(),
        left: line(left),
        right: line(right),
    });
}

/// The requirements behind the nth line that is logged, and some text of it.
fn logged(c: &Comparing<'_>, nth: usize) -> (Vec<String>, String) {
    let text = |arg: &Arg| match arg {
        Arg::Data(crate::fuzz::plan::Data::Text(text)) => (*text).to_owned(),
        Arg::Data(crate::fuzz::plan::Data::Fill(text, _)) => (*text).to_owned(),
        Arg::Pieces(pieces) => match pieces.first() {
            Some(crate::fuzz::plan::Data::Fill(text, _)) => (*text).to_owned(),
            Some(crate::fuzz::plan::Data::Text(text)) => (*text).to_owned(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    let calls = c.program.calls();
    let mut own = calls.iter().filter_map(|p| p.call).filter(|call| {
        let quiet = |w: &Arg| matches!(w, Arg::Word(w) if QUIET.contains(&w.as_str()));
        let row = call.rests.first().map_or("", String::as_str);
        let logs = matches!(row, "proxy_log/message" | "fd_write/SUCCESS");
        logs && !call.with.iter().any(|(_, v)| quiet(v))
    });
    match own.nth(nth) {
        Some(call) => {
            let said = call.with.last().map(|(_, v)| text(v)).unwrap_or_default();
            let mut rows = call.rests.clone();
            rows.retain(|r| !r.ends_with("/OK") && !r.ends_with("/SUCCESS"));
            (rows, said)
        }
        None => (vec!["proxy_log/message".to_owned()], "a".to_owned()),
    }
}
