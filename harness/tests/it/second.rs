//! What a run says of a library is what a small program says that uses the library by itself, shares no
//! file with the adapter and none of our guests. Where the library's tools are not here these tests say
//! so and pass: a test binary has no better word for it.
//!
//! Does not know what the text asks for: both are to see the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use pwspec::abi::{Abi, load};
use pwspec::host::find;
use pwspec::judge::Outcome;
use pwspec::record::{Record, ResultLine};
use pwspec::trace::{End, Load};

use crate::kit::{profile, root};

/// What a program saw: by column and case, in its own words.
type Seen = BTreeMap<(String, String), String>;

/// Every ABI version and dialect.
fn tables() -> Vec<Abi> {
    let mut files = Vec::new();
    for dir in ["abi", "abi/dialects"] {
        for entry in std::fs::read_dir(root().join("specs").join(dir)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((format!("{dir}/{name}"), text));
            }
        }
    }
    files.sort();
    load(&files).unwrap()
}

/// Builds the Go program of a host and runs it.
fn go_program(host: &str, dir: &Path, abi: &str) -> Seen {
    let program = dir.join("second");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .env("CGO_ENABLED", "0")
        .current_dir(root().join("harness/tests/fixtures/second").join(host))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(built.status.success(), "{said}");
    seen(&mut Command::new(&program), abi)
}

/// Runs a program. Each line is `[ABI ]CASE: WHAT`.
fn seen(program: &mut Command, abi: &str) -> Seen {
    let ran = program.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let lines = String::from_utf8(ran.stdout).unwrap();
    let lines = lines.lines().map(|line| {
        let (of, what) = line.split_once(": ").unwrap();
        let (abi, case) = of.split_once(' ').unwrap_or((abi, of));
        ((abi.to_owned(), case.to_owned()), what.to_owned())
    });
    lines.collect()
}

/// Runs these cases on the host, through its adapter.
fn run(host: &str, seen: &Seen, out: &Path) -> Vec<(String, ResultLine)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pwspec"));
    command.arg("run").args(["--host", host, "--exit-zero"]);
    command.args(["--snapshots", "off", "--format", "terse"]);
    command.arg("--specs").arg(root().join("specs"));
    command.arg("--out").arg(out).current_dir(root());
    let ran = command.args(seen.keys().map(|(_, case)| case));
    let ran = ran.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    let record = Record::read(&out.join("record.jsonl")).unwrap();
    let abi_of = |r: &ResultLine| {
        let mut columns = record.header.columns.iter();
        columns.find(|c| c.name == r.column).unwrap().abi.clone()
    };
    let results = record.results.iter();
    results.map(|r| (abi_of(r), r.clone())).collect()
}

/// What a run saw of a case that fails, in the words of the small programs: at its first failing check.
fn of_the_run(result: &ResultLine, abi: &Abi) -> String {
    let last = result.attempts.last().unwrap();
    if let Load::Unlinked { text, .. } = &last.load {
        let words = String::from_utf8_lossy(text.whole().unwrap());
        return format!("refused {words}");
    }
    if let End::Trap(text) = &last.end {
        let words = String::from_utf8_lossy(text.whole().unwrap()).into_owned();
        return format!("trap {}", words.lines().next().unwrap());
    }
    let mut checks = result.judgement.checks.iter();
    let check = checks.find(|c| !c.control && c.outcome == Outcome::Fail);
    let check = check.expect("a check fails");
    let got = &check.got;
    let (status, rest) = got.split_once(", ").unwrap_or((got, ""));
    let statuses = abi.enumeration("proxy_status_t").unwrap();
    let number = statuses.number(status);
    let number = number.unwrap_or_else(|| status.split(' ').next().unwrap().parse().unwrap());
    match rest.strip_prefix("value \"") {
        Some(value) if check.name.ends_with(" value") => {
            format!("status {number} value {}", value.trim_end_matches('"'))
        }
        _ => format!("status {number}"),
    }
}

/// The program and a run see the same, in at least five cases that fail.
fn same(host: &str, seen: &Seen, dir: &Path) {
    let tables = tables();
    let run = run(host, seen, &dir.join("out"));
    let mut compared = 0;
    for ((abi, case), what) in seen {
        let mut of = run.iter().filter(|(a, r)| a == abi && r.case == *case);
        let (_, result) = of.next().expect("the case is in the record");
        let table = tables.iter().find(|t| t.id == *abi).unwrap();
        assert_eq!(of_the_run(result, table), *what, "{host} {abi} {case}");
        compared += 1;
    }
    assert!(compared >= 5, "{host}: {compared} cases");
}

/// A host written in Go: its program, against a run.
fn go_host(host: &str, abi: &str) {
    let found = find(&profile(host), &root().join("target"))
        .into_iter()
        .next();
    let go = Command::new("go").arg("version").output();
    let (Ok(_), Some(found)) = (go, found) else {
        eprintln!("SKIPPED: needs Go and {host}: make hosts HOSTS={host}");
        return;
    };
    let module = root().join(format!("harness/tests/fixtures/second/{host}/go.mod"));
    let module = std::fs::read_to_string(module).unwrap();
    if !module.contains(&format!(" v{}\n", found.version)) {
        let version = found.version;
        eprintln!("SKIPPED: {host} is here as {version}, and the small program knows another");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let seen = go_program(host, dir.path(), abi);
    same(host, &seen, dir.path());
}

/// The first build of a host that is here, if it is of the version that its small program knows.
fn here(host: &str, known: &str) -> Option<std::path::PathBuf> {
    let found = find(&profile(host), &root().join("target"));
    match found.into_iter().next() {
        Some(found) if found.version == known => Some(found.path),
        Some(found) => {
            let version = found.version;
            eprintln!("SKIPPED: {host} is here as {version}, and the small program knows {known}");
            None
        }
        None => {
            eprintln!("SKIPPED: needs {host}: make hosts HOSTS={host}");
            None
        }
    }
}

#[test]
fn the_java_host_says_the_same_without_the_adapter() {
    let Some(found) = here("java", "0.0.5") else {
        return;
    };
    if Command::new("javac").arg("-version").output().is_err() {
        eprintln!("SKIPPED: needs javac");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let jars = format!("{}/lib/*", found.parent().unwrap().display());
    let source = root().join("harness/tests/fixtures/second/java/Second.java");
    let mut javac = Command::new("javac");
    javac.args(["-cp", &jars, "-d"]).arg(dir.path()).arg(source);
    let built = javac.output().unwrap();
    assert!(built.status.success(), "{built:?}");
    let mut java = Command::new("java");
    java.arg("-cp")
        .arg(format!("{}:{jars}", dir.path().display()));
    let seen = seen(java.arg("Second"), "0.2.1");
    same("java", &seen, dir.path());
}

/// Its engine takes minutes to build, so that the program is built here only where that was done before.
#[test]
fn the_rust_host_says_the_same_without_the_adapter() {
    if here("proxy-wasm-host", "0.2.0").is_none() {
        return;
    }
    let folder = root().join("harness/tests/fixtures/second/proxy-wasm-host");
    let target = root().join("target/second");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--locked", "--ignore-rust-version"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&folder);
    let engine = target.join("release/deps");
    let mut built = std::fs::read_dir(engine).into_iter().flatten().flatten();
    if !built.any(|f| f.file_name().to_string_lossy().starts_with("libwasmtime-")) {
        eprintln!("SKIPPED: in {}: {cargo:?}", folder.display());
        return;
    }
    let built = cargo.output().unwrap();
    assert!(built.status.success(), "{built:?}");
    let dir = tempfile::tempdir().unwrap();
    let seen = seen(&mut Command::new(target.join("release/second")), "0.2.1");
    same("proxy-wasm-host", &seen, dir.path());
}

#[test]
fn proxytest_says_the_same_without_the_adapter() {
    go_host("proxytest", "0.2.1");
}

#[test]
fn the_library_behind_mosn_says_the_same_without_the_adapter() {
    go_host("mosn-lib", "0.2.0");
}
