//! What the documents show is so: their commands run, their case is the one in the suite.
//!
//! A command that names something that is not there, such as a build of the reader's own, stands
//! below `<!-- not run: … -->` with what it would need, or has `# not run: …` behind it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::{Bench, Ran, envoy::envoy};
use crate::kit::root;

const DOCUMENTS: [&str; 3] = ["README.md", "specs/README.md", "harness/README.md"];

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
            skipped = inside && last.starts_with("<!-- not run: ");
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
}
