//! `init`: the user's own profile, its known failures and its snapshots beside it.

use crate::cli::{Bench, GOOD, WRONG};

#[test]
fn a_profile_of_ones_own_takes_the_place_of_the_embedded_one() {
    let bench = Bench::new(&[GOOD, WRONG]);
    let profile = bench.read("specs/hosts/reference.yaml");
    let known = "known:\n  # read and run alone\n  - {cases: [demo/wrong/other], seen: s, why: w, source: s} # theirs\n";
    bench.write(
        "specs/hosts/reference.yaml",
        &format!("{}\n{known}", profile.trim_end()),
    );
    let ran = bench.run(&["init", "reference"]).code(0);
    assert!(
        ran.out.contains("wrote pwspec/reference.yaml"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("pwspec run --host reference"),
        "{}",
        ran.out
    );
    let own = bench.read("pwspec/reference.yaml");
    assert!(own.contains("extends: reference\n"), "{own}");
    assert!(
        own.ends_with(known),
        "the list comes along with its comments: {own}"
    );
    // It is used from now on, and edited in place of the other one.
    bench
        .run(&["run", "--abi", "0.2.1", "--snapshots", "off"])
        .code(0);
    bench.write(
        "specs/cases/demo/wrong.yaml",
        &WRONG.1.replace("\"2\"", "\"1\""),
    );
    bench
        .run(&["run", "--abi", "0.2.1", "--snapshots", "off"])
        .code(1);
    let ran = bench.run(&["expect", "reference"]).code(1);
    assert!(ran.out.contains("pwspec/reference.yaml:"), "{}", ran.out);
    bench
        .run(&["expect", "reference", "prune", "--fix"])
        .code(0);
    assert!(
        bench
            .read("pwspec/reference.yaml")
            .contains("known: []\n  # read and run alone\n")
    );
    assert!(
        bench
            .read("specs/hosts/reference.yaml")
            .contains("# theirs")
    );
    bench
        .run(&["run", "--abi", "0.2.1", "--snapshots", "off"])
        .code(0);
    // Its snapshots lie beside it.
    bench
        .run(&["run", "--abi", "0.2.1", "--snapshots", "new"])
        .code(0);
    let snap = "pwspec/snapshots/reference-0.1.0-0.2.1/demo/one.snap";
    assert!(bench.path(&format!("{snap}.new")).is_file());
    bench.run(&["accept"]).code(0);
    assert!(bench.path(snap).is_file());
    assert!(!bench.path("specs/snapshots").exists());
    bench
        .run(&["run", "--abi", "0.2.1", "--snapshots", "check"])
        .code(0);

    let again = bench.run(&["init", "reference"]).code(2).err;
    assert!(again.contains("is there already"), "{again}");
}

#[test]
fn another_name_and_a_binary() {
    let bench = Bench::new(&[GOOD]);
    bench
        .run(&["init", "envoy=build/envoy", "--name", "ours"])
        .code(0);
    let own = bench.read("pwspec/ours.yaml");
    assert!(own.contains("name: ours\nextends: envoy\n"), "{own}");
    assert!(own.contains("  path: \"../build/envoy\"\n"), "{own}");
    let hosts = bench.run(&["hosts"]).code(0).out;
    assert!(hosts.contains("ours"), "{hosts}");
    // The binary is not there: that is said with the file that names it.
    let ran = bench.run(&["run", "--host", "ours"]).code(3);
    assert!(ran.err.contains("ours is not here"), "{}", ran.err);
    assert!(
        ran.err.contains("pwspec/ours.yaml says ../build/envoy"),
        "{}",
        ran.err
    );
    let err = bench.run(&["init", "envoi"]).code(2).err;
    assert!(err.contains("did you mean `envoy`?"), "{err}");
}

#[test]
fn an_embedded_profile_names_the_line_that_makes_it_ones_own() {
    let bench = Bench::new(&[]);
    std::fs::remove_dir_all(bench.path("specs")).unwrap();
    let err = bench.run(&["accept"]).code(2).err;
    assert!(err.contains("begin with pwspec init HOST"), "{err}");
    // A record of a run in which an entry is stale stands in for the host.
    bench.run(&["init", "reference"]).code(0);
    bench.run(&["accept"]).code(0);
}

#[test]
fn problems_of_ones_own_profile_are_shown_in_it() {
    let bench = Bench::new(&[GOOD]);
    bench.write(
        "pwspec/ours.yaml",
        "version: 1\nname: ours\nextends: envoy\nofers: {}\n",
    );
    let err = bench.run(&["hosts"]).code(2).err;
    assert!(err.contains("pwspec/ours.yaml:4:1"), "{err}");
    assert!(err.contains("ofers"), "{err}");
}
