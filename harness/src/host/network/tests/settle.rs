//! When nothing more comes: against a worker of the test's own that does something at some fences.

use std::io::Read;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::host::network::ear::{Ear, Phrases};
use crate::host::network::fence::Gate;
use crate::host::network::settle::{Settle, Settled};
use crate::host::network::tests::lines::envoy;

const LONG: Duration = Duration::from_secs(20);

/// A worker that answers as many fences as `turns` has entries, each after it has done that much.
fn worker(dir: &Path, ear: &Arc<Ear>, turns: Vec<u64>) -> Arc<AtomicU64> {
    let listener = UnixListener::bind(dir.join("fence.sock")).unwrap();
    let done = Arc::new(AtomicU64::new(0));
    let (ear, counts) = (ear.clone(), done.clone());
    std::thread::spawn(move || {
        for much in turns {
            let (mut socket, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                socket.read_exact(&mut byte).unwrap();
                head.extend_from_slice(&byte);
            }
            // Slow, as on a machine that has other things to do.
            std::thread::sleep(Duration::from_millis(5));
            counts.fetch_add(much, Ordering::SeqCst);
            let head = String::from_utf8(head).unwrap();
            let field = head.lines().find_map(|l| l.strip_prefix("x-fence: "));
            let line = format!(
                "7|info|wasm|wasm log fence fence pwspec-fence: {}",
                field.unwrap()
            );
            ear.line(Some(line.as_bytes()));
        }
        // From now on it is busy for ever.
        std::mem::forget(listener);
    });
    done
}

fn settle(dir: &Path, turns: &[u64], ordered: bool) -> (Settle, Arc<AtomicU64>) {
    let ear = Arc::new(Ear::new(Arc::new(Phrases::new(&envoy()).unwrap())));
    let done = worker(dir, &ear, turns.to_vec());
    let gate = Arc::new(Gate::new(dir.join("fence.sock")));
    (Settle::new(gate, ear, ordered), done)
}

#[test]
fn a_silent_turn_between_two_that_are_heard_of_is_not_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (settle, done) = settle(dir.path(), &[1, 0, 1, 0, 1, 0, 0, 0, 0], true);
    let news = || done.load(Ordering::SeqCst);
    assert_eq!(settle.over(LONG, &news), Settled::Quiet);
    assert_eq!(news(), 3);
}

#[test]
fn nothing_at_all_is_known_after_as_many_fences_as_a_silence_has() {
    let dir = tempfile::tempdir().unwrap();
    let (settle, done) = settle(dir.path(), &[0, 0], true);
    assert_eq!(settle.over(LONG, &|| 0), Settled::Quiet);
    assert_eq!(done.load(Ordering::SeqCst), 0);
}

#[test]
fn what_is_enough_ends_the_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (settle, done) = settle(dir.path(), &[0, 1, 1, 1, 1, 1], true);
    let news = || done.load(Ordering::SeqCst);
    let wait = settle.until(LONG, &news, &|| news() == 1);
    assert_eq!((wait, news()), (Settled::Enough, 1));
}

#[test]
fn a_worker_that_is_busy_is_lost_and_costs_no_more_than_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let (settle, _) = settle(dir.path(), &[1], true);
    let began = Instant::now();
    let given = Duration::from_millis(200);
    let news = AtomicU64::new(0);
    let grows = || news.fetch_add(1, Ordering::SeqCst);
    assert_eq!(settle.over(given, &grows), Settled::Lost);
    assert!(began.elapsed() >= given && began.elapsed() < LONG);
}

#[test]
fn without_an_order_silence_is_the_end() {
    let dir = tempfile::tempdir().unwrap();
    // This fence answers nobody.
    let (settle, _) = settle(dir.path(), &[], false);
    let times = AtomicU64::new(0);
    // Twice there is something new.
    let news = || times.fetch_add(1, Ordering::SeqCst).min(2);
    assert_eq!(settle.over(LONG, &news), Settled::Quiet);
    assert!(times.load(Ordering::SeqCst) >= 4);
}
