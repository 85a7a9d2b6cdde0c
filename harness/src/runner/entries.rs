//! An entry of a profile's known failures that needs a hand, and the command that mends it.
//!
//! Does not mend.

use std::fmt;

use crate::case::{Profile, known_lines};
use crate::judge::EntryState;

/// One entry that is not as it was, in one column or over several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryNote {
    /// The column, or the host where it is about all of them.
    pub column: String,
    /// The host as `--host` takes it.
    pub host: String,
    /// Whether the profile is a file that may be edited.
    pub editable: bool,
    /// The entry, from 1.
    pub entry: usize,
    /// `specs/hosts/envoy.yaml:172`, where the profile is a file.
    pub place: Option<String>,
    /// The cases that it names, as it names them.
    pub cases: Vec<String>,
    /// What is wrong.
    pub state: EntryState,
}

impl EntryNote {
    /// About entry `nth`, from 0, of a profile.
    pub fn new(profile: &Profile, column: &str, nth: usize, state: &EntryState) -> EntryNote {
        let place = profile.file.as_ref().and_then(|file| {
            let text = std::fs::read_to_string(file).ok()?;
            let line = known_lines(&text).get(nth).copied()?;
            Some(format!("{}:{line}", file.display()))
        });
        EntryNote {
            column: column.to_owned(),
            host: host_name(profile),
            editable: profile.file.is_some(),
            entry: nth + 1,
            place,
            cases: profile
                .known
                .get(nth)
                .map(|k| k.cases.clone())
                .unwrap_or_default(),
            state: state.clone(),
        }
    }

    /// `stale`, `over-broad` …
    pub fn word(&self) -> &'static str {
        match self.state {
            EntryState::Fine => "fine",
            EntryState::Unmatched(_) => "unmatched",
            EntryState::Stale(_) => "stale",
            EntryState::OverBroad(_) => "over-broad",
            EntryState::ChangedReason(_) => "changed reason",
            EntryState::Expired(_) => "expired",
        }
    }

    /// What is wrong, in a few words.
    pub fn what(&self) -> String {
        match &self.state {
            EntryState::Fine => String::new(),
            EntryState::Unmatched(p) => format!("no case of the suite: {}", p.join(", ")),
            EntryState::Stale(p) | EntryState::OverBroad(p) => {
                format!("these pass: {}", p.join(", "))
            }
            EntryState::ChangedReason(c) => {
                let each = c.iter().map(|(case, how)| format!("{case} ({how})"));
                each.collect::<Vec<_>>().join(", ")
            }
            EntryState::Expired(day) => {
                format!("it was to hold until {day}: {}", self.cases.join(", "))
            }
        }
    }

    /// The command that mends it; for a profile that cannot be edited the one that makes one that can.
    pub fn fix(&self) -> String {
        if !self.editable {
            return format!("pwspec init {}", self.host);
        }
        let (verb, cases, more): (_, Vec<&str>, _) = match &self.state {
            EntryState::Fine => return String::new(),
            EntryState::Unmatched(p) | EntryState::Stale(p) | EntryState::OverBroad(p) => {
                ("prune", p.iter().map(String::as_str).collect(), "")
            }
            EntryState::ChangedReason(c) => (
                "add",
                c.iter().map(|(case, _)| case.as_str()).collect(),
                " --why 'the cause'",
            ),
            EntryState::Expired(_) => (
                "add",
                self.cases.iter().map(String::as_str).collect(),
                " --expires YYYY-MM-DD",
            ),
        };
        let cases: Vec<String> = cases.into_iter().map(quoted).collect();
        format!(
            "pwspec expect {} {verb} {}{more} --fix",
            self.host,
            cases.join(" ")
        )
    }
}

impl fmt::Display for EntryNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.place {
            Some(place) => place.clone(),
            None => format!("known failure {}", self.entry),
        };
        write!(
            f,
            "{}: {place}: {}, {}\n  mend: {}",
            self.column,
            self.word(),
            self.what(),
            self.fix()
        )
    }
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:@=+,%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A host as `--host` takes it: its name where the profile is found by that, else the file.
pub fn host_name(profile: &Profile) -> String {
    let Some(file) = &profile.file else {
        return profile.name.clone();
    };
    let folder = file.parent().and_then(|p| p.file_name());
    match folder.and_then(|n| n.to_str()) {
        Some("hosts" | "pwspec") => profile.name.clone(),
        _ => file.display().to_string(),
    }
}
