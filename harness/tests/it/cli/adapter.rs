//! Skeletons of adapters: written, not over anything, built from the registries as they stand.

use crate::cli::Bench;
use crate::docs::{shell_blocks, typed};

const LANGUAGES: [&str; 4] = ["go", "rust", "java", "python"];

/// A folder with a skeleton, and the commands that its README shows.
fn written(language: &str) -> (Bench, String) {
    let bench = Bench::new(&[]);
    let ran = bench
        .run(&["adapter", "new", language, "-o", "mine"])
        .code(0);
    assert!(ran.out.contains("pwspec doctor -- "), "{}", ran.out);
    let readme = bench.read("mine/README.md");
    assert!(!readme.contains('{'), "a place is open: {readme}");
    let blocks = shell_blocks(&readme);
    (bench, blocks.into_iter().map(|(_, block)| block).collect())
}

#[test]
fn a_skeleton_is_written_in_each_language() {
    for language in LANGUAGES {
        let (bench, commands) = written(language);
        let readme = bench.read("mine/README.md");
        // Each file that the README names is there, and is one.
        let named = readme.lines().filter_map(|l| l.strip_prefix("| `"));
        let named: Vec<&str> = named.filter_map(|l| l.split('`').next()).collect();
        assert_eq!(named.len(), 3, "{readme}");
        for file in named {
            let text = bench.read(&format!("mine/{file}"));
            assert!(text.len() > 500, "{language}: {file}");
        }
        assert!(commands.lines().count() >= 3, "{commands}");
        assert!(commands.contains("\npwspec doctor -- "), "{commands}");
    }
}

#[test]
fn nothing_is_written_over() {
    let bench = Bench::new(&[]);
    bench.write("taken/notes.txt", "mine");
    let ran = bench.run(&["adapter", "new", "go", "-o", "taken"]).code(2);
    assert!(ran.err.contains("taken is not empty"), "{}", ran.err);
    assert!(!bench.path("taken/main.go").exists());
    bench.write("file", "mine");
    bench.run(&["adapter", "new", "go", "-o", "file"]).code(2);
    assert_eq!(bench.read("file"), "mine");
    bench.run(&["adapter", "new", "go"]).code(0);
    assert!(
        bench.path("adapter/main.go").is_file(),
        "the default folder"
    );
    bench.run(&["adapter", "new", "go"]).code(2);
    let ran = bench.run(&["adapter", "new", "cobol"]).code(2);
    assert!(ran.err.contains("python"), "{}", ran.err);
}

#[test]
fn the_skeleton_in_go_is_built_as_its_readme_says_and_passes_doctor() {
    let (bench, commands) = written("go");
    typed(&bench, "mine", &commands);
}

#[test]
fn the_skeleton_in_python_is_built_as_its_readme_says_and_passes_doctor() {
    let (bench, commands) = written("python");
    typed(&bench, "mine", &commands);
}
