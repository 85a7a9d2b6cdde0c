//! How cases are shared among lanes, and how long a callback is waited for that nobody has seen.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::host::network::tests::ear::job;
use crate::host::network::waits::{Waited, Waits};
use crate::host::network::work::{Call, Work};
use crate::host::{Job, Stop};
use crate::trace::Attempt;

const ASKED: Duration = Duration::from_secs(5);

fn jobs(count: usize) -> Vec<Job> {
    let jobs = (0..count).map(|index| Job { index, ..job("vm") });
    jobs.collect()
}

#[test]
fn lanes_take_less_at_once_when_little_is_left_and_miss_nothing() {
    let (waits, stop, done) = (Waits::default(), Stop::default(), |_, _: Attempt| {});
    let call = Call::new(Vec::new(), &waits, &stop, &done);
    let work = Work::new(jobs(200), 30, 3, &call);
    let mut sizes = Vec::new();
    let mut seen = BTreeSet::new();
    loop {
        let taken = work.next(work.batch.min(work.share()));
        if taken.is_empty() {
            break;
        }
        sizes.push(taken.len());
        seen.extend(taken.iter().map(|j| j.index));
    }
    assert_eq!(seen.len(), 200);
    assert_eq!(sizes.iter().sum::<usize>(), 200);
    assert_eq!(sizes[0], 30);
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    let (last, others) = sizes.split_last().unwrap();
    assert!(*last <= 20, "{sizes:?}");
    assert!(others.iter().all(|n| *n >= 20), "{sizes:?}");
}

#[test]
fn a_wait_is_cut_short_when_another_was_in_vain_and_whole_again_when_the_callback_came() {
    let waits = Waits::default();
    let all = jobs(3);
    let within = |n: usize| waits.within(&all[n], "proxy_on_tick", ASKED);
    assert_eq!(within(0), ASKED);
    waits.over(&all[1], "proxy_on_tick", Waited::Whole, false, false);
    assert!(within(0) < ASKED);
    assert_eq!(waits.within(&all[0], "proxy_on_done", ASKED), ASKED);
    waits.over(&all[0], "proxy_on_tick", Waited::Short, false, false);
    assert!(waits.was_cut(0) && !waits.was_cut(1));
    assert!(!waits.too_early(0));
    waits.over(&all[2], "proxy_on_tick", Waited::Short, true, true);
    assert_eq!(within(0), ASKED);
    assert!(waits.too_early(0) && !waits.was_cut(2));
}
