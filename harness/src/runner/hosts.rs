//! From what was typed after `--host` to a profile and a way to the host.
//!
//! Starts nothing but a binary that is asked for its version.

use std::path::{Path, PathBuf};

use crate::case::{DriverKind, Profile, load_profile_over};
use crate::host::network::{Network, Options as NetworkOptions};
use crate::host::reference::{Options as ReferenceOptions, Reference};
use crate::host::stdio::{Program, Stdio};
use crate::host::{Driver, Found, Trouble, TroubleKind, find, how_to_get};

/// A host that was asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its description.
    pub profile: Profile,
    /// Its binary, unless it is embedded.
    pub binary: Option<Found>,
    /// Arguments of an adapter that was given as a command.
    pub args: Vec<String>,
}

/// Why what was typed names no host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHost {
    /// A usage error: message, help.
    Usage(String, Option<String>),
    /// The host is known and its binary is not here.
    Missing(Trouble),
}

/// Reads `reference`, `envoy`, `envoy@1.40.0`, `envoy@*`, `envoy=./envoy`, `./my.yaml`.
///
/// # Errors
/// See [`BadHost`].
pub fn wanted(text: &str, profiles: &[Profile], target: &Path) -> Result<Vec<Wanted>, BadHost> {
    if text.ends_with(".yaml") {
        return from_file(text, profiles, target);
    }
    if let Some((name, path)) = text.split_once('=') {
        let profile = known(name, profiles)?;
        let path = PathBuf::from(path);
        let version =
            crate::host::version_of(&profile, &path).unwrap_or_else(|| "local".to_owned());
        return Ok(vec![Wanted {
            profile,
            binary: Some(Found { version, path }),
            args: Vec::new(),
        }]);
    }
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let profile = known(name, profiles)?;
    installed(profile, version, target)
}

/// The profile that is meant by `envoy`, `envoy@1.40.0` or `./my.yaml`, and the version of its host; the
/// host itself need not be here.
///
/// # Errors
/// There is no such profile, or it cannot be read.
pub fn described(text: &str, profiles: &[Profile]) -> Result<(Profile, String), BadHost> {
    if text.ends_with(".yaml") {
        let profile = read(text, profiles)?;
        let version = usual(&profile);
        return Ok((profile, version));
    }
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let profile = known(name, profiles)?;
    let version = version.map_or_else(|| usual(&profile), str::to_owned);
    Ok((profile, version))
}

/// The version of a host that its profile speaks of most.
pub fn usual(profile: &Profile) -> String {
    profile
        .snapshots
        .clone()
        .unwrap_or_else(|| "local".to_owned())
}

fn known(name: &str, profiles: &[Profile]) -> Result<Profile, BadHost> {
    profiles
        .iter()
        .find(|p| p.name == name)
        .cloned()
        .ok_or_else(|| {
            let names: Vec<&str> = profiles.iter().map(|p| p.name.as_str()).collect();
            let help = crate::case::nearest(name, names.iter().copied())
                .unwrap_or_else(|| format!("known hosts: {}", names.join(", ")));
            BadHost::Usage(format!("unknown host `{name}`"), Some(help))
        })
}

fn from_file(path: &str, profiles: &[Profile], target: &Path) -> Result<Vec<Wanted>, BadHost> {
    installed(read(path, profiles)?, None, target)
}

fn read(path: &str, profiles: &[Profile]) -> Result<Profile, BadHost> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| BadHost::Usage(format!("failed to read {path}: {e}"), None))?;
    let profile = load_profile_over(path, &text, profiles).map_err(|problems| {
        let all: Vec<String> = problems
            .iter()
            .map(|p| format!("{}:{}:{}: {}", p.file, p.line, p.column, p.message))
            .collect();
        BadHost::Usage(all.join("\n"), None)
    })?;
    Ok(Profile {
        file: Some(PathBuf::from(path)),
        ..profile
    })
}

fn installed(
    profile: Profile,
    version: Option<&str>,
    target: &Path,
) -> Result<Vec<Wanted>, BadHost> {
    if profile.driver == DriverKind::Reference {
        return Ok(vec![Wanted {
            profile,
            binary: None,
            args: Vec::new(),
        }]);
    }
    let found = find(&profile, target);
    let mut chosen: Vec<Found> = match version {
        None => found.into_iter().take(1).collect(),
        Some("*") => found,
        Some(v) => found
            .into_iter()
            .filter(|f| f.version == v)
            .take(1)
            .collect(),
    };
    if chosen.is_empty() {
        let which = version
            .filter(|v| *v != "*")
            .map_or(String::new(), |v| format!(" {v}"));
        let trouble = Trouble::new(
            TroubleKind::Missing,
            format!("{}{which} is not here", profile.name),
        );
        let by_hand = format!("--host {}=PATH", profile.name);
        let own = profile.binary.as_ref().and_then(|b| b.path.as_ref());
        let help = match (own.zip(profile.file.as_ref()), how_to_get(&profile)) {
            (Some((path, file)), _) => format!(
                "{} says {path}, seen from its folder (or {by_hand})",
                file.display()
            ),
            (None, Some(get)) => format!("{get}   (or {by_hand})"),
            (None, None) => by_hand,
        };
        let trouble = trouble.help(help);
        return Err(BadHost::Missing(trouble));
    }
    Ok(chosen
        .drain(..)
        .map(|f| Wanted {
            profile: profile.clone(),
            binary: Some(f),
            args: Vec::new(),
        })
        .collect())
}

/// Compiled modules of the reference host in memory: a run plays each case once.
const KEPT: usize = 48;

/// A way to the host.
///
/// # Errors
/// The binary is not there, or the profile is for a kind of driver that is not linked in.
pub fn open(
    wanted: &Wanted,
    workers: usize,
    cache: Option<PathBuf>,
) -> Result<Box<dyn Driver>, Trouble> {
    match (&wanted.binary, wanted.profile.driver) {
        (_, DriverKind::Reference) => Ok(Box::new(Reference::new(ReferenceOptions {
            workers,
            cache_dir: cache,
            keep: KEPT,
            fault: None,
        }))),
        (Some(found), DriverKind::Network) => {
            let options = NetworkOptions {
                version: Some(found.version.clone()),
                ..NetworkOptions::default()
            };
            Ok(Box::new(Network::new(
                wanted.profile.clone(),
                found.path.clone(),
                options,
            )?))
        }
        (Some(found), DriverKind::Stdio) => Ok(Box::new(Stdio::new(
            &wanted.profile,
            Program {
                path: found.path.clone(),
                args: wanted.args.clone(),
            },
            found.version.clone(),
        )?)),
        (_, kind) => Err(Trouble::new(
            TroubleKind::DidNotStart,
            format!(
                "a host behind the {} driver cannot be reached from here",
                kind.word()
            ),
        )),
    }
}

/// Where compiled guests are kept: the user's own cache folder.
pub fn cache_folder() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute())
        .or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cache")))?;
    Some(base.join("pwspec"))
}
