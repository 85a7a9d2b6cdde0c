//! Guests that do not return.

use std::time::{Duration, Instant};

use crate::case::Act;
use crate::host::reference::tests::kit::*;
use crate::trace::{Attempt, End};

fn play_act(act: Act) -> Attempt {
    let mut job = job(
        "0.2.1",
        vec![on("proxy_on_request_headers", vec![act])],
        get(),
    );
    // Far beyond what a guest may take: on a busy machine one that is stopped ends late, and what ends after
    // the deadline is a time-out.
    job.deadline = Duration::from_secs(10);
    let began = Instant::now();
    let attempt = play(&job);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "it ended by its deadline"
    );
    attempt
}

#[test]
fn a_trap_costs_the_stream() {
    let attempt = play_act(Act::Trap);
    assert!(matches!(attempt.end, End::Trap(_)), "{:?}", attempt.end);
    let client = attempt.seen.client[0]
        .response
        .as_ref()
        .expect("a response");
    assert_eq!(client.status, Some(500));
    assert!(!callbacks(&attempt).contains(&"done".to_owned()));
}

#[test]
fn recursion_is_a_trap() {
    let attempt = play_act(Act::Recurse);
    assert!(matches!(attempt.end, End::Trap(_)), "{:?}", attempt.end);
}

#[test]
fn a_loop_is_stopped() {
    let attempt = play_act(Act::Spin);
    assert!(matches!(attempt.end, End::Trap(_)), "{:?}", attempt.end);
}

#[test]
fn growing_for_ever_is_stopped() {
    let attempt = play_act(Act::Grow(None));
    assert!(matches!(attempt.end, End::Trap(_)), "{:?}", attempt.end);
}

#[test]
fn a_loop_that_nothing_stops_ends_at_the_deadline() {
    let mut job = job(
        "0.2.1",
        vec![on("proxy_on_request_headers", vec![Act::Spin])],
        get(),
    );
    job.deadline = Duration::from_millis(150);
    let attempt = play_wrong(&job, "loop_is_never_stopped");
    assert!(matches!(attempt.end, End::Timeout(_)), "{:?}", attempt.end);
}
