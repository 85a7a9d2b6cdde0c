//! House rules as tests: rooms import only from rooms above them, files stay small, every file says
//! what it is for, nothing is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms each room may import. A permission that nobody uses is an error too.
const MAY: &[(&str, &[&str])] = &[
    ("abi", &[]),
    ("trace", &["abi"]),
    ("case", &["abi"]),
    ("guest", &["abi", "case", "trace"]),
    ("judge", &["abi", "case", "trace"]),
    ("host", &["abi", "case", "trace"]),
    ("fuzz", &["abi", "trace"]),
    ("record", &["abi", "judge", "trace"]),
    ("report", &["abi", "judge", "record", "trace"]),
    (
        "runner",
        &[
            "abi", "case", "fuzz", "guest", "host", "judge", "record", "trace",
        ],
    ),
    (
        "cli",
        &[
            "abi", "case", "fuzz", "guest", "host", "judge", "record", "report", "runner", "trace",
        ],
    ),
];

/// Crates that only one room may name outside tests.
const ONLY: &[(&str, &[&str])] = &[
    ("wasmer", &["host/reference"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("indicatif", &["cli", "report/terminal"]),
    ("minijinja", &["report", "host/network"]),
    ("serde_yaml", &["abi", "case"]),
    ("proptest", &["fuzz"]),
    ("tokio", &["host/network/h2"]),
    ("http", &["host/network/h2"]),
];

fn harness() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, end: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            out.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            out.push(path);
        }
    }
    out.sort();
    out
}

/// `(path below src, text)` of every source file.
fn sources() -> Vec<(String, String)> {
    let src = harness().join("src");
    let all = files(&src, ".rs").into_iter();
    all.map(|path| {
        let below = path
            .strip_prefix(&src)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        (below, fs::read_to_string(&path).unwrap())
    })
    .collect()
}

fn is_test(below: &str) -> bool {
    below.ends_with("tests.rs") || below.contains("/tests/") || below.contains("/fixture")
}

/// Text of a line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or("")
}

#[test]
fn rooms_import_only_from_rooms_above_them() {
    let may: BTreeMap<&str, BTreeSet<&str>> = MAY
        .iter()
        .map(|(room, rooms)| (*room, rooms.iter().copied().collect()))
        .collect();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    let mut wrong = Vec::new();
    for (below, text) in sources() {
        let Some((room, _)) = below.split_once('/') else {
            continue;
        };
        let allowed = may
            .get(room)
            .unwrap_or_else(|| panic!("src/{room} is no room of the table"));
        for (n, line) in text.lines().enumerate() {
            for part in code(line).split("crate::").skip(1) {
                let name: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if name == room || name.is_empty() || is_test(&below) {
                    continue;
                }
                if allowed.contains(name.as_str()) {
                    used.insert((room.to_owned(), name));
                } else {
                    wrong.push(format!(
                        "src/{below}:{}: {room} may not import {name}",
                        n + 1
                    ));
                }
            }
        }
    }
    for (room, rooms) in MAY {
        for other in *rooms {
            if !used.contains(&(room.to_string(), other.to_string())) {
                wrong.push(format!("{room} may import {other} and does not"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circles_and_names_every_room() {
    let mut above: Vec<&str> = Vec::new();
    for (room, rooms) in MAY {
        for other in *rooms {
            assert!(
                above.contains(other),
                "{room} imports {other}, which does not stand above it"
            );
        }
        above.push(room);
    }
    let src = harness().join("src");
    let folders = fs::read_dir(src)
        .unwrap()
        .flatten()
        .filter(|e| e.path().is_dir());
    let found: BTreeSet<String> = folders
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    let table: BTreeSet<String> = above.into_iter().map(str::to_owned).collect();
    assert_eq!(found, table);
}

#[test]
fn some_crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (below, text) in sources().into_iter().filter(|(below, _)| !is_test(below)) {
        for (n, line) in text.lines().enumerate() {
            for (name, rooms) in ONLY {
                let named = code(line).contains(&format!("{name}::"));
                if named && !rooms.iter().any(|r| below.starts_with(&format!("{r}/"))) {
                    wrong.push(format!(
                        "src/{below}:{}: {name} belongs into {}",
                        n + 1,
                        rooms.join(", ")
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Secrets of profiles are left out in one place, so everything has to pass there.
#[test]
fn what_is_printed_goes_through_one_door() {
    let mut wrong = Vec::new();
    for (below, text) in sources() {
        let text = text.split("mod tests {").next().unwrap_or("");
        if is_test(&below) || below == "cli/out.rs" {
            continue;
        }
        let door = text
            .lines()
            .filter(|l| l.trim().starts_with("use crate::cli::out::"));
        let door: String = door.collect();
        for (n, line) in text.lines().enumerate() {
            let code = code(line);
            let printed = ["println!", "eprintln!", "print!", "eprint!"]
                .into_iter()
                .find(|m| {
                    code.match_indices(m).any(|(at, _)| {
                        !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
                    })
                });
            let Some(name) = printed.map(|m| m.trim_end_matches('!')) else {
                continue;
            };
            let has = door
                .split([' ', '{', '}', ',', ';', ':'])
                .any(|w| w == name);
            if !has {
                wrong.push(format!(
                    "{below}:{}: {name} is not that of cli/out.rs",
                    n + 1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    let tests = files(&harness().join("tests"), ".rs").into_iter();
    let benches = files(&harness().join("benches"), ".rs").into_iter();
    let all = files(&harness().join("src"), ".rs")
        .into_iter()
        .chain(tests)
        .chain(benches);
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > 600 {
            wrong.push(format!(
                "{}: {lines} lines; 600 is the most",
                path.display()
            ));
        }
        if !text.starts_with("//!") {
            wrong.push(format!(
                "{}: does not open with what it is for",
                path.display()
            ));
        }
        if path.ends_with("mod.rs")
            && !is_test(&path.to_string_lossy())
            && text
                .lines()
                .any(|l| l.starts_with("fn ") || l.starts_with("impl"))
        {
            // Declares, documents, re-exports; small public doors of a room are allowed.
            let code = text
                .lines()
                .filter(|l| !l.starts_with("//") && !l.trim().is_empty())
                .count();
            if code > 220 {
                wrong.push(format!(
                    "{}: a mod.rs declares and re-exports",
                    path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_top_level_is_as_agreed() {
    let root = harness().join("..");
    let agreed = [
        "Cargo.toml",
        "Cargo.lock",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "guest-fixtures",
        "harness",
        "reports",
        "specs",
    ];
    let out = std::process::Command::new("git")
        .args(["ls-files"])
        .current_dir(&root)
        .output();
    let Ok(out) = out else { return };
    let listed = String::from_utf8_lossy(&out.stdout);
    let top: BTreeSet<&str> = listed
        .lines()
        .filter_map(|l| l.split('/').next())
        .filter(|n| !n.starts_with('.'))
        .collect();
    let wrong: Vec<&&str> = top.iter().filter(|n| !agreed.contains(n)).collect();
    assert!(wrong.is_empty(), "not at the top level: {wrong:?}");
}

#[test]
fn no_snapshot_is_an_orphan() {
    let specs = harness().join("../specs");
    let mut wrong = Vec::new();
    for snap in files(&specs.join("snapshots"), ".snap") {
        let below = snap.strip_prefix(specs.join("snapshots")).unwrap();
        let suite: PathBuf = below.components().skip(1).collect();
        let file = specs.join("cases").join(suite.with_extension("yaml"));
        let Ok(cases) = fs::read_to_string(&file) else {
            wrong.push(format!(
                "{}: there is no {}",
                snap.display(),
                file.display()
            ));
            continue;
        };
        for line in fs::read_to_string(&snap).unwrap().lines() {
            if let Some(case) = line.strip_prefix("=== ") {
                let id = case.rsplit('/').next().unwrap_or("");
                let named = [format!("- id: {id}"), format!("- id: \"{id}\"")];
                if !named.iter().any(|n| cases.contains(n)) {
                    wrong.push(format!("{}: there is no case {case}", snap.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_says_where_it_was_made() {
    let root = harness().join("..");
    let mut wrong = Vec::new();
    for dir in [
        "harness/src",
        "harness/tests",
        "harness/adapters",
        "specs",
        "guest-fixtures/scripted",
        ".ci",
        ".github",
    ] {
        for path in files(&root.join(dir), "") {
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            // Built from pieces, so that this file does not find itself.
            for bad in [
                concat!("/wo", "rk/"),
                concat!("/ro", "ot/"),
                concat!("TO", "DO"),
                concat!("FIX", "ME"),
            ] {
                if text.contains(bad) {
                    wrong.push(format!("{}: {bad}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
