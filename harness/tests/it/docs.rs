//! What the documents show is so: their commands run, their case is the one in the suite.
//!
//! A command that names something that is not there, such as a build of the reader's own, stands
//! below `<!-- not run: … -->` with what it would need, or has `# not run: …` behind it. What stands
//! below `<!-- in one go -->` is typed line by line in one folder, other programs' commands too. Commands
//! of `make` are taken apart by make and not carried out: `.ci/run` carries them out.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::{Bench, Ran, envoy::envoy};
use crate::kit::root;

const DOCUMENTS: [&str; 6] = [
    "README.md",
    "specs/README.md",
    "harness/README.md",
    "reports/README.md",
    "guest-fixtures/README.md",
    ".github/CONTRIBUTING.md",
];

/// Files of CI systems that show what is typed there.
const EXAMPLES: [&str; 4] = [
    ".github/examples/gate.yml",
    ".github/examples/gitlab-ci.yml",
    ".github/examples/actions-matrix.yml",
    ".github/examples/kubernetes-indexed-job.yaml",
];

const IN_ONE_GO: &str = "<!-- in one go -->";

/// A command as a document shows it.
#[derive(Debug)]
struct Shown {
    place: String,
    line: String,
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The commands in a document's shell blocks and indented blocks, but those that say why they do not
/// run. What stands behind a word, as in the picture of a failure, is none.
fn commands(path: &str, text: &str) -> Vec<Shown> {
    let mut out = Vec::new();
    let mut inside = false;
    let mut last = "";
    let mut skipped = false;
    for (n, line) in text.lines().enumerate() {
        if let Some(fence) = line.trim_start().strip_prefix("```") {
            inside = !inside && ["sh", "console", "bash"].contains(&fence.trim());
            skipped = inside && (last.starts_with("<!-- not run: ") || last == IN_ONE_GO);
        } else if (inside || line.starts_with("    ")) && !skipped {
            let shown = line.trim().trim_start_matches("$ ");
            let ours = shown.starts_with("pwspec ") || shown.starts_with("make ");
            if ours && !shown.contains("# not run: ") {
                out.push(Shown {
                    place: format!("{path}:{}", n + 1),
                    line: shown.to_owned(),
                });
            }
        }
        if !line.trim().is_empty() {
            last = line.trim();
        }
    }
    out
}

/// The shell blocks of a text, and for each whether it is to be typed in one go.
pub(crate) fn shell_blocks(text: &str) -> Vec<(bool, String)> {
    let mut out: Vec<(bool, String)> = Vec::new();
    let mut inside = false;
    let mut last = "";
    for line in text.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            inside = !inside && fence.trim() == "sh";
            if inside {
                out.push((last == IN_ONE_GO, String::new()));
            }
        } else if let (true, Some((_, block))) = (inside, out.last_mut()) {
            block.push_str(line);
            block.push('\n');
        }
        if !line.trim().is_empty() {
            last = line.trim();
        }
    }
    out
}

/// Types lines in a folder, one after the other. What is missing on this machine, a tool or the way to
/// a registry, is said and is no failure; anything else that goes wrong is.
pub(crate) fn typed(bench: &Bench, folder: &str, lines: &str) {
    let program = Path::new(env!("CARGO_BIN_EXE_pwspec"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = vec![program.parent().unwrap().to_owned()];
    paths.extend(std::env::split_paths(&path));
    let like = bench.command(&[]);
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-ec", lines])
        .current_dir(bench.path(folder))
        .env("PATH", std::env::join_paths(paths).unwrap());
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let ran = shell.output().unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    let missing = [
        ": not found",
        "dial tcp",
        "name resolution",
        "Failed to establish a new connection",
        "No module named venv",
        "ensurepip is not available",
    ];
    if let Some(what) = missing.iter().find(|m| said.contains(**m)) {
        eprintln!("skipped ({what}): {said}");
        return;
    }
    assert!(ran.status.success(), "{lines}\n{said}");
}

/// A command's words, as a shell takes them apart; what comes behind a comment is left out.
fn words(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut open: Option<char> = None;
    let mut begun = false;
    for c in line.chars() {
        match (open, c) {
            (Some(q), c) if c == q => open = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => {
                open = Some(c);
                begun = true;
            }
            (None, '#') if !begun => break,
            (None, ' ') => {
                if begun {
                    out.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (None, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        out.push(word);
    }
    out
}

/// A folder in which the commands find what a clone of the repository has.
fn clone() -> Bench {
    let bench = Bench::new(&[]);
    let below = bench.path("specs");
    fs::remove_dir_all(&below).unwrap();
    crate::cli::copy(&root().join("specs"), &below);
    let hosts = root().join("target/hosts");
    if let Ok(hosts) = fs::canonicalize(hosts) {
        fs::create_dir_all(bench.path("target")).unwrap();
        std::os::unix::fs::symlink(hosts, bench.path("target/hosts")).unwrap();
    }
    // Published columns, of one case each.
    bench.run(&["run", "tutorial/", "--out", "one"]).code(0);
    bench
        .run(&["report", "one", "--publish", "reports"])
        .code(0);
    // The reader's own build, of which the README speaks.
    if let Some(host) = envoy() {
        fs::create_dir_all(bench.path("build")).unwrap();
        let binary = host.trim_start_matches("envoy=");
        std::os::unix::fs::symlink(binary, bench.path("build/envoy")).unwrap();
    }
    bench
}

/// What make says of a command that is not carried out; its hosts must have a script that gets them.
fn made(line: &str) -> Result<(), String> {
    let words = words(line);
    let hosts = words.iter().filter_map(|w| w.strip_prefix("HOSTS="));
    for host in hosts.flat_map(str::split_whitespace) {
        let name = host.split('@').next().unwrap_or(host);
        if !root()
            .join(format!("harness/adapters/get-{name}.sh"))
            .is_file()
            && name != "…"
        {
            return Err(format!("there is no harness/adapters/get-{name}.sh"));
        }
    }
    let out = Command::new("make")
        .arg("-n")
        .args(&words[1..])
        .current_dir(root())
        .output()
        .map_err(|e| e.to_string())?;
    match out.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&out.stderr).into_owned()),
    }
}

#[test]
fn every_command_shown_runs() {
    let bench = clone();
    let mut found = 0;
    let mut wrong = Vec::new();
    for shown in DOCUMENTS.iter().flat_map(|d| commands(d, &text(d))) {
        let mut words = words(&shown.line);
        found += 1;
        if words[0] == "make" {
            if let Err(e) = made(&shown.line) {
                wrong.push(format!("{}: {}: {e}", shown.place, shown.line));
            }
            continue;
        }
        let real = words.iter().any(|w| w.contains("envoy"));
        if real {
            let Some(host) = envoy() else { continue };
            // The reader's own build lies in `build/`, or where the example says and ours does not.
            let away = |w: &&mut String| w.starts_with("envoy=/");
            for own in words.iter_mut().filter(away) {
                own.clone_from(&host);
            }
            // The whole suite on a real host is not a matter of this test.
            if words[1] == "run" && words[2].starts_with('-') {
                words.insert(2, "tutorial/".to_owned());
            }
        }
        let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let Ran { code, err, .. } = bench.run(&args);
        // What is shown to everybody may not meet a usage error, a missing host or an empty choice.
        // On a real host a result that nobody announced is that host's affair.
        // Nor that there was nothing of the kind in the run before.
        let before = code == 4 && shown.line.contains("last:");
        let fine = code == 0 || before || (real && [1, 5].contains(&code));
        if !fine {
            wrong.push(format!("{}: {}: {code}\n{err}", shown.place, shown.line));
        }
    }
    assert!(found > 0, "no document shows a command");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_shown_in_one_go_runs() {
    let all = DOCUMENTS.iter().flat_map(|d| shell_blocks(&text(d)));
    let blocks: Vec<String> = all.filter(|(go, _)| *go).map(|(_, b)| b).collect();
    assert!(!blocks.is_empty(), "no document shows such a block");
    for block in blocks {
        typed(&Bench::new(&[]), ".", &block.replace("$ ", ""));
    }
}

#[test]
fn every_verb_and_option_named_in_a_sentence_exists() {
    let help = |args: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_pwspec"))
            .args(args)
            .arg("--help")
            .output()
            .unwrap();
        (
            out.status.success(),
            String::from_utf8_lossy(&out.stdout).into_owned(),
        )
    };
    let mut wrong = Vec::new();
    for path in EXAMPLES.iter().chain(&DOCUMENTS) {
        let text = match path.ends_with(".md") {
            true => text(path),
            // A command a line, as code of a document.
            false => {
                let lines = text(path);
                let lines = lines.lines().map(|l| l.trim().trim_start_matches("- "));
                let lines = lines.map(|l| format!("`{}`\n", l.trim_start_matches("run: ")));
                lines.collect()
            }
        };
        // Every second piece between backquotes is code.
        let code = text.split('`').skip(1).step_by(2);
        let document = path.ends_with(".md");
        let made_by = |p: &&str| document && p.starts_with("make ") && !p.contains('\n');
        for piece in code.clone().filter(made_by) {
            if let Err(e) = made(piece) {
                wrong.push(format!("{path}: `{piece}`: {e}"));
            }
        }
        for piece in code.filter(|p| p.starts_with("pwspec ") && !p.contains('\n')) {
            let words = words(piece);
            let verb = words[1].as_str();
            let (known, said) = help(&[verb]);
            if !known {
                wrong.push(format!("{path}: `{piece}`: there is no verb {verb}"));
                continue;
            }
            let options = words.iter().filter(|w| w.starts_with("--"));
            for option in options.map(|o| o.split('=').next().unwrap_or(o)) {
                if !said.contains(option) {
                    wrong.push(format!("{path}: `{piece}`: {verb} has no {option}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_tutorial_is_the_case_that_runs() {
    let case = text("specs/cases/tutorial/first.yaml");
    assert!(
        text("specs/README.md").contains(&format!("```yaml\n{case}```\n")),
        "specs/README.md does not show specs/cases/tutorial/first.yaml as it is"
    );
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    let mut wrong = Vec::new();
    for path in DOCUMENTS {
        let text = text(path);
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or("");
            let beside = root().join(path);
            let to = beside.parent().unwrap_or(Path::new("")).join(link);
            // What `make reports` makes is there once it was called.
            let made = path == "reports/README.md" && link == "matrix.md";
            if !link.is_empty() && !link.contains("://") && !to.exists() && !made {
                wrong.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_pictures_of_the_report_are_there_and_small() {
    let text = text("README.md");
    let shown = text.split("src").filter_map(|p| {
        let p = p.strip_prefix("set").unwrap_or(p).strip_prefix("=\"")?;
        p.split('"').next()
    });
    let shown: Vec<&str> = shown.collect();
    assert_eq!(
        shown,
        [".github/report-dark.png", ".github/report-light.png"]
    );
    for picture in shown {
        let bytes = fs::read(root().join(picture)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{picture}");
        assert!(bytes.len() <= 150_000, "{picture}: {} bytes", bytes.len());
    }
}

#[test]
fn a_shell_would_take_the_words_apart_like_this() {
    let line = "pwspec run 'level:must & area:log' --host \"a b\"  # why";
    let words = words(line);
    assert_eq!(
        words,
        ["pwspec", "run", "level:must & area:log", "--host", "a b"]
    );
    let text = "```sh\n$ pwspec list\nls\npwspec run x # not run: no x\n```\n\n<!-- not run: no y -->\n\n```sh\npwspec y\n```\npwspec z\n\n    pwspec show a\n    again  pwspec b\n    make c\n";
    let lines: Vec<String> = commands("d", text).into_iter().map(|s| s.line).collect();
    assert_eq!(lines, ["pwspec list", "pwspec show a", "make c"]);
    assert!(made("make test").is_ok() && made("make tset").is_err());
    assert!(made("make hosts HOSTS='envoy@1.40.0 mosn'").is_ok());
    assert!(made("make hosts HOSTS=nobody").is_err());
    let text = format!(
        "```sh\npwspec a\n```\n\n{IN_ONE_GO}\n\n```sh\ncd x\npwspec b\n```\n```\nno\n```\n"
    );
    let lines: Vec<String> = commands("d", &text).into_iter().map(|s| s.line).collect();
    assert_eq!(lines, ["pwspec a"]);
    let blocks = shell_blocks(&text);
    assert_eq!(blocks[0], (false, "pwspec a\n".to_owned()));
    assert_eq!(blocks[1], (true, "cd x\npwspec b\n".to_owned()));
    assert_eq!(blocks.len(), 2);
}
