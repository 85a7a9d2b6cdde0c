//! Faults: each one shows somewhere, and none without being planted.

use std::collections::BTreeSet;

use crate::host::reference::faults;
use crate::host::reference::tests::kit::*;
use crate::host::reference::tests::scenes;
use crate::trace::{Attempt, Blame, EventKind, Returned, Value};

/// What was observed, without what differs from run to run.
fn seen(attempt: Attempt) -> Attempt {
    Attempt {
        micros: 0,
        host_log: None,
        ..attempt
    }
}

#[test]
fn every_job_plays_twice_alike_and_without_a_fault_of_ours() {
    for (at, job) in scenes::all().iter().enumerate() {
        assert_eq!(seen(play(job)), seen(play(job)), "job {at}");
    }
}

/// That each of them shows, and where, the suite proves: see `prove`.
#[test]
fn no_fault_makes_the_host_panic() {
    let mut planted = 0;
    let mut shown = 0;
    for job in scenes::all() {
        let (right, asked) = host().play_and_note(&job);
        let right = seen(right);
        for fault in faults().iter().filter(|name| asked.contains(**name)) {
            let wrong = play_wrong(&job, fault);
            let mut panicked = wrong.faults.iter();
            let panicked =
                panicked.find(|f| f.blame == Blame::Harness && f.what.contains("panicked"));
            assert_eq!(panicked, None, "{fault}");
            planted += 1;
            shown += usize::from(seen(wrong) != right);
        }
    }
    assert!(shown > planted / 4, "{shown} of {planted} show");
}

#[test]
fn the_tables_say_of_every_fault_what_it_breaks() {
    let tables = [
        include_str!("../../../../../specs/abi/v0_1_0.yaml"),
        include_str!("../../../../../specs/abi/v0_2_1.yaml"),
    ];
    let rows = tables.iter().flat_map(|text| text.lines());
    let named: BTreeSet<&str> = rows.filter_map(|l| l.strip_prefix("  - fault: ")).collect();
    let planted: BTreeSet<&str> = faults().iter().copied().collect();
    assert_eq!(planted.len(), faults().len(), "no name stands twice");
    assert_eq!(named, planted);
}

#[test]
fn a_fault_that_does_not_exist_is_trouble() {
    let trouble = host().play_with_fault(&job("0.2.1", vec![], get()), "no_such_fault");
    assert!(trouble.is_err_and(|t| t.what.contains("no_such_fault")));
}

#[test]
fn wrong_pointers_and_numbers_have_their_statuses() {
    for version in ["0.1.0", "0.2.1"] {
        let attempt = play(&scenes::all_wrong(version));
        for event in events(&attempt)
            .into_iter()
            .filter(|e| e.kind == EventKind::Hostcall)
        {
            let unknown = event
                .args
                .iter()
                .any(|f| matches!(f.value, Value::Enum(None, 99 | 77)));
            let Returned::Value(Value::Enum(Some(status), _)) = &event.end else {
                panic!("{event:?}")
            };
            let expected: &[&str] = match event.name.as_str() {
                // The text names no other errno for it.
                "args_get" => &["SUCCESS"],
                _ if unknown => &["BAD_ARGUMENT", "BADF", "NOTSUP"],
                _ => &["INVALID_MEMORY_ACCESS", "FAULT"],
            };
            assert!(expected.contains(&status.as_str()), "{event:?}");
            let outs = event.outs.iter().all(|f| f.value == Value::Untouched);
            assert!(
                outs || event.name == "args_get",
                "no output after a failure: {event:?}"
            );
        }
    }
}
