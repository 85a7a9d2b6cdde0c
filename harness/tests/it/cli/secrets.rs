//! What a profile gives a host and nobody else may see: no verb prints it, no file that one leaves holds it.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::cli::envoy::envoy;
use crate::cli::{Bench, GOOD, WRONG};

/// The values that are planted.
const PLANTED: [&str; 4] = [
    "s3cret-of-ours",
    "s3cret-variable",
    "s3cret-argument",
    "s3cret-long",
];

/// A suite that reads the environment of its VM, and is surprised.
const VARIABLES: (&str, &str) = (
    "demo/variables.yaml",
    "version: 1
suite: demo/variables
about: Demo
since: 0.1.0
cases:
  - id: read
    about: expects other variables
    program:
      request_headers:
        - call: environ_get
          expect: {array: nothing}
          req: environ_get/configured
",
);

/// A field that is longer than what a trace or a record keeps whole.
fn long() -> String {
    let rest: String = (1000..1500).map(|n| n.to_string()).collect();
    format!("Bearer s3cret-long{rest}")
}

/// Everything that was shown, and where.
#[derive(Default)]
struct Shown(Vec<(String, String)>);

impl Shown {
    /// What a call prints, whatever its code.
    fn call(&mut self, bench: &Bench, args: &[&str]) -> i32 {
        let ran = bench.run(args);
        self.0
            .push((args.join(" "), format!("{}{}", ran.out, ran.err)));
        ran.code
    }

    /// All files below a folder.
    fn files(&mut self, below: &Path) {
        for entry in std::fs::read_dir(below).into_iter().flatten().flatten() {
            match entry.path() {
                dir if dir.is_dir() => self.files(&dir),
                file => {
                    let bytes = std::fs::read(&file).unwrap();
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    self.0.push((file.display().to_string(), text));
                }
            }
        }
    }

    /// None of them holds a secret; so many of them have a place where one was.
    fn hold_none(&self, redacted: usize) {
        let mut marked = 0;
        for (what, text) in &self.0 {
            for secret in PLANTED {
                assert!(!text.contains(secret), "{what} shows {secret}: {text}");
            }
            marked += usize::from(text.contains("‹redacted›"));
        }
        assert!(
            marked >= redacted,
            "{marked} places: does it still get there?"
        );
    }
}

/// Envoy's profile with secrets in it: fields that it adds to requests, one of them long, a variable of
/// each VM's environment, an argument.
fn planted(bench: &Bench, binary: &str) {
    let profile = bench.read("specs/hosts/envoy.yaml");
    let once = |text: String, old: &str, new: &str| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    };
    let add = |key: &str, value: &str| format!("{{header: {{key: {key}, value: \"{value}\"}}}}");
    let fields = [
        add("authorization", "Bearer s3cret-of-ours"),
        add("x-api-key", &long()),
    ];
    let routes = "\n                virtual_hosts:\n";
    let at = "\n                request_headers_to_add: ";
    let text = once(
        profile,
        routes,
        &format!("{at}[{}]{routes}", fields.join(", ")),
    );
    let variables = "environment_variables: {key_values: {{ p.environment }}}\n                      {%- endif %}";
    let own = "environment_variables: {key_values: {{ p.environment }}}\n                      {%- else %}\n                      environment_variables: {key_values: {own: s3cret-variable}}\n                      {%- endif %}";
    let text = once(text, variables, own);
    let text = once(
        text,
        "    - boot.yaml\n",
        "    - boot.yaml\n    - --service-node\n    - token=s3cret-argument\n",
    );
    let text = once(
        text,
        "  name: envoy\n",
        &format!("  name: envoy\n  path: {binary}\n"),
    );
    bench.write("specs/hosts/envoy.yaml", &text);
}

#[test]
fn a_living_host_s_secrets_are_in_no_output() {
    let Some(envoy) = envoy() else {
        return;
    };
    let bench = Bench::new(&[GOOD, WRONG, VARIABLES]);
    planted(&bench, envoy.trim_start_matches("envoy="));
    let mut shown = Shown::default();
    let all = "html,junit,sarif,md,badge,matrix,json";
    let run = ["run", "--host", "envoy", "--abi", "0.2.1", "--trace", "all"];
    let with = |more: &[&'static str]| -> Vec<&str> { run.iter().chain(more).copied().collect() };
    for more in [
        &["--out", "one", "--report", all, "--snapshots", "new"][..],
        &["--out", "two", "--format", "terse", "--shard", "1/2"],
        &["--out", "three", "--format", "json", "--shard", "2/2"],
    ] {
        let code = shown.call(&bench, &with(more));
        assert!([0, 1].contains(&code), "{:?}", shown.0.last());
    }
    let ran = bench
        .command(&with(&["--out", "five"]))
        .env("GITHUB_ACTIONS", "1")
        .output();
    let said = String::from_utf8_lossy(&ran.unwrap().stdout).into_owned();
    assert!(said.contains("::error "), "{said}");
    shown.0.push(("annotations".to_owned(), said));
    for (args, code) in [
        (
            &["merge", "two", "three", "--out", "whole", "--report", all][..],
            1,
        ),
        (&["judge", "one"], 1),
        (&["diff", "one", "whole"], 0),
        (&["diff", "one", "whole", "--format", "md"], 0),
        (&["show", "demo/variables/read"], 0),
        (&["pending"], 0),
        (&["review"], 2),
        (&["report", "one", "--view", "adaptation"], 0),
        (
            &[
                "report",
                "one",
                "--view",
                "adaptation",
                "--format",
                "html",
                "-o",
                "work.html",
            ],
            0,
        ),
        (&["report", "one", "--format", "md"], 0),
        (&["report", "one", "--publish", "published"], 0),
        (
            &[
                "expect",
                "envoy",
                "add",
                "demo/variables/read",
                "--why",
                "it is so",
            ],
            0,
        ),
        (
            &[
                "repro",
                "demo/wrong/other",
                "--host",
                "envoy",
                "-o",
                "repro",
            ],
            0,
        ),
        (&["probe", "envoy", "--abi", "0.2.1"], 0),
        (&["doctor", "envoy"], 0),
        (&["hosts", "envoy"], 0),
        (&["inspect", "repro/c1-0.wasm", "--host", "envoy"], 0),
    ] {
        assert_eq!(shown.call(&bench, args), code, "{:?}", shown.0.last());
    }
    for made in [
        "one",
        "two",
        "three",
        "five",
        "whole",
        "published",
        "repro",
        "specs/snapshots",
    ] {
        shown.files(&bench.path(made));
    }
    shown
        .0
        .push(("work.html".to_owned(), bench.read("work.html")));
    // Records, traces, wires, pages, snapshots; the files with which the host is started.
    shown.hold_none(20);
    let readme = bench.read("repro/README.md");
    assert!(
        readme.contains("are left out of `lds.yaml`, `start.sh`"),
        "{readme}"
    );
}

/// A host that tells all that it was given, and dies.
const TALKS: &str = "#!/bin/sh\ngrep -h s3cret boot.yaml lds.yaml >&2\necho \"$@\" >&2\nexit 1\n";

#[test]
fn a_host_that_cannot_be_driven_tells_no_secret() {
    let bench = Bench::new(&[GOOD]);
    bench.write("talks", TALKS);
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bench.path("talks"), executable).unwrap();
    planted(&bench, &bench.path("talks").display().to_string());
    let mut shown = Shown::default();
    let all = "html,junit,sarif,md,badge,matrix,json";
    for (args, code) in [
        (
            &["run", "--host", "envoy", "--out", "one", "--report", all][..],
            3,
        ),
        (
            &[
                "run", "--host", "envoy", "--out", "two", "--format", "terse",
            ],
            3,
        ),
        (&["doctor", "envoy"], 3),
        (&["probe", "envoy"], 3),
        (
            &["repro", "demo/one/here", "--host", "envoy", "-o", "repro"],
            3,
        ),
        (&["fuzz", "--hosts", "reference,envoy", "--cases", "5"], 3),
    ] {
        assert_eq!(shown.call(&bench, args), code, "{:?}", shown.0.last());
    }
    for made in ["one", "two", "repro"] {
        shown.files(&bench.path(made));
    }
    shown.hold_none(8);
}

#[test]
fn a_profile_with_a_mistake_shows_no_secret_with_it() {
    let bench = Bench::new(&[GOOD]);
    let wrong = "start:\n  args: [--token, s3cret-argument]\n  files: {a.yaml: 'authorization: s3cret-of-ours'}\n  redy: {log: \"MY_VARIABLE: s3cret-variable\"}\n";
    let text = format!("version: 1\nname: own\nextends: envoy\n{wrong}");
    let places: [(&str, &[&str]); 3] = [
        ("own.yaml", &["run", "--host", "own.yaml"]),
        ("pwspec/own.yaml", &["run", "--host", "own"]),
        ("specs/hosts/own.yaml", &["doctor", "own"]),
    ];
    let mut shown = Shown::default();
    for (place, args) in places {
        bench.write(place, &text);
        assert_eq!(shown.call(&bench, args), 2);
        let (_, said) = &shown.0[shown.0.len() - 1];
        assert!(said.contains("redy"), "{place}: {said}");
        std::fs::remove_file(bench.path(place)).unwrap();
    }
    // The place of the mistake is the line of a secret.
    let text = "version: 1\nname: own\nextends: envoy\nauthorization: s3cret-of-ours\n";
    bench.write("pwspec/own.yaml", text);
    assert_eq!(shown.call(&bench, &["run", "--host", "own"]), 2);
    shown.hold_none(1);
}

/// The test knows all paths by name; this one is only to be sure that it looks at files at all.
#[test]
fn files_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("a/b");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "s3cret-of-ours").unwrap();
    let mut shown = Shown::default();
    shown.files(folder.path());
    assert_eq!(shown.0.len(), 1);
    assert!(std::panic::catch_unwind(|| shown.hold_none(0)).is_err());
}
