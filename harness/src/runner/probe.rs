//! Probes: one tiny module per hostcall, whose import is the only one beside `proxy_log`, and for each
//! callback a case of the suite that makes the host call it.
//!
//! Asks what is there, not whether it is right. Does not know hosts.

use std::sync::Arc;

use crate::abi::{Abi, Callback, ExportKind, Hostcall, IdKind, Type};
use crate::case::{Problem, Profile, Suite};
use crate::judge::Verdict;
use crate::record::{Record, ResultLine};
use crate::runner::plan::scope;
use crate::trace::{End, Event, EventKind, Load, Returned, Value};

/// What became of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The hostcall returned.
    Answers,
    /// The hostcall returned UNIMPLEMENTED.
    Unimplemented,
    /// The host called the callback.
    Called,
    /// The callback's case went by without it.
    NotCalled,
    /// The host has no such import.
    Unlinked,
    /// The host did not take the module for another reason.
    Refused,
    /// The call never came back.
    Traps,
    /// The host died.
    Crashes,
    /// A deadline passed.
    Hangs,
    /// It can't be asked of this host: why is said beside it.
    OutOfScope,
    /// It was not found out.
    Unknown,
}

impl State {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            State::Answers => "answers",
            State::Unimplemented => "unimplemented",
            State::Called => "called",
            State::NotCalled => "not called",
            State::Unlinked => "unlinked",
            State::Refused => "refused",
            State::Traps => "traps",
            State::Crashes => "crashes",
            State::Hangs => "hangs",
            State::OutOfScope => "out of scope",
            State::Unknown => "unknown",
        }
    }
}

/// One function in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The column's name.
    pub column: String,
    /// By the text's name.
    pub function: String,
    /// A callback, else a hostcall.
    pub callback: bool,
    /// What became of it.
    pub state: State,
    /// The status, the host's words, or why not.
    pub what: String,
}

/// The suite that asks for every hostcall of every version once.
///
/// # Errors
/// A table has a hostcall that can't be called from YAML.
pub fn probe_suite(abis: &[Arc<Abi>]) -> Result<Suite, Vec<Problem>> {
    let texts = abis.iter().filter(|a| a.dialect_of.is_none());
    let files: Vec<(String, String)> = texts
        .map(|abi| {
            let name = folder(&abi.id);
            let mut text = format!(
                "version: 1\nsuite: probe/{name}\nabout: Whether a hostcall is there\nsince: 0.1.0\ncases:\n"
            );
            for h in &abi.hostcalls {
                let with: Vec<String> = h
                    .params
                    .iter()
                    .filter(|p| !p.ty.is_out())
                    .filter_map(|p| Some(format!("{}: {}", p.name, argument(abi, h, &p.name, &p.ty)?)))
                    .collect();
                let (id, call, with) = (&h.name, &h.name, with.join(", "));
                text.push_str(&format!(
                    "  - id: {id}\n    about: whether it is there\n    abi: [{}]\n    program:\n      request_headers:\n        - call: {call}\n          with: {{{with}}}\n        - call: proxy_log\n          with: {{log_level: INFO, message: probed}}\n          expect: {{status: OK}}\n",
                    abi.id
                ));
            }
            (format!("cases/probe/{name}.yaml"), text)
        })
        .collect();
    Suite::load(&files, abis.to_vec(), Arc::new([]))
}

/// `0.2.1` as a part of a case id.
fn folder(abi: &str) -> String {
    format!("v{}", abi.replace('.', "_"))
}

/// An argument with which most hosts have something to do; none: the default will do.
fn argument(abi: &Abi, hostcall: &Hostcall, name: &str, ty: &Type) -> Option<String> {
    Some(match ty {
        Type::Enum(e) => {
            let wanted = [
                "HTTP_REQUEST_HEADERS",
                "HTTP_REQUEST_BODY",
                "HTTP_REQUEST",
                "COUNTER",
                "INFO",
                "REALTIME",
            ];
            let values = abi
                .enumeration(e)
                .map(|e| &e.values[..])
                .unwrap_or_default();
            let known = values.iter().find(|(n, _)| wanted.contains(&n.as_str()));
            known
                .or_else(|| values.first())
                .map_or("0".to_owned(), |(n, _)| n.clone())
        }
        Type::Bool => "false".to_owned(),
        Type::Id(IdKind::Context | IdKind::Call | IdKind::Queue | IdKind::Metric) => "1".to_owned(),
        Type::U32 | Type::Size | Type::U64 | Type::I64 => match name {
            n if n.contains("max_size") => "16".to_owned(),
            n if n.contains("timeout") => "1000".to_owned(),
            n if n.contains("status_code") => "200".to_owned(),
            _ => "0".to_owned(),
        },
        Type::Bytes => match name {
            n if n.starts_with("upstream") => "{upstream: a}".to_owned(),
            "path" => "plugin_name".to_owned(),
            _ => "probe".to_owned(),
        },
        Type::Pairs if hostcall.name == "proxy_http_call" && name == "headers" => {
            "[[':method', GET], [':path', /], [':authority', pwspec.test]]".to_owned()
        }
        _ => return None,
    })
}

/// For each callback of a version the case that shows it on this host with the fewest hostcalls; where
/// none is in scope, why.
pub fn callback_cases(
    suite: &Suite,
    abi: &Arc<Abi>,
    profile: &Profile,
) -> Vec<(String, Result<String, String>)> {
    let own = abi
        .callbacks
        .iter()
        .filter(|c| c.kind == ExportKind::Callback);
    own.map(|c| (c.name.to_string(), callback_case(suite, abi, profile, c)))
        .collect()
}

fn callback_case(
    suite: &Suite,
    abi: &Arc<Abi>,
    profile: &Profile,
    callback: &Callback,
) -> Result<String, String> {
    if let Some(why) = &callback.absent {
        return Err(why.clone());
    }
    let called = format!("{}/called", callback.name);
    let prefix = format!("{}/", callback.name);
    let mut best: Option<((bool, usize, usize), &str)> = None;
    let mut why = None;
    for case in &suite.cases {
        let exact = case.covers.contains(&called);
        if !exact && !case.covers.iter().any(|c| c.starts_with(&prefix)) {
            continue;
        }
        match scope(suite, case, abi, profile) {
            None => {}
            Some(Err(reason)) => why = why.or(Some(reason)),
            Some(Ok(_)) => {
                // Short cases need little of the host.
                let rank = (!exact, case.covers.len(), case.yaml.len());
                if best.is_none_or(|(b, _)| rank < b) {
                    best = Some((rank, &case.id));
                }
            }
        }
    }
    match best {
        Some((_, id)) => Ok(id.to_owned()),
        None => Err(why.unwrap_or_else(|| "no case of the suite makes a host call it".to_owned())),
    }
}

/// What the record of a probe suite says of each hostcall, column by column.
pub fn probed_hostcalls(abis: &[Arc<Abi>], record: &Record) -> Vec<Probed> {
    let mut out = Vec::new();
    for column in &record.header.columns {
        let Some(abi) = abis.iter().find(|a| a.id == column.abi) else {
            continue;
        };
        for h in &abi.hostcalls {
            let case = format!("probe/{}/{}", folder(abi.text_version()), h.name);
            let mut own = record.results.iter();
            let result = own.find(|r| r.column == column.name && r.case == case);
            let (state, what) = match result {
                Some(r) => hostcall_state(r, h),
                None => match &h.absent {
                    Some(why) => (State::OutOfScope, why.clone()),
                    None => (State::Unknown, "it was not asked".to_owned()),
                },
            };
            out.push(Probed {
                column: column.name.to_string(),
                function: h.name.to_string(),
                callback: false,
                state,
                what,
            });
        }
    }
    out
}

fn hostcall_state(r: &ResultLine, hostcall: &Hostcall) -> (State, String) {
    if let Some(state) = not_played(r) {
        return state;
    }
    let Some(attempt) = r.attempts.last() else {
        return unknown(r);
    };
    if let Load::Unlinked { import, .. } = &attempt.load
        && ![&hostcall.name, &hostcall.import.1].contains(&import)
    {
        return (State::Unknown, format!("the host lacks {import}"));
    }
    if let Some(state) = not_loaded(&attempt.load) {
        return state;
    }
    let call = find(r, &|e| {
        e.kind == EventKind::Hostcall && e.name == hostcall.name
    });
    let Some(call) = call else {
        return ended(&attempt.end).unwrap_or_else(|| unknown(r));
    };
    match &call.end {
        Returned::Never => ended(&attempt.end).unwrap_or((State::Traps, String::new())),
        Returned::Nothing => (State::Answers, String::new()),
        Returned::Value(Value::Enum(Some(name), _)) if name == "UNIMPLEMENTED" => {
            (State::Unimplemented, name.to_string())
        }
        Returned::Value(Value::Enum(Some(name), _)) => (State::Answers, name.to_string()),
        Returned::Value(Value::Enum(None, n) | Value::Number(n)) => (State::Answers, n.to_string()),
        Returned::Value(_) => (State::Answers, String::new()),
    }
}

/// What the record of the callbacks' cases says of a callback in a column.
pub fn probed_callback(
    record: &Record,
    column: &str,
    callback: &str,
    case: &str,
) -> (State, String) {
    let mut own = record.results.iter();
    let Some(r) = own.find(|r| r.column == column && r.case == case) else {
        return (State::Unknown, "it was not asked".to_owned());
    };
    if let Some(state) = not_played(r) {
        return state;
    }
    let Some(attempt) = r.attempts.last() else {
        return unknown(r);
    };
    if let Load::Unlinked { import, .. } = &attempt.load {
        return (State::Unknown, format!("the host lacks {import}"));
    }
    if let Some(state) = not_loaded(&attempt.load) {
        return state;
    }
    if find(r, &|e| e.kind == EventKind::Callback && e.name == callback).is_some() {
        return (State::Called, String::new());
    }
    match ended(&attempt.end) {
        Some(state) => state,
        None if r.judgement.verdict == Verdict::NotRun => unknown(r),
        None => (State::NotCalled, String::new()),
    }
}

fn not_played(r: &ResultLine) -> Option<(State, String)> {
    let why = r.judgement.reason.clone().unwrap_or_default();
    (r.judgement.verdict == Verdict::OutOfScope).then_some((State::OutOfScope, why))
}

fn not_loaded(load: &Load) -> Option<(State, String)> {
    match load {
        Load::Unlinked { .. } => Some((State::Unlinked, String::new())),
        Load::Refused { text } => Some((State::Refused, text.display())),
        Load::Loaded | Load::Unknown => None,
    }
}

fn ended(end: &End) -> Option<(State, String)> {
    match end {
        End::Normal => None,
        End::Trap(text) => Some((State::Traps, text.display())),
        End::Crash(how) => Some((State::Crashes, how.clone())),
        End::Timeout(which) => Some((State::Hangs, which.clone())),
    }
}

fn unknown(r: &ResultLine) -> (State, String) {
    (
        State::Unknown,
        r.judgement.reason.clone().unwrap_or_default(),
    )
}

/// The first event of a result's trace for which `is` says yes.
fn find<'r>(r: &'r ResultLine, is: &dyn Fn(&Event) -> bool) -> Option<&'r Event> {
    fn within<'e>(events: &'e [Event], is: &dyn Fn(&Event) -> bool) -> Option<&'e Event> {
        events.iter().find_map(|e| match is(e) {
            true => Some(e),
            false => within(&e.inner, is),
        })
    }
    let instances = &r.attempts.last()?.trace.instances;
    instances.iter().find_map(|i| within(&i.events, is))
}

/// Functions that are lacking, hostcalls and callbacks, as a profile lists them: `NAME` where that is so
/// in every column in which it could be asked, else `NAME@ABI`. `abi`: of a column, by its name.
pub fn lacking<'a>(
    probed: &[Probed],
    abi: &dyn Fn(&str) -> Option<&'a str>,
) -> (Vec<String>, Vec<String>) {
    let of = |callback: bool, lacks: State| {
        let mut out: Vec<String> = Vec::new();
        for p in probed.iter().filter(|p| p.callback == callback) {
            if p.state != lacks {
                continue;
            }
            let mut asked = probed.iter().filter(|q| {
                q.function == p.function
                    && q.callback == callback
                    && !matches!(q.state, State::OutOfScope | State::Unknown)
            });
            let entry = match (asked.all(|q| q.state == lacks), abi(&p.column)) {
                (false, Some(abi)) => format!("{}@{abi}", p.function),
                _ => p.function.clone(),
            };
            if !out.contains(&entry) {
                out.push(entry);
            }
        }
        out
    };
    (of(false, State::Unlinked), of(true, State::NotCalled))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probed(column: &str, function: &str, callback: bool, state: State) -> Probed {
        Probed {
            column: column.to_owned(),
            function: function.to_owned(),
            callback,
            state,
            what: String::new(),
        }
    }

    #[test]
    fn what_is_lacking_in_some_columns_is_listed_with_them() {
        let all = [
            probed("h-1", "proxy_a", false, State::Unlinked),
            probed("h-2", "proxy_a", false, State::Answers),
            probed("h-1", "proxy_b", false, State::Unlinked),
            probed("h-2", "proxy_b", false, State::OutOfScope),
            probed("h-1", "proxy_on_c", true, State::NotCalled),
            probed("h-2", "proxy_on_c", true, State::NotCalled),
        ];
        let abi = |column: &str| column.strip_prefix("h-").map(|_| "0.2.0");
        let (hostcalls, callbacks) = lacking(&all, &abi);
        assert_eq!(hostcalls, ["proxy_a@0.2.0", "proxy_b"]);
        assert_eq!(callbacks, ["proxy_on_c"]);
    }
}
