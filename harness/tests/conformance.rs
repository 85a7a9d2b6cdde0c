//! The suite on the reference host, one trial per case and ABI version: `cargo test --test
//! conformance -- 0.2.1::fields/`.
//!
//! Plays what `pwspec run` plays. Does not compare with snapshots and gates nothing: a known failure
//! of the reference host would be a failure here.

mod trials;

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use pwspec::abi::Abi;
use pwspec::case::Case;
use pwspec::host::Driver as _;
use pwspec::host::reference::Reference;
use pwspec::judge::{Gate, Verdict};
use pwspec::record::{Column, ResultLine};
use pwspec::report::plain;
use pwspec::report::terminal::Failure;
use pwspec::runner::{Deadlines, case_line, judge_attempt, plan_host, prepare, token};

use trials::{Setup, host};

/// Trials share their machine with other tests.
const DEADLINES: Deadlines = Deadlines {
    shared: Duration::from_secs(30),
    alone: Duration::from_secs(1),
};

fn main() {
    let arguments = Arguments::from_args();
    let setup: &'static Setup = trials::setup();
    let host: &'static Reference = Box::leak(Box::new(host()));
    let profile = &setup.profile;
    let all = trials::every_case(&setup.suite);
    let plan = plan_host(&setup.suite, &all, profile, &host.identity(), &[], None);
    let mut trials = Vec::new();
    for column in plan.columns {
        let abi = column.abi;
        let name = Arc::new(column.column);
        for planned in column.cases {
            // What is out of scope is known before anything is played; runners count it as ignored.
            let skipped = planned.program.is_err();
            let trial_name = format!("{}::{}", abi.id, planned.case.id);
            let (abi, column) = (abi.clone(), name.clone());
            let play = move || {
                let token = token(0, &column.name, &planned.case.id, 1);
                let prepared = prepare(
                    &setup.suite,
                    &planned,
                    &abi,
                    &setup.profile,
                    &token,
                    0,
                    &DEADLINES,
                )?;
                let attempt = host.play_one(&prepared.job)?;
                let judgement = judge_attempt(&abi, &prepared, &attempt, &planned.case);
                let result = ResultLine {
                    column: column.name.clone(),
                    case: planned.case.id.clone(),
                    case_digest: planned.case.digest(),
                    program_digest: planned.program.clone()?,
                    module_digest: prepared.module_digest,
                    attempts: vec![attempt],
                    judgement,
                    gate: Gate::Expected,
                    seed: None,
                    company: false,
                    added: false,
                    drift: None,
                    faults: Vec::new(),
                };
                match result.judgement.verdict {
                    Verdict::Pass | Verdict::Survey => Ok(()),
                    _ => Err(Failed::from(story(&column, &planned.case, &abi, &result))),
                }
            };
            trials.push(Trial::test(trial_name, play).with_ignored_flag(skipped));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// What the terminal prints of a failure.
fn story(column: &Column, case: &Case, abi: &Abi, result: &ResultLine) -> String {
    let failure = Failure {
        column,
        case: &case_line(case, [abi]),
        result,
        traces: "",
        command: "pwspec run",
    };
    plain(&failure.block())
}
