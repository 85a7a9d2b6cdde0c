//! Drift: a host answer that changes is shown, and accepting settles it.

use crate::cli::{Bench, GOOD};

#[test]
fn drift_is_shown_and_accept_settles_it() {
    let bench = Bench::new(&[GOOD]);
    let run = |code: i32, out: &str| {
        bench
            .run(&[
                "run",
                "--out",
                out,
                "--abi",
                "0.2.1",
                "--snapshots",
                "check",
            ])
            .code(code)
    };
    // Nothing is known yet: new snapshots.
    run(1, "first");
    let pending = bench.run(&["pending"]).code(0).out;
    assert!(pending.contains("demo/one/here (new)"), "{pending}");
    bench.run(&["accept"]).code(0);
    assert_eq!(
        bench.run(&["pending"]).code(0).out,
        "no pending snapshots\n"
    );
    run(0, "second");
    let snap = "specs/snapshots/reference-0.1.0-0.2.1/demo/one.snap";
    let text = bench.read(snap);
    assert!(text.contains("=== demo/one/gone"), "{text}");
    insta::assert_snapshot!(text);
    // What was remembered is another answer than today's.
    bench.write(snap, &text.replace("= NOT_FOUND", "= OK \"\""));
    let ran = run(1, "third");
    assert!(
        ran.out.contains("DRIFT  demo/one/gone") && ran.out.contains("unexpected"),
        "{}",
        ran.out
    );
    let pending = bench.run(&["pending"]).code(0).out;
    assert!(
        pending.contains("-") && pending.contains("= NOT_FOUND"),
        "{pending}"
    );
    bench.run(&["reject"]).code(0);
    assert!(
        bench.read(snap).contains("= OK \"\""),
        "rejecting keeps what was there"
    );
    run(1, "fourth");
    bench.run(&["accept", "reference-*"]).code(0);
    run(0, "fifth");
}

#[test]
fn nobody_accepts_in_ci() {
    let bench = Bench::new(&[GOOD]);
    let ran = crate::cli::Ran::from(
        bench
            .command(&["accept"])
            .env("CI", "true")
            .output()
            .unwrap(),
    )
    .code(2);
    assert!(ran.err.contains("accepted by a person"), "{}", ran.err);
}

#[test]
fn elsewhere_drift_decides_nothing() {
    let bench = Bench::new(&[GOOD]);
    let args = [
        "run",
        "--out",
        "out",
        "--abi",
        "0.2.1",
        "--snapshots",
        "report",
    ];
    bench.run(&args).code(0);
    assert!(
        !bench.path("specs/snapshots").exists(),
        "nothing is written"
    );
}
