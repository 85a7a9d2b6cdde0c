//! Where the binaries of hosts are, and which versions.
//!
//! Does not start a host, but for asking its version; gets nothing by itself.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use regex::Regex;

use crate::case::Profile;

/// A binary of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its version, or `local`.
    pub version: String,
    /// Where it is.
    pub path: PathBuf,
}

/// All binaries of a host that are here, newest first: `<target>/hosts/<name>/<version>/<binary>`,
/// then the `PATH`; where the profile says where it is, there alone. A version that comes twice is taken from the first of these.
pub fn find(profile: &Profile, target: &Path) -> Vec<Found> {
    let Some(binary) = &profile.binary else {
        return Vec::new();
    };
    if let Some(path) = &binary.path {
        let home = profile.file.as_ref().and_then(|f| f.parent());
        let path = home.map_or_else(|| PathBuf::from(path), |h| h.join(path));
        if !path.is_file() {
            return Vec::new();
        }
        let version = version_of(profile, &path).unwrap_or_else(|| "local".to_owned());
        return vec![Found { version, path }];
    }
    let mut out = Vec::new();
    let name = profile.extends.as_ref().unwrap_or(&profile.name);
    let folder = target.join("hosts").join(name);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path().join(&binary.name);
        if path.is_file() {
            out.push(Found {
                version: entry.file_name().to_string_lossy().into_owned(),
                path,
            });
        }
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&paths).map(|p| p.join(&binary.name));
    if let Some(path) = on_path.into_iter().find(|p| p.is_file()) {
        let version = version_of(profile, &path).unwrap_or_else(|| "local".to_owned());
        if !out.iter().any(|f| f.version == version) {
            out.push(Found { version, path });
        }
    }
    out.sort_by_key(|f| Reverse(version_numbers(&f.version)));
    out
}

/// The command that gets a host, for people without it.
pub fn how_to_get(profile: &Profile) -> Option<String> {
    profile.binary.as_ref()?.get.clone()
}

/// The version that a binary gives, where the profile says how to ask and it answers.
pub fn version_of(profile: &Profile, path: &Path) -> Option<String> {
    let command = profile.binary.as_ref()?.version.as_ref()?;
    let regex = Regex::new(&command.pattern).ok()?;
    let out = Command::new(path)
        .args(&command.args)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = [out.stdout, out.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let version = regex.captures(&said)?.get(1)?;
    Some(version.as_str().to_owned())
}

/// A version as numbers that can be compared; words come after all numbers.
pub fn version_numbers(version: &str) -> Vec<u64> {
    let parts = version.split(['.', '-']);
    parts.map_while(|p| p.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
