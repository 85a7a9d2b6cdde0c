//! How long a play takes, printed and never asserted: `cargo test -- --ignored --nocapture timing`.

use std::time::Instant;

use crate::host::reference::tests::kit::*;

#[test]
#[ignore = "a measurement"]
fn timing() {
    let job = job("0.2.1", vec![], get());
    let began = Instant::now();
    play(&job);
    println!("cold: {:?}", began.elapsed());
    let began = Instant::now();
    for _ in 0..1000 {
        play(&job);
    }
    println!("warm: {:?} a run", began.elapsed() / 1000);
}
