//! Hosts that do not start, or start late: each says why in its own words, and leaves no process and no
//! file behind. Those that need a real Envoy say so and pass without one.
#![cfg(unix)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::cli::envoy::envoy;
use crate::cli::{Bench, GOOD, Ran};

/// Runs one version of the suite on `host`; the temporary folder is the bench's own.
fn run(bench: &Bench, host: &str) -> Ran {
    let tmp = bench.path("tmp");
    fs::create_dir_all(&tmp).unwrap();
    let args = ["run", "--host", host, "--abi", "0.2.1", "--out", "out"];
    let ran = Ran::from(bench.command(&args).env("TMPDIR", &tmp).output().unwrap());
    let left: Vec<_> = fs::read_dir(&tmp).unwrap().flatten().collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    ran
}

fn program(bench: &Bench, name: &str, bytes: &[u8], mode: u32) {
    fs::write(bench.path(name), bytes).unwrap();
    fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

/// Whether some process has this word among its arguments.
fn runs(word: &str) -> bool {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = all.filter_map(|p| fs::read(p.path().join("cmdline")).ok());
    lines.any(|line| line.split(|b| *b == 0).any(|w| w == word.as_bytes()))
}

/// The header of a program for 64-bit ARM, or on such a machine for 64-bit x86.
fn foreign_program() -> Vec<u8> {
    let machine: u16 = if cfg!(target_arch = "aarch64") {
        62
    } else {
        183
    };
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    elf.extend(2_u16.to_le_bytes());
    elf.extend(machine.to_le_bytes());
    elf.extend(1_u32.to_le_bytes());
    elf.extend(0x0040_0000_u64.to_le_bytes());
    elf.extend(64_u64.to_le_bytes());
    elf.resize(64 + 56, 0);
    elf
}

#[test]
fn a_file_that_is_no_program_is_told_apart_from_one_that_may_not_run() {
    let foreign = foreign_program();
    for (name, bytes, mode, says) in [
        (
            "closed",
            b"#!/bin/sh\n" as &[u8],
            0o644,
            "it is not executable",
        ),
        (
            "foreign",
            &foreign,
            0o755,
            "it is no program for this machine",
        ),
        (
            "words",
            b"hello\n",
            0o755,
            "it is no program for this machine",
        ),
        (
            "lost",
            b"#!/nowhere/sh\n",
            0o755,
            "its interpreter or loader, is not here",
        ),
    ] {
        let bench = Bench::new(&[GOOD]);
        program(&bench, name, bytes, mode);
        let ran = run(&bench, &format!("envoy=./{name}")).code(3);
        assert!(ran.err.contains(says), "{name}: {}", ran.err);
        let path = format!("starting {}", bench.path(name).display());
        assert!(ran.err.contains(&path), "{name}: {}", ran.err);
    }
}

#[test]
fn a_host_that_ends_at_once_is_quoted() {
    let bench = Bench::new(&[GOOD]);
    let script = b"#!/bin/sh\necho 'no such option: -c' >&2\nexit 64\n";
    program(&bench, "other", script, 0o755);
    let ran = run(&bench, "envoy=./other").code(3);
    for part in ["did not get ready (exit code 64)", "no such option: -c"] {
        assert!(ran.err.contains(part), "no {part} in {}", ran.err);
    }
}

#[test]
fn a_host_that_never_gets_ready_is_ended_with_all_that_it_started() {
    let bench = Bench::new(&[GOOD]);
    // The shell waits for a program of its own, as a wrapper does that does not `exec`.
    let word = format!("7{:05}", std::process::id());
    let script = format!("#!/bin/sh\nsleep {word}\nexit 0\n");
    program(&bench, "slow", script.as_bytes(), 0o755);
    bench.write("mine.yaml", &profile("slow", ""));
    let ran = run(&bench, "mine.yaml").code(3);
    assert!(
        ran.err.contains("did not get ready (it runs)"),
        "{}",
        ran.err
    );
    assert!(!runs(&word), "sleep {word} is left behind");
}

/// A profile of one's own: Envoy, a second to get ready, and `more` after its first argument.
fn profile(binary: &str, more: &str) -> String {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/hosts/envoy.yaml"))
            .unwrap();
    let (_, args) = text.split_once("\n  args:\n").unwrap();
    let (args, _) = args.split_once("\n  ready:").unwrap();
    format!(
        "version: 1\nname: mine\nextends: envoy\nbinary: {{path: {binary}}}\nstart:\n  args:\n{args}\n{more}  \
         ready: {{log: 'starting main dispatch loop', within: 1}}\nknown: []\n"
    )
}

#[test]
fn a_wrapper_that_takes_its_time_is_waited_for() {
    let Some(host) = envoy() else { return };
    let bench = Bench::new(&[GOOD]);
    let binary = host.trim_start_matches("envoy=");
    // Not `exec`: what is asked to end is the shell, and Envoy must end as well.
    let script =
        format!("#!/bin/sh\ncase $1 in --version) ;; *) sleep 2 ;; esac\n{binary} \"$@\"\n");
    program(&bench, "late", script.as_bytes(), 0o755);
    let ran = run(&bench, "envoy=./late").code(0);
    assert!(ran.out.contains("conformant"), "{}", ran.out);
    assert!(!runs(&bench.path("late").display().to_string()));
}

#[test]
fn a_port_that_is_somebody_elses_is_in_the_hosts_own_words() {
    let Some(host) = envoy() else { return };
    let bench = Bench::new(&[GOOD]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let admin = format!(
        "    - --config-yaml\n    - 'admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}'\n"
    );
    let binary = host.trim_start_matches("envoy=");
    let late = profile(binary, &admin).replace("within: 1", "within: 20");
    bench.write("mine.yaml", &late);
    let ran = run(&bench, "mine.yaml").code(3);
    for part in ["did not get ready (exit code 1)", "Address already in use"] {
        assert!(ran.err.contains(part), "no {part} in {}", ran.err);
    }
}
