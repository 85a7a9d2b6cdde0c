//! Telling the streams of a case apart, and calls that belong to none.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use crate::case::{Answer, Exchange, Request, Stream};
use crate::host::network::ear::{Ear, Phrases};
use crate::host::network::fence::Gate;
use crate::host::network::settle::Settle;
use crate::host::network::tests::lines::envoy;
use crate::host::network::upstream::{Upstreams, needs_tag};
use crate::host::network::wirelog::WireLog;

fn stream(path: &str, status: u16) -> Stream {
    Stream {
        request: Request {
            http2: false,
            method: "GET".to_owned(),
            path: path.to_owned(),
            authority: "h".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
        },
        answer: Answer {
            status,
            ..Answer::default()
        },
    }
}

fn tagged(streams: Vec<Stream>) -> bool {
    needs_tag(&Exchange {
        streams,
        ..Exchange::default()
    })
}

#[test]
fn a_field_is_added_only_where_nothing_else_tells_streams_apart() {
    assert!(!tagged(vec![]));
    assert!(!tagged(vec![stream("/", 200)]));
    assert!(!tagged(vec![stream("/", 200), stream("/", 200)]));
    assert!(!tagged(vec![stream("/a", 200), stream("/b", 201)]));
    assert!(tagged(vec![stream("/", 200), stream("/", 201)]));
}

#[test]
fn a_call_that_comes_before_any_case_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let ear = Arc::new(Ear::new(Arc::new(Phrases::new(&envoy()).unwrap())));
    let gate = Arc::new(Gate::new(dir.path().join("fence.sock")));
    let settle = Settle::new(gate, ear, true);
    let upstreams = Upstreams::start(dir.path(), false, settle, WireLog::default()).unwrap();
    let mut socket = UnixStream::connect(dir.path().join("a.sock")).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    socket
        .write_all(b"GET /early HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    let mut first = [0; 15];
    socket.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    drop(socket);
    drop(upstreams);
}
