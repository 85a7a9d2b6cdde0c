//! The backend and the raw connection, against sockets of the test's own.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::host::network::backend::{Act, Backend};
use crate::host::network::ear::{Ear, Phrases};
use crate::host::network::raw::Raw;
use crate::host::network::tests::lines::envoy;
use crate::host::network::wirelog::WireLog;

fn ear() -> Arc<Ear> {
    Arc::new(Ear::new(Arc::new(Phrases::new(&envoy()).unwrap())))
}

fn until(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < end, "it does not come to hold");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn read(mut from: &UnixStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    from.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    from.read_exact(&mut bytes).unwrap();
    bytes
}

fn raw(socket: UnixStream) -> Raw {
    let second = Duration::from_secs(1);
    Raw::new("x".to_owned(), socket, second, ear(), WireLog::default()).unwrap()
}

#[test]
fn a_connection_says_what_came_and_who_was_the_first_to_end_it() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut one = raw(ours);
    one.send(b"abc");
    assert_eq!(read(&theirs, 3), b"abc");
    theirs.write_all(b"de").unwrap();
    until(|| one.saw().0.body.is(b"de"));
    assert!(!one.ended());
    theirs.shutdown(Shutdown::Write).unwrap();
    until(|| one.ended());
    // It still sends: only one side has ended.
    one.send(b"f");
    assert_eq!(read(&theirs, 1), b"f");
    one.close();
    let (saw, trouble) = one.saw();
    assert!(saw.body.is(b"de") && saw.complete && trouble.is_none());
}

#[test]
fn what_comes_after_our_own_close_is_not_recorded() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut one = raw(ours);
    one.end();
    theirs.write_all(b"late").unwrap();
    until(|| one.is_read_out() && one.saw().0.body.is(b"late"));
    one.close();
    drop(theirs);
    until(|| one.is_read_out());
    let (saw, trouble) = one.saw();
    assert!(saw.body.is(b"late") && !saw.complete && trouble.is_none());
}

#[test]
fn connections_belong_to_streams_in_the_order_of_opening() {
    let dir = tempfile::tempdir().unwrap();
    let backend = Backend::start(dir.path(), ear(), WireLog::default()).unwrap();
    let connect = || UnixStream::connect(dir.path().join("backend.sock")).unwrap();
    backend.begin(true);
    backend.open(1);
    backend.open(2);
    // The upstream wants to speak on both before the host has connected for either.
    backend.act(2, Act::Send((*b"two").into()));
    backend.act(1, Act::Send((*b"one").into()));
    assert_eq!(backend.ended(1), None);
    let (mut first, second) = (connect(), connect());
    assert_eq!(read(&first, 3), b"one");
    assert_eq!(read(&second, 3), b"two");
    assert!(backend.ended(1) == Some(false) && backend.ended(2) == Some(false));
    first.write_all(b"hello").unwrap();
    drop(second);
    until(|| backend.ended(2) == Some(true));
    backend.past();
    first.shutdown(Shutdown::Write).unwrap();
    let saw = backend.end();
    let all = saw.iter().map(|u| (&u.request.body, u.request.complete));
    let all: Vec<_> = all.collect();
    assert!(all[0].0.is(b"hello") && !all[0].1);
    assert!(all[1].0.is(b"") && all[1].1);
    assert!(
        saw.iter()
            .all(|u| u.upstream == "main" && u.request.is_tcp())
    );
}

#[test]
fn what_the_host_has_sent_is_read_before_the_case_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let backend = Backend::start(dir.path(), ear(), WireLog::default()).unwrap();
    let connect = || UnixStream::connect(dir.path().join("backend.sock")).unwrap();
    for case in 0..20 {
        backend.begin(true);
        backend.open(1);
        let bytes = vec![case; 100_000];
        let socket = connect();
        let writes = {
            let (mut socket, bytes) = (socket.try_clone().unwrap(), bytes.clone());
            std::thread::spawn(move || socket.write_all(&bytes).unwrap())
        };
        writes.join().unwrap();
        let saw = backend.end();
        assert_eq!(saw.len(), 1);
        assert!(saw[0].request.body.is(&bytes), "case {case}");
    }
    // Without TCP streams nobody is taken in.
    backend.begin(false);
    drop(connect());
    assert!(backend.end().is_empty());
}
