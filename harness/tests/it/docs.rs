//! What the documents show is so: their commands run, their case is the one in the suite.
//!
//! A command that names something that is not there, such as a build of the reader's own, stands
//! below `<!-- not run: … -->` with what it would need, or has `# not run: …` behind it. What stands
//! below `<!-- in one go -->` is typed line by line in one folder, other programs' commands too.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::{Bench, Ran, envoy::envoy};
use crate::kit::root;

const DOCUMENTS: [&str; 3] = ["README.md", "specs/README.md", "harness/README.md"];

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

/// The commands of `pwspec` in a document's shell blocks, but those that say why they do not run.
fn commands(path: &str, text: &str) -> Vec<Shown> {
    let mut out = Vec::new();
    let mut inside = false;
    let mut last = "";
    let mut skipped = false;
    for (n, line) in text.lines().enumerate() {
        if let Some(fence) = line.trim_start().strip_prefix("```") {
            inside = !inside && ["sh", "console", "bash"].contains(&fence.trim());
            skipped = inside && (last.starts_with("<!-- not run: ") || last == IN_ONE_GO);
        } else if inside && !skipped {
            let shown = line.trim().trim_start_matches("$ ");
            if shown.starts_with("pwspec ") && !shown.contains("# not run: ") {
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
    bench
}

#[test]
fn every_command_shown_runs() {
    let bench = clone();
    let mut found = 0;
    let mut wrong = Vec::new();
    for shown in DOCUMENTS.iter().flat_map(|d| commands(d, &text(d))) {
        let mut words = words(&shown.line);
        found += 1;
        let real = words.iter().any(|w| w.contains("envoy"));
        if real {
            let Some(host) = envoy() else { continue };
            // The reader's own build stands where ours does not.
            for own in words.iter_mut().filter(|w| w.starts_with("envoy=")) {
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
        let fine = code == 0 || (real && [1, 5].contains(&code));
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
    for path in DOCUMENTS {
        let text = text(path);
        // Every second piece between backquotes is code.
        let code = text.split('`').skip(1).step_by(2);
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
            if !link.is_empty() && !link.contains("://") && !to.exists() {
                wrong.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_shell_would_take_the_words_apart_like_this() {
    let line = "pwspec run 'level:must & area:log' --host \"a b\"  # why";
    let words = words(line);
    assert_eq!(
        words,
        ["pwspec", "run", "level:must & area:log", "--host", "a b"]
    );
    let text = "```sh\n$ pwspec list\nls\npwspec run x # not run: no x\n```\n\n<!-- not run: no y -->\n\n```sh\npwspec y\n```\npwspec z\n";
    let lines: Vec<String> = commands("d", text).into_iter().map(|s| s.line).collect();
    assert_eq!(lines, ["pwspec list"]);
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
