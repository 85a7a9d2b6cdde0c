//! Adapters that die, hang or talk nonsense: trouble with the adapter, never a failure of the host behind
//! it, and nothing is left of them.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use pwspec::host::find;
use serde_json::Value;

use crate::cli::{Bench, GOOD, Ran};
use crate::kit::{profile, root};

/// Greets, and does `$THEN` when a VM is to be made.
const ALONE: &str = r#"#!/bin/sh
echo $$ >> pids
while IFS= read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
        *'"ask":{"hello"'*)
            echo '{"id":1,"answer":{"hello":{"protocol":1,"library":{"name":"odd","version":"1"},"abi":["0.2.1"],"callbacks":["proxy_on_request_headers"]}}}'
            ;;
        *) THEN ;;
    esac
done
"#;

/// Hands everything to a real adapter and back, and does `$THEN` when the fourth VM is to be made: the
/// first two are those of canaries.
const BETWEEN: &str = r#"#!/bin/sh
echo $$ >> pids
to=$(mktemp -u ./to-XXXXXX)
from=$(mktemp -u ./from-XXXXXX)
mkfifo "$to" "$from"
REAL < "$to" > "$from" &
exec 3> "$to" 4< "$from"
vms=0
while IFS= read -r line; do
    id=${line#*'"id":'}
    id=${id%%,*}
    case $line in
        *'"ask":{"load"'*)
            vms=$((vms + 1))
            if [ $vms = 4 ]; then
                THEN
            fi
            ;;
    esac
    printf '%s\n' "$line" >&3
    while IFS= read -r answer <&4; do
        printf '%s\n' "$answer"
        case $answer in
            *'"answer":{"entered"'*) ;;
            *) break ;;
        esac
    done
done
exec 3>&-
wait
"#;

/// A run whose adapter is this script.
fn run(bench: &Bench, script: &str, timeout: &str) -> Ran {
    bench.write("odd", script);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bench.path("odd"), executable).unwrap();
    bench.run(&[
        "run",
        "--abi",
        "0.2.1",
        "--out",
        "out",
        "--timeout",
        timeout,
        "--format",
        "terse",
        "--",
        "./odd",
    ])
}

/// Nothing of the groups of processes that the script began is alive.
fn nothing_is_left(bench: &Bench) {
    let groups = bench.read("pids");
    assert!(groups.lines().count() > 0, "the adapter was not started");
    let left = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let left = left.filter_map(|p| std::fs::read_to_string(p.path().join("stat")).ok());
    let left: Vec<String> = left
        .filter(|stat| {
            // After the name, which may hold anything: state, parent, group.
            let after = stat.rsplit(')').next().unwrap_or_default();
            let fields: Vec<&str> = after.split_whitespace().collect();
            let own = |group: &&str| groups.lines().any(|g| g == *group);
            fields.first() != Some(&"Z") && fields.get(2).is_some_and(own)
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The run ended with trouble that says this, and no case has a verdict on the host.
fn trouble(bench: &Bench, ran: &Ran, words: &str) {
    assert_eq!(ran.code, 3, "{}\n{}", ran.out, ran.err);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains(words), "{words}: {said}");
    nothing_is_left(bench);
}

fn summary(bench: &Bench) -> Value {
    serde_json::from_str(&bench.read("out/summary.json")).unwrap()
}

#[test]
fn whatever_it_does_it_is_the_adapter_and_not_the_host() {
    for (then, words) in [
        ("exit 0", "the adapter ended: exit status: 0"),
        ("echo no library here >&2; exit 7", "exit status: 7"),
        ("sleep 600", "the adapter hangs outside the library"),
        ("echo hello", "no message of the protocol: expected value"),
        (
            r#"echo "{\"id\":$id,\"answer\":{\"perhaps\":{}}}""#,
            "unknown variant `perhaps`",
        ),
        (
            r#"echo "{\"id\":$((id + 1)),\"answer\":{\"done\":{}}}""#,
            "an answer to 3 where one to 2 is due",
        ),
        ("exec >&-; sleep 600", "the adapter closed its output"),
        ("tr '\\0' x < /dev/zero", "a line of more than"),
    ] {
        let bench = Bench::new(&[GOOD]);
        // What takes long on a busy machine is not to be a hang.
        let timeout = if then.starts_with("tr ") { "30s" } else { "1s" };
        let ran = run(&bench, &ALONE.replace("THEN", then), timeout);
        trouble(&bench, &ran, words);
        let summary = summary(&bench);
        let of = &summary["runs"][0];
        assert_eq!(of["must_failed"], 0, "{then}: {summary}");
        assert_eq!(of["cases"]["not_run"], 2, "{then}: {summary}");
        assert_ne!(of["verdict"], "not conformant", "{then}");
    }
}

#[test]
fn a_greeting_of_another_version_or_none_is_trouble_before_anything_is_run() {
    for (greeting, words) in [
        (
            r#"{"id":1,"answer":{"hello":{"protocol":99,"library":{"name":"odd","version":"1"},"abi":[],"callbacks":[]}}}"#,
            "the adapter speaks version 99 of the protocol",
        ),
        (
            r#"{"id":1,"answer":{"done":{}}}"#,
            "does not answer the greeting with `hello`",
        ),
        ("good morning", "the greeting's answer is none"),
        (
            r#"{"id":1,"answer":{"hello":{"protocol":1,"library":{"name":"No Name","version":"1"},"abi":[],"callbacks":[]}}}"#,
            "what the adapter says of itself",
        ),
    ] {
        let bench = Bench::new(&[GOOD]);
        let script =
            format!("#!/bin/sh\necho $$ >> pids\nread -r line\necho '{greeting}'\nread -r line\n");
        let ran = run(&bench, &script, "1s");
        trouble(&bench, &ran, words);
    }
}

#[test]
fn one_that_breaks_in_the_middle_of_a_run_spoils_no_verdict() {
    let Some(found) = find(&profile("proxytest"), &root().join("target"))
        .into_iter()
        .next()
    else {
        eprintln!("SKIPPED: needs proxytest: make hosts HOSTS=proxytest");
        return;
    };
    let real = std::path::absolute(found.path).unwrap();
    let real = format!("'{}'", real.display());
    for (then, words) in [
        (
            "exit 7",
            "outside the library: the adapter ended: exit status: 7",
        ),
        ("sleep 600", "the adapter hangs outside the library"),
        ("echo hello", "no message of the protocol"),
    ] {
        let bench = Bench::new(&[GOOD]);
        let script = BETWEEN.replace("REAL", &real).replace("THEN", then);
        let ran = run(&bench, &script, "1s");
        trouble(&bench, &ran, words);
        let summary = summary(&bench);
        let of = &summary["runs"][0];
        assert_eq!(of["must_failed"], 0, "{then}: {summary}");
        // The case that it spoiled was played again, by a fresh one.
        assert_eq!(of["cases"]["pass"], 2, "{then}: {summary}");
        let record = bench.read("out/record.jsonl");
        assert!(record.contains(r#""blame":"adapter""#), "{then}: {record}");
        assert!(ran.out.contains("adapter unverified"), "{}", ran.out);
    }
}

#[test]
fn much_on_standard_error_and_a_doctor_that_it_did_not_see_change_no_verdict() {
    let Some(found) = find(&profile("proxytest"), &root().join("target"))
        .into_iter()
        .next()
    else {
        eprintln!("SKIPPED: needs proxytest: make hosts HOSTS=proxytest");
        return;
    };
    let real = format!("'{}'", std::path::absolute(found.path).unwrap().display());
    let bench = Bench::new(&[GOOD]);
    // More than a pipe holds, and than is kept.
    let then = "head -c 3000000 /dev/zero | tr '\\0' e >&2";
    let script = BETWEEN.replace("REAL", &real).replace("THEN", then);
    // What passed stays known to the cache: nobody has seen this one before.
    let script = format!("{script}# {}\n", bench.dir.path().display());
    let ran = run(&bench, &script, "5s");
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("adapter unverified"), "{}", ran.out);
    let header = bench.read("out/record.jsonl");
    assert!(
        header
            .lines()
            .next()
            .unwrap()
            .contains(r#""unverified":true"#)
    );
    let size = header.len();
    assert!(size < 200_000, "a record of {size} bytes");
    nothing_is_left(&bench);
    // It passes as it is: from now on its runs are not stamped.
    let doctor = bench.run(&["doctor", "--", "./odd"]);
    assert_eq!(doctor.code, 0, "{}\n{}", doctor.out, doctor.err);
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    let ran = run(&bench, &script, "5s");
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert!(!ran.out.contains("unverified"), "{}", ran.out);
    // Another script is another adapter.
    std::fs::remove_dir_all(bench.path("out")).unwrap();
    let ran = run(&bench, &format!("{script}# changed\n"), "5s");
    assert!(ran.out.contains("adapter unverified"), "{}", ran.out);
}
