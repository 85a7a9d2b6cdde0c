//! `extract` and `completions`.

use crate::cli::{Bench, GOOD};

#[test]
fn what_is_extracted_can_be_used() {
    let bench = Bench::new(&[GOOD]);
    let ran = bench.run(&["extract", "out"]).code(0);
    assert!(
        ran.out.contains("pwspec run --specs out/specs"),
        "{}",
        ran.out
    );
    for file in [
        "specs/suite.yaml",
        "specs/cases/tutorial/first.yaml",
        "specs/schema/case.json",
        "guests/scripted.wasm",
    ] {
        assert!(bench.path(&format!("out/{file}")).is_file(), "{file}");
    }
    assert!(
        std::fs::read(bench.path("out/guests/scripted.wasm"))
            .unwrap()
            .starts_with(b"\0asm")
    );
    let own = bench
        .run(&["list", "--format", "names", "--specs", "out/specs"])
        .code(0)
        .out;
    std::fs::remove_dir_all(bench.path("specs")).unwrap();
    let embedded = bench.run(&["list", "--format", "names"]).code(0).out;
    assert_eq!(own, embedded);
    let err = bench.run(&["extract", "out"]).code(2).err;
    assert!(err.contains("out is not empty"), "{err}");
}

#[test]
fn each_shell_gets_completions_that_name_the_verbs() {
    let bench = Bench::new(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = bench.run(&["completions", shell]).code(0).out;
        for word in ["expect", "merge", "--shard", "--max-time"] {
            // Fish and others write flags without the dashes.
            assert!(
                out.contains(word.trim_start_matches('-')),
                "{word} for {shell}"
            );
        }
    }
    bench.run(&["completions", "tcsh"]).code(2);
}

#[cfg(unix)]
#[test]
fn bash_takes_its_completions() {
    let bench = Bench::new(&[]);
    bench.write(
        "pwspec.bash",
        &bench.run(&["completions", "bash"]).code(0).out,
    );
    let script = "source ./pwspec.bash && COMP_WORDS=(pwspec run --sh) COMP_CWORD=2 && _pwspec pwspec --sh run && echo \"${COMPREPLY[@]}\"";
    let out = std::process::Command::new("bash")
        .args(["--norc", "-c", script])
        .current_dir(bench.dir.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        shown.contains("--shard"),
        "{shown} {}",
        String::from_utf8_lossy(&out.stderr)
    );
}
