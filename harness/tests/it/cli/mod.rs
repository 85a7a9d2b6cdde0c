//! The program as its users run it: exit codes, outputs, files.

mod action;
mod adapter;
mod bad_files;
mod diff;
pub(crate) mod envoy;
mod expect;
mod files;
mod fuzz;
mod hosts;
mod init;
mod inspect;
mod lists;
mod lost;
mod misbehaving;
mod outputs;
mod probe;
mod record_schema;
mod records;
mod repro;
mod review;
mod runs;
mod secrets;
mod selection;
mod snapshots;
mod starts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One call of the program in a folder of its own, with a copy of the tables and of some cases.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
}

impl Bench {
    /// A folder with `specs/`: the tables, the profiles, and these case files (`path`, `text`).
    pub(crate) fn new(cases: &[(&str, &str)]) -> Bench {
        let bench = Bench {
            dir: tempfile::tempdir().unwrap(),
        };
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
        copy(&specs.join("abi"), &bench.path("specs/abi"));
        copy(&specs.join("hosts"), &bench.path("specs/hosts"));
        fs::copy(specs.join("suite.yaml"), bench.path("specs/suite.yaml")).unwrap();
        for (path, text) in cases {
            bench.write(&format!("specs/cases/{path}"), text);
        }
        // A profile's known failures name cases of the real suite.
        for host in fs::read_dir(bench.path("specs/hosts")).unwrap().flatten() {
            let text = fs::read_to_string(host.path()).unwrap();
            let kept = text.split("\nknown:").next().unwrap();
            fs::write(host.path(), format!("{}\n", kept.trim_end())).unwrap();
        }
        bench
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_else(|e| panic!("{below}: {e}"))
    }

    /// The program with these arguments, not started yet.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pwspec"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env("XDG_CACHE_HOME", shared_cache())
            .env("NO_COLOR", "1")
            .env_remove("CI")
            .env_remove("GITHUB_ACTIONS");
        command
    }

    /// Runs the program: exit code, standard output, standard error.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }
}

/// Compiled guests are the same for all tests.
fn shared_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(o: Output) -> Ran {
        Ran {
            code: o.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&o.stdout).into_owned(),
            err: String::from_utf8_lossy(&o.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// The same, if it ended with this code.
    pub(crate) fn code(self, code: i32) -> Ran {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.out, self.err
        );
        self
    }
}

/// A suite with one case that passes, and one that reads a field that is not there.
pub(crate) const GOOD: (&str, &str) = (
    "demo/one.yaml",
    "version: 1
suite: demo/one
about: Demo
since: 0.1.0
cases:
  - id: here
    about: a key that the map holds
    program:
      request_headers:
        - call: proxy_get_header_map_value
          with: {map_id: HTTP_REQUEST_HEADERS, key: x-here}
          expect: {status: OK, value: \"1\"}
    exchange:
      request: {headers: [[x-here, \"1\"]]}
  - id: gone
    about: a key that the map does not hold
    program:
      request_headers:
        - call: proxy_get_header_map_value
          with: {map_id: HTTP_REQUEST_HEADERS, key: x-gone}
          expect: {status: NOT_FOUND}
",
);

/// A suite whose one case expects what the text does not say.
pub(crate) const WRONG: (&str, &str) = (
    "demo/wrong.yaml",
    "version: 1
suite: demo/wrong
about: Demo
since: 0.1.0
cases:
  - id: other
    about: expects another value
    program:
      request_headers:
        - call: proxy_get_header_map_value
          with: {map_id: HTTP_REQUEST_HEADERS, key: x-here}
          expect: {status: OK, value: \"2\"}
    exchange:
      request: {headers: [[x-here, \"1\"]]}
",
);
