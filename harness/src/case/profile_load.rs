//! From the text of a profile to a [`Profile`], with every problem at its line and column.
//!
//! Does not know which cases there are: whether a known failure names one is found out later.

use regex::Regex;
use regex::bytes::RegexBuilder;

use crate::case::yaml::{self, Node};
use crate::case::{Change, DriverKind, Over, Profile, tree, version_matches};

/// What a case may `need`, and so what a profile may offer.
pub const NEEDS: [&str; 16] = [
    "tcp",
    "service",
    "grpc",
    "http2",
    "request_trailers",
    "response_trailers",
    "chunked_delivery",
    "several_plugins",
    "several_vms",
    "reload",
    "remove",
    "foreign_function",
    "foreign_callback",
    "environment",
    "vm_configuration",
    "plugin_configuration",
];

/// The one need that stands for a way to provoke rare statuses.
pub const TRIGGER: &str = "trigger";

/// The verdicts that a known failure may name.
const VERDICTS: [&str; 9] = [
    "fail", "warn", "unlinked", "refused", "trap", "crash", "timeout", "blocked", "survey",
];

/// Something wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileProblem {
    /// The file, as it was named.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// A lowercase fragment.
    pub message: String,
}

/// Reads a profile. `path` is only used to name the file in problems.
///
/// # Errors
/// Every problem that was found; where the YAML itself can't be read, that one.
pub fn load_profile(path: &str, text: &str) -> Result<Profile, Vec<ProfileProblem>> {
    let problem = |(line, column): (u32, u32), message: String| ProfileProblem {
        file: path.to_owned(),
        line,
        column,
        message,
    };
    let profile: Profile = serde_yaml::from_str(text).map_err(|error| {
        let at = error.location().map_or((1, 1), |l| {
            (l.line().max(1) as u32, l.column().max(1) as u32)
        });
        let message = without_position(&error.to_string());
        vec![problem(second(text, &message).unwrap_or(at), message)]
    })?;
    let found: Vec<ProfileProblem> = check(&profile)
        .into_iter()
        .map(|(place, message)| problem(place.find(text), message))
        .collect();
    if found.is_empty() {
        Ok(profile)
    } else {
        Err(found)
    }
}

/// Reads a profile that may extend one of `bases`: what it does not say is as there. A key whose
/// value is a map is taken key by key, any other as a whole.
///
/// # Errors
/// As for [`load_profile`]; also a base that is not there.
pub fn load_profile_over(
    path: &str,
    text: &str,
    bases: &[Profile],
) -> Result<Profile, Vec<ProfileProblem>> {
    let problem = |(line, column): (u32, u32), message: String| ProfileProblem {
        file: path.to_owned(),
        line,
        column,
        message,
    };
    let Ok(own) = yaml::parse(text) else {
        return load_profile(path, text);
    };
    let Some(name) = own.get("extends").and_then(Node::scalar) else {
        return load_profile(path, text);
    };
    let Some(base) = bases.iter().find(|p| p.name == name) else {
        let names: Vec<&str> = bases.iter().map(|p| p.name.as_str()).collect();
        let message = format!(
            "there is no profile `{name}` to extend, only {}",
            names.join(", ")
        );
        let place = Place::Key("extends", name).find(text);
        return Err(vec![problem(place, message)]);
    };
    let below = serde_yaml::to_string(base).map_err(|e| e.to_string());
    let below = below.and_then(|t| yaml::parse(&t).map_err(|(m, ..)| m));
    let below = below.map_err(|e| vec![problem((1, 1), e)])?;
    let (profile, notes) = tree::read::<Profile>(&over(below, own, 2));
    let mut found: Vec<ProfileProblem> = notes
        .into_iter()
        .map(|n| problem(yaml::locate(text, &n.path), n.message))
        .collect();
    if let Some(p) = &profile {
        let more = check(p).into_iter();
        found.extend(more.map(|(place, message)| problem(place.find(text), message)));
    }
    match profile {
        Some(profile) if found.is_empty() => Ok(profile),
        _ => Err(found),
    }
}

/// The keys of one map over those of another; maps among their values likewise, `depth` levels down.
fn over(base: Node, own: Node, depth: u32) -> Node {
    match (base, own) {
        (Node::Map(mut base), Node::Map(own)) if depth > 0 => {
            for (key, value) in own {
                match base.iter_mut().find(|(k, _)| *k == key) {
                    Some((_, there)) => *there = over(std::mem::take(there), value, depth - 1),
                    None => base.push((key, value)),
                }
            }
            Node::Map(base)
        }
        (_, own) => own,
    }
}

/// Where a top-level key stands for the second time, when that is the problem: serde_yaml says only
/// where the map begins.
fn second(text: &str, message: &str) -> Option<(u32, u32)> {
    let key = message
        .strip_prefix("duplicate field `")?
        .strip_suffix('`')?;
    let head = format!("{key}:");
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, l)| l.starts_with(&head));
    lines.nth(1).map(|(n, _)| (n as u32 + 1, 1))
}

/// serde_yaml ends its messages with the position, which stands beside them already.
fn without_position(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(cut) => message[..cut].to_owned(),
        None => message.to_owned(),
    }
}

/// Where in the file something stands: values have no positions of their own.
enum Place {
    /// A top-level key, and a word inside its block.
    Key(&'static str, String),
    /// The nth entry of a top-level list.
    Entry(&'static str, usize),
}

impl Place {
    fn find(&self, text: &str) -> (u32, u32) {
        let (Place::Key(key, _) | Place::Entry(key, _)) = self;
        let lines: Vec<&str> = text.lines().collect();
        let head = format!("{key}:");
        let Some(start) = lines.iter().position(|l| l.starts_with(&head)) else {
            return (1, 1);
        };
        let block = lines.iter().enumerate().skip(start + 1);
        let block = block.take_while(|(_, l)| l.is_empty() || l.starts_with([' ', '-', '#']));
        let at = |line: usize, column: usize| (line as u32 + 1, column as u32 + 1);
        match self {
            Place::Key(_, word) if !word.is_empty() => {
                if let Some(column) = lines[start].find(word.as_str()) {
                    return at(start, column);
                }
                let mut block = block;
                block
                    .find_map(|(n, l)| Some(at(n, l.find(word.as_str())?)))
                    .unwrap_or(at(start, 0))
            }
            Place::Key(..) => at(start, 0),
            Place::Entry(_, nth) => {
                let mut items = block.filter_map(|(n, l)| {
                    let column = l.len() - l.trim_start().len();
                    l.trim_start().starts_with("- ").then_some((n, column))
                });
                let Some(first) = items.next() else {
                    return at(start, 0);
                };
                let same = items.filter(|(_, column)| *column == first.1);
                let (line, column) = std::iter::once(first)
                    .chain(same)
                    .nth(*nth)
                    .unwrap_or(first);
                at(line, column)
            }
        }
    }
}

fn check(p: &Profile) -> Vec<(Place, String)> {
    let mut out = Vec::new();
    let key = |key, word: &str| Place::Key(key, word.to_owned());
    if p.version != 1 {
        out.push((
            key("version", ""),
            format!(
                "version {} of the profile format is not known, only 1 is",
                p.version
            ),
        ));
    }
    if p.name.is_empty()
        || !p
            .name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        out.push((key("name", ""), "a name is letters, digits and `-`".into()));
    }
    if p.abi.is_empty() {
        out.push((key("abi", ""), "no ABI version or dialect is named".into()));
    }
    for need in p.offers.keys() {
        if need != TRIGGER && !NEEDS.contains(&need.as_str()) {
            let all = NEEDS.join(", ");
            out.push((
                key("offers", need),
                format!("nothing is called `{need}`; a case may need {all}, {TRIGGER}"),
            ));
        }
    }
    check_network(p, &mut out);
    check_patterns(p, &mut out);
    for (n, entry) in p.alone.iter().enumerate() {
        if entry.cases.is_empty() || entry.why.trim().is_empty() {
            let message = "an entry of `alone` must name its `cases` and say `why`";
            out.push((Place::Entry("alone", n), message.into()));
        }
    }
    for entry in p.lacks.hostcalls.iter().chain(&p.lacks.callbacks) {
        if let Some((_, abi)) = entry.split_once('@')
            && !p.abi.iter().any(|a| a == abi)
        {
            let message = format!("`{abi}` is not among the profile's `abi`");
            out.push((key("lacks", entry), message));
        }
    }
    for (n, entry) in p.apart.iter().enumerate() {
        if entry.cases.is_empty() || entry.why.trim().is_empty() {
            let message = "an entry of `apart` must name its `cases` and say `why`";
            out.push((Place::Entry("apart", n), message.into()));
        }
    }
    for (n, entry) in p.known.iter().enumerate() {
        let mut say = |message: String| out.push((Place::Entry("known", n), message));
        if entry.cases.is_empty() {
            say("a known failure must name its `cases`".into());
        }
        for (name, value) in [
            ("seen", &entry.seen),
            ("why", &entry.why),
            ("source", &entry.source),
        ] {
            if value.trim().is_empty() {
                say(format!("a known failure must have `{name}`"));
            }
        }
        for verdict in &entry.verdicts {
            if !VERDICTS.contains(&verdict.as_str()) {
                say(format!(
                    "`{verdict}` is no verdict of a failure; these are {}",
                    VERDICTS.join(", ")
                ));
            }
        }
        if let Some(range) = &entry.versions
            && version_matches(range, "0").is_none()
        {
            say(format!(
                "`{range}` is no range of versions such as `>=1.36 <1.40`"
            ));
        }
        for (name, day) in [("since", &entry.since), ("expires", &entry.expires)] {
            if let Some(day) = day
                && !is_day(day)
            {
                say(format!("`{name}: {day}` is no day such as `2026-11-28`"));
            }
        }
        for abi in &entry.abi {
            if !p.abi.contains(abi) {
                say(format!("`{abi}` is not among the profile's `abi`"));
            }
        }
    }
    out
}

/// Whether a text is a day as ISO 8601 writes it: days written so are in order when their texts are.
pub fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [y, m, d] = parts[..] else { return false };
    let number = |t: &str, len: usize| -> Option<u32> {
        (t.len() == len && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse().ok())?
    };
    let (Some(y), Some(m), Some(d)) = (number(y, 4), number(m, 2), number(d, 2)) else {
        return false;
    };
    let leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let days = match m {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&m) && (1..=days).contains(&d)
}

fn check_network(p: &Profile, out: &mut Vec<(Place, String)>) {
    let lacking = |name: &str| {
        (
            Place::Key("driver", String::new()),
            format!("a network host must have `{name}`"),
        )
    };
    if p.driver != DriverKind::Network {
        if p.over.is_some_and(|over| over != Over::Reply) {
            out.push((
                Place::Key("over", String::new()),
                "only a network host ends its cases by `fence` or `at-stop`".into(),
            ));
        }
        return;
    }
    for (name, missing) in [
        ("binary", p.binary.is_none()),
        ("start", p.start.is_none()),
        ("listeners", p.listeners.is_none()),
        ("log", p.log.is_none()),
        ("over", p.over.is_none()),
    ] {
        if missing {
            out.push(lacking(name));
        }
    }
    let Some(listeners) = &p.listeners else {
        return;
    };
    if listeners.batch == 0 {
        out.push((
            Place::Key("listeners", "batch".into()),
            "a batch has at least one case".into(),
        ));
    }
    if listeners.change == Change::Rename {
        for (name, missing) in [
            ("listeners.file", listeners.file.is_none()),
            ("listeners.added", listeners.added.is_none()),
            ("listeners.rejected", listeners.rejected.is_none()),
        ] {
            if missing {
                out.push(lacking(name));
            }
        }
        if let (Some(file), Some(start)) = (&listeners.file, &p.start)
            && !start.files.contains_key(file)
        {
            out.push((
                Place::Key("listeners", file.clone()),
                format!("`{file}` is not among `start.files`"),
            ));
        }
    }
}

/// A regular expression for lines of a host's log. They are bytes: a dot matches any of them, and
/// classes are those of ASCII.
///
/// # Errors
/// It is none.
pub fn log_pattern(pattern: &str) -> Result<regex::bytes::Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).build()
}

/// Every regular expression must compile and have the groups that are read from it.
fn check_patterns(p: &Profile, out: &mut Vec<(Place, String)>) {
    let mut patterns: Vec<(&'static str, &str, &[&str])> = Vec::new();
    if let Some(log) = &p.log {
        patterns.push(("log", &log.line, &["text"]));
        patterns.extend(
            log.guest
                .iter()
                .map(|r| ("log", r.as_str(), &["text"] as &[&str])),
        );
        patterns.extend(log.own.iter().map(|r| ("log", r.as_str(), &[] as &[&str])));
    }
    if let Some(start) = &p.start {
        patterns.push(("start", &start.ready.log, &[]));
    }
    if let Some(listeners) = &p.listeners {
        let added = listeners.added.iter().chain(&listeners.loaded);
        patterns.extend(added.map(|r| ("listeners", r.as_str(), &["name"] as &[&str])));
        let rejected = listeners.rejected.iter();
        let together = listeners.rejected_together.iter();
        patterns.extend(
            together
                .clone()
                .map(|t| ("listeners", t.line.as_str(), &[] as &[&str])),
        );
        let rejected = rejected.chain(together.map(|t| &t.each));
        patterns.extend(rejected.map(|r| ("listeners", r.as_str(), &["name", "text"] as &[&str])));
    }
    let says = &p.says;
    patterns.extend(
        says.unlinked
            .iter()
            .map(|r| ("says", r.as_str(), &["import"] as &[&str])),
    );
    let others = says.refused.iter().chain(&says.trap);
    patterns.extend(others.map(|r| ("says", r.as_str(), &[] as &[&str])));
    for (key, pattern, groups) in patterns {
        let place = || Place::Key(key, pattern.to_owned());
        match log_pattern(pattern) {
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().to_owned();
                out.push((place(), format!("not a regular expression: {reason}")));
            }
            Ok(regex) => {
                for group in groups {
                    if !regex.capture_names().flatten().any(|n| n == *group) {
                        out.push((place(), format!("this expression needs a group `{group}`")));
                    }
                }
            }
        }
    }
    if let Some(command) = p.binary.as_ref().and_then(|b| b.version.as_ref())
        && Regex::new(&command.pattern).map_or(true, |r| r.captures_len() < 2)
    {
        out.push((
            Place::Key("binary", command.pattern.clone()),
            "`match` must be a regular expression with one group".into(),
        ));
    }
}
