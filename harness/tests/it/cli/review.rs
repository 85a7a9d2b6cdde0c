//! `review` in a pseudo-terminal, and where there is none.
#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::cli::{Bench, GOOD};

const SNAP: &str = "specs/snapshots/reference-0.1.0-0.2.1/demo/one.snap";

/// A suite with two pending snapshots.
fn pending() -> Bench {
    let bench = Bench::new(&[GOOD]);
    bench
        .run(&[
            "run",
            "--abi",
            "0.2.1",
            "--snapshots",
            "new",
            "--out",
            "out",
        ])
        .code(0);
    assert!(bench.path(&format!("{SNAP}.new")).is_file());
    bench
}

/// The program on a terminal of its own.
struct Session {
    child: Child,
    keys: std::fs::File,
    shown: Receiver<Vec<u8>>,
    seen: String,
}

impl Session {
    fn start(bench: &Bench, args: &[&str]) -> Session {
        let pty = nix::pty::openpty(None, None).unwrap();
        let end = |fd: &OwnedFd| Stdio::from(fd.as_fd().try_clone_to_owned().unwrap());
        let child = bench
            .command(args)
            .stdin(end(&pty.slave))
            .stdout(end(&pty.slave))
            .stderr(end(&pty.slave))
            .spawn()
            .unwrap();
        drop(pty.slave);
        let mut screen = std::fs::File::from(pty.master.try_clone().unwrap());
        let (tell, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The last process that has the terminal open is gone: an error, or nothing more to read.
            while let Ok(n @ 1..) = screen.read(&mut buffer) {
                if tell.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Session {
            child,
            keys: std::fs::File::from(pty.master),
            shown,
            seen: String::new(),
        }
    }

    /// Waits until a text has been shown.
    fn wait(&mut self, text: &str) {
        let began = Instant::now();
        while !self.seen.contains(text) {
            assert!(began.elapsed().as_secs() < 60, "no {text} in {}", self.seen);
            if let Ok(more) = self.shown.recv_timeout(Duration::from_millis(100)) {
                self.seen.push_str(&String::from_utf8_lossy(&more));
            }
        }
        // What comes from now on is looked at anew.
        let at = self.seen.find(text).unwrap() + text.len();
        self.seen.drain(..at);
    }

    fn press(&mut self, key: &str) {
        self.keys.write_all(key.as_bytes()).unwrap();
    }

    fn ends(&mut self, code: i32) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(code), "{}", self.seen);
                return;
            }
            assert!(began.elapsed().as_secs() < 60, "it goes on: {}", self.seen);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_key_does_what_the_prompt_says() {
    let bench = pending();
    let mut s = Session::start(&bench, &["review"]);
    s.wait("1/2");
    s.wait("demo/one/gone");
    s.wait("= NOT_FOUND");
    s.wait("q quit");
    s.press("c");
    s.wait("specs/cases/demo/one.yaml:");
    s.wait("about: a key that the map does not hold");
    s.wait("q quit");
    s.press("d");
    s.wait("+");
    s.wait("= NOT_FOUND");
    s.wait("q quit");
    // A key without a meaning is nothing.
    s.press("x");
    s.press("a");
    s.wait("2/2");
    s.wait("demo/one/here");
    s.wait("q quit");
    s.press("s");
    s.wait("1 accepted, 0 rejected, 1 left");
    s.ends(0);
    assert!(bench.read(SNAP).contains("=== demo/one/gone"));
    assert!(!bench.read(SNAP).contains("=== demo/one/here"));
    let left: serde_json::Value =
        serde_json::from_str(&bench.run(&["pending", "--format", "json"]).code(0).out).unwrap();
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["case"], "demo/one/here");
    assert_eq!(left[0]["new"], true);
    assert_eq!(left[0]["column"], "reference-0.1.0-0.2.1");

    let mut s = Session::start(&bench, &["review", "reference-*"]);
    s.wait("1/1");
    s.wait("q quit");
    s.press("r");
    s.wait("0 accepted, 1 rejected, 0 left");
    s.ends(0);
    assert!(!bench.path(&format!("{SNAP}.new")).exists());
    let none = bench.run(&["pending"]).code(0).out;
    assert!(none.contains("no pending snapshots"), "{none}");
}

#[test]
fn all_that_are_left_can_be_settled_at_once_and_a_review_can_be_left() {
    let bench = pending();
    let mut s = Session::start(&bench, &["review"]);
    s.wait("q quit");
    s.press("q");
    s.wait("0 accepted, 0 rejected, 2 left");
    s.ends(0);
    assert!(bench.path(&format!("{SNAP}.new")).is_file());
    let mut s = Session::start(&bench, &["review"]);
    s.wait("q quit");
    s.press("A");
    s.wait("2 accepted, 0 rejected, 0 left");
    s.ends(0);
    bench
        .run(&["run", "--abi", "0.2.1", "--out", "again"])
        .code(0);
}

#[test]
fn without_a_terminal_it_says_what_to_use_instead() {
    let bench = pending();
    let ran = bench.run(&["review", "reference-*"]).code(2);
    assert!(ran.err.contains("there is none"), "{}", ran.err);
    for command in [
        "pwspec pending 'reference-*'",
        "pwspec accept 'reference-*'",
        "pwspec reject 'reference-*'",
    ] {
        assert!(ran.err.contains(command), "{command}: {}", ran.err);
    }
    let out = bench
        .command(&["review"])
        .env("CI", "true")
        .output()
        .unwrap();
    let ran = crate::cli::Ran::from(out).code(2);
    assert!(ran.err.contains("accepted by a person"), "{}", ran.err);
    assert!(bench.path(&format!("{SNAP}.new")).is_file());
}
