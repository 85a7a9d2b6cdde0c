//! `pwspec prove` as trials: every planted fault of the reference host is noticed by a check of its
//! own requirement and by no other, and every case has been seen to fail.
//!
//! Does not know how the proof is made.

mod trials;

use libtest_mimic::{Arguments, Failed, Trial};
use pwspec::host::reference::Reference;
use pwspec::runner::{Ground, Noticed, Planted};

/// The version that has all faults.
const ABI: &str = "0.2.1";

fn main() {
    let arguments = Arguments::from_args();
    let setup = trials::setup();
    let host: &'static Reference = Box::leak(Box::new(trials::host()));
    let all = trials::every_case(&setup.suite);
    let ground = Ground::lay(&setup.suite, &setup.profile, &all, ABI, host)
        .expect("the reference host has this version");
    let ground: &'static Ground<'static> = Box::leak(Box::new(ground));
    let mut trials = Vec::new();
    for row in ground.faults() {
        let play = move || told(&ground.plant(row)?);
        trials.push(Trial::test(format!("fault::{}", row.fault), play));
    }
    for id in ground.cases() {
        let play = move || {
            let case = ground.case(id)?;
            let mut wrong = Vec::new();
            if case.broken {
                wrong.push("does not pass on the host as it is".to_owned());
            }
            if case.idle {
                wrong.push("none of its checks was ever made to fail".to_owned());
            }
            if case.idle_survey {
                wrong.push("no change moves what it observes".to_owned());
            }
            let unproved = case.unproved.iter();
            wrong.extend(unproved.map(|check| format!("nothing makes this check fail: {check}")));
            match wrong.is_empty() {
                true => Ok(()),
                false => Err(Failed::from(wrong.join("\n"))),
            }
        };
        trials.push(Trial::test(format!("case::{id}"), play));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Whether the fault is killed, and if not, who should have spoken or should have been silent.
fn told(planted: &Planted) -> Result<(), Failed> {
    if planted.killed() {
        return Ok(());
    }
    let row = &planted.fault;
    let mut out = format!("{}: {}\n", row.req, row.says);
    if planted.own.is_empty() {
        out.push_str("survived: no check of its requirement notices it\n");
    }
    let mut list = |head: &str, who: &[Noticed]| {
        for n in who {
            out.push_str(&format!("{head}  {} · {} · {}\n", n.case, n.check, n.req));
        }
    };
    list("notices it", &planted.own);
    list("coarse: notices it too", &planted.others);
    Err(Failed::from(out))
}
