//! The prebuilt files: those of the manifest and of their sources, and what a marker's place is for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::case::FixedRef;
use crate::guest::base::PREBUILT;
use crate::guest::fixed::FILES;
use crate::guest::{fixed, fixed_guests, inspect};

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-fixtures")
}

/// All files under `at`, with their paths as `build.sh` writes them.
fn files(at: &str, into: &mut Vec<String>) {
    let path = fixtures().join(at);
    if path.is_file() {
        into.push(at.to_owned());
        return;
    }
    for entry in std::fs::read_dir(&path).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        files(&format!("{at}/{name}"), into);
    }
}

/// The digest that `build.sh` writes for guests that are made from `own`.
fn digest(own: &[String]) -> String {
    let mut names = Vec::new();
    for at in ["Cargo.toml", "Cargo.lock", ".cargo"] {
        files(at, &mut names);
    }
    for at in own {
        files(at, &mut names);
    }
    names.sort();
    let line = |n: &String| {
        let bytes = std::fs::read(fixtures().join(n)).unwrap();
        format!("{}  {n}\n", sha256(&bytes))
    };
    let lines: String = names.iter().map(line).collect();
    sha256(lines.as_bytes())
}

/// What a prebuilt file is made from.
fn sources(file: &str) -> Vec<String> {
    if let Some(plugin) = file
        .strip_prefix("sdk/")
        .and_then(|f| f.strip_suffix(".wasm"))
    {
        return vec![format!("sdk/{plugin}")];
    }
    let own: &[&str] = match file.split_once('/') {
        None => &["scripted/Cargo.toml", "scripted/src"],
        Some(("handmade", _)) => &["handmade/Cargo.toml", "handmade/src", "handmade/wat"],
        Some((folder, _)) => panic!("{file}: nothing is known of {folder}"),
    };
    own.iter().map(|s| (*s).to_owned()).collect()
}

#[test]
fn the_prebuilt_guests_are_those_of_the_manifest_and_of_the_sources() {
    let text = std::fs::read(fixtures().join("prebuilt/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let mut listed = BTreeSet::new();
    for guest in manifest["guests"].as_array().unwrap() {
        let file = guest["file"].as_str().unwrap();
        let bytes = std::fs::read(fixtures().join("prebuilt").join(file)).unwrap();
        assert_eq!(guest["sha256"], sha256(&bytes), "{file}");
        assert_eq!(
            guest["sources"],
            digest(&sources(file)),
            "the sources of {file} have changed: run `make guests`"
        );
        listed.insert(format!("prebuilt/{file}"));
    }
    let mut there = Vec::new();
    files("prebuilt", &mut there);
    there.retain(|f| f.ends_with(".wasm"));
    assert_eq!(listed, there.into_iter().collect());
}

#[test]
fn every_prebuilt_guest_is_in_the_binary_as_it_is_on_disk() {
    let mut embedded: BTreeSet<String> = BTreeSet::new();
    let scripted = [("scripted.wasm", PREBUILT)];
    for (name, bytes) in FILES.iter().copied().chain(scripted) {
        let on_disk = std::fs::read(fixtures().join("prebuilt").join(name)).unwrap();
        assert_eq!(sha256(bytes), sha256(&on_disk), "{name}");
        embedded.insert(format!("prebuilt/{name}"));
    }
    let mut there = Vec::new();
    files("prebuilt", &mut there);
    there.retain(|f| f.ends_with(".wasm"));
    assert_eq!(embedded, there.into_iter().collect());
}

fn reference(name: &str, marker: Option<&str>) -> FixedRef {
    FixedRef {
        name: name.to_owned(),
        digest: String::new(),
        marker: marker.map(str::to_owned),
    }
}

#[test]
fn a_marker_takes_the_place_of_the_guests_own() {
    let name = "handmade/plain.wasm";
    let other = "proxy_abi_version_0_1_0";
    let changed = fixed(&reference(name, Some(other))).unwrap();
    assert_eq!(inspect(&changed).unwrap().markers, [other]);
    let as_it_is = fixed(&reference(name, None)).unwrap();
    assert_eq!(as_it_is.len(), changed.len());
    assert_eq!(
        inspect(&as_it_is).unwrap().markers,
        ["proxy_abi_version_0_2_1"]
    );
    let long = fixed(&reference(name, Some("proxy_abi_version_0_10_0"))).unwrap_err();
    assert!(long.to_string().contains("another length"), "{long}");
    let none = fixed(&reference("handmade/nobody.wasm", None)).unwrap_err();
    assert!(none.to_string().contains("there is none"), "{none}");
}

#[test]
fn what_is_no_module_has_no_marker_and_imports_nothing() {
    let all = fixed_guests();
    let of = |name: &str| all.iter().find(|g| g.name == name).unwrap();
    let truncated = of("handmade/truncated.wasm");
    assert_eq!(truncated.markers, Vec::<String>::new());
    assert!(truncated.imports.is_empty());
    let plain = of("handmade/plain.wasm");
    assert_eq!(plain.markers, ["proxy_abi_version_0_2_1"]);
    let log = ("env".to_owned(), "proxy_log".to_owned());
    assert_eq!(plain.imports.iter().collect::<Vec<_>>(), [&log]);
}
