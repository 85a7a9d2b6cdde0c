//! Hosts that are not here, and doctor.

use crate::cli::{Bench, GOOD};

#[test]
fn a_missing_binary_comes_with_the_command_that_gets_it() {
    let bench = Bench::new(&[GOOD]);
    let mut command = bench.command(&["run", "--host", "envoy"]);
    // Nothing on the PATH, nothing in target/hosts.
    let ran =
        crate::cli::Ran::from(command.env("PATH", bench.dir.path()).output().unwrap()).code(3);
    assert!(ran.err.contains("envoy is not here"), "{}", ran.err);
    assert!(ran.err.contains("make hosts HOSTS=envoy"), "{}", ran.err);
    let ran = bench.run(&["run", "--host", "envoy=./nowhere"]).code(3);
    assert!(ran.err.contains("./nowhere"), "{}", ran.err);
}

#[test]
fn doctor_plays_all_canaries_on_the_reference_host() {
    let ran = Bench::new(&[GOOD]).run(&["doctor", "reference"]).code(0);
    for canary in ["passes", "fails", "traps", "hangs"] {
        assert!(ran.out.contains(&format!("canary {canary}")), "{}", ran.out);
    }
    assert!(!ran.out.contains('✗'), "{}", ran.out);
}
