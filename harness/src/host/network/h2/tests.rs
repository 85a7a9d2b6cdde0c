//! Both ends against each other over socket pairs: no proxy between them.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request as Head};

use crate::case::{Exchange, GrpcAfter, GrpcEnd, GrpcScript, GrpcTurn, Profile, Request};
use crate::host::network::client::ClientSide;
use crate::host::network::ear::{Ear, Phrases};
use crate::host::network::h2::frames::{Unframer, framed};
use crate::host::network::h2::{Client, GrpcUpstreams};
use crate::host::network::wirelog::WireLog;
use crate::trace::Blob;

const SOON: Duration = Duration::from_secs(5);

fn turn(after: GrpcAfter, messages: &[&str], end: Option<GrpcEnd>) -> GrpcTurn {
    GrpcTurn {
        after,
        initial_metadata: None,
        messages: messages.iter().map(|m| m.as_bytes().to_vec()).collect(),
        end,
    }
}

fn status(code: u32, message: &str) -> Option<GrpcEnd> {
    Some(GrpcEnd::Status {
        code,
        message: message.to_owned(),
        trailing_metadata: vec![(b"X-Last".to_vec(), b"1".to_vec())],
    })
}

/// What the caller of a scripted upstream got.
#[derive(Debug, Default, PartialEq)]
struct Got {
    head: Vec<(String, String)>,
    messages: Vec<Vec<u8>>,
    trailers: Vec<(String, String)>,
    trouble: bool,
}

fn pairs(all: &HeaderMap) -> Vec<(String, String)> {
    let text = |v: &http::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
    all.iter().map(|(k, v)| (k.to_string(), text(v))).collect()
}

/// Calls the upstream: sends `messages`, ends its side if asked to, and reads until the end, or resets
/// once it has read as many messages as `cancel` says.
async fn call(stream: UnixStream, messages: &[&str], end: bool, cancel: Option<usize>) -> Got {
    stream.set_nonblocking(true).expect("a socket");
    let stream = tokio::net::UnixStream::from_std(stream).expect("a socket");
    let (requests, connection) = h2::client::handshake(stream).await.expect("a handshake");
    tokio::spawn(connection);
    let mut requests = requests.ready().await.expect("a connection");
    let head = Head::post("http://x.test/pkg.Test/Do")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-own", "1")
        .body(())
        .expect("a head");
    let (response, mut send) = requests.send_request(head, false).expect("sent");
    for (n, message) in messages.iter().enumerate() {
        let last = end && n + 1 == messages.len();
        send.send_data(framed(message.as_bytes()), last)
            .expect("sent");
    }
    let mut got = Got::default();
    let response = match response.await {
        Ok(response) => response,
        Err(_) => {
            got.trouble = true;
            return got;
        }
    };
    got.head = pairs(response.headers());
    let mut body = response.into_body();
    let mut unframer = Unframer::default();
    while let Some(bytes) = body.data().await {
        let Ok(bytes) = bytes else {
            got.trouble = true;
            return got;
        };
        unframer.push(&bytes);
        while let Some(message) = unframer.next_message() {
            got.messages.push(message);
        }
        if cancel.is_some_and(|n| got.messages.len() >= n) {
            send.send_reset(h2::Reason::CANCEL);
            // Time for the reset to go out.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            return got;
        }
    }
    match body.trailers().await {
        Ok(trailers) => got.trailers = trailers.as_ref().map(pairs).unwrap_or_default(),
        Err(_) => got.trouble = true,
    }
    got
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_io().build().expect("a runtime")
}

fn scripted(script: GrpcScript) -> (GrpcUpstreams, UnixStream) {
    let upstreams = GrpcUpstreams::start(WireLog::default()).expect("upstreams");
    upstreams.begin(&Exchange {
        grpc: BTreeMap::from([("grpc_a".to_owned(), vec![script])]),
        ..Exchange::default()
    });
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    upstreams.serve("grpc_a", ours, || {});
    (upstreams, theirs)
}

#[test]
fn a_call_is_recorded_and_answered() {
    let mut answer = turn(GrpcAfter::End, &["world"], status(0, ""));
    answer.initial_metadata = Some(vec![(b"x-first".to_vec(), b"2".to_vec())]);
    let (upstreams, stream) = scripted(vec![answer]);
    let got = runtime().block_on(call(stream, &["hello", ""], true, None));
    let has = |all: &[(String, String)], k: &str, v: &str| all.contains(&(k.into(), v.into()));
    assert!(has(&got.head, "content-type", "application/grpc"));
    assert!(has(&got.head, "x-first", "2"));
    assert_eq!(got.messages, [b"world"]);
    assert!(has(&got.trailers, "grpc-status", "0") && has(&got.trailers, "x-last", "1"));
    let saw = upstreams.end(SOON);
    assert_eq!(saw.len(), 1);
    assert_eq!(
        (saw[0].service.as_str(), saw[0].method.as_str()),
        ("pkg.Test", "Do")
    );
    assert_eq!(saw[0].messages, [Blob::new(b"hello"), Blob::new(b"")]);
    assert_eq!(saw[0].metadata, [(Blob::new(b"x-own"), Blob::new(b"1"))]);
    assert_eq!((saw[0].ended, saw[0].cancelled), (true, false));
}

#[test]
fn turns_wait_for_messages_and_for_the_exchange() {
    let script = vec![
        turn(GrpcAfter::Messages(2), &["two came"], None),
        turn(GrpcAfter::Go, &["went on"], status(7, "not allowed")),
    ];
    let (upstreams, stream) = scripted(script);
    let (tell, told) = channel();
    let caller = std::thread::spawn(move || {
        let got = runtime().block_on(call(stream, &["a", "b"], false, None));
        tell.send(()).ok();
        got
    });
    let until = Instant::now() + SOON;
    while upstreams.traffic().0 < 3 && Instant::now() < until {
        std::thread::yield_now();
    }
    assert!(told.recv_timeout(Duration::from_millis(30)).is_err());
    upstreams.go("grpc_a");
    let got = caller.join().expect("no panic");
    assert_eq!(got.messages, [b"two came".to_vec(), b"went on".to_vec()]);
    let status: Vec<&str> = got.trailers.iter().map(|(_, v)| v.as_str()).collect();
    assert_eq!(status, ["7", "not allowed", "1"]);
    let saw = upstreams.end(SOON);
    assert_eq!((saw[0].ended, saw[0].cancelled), (false, false));
}

#[test]
fn a_call_that_is_cut_off_is_cancelled() {
    let (upstreams, stream) = scripted(vec![turn(GrpcAfter::Open, &["hello"], None)]);
    runtime().block_on(call(stream, &["a"], true, Some(1)));
    let until = Instant::now() + SOON;
    // The message, its end, the call itself, the cut.
    while upstreams.traffic().0 < 4 && Instant::now() < until {
        std::thread::yield_now();
    }
    let saw = upstreams.end(SOON);
    assert_eq!((saw[0].ended, saw[0].cancelled), (true, true));
}

#[test]
fn an_upstream_ends_by_status_alone_by_reset_and_by_closing() {
    let alone = vec![turn(GrpcAfter::Open, &[], status(12, "nobody"))];
    let (_upstreams, stream) = scripted(alone);
    let got = runtime().block_on(call(stream, &["a"], true, None));
    assert!(got.head.contains(&("grpc-status".into(), "12".into())));
    assert_eq!((got.messages.len(), got.trailers.len()), (0, 0));
    for end in [GrpcEnd::Reset, GrpcEnd::Close] {
        let script = vec![turn(GrpcAfter::Open, &["first"], Some(end.clone()))];
        let (upstreams, stream) = scripted(script);
        let got = runtime().block_on(call(stream, &["a"], true, None));
        // The caller's own library drops what it has not read when the connection ends.
        if end == GrpcEnd::Reset {
            assert_eq!(got.messages, [b"first"], "what was sent before goes out");
        }
        assert!(!got.head.is_empty() && got.trouble, "{end:?}: {got:?}");
        assert!(!upstreams.end(SOON)[0].cancelled);
    }
}

#[test]
fn a_case_that_is_over_is_not_recorded() {
    let (upstreams, stream) = scripted(vec![turn(GrpcAfter::End, &["late"], status(0, ""))]);
    assert_eq!(upstreams.end(SOON), []);
    let caller = std::thread::spawn(move || runtime().block_on(call(stream, &["a"], true, None)));
    let until = Instant::now() + SOON;
    while upstreams.traffic().0 < 1 && Instant::now() < until {
        std::thread::yield_now();
    }
    upstreams.begin(&Exchange::default());
    assert_eq!(upstreams.end(SOON), []);
    drop(upstreams);
    assert!(caller.join().expect("no panic").trouble);
}

fn request(body: &[&str], trailers: &[(&str, &str)]) -> Request {
    Request {
        http2: true,
        method: "POST".to_owned(),
        path: "/p?q=1".to_owned(),
        authority: "a.test".to_owned(),
        headers: vec![(b"X-Here".to_vec(), b"1".to_vec())],
        body: body.iter().map(|t| t.as_bytes().into()).collect(),
        trailers: trailers
            .iter()
            .map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
            .collect(),
    }
}

fn ear() -> Arc<Ear> {
    let text = include_str!("../../../../../specs/hosts/envoy.yaml");
    let profile: Profile = crate::case::load_profile("envoy.yaml", text).expect("a profile");
    Arc::new(Ear::new(Arc::new(
        Phrases::new(&profile).expect("expressions"),
    )))
}

/// What a server saw of one request: each DATA frame and whether it ended the stream, then trailers.
async fn serve_one(stream: UnixStream) -> (Head<()>, Vec<(Vec<u8>, bool)>, usize) {
    stream.set_nonblocking(true).expect("a socket");
    let stream = tokio::net::UnixStream::from_std(stream).expect("a socket");
    let mut connection = h2::server::handshake(stream).await.expect("a handshake");
    let (request, mut respond) = connection.accept().await.expect("one").expect("a request");
    tokio::spawn(async move { while connection.accept().await.is_some() {} });
    let (head, mut body) = request.into_parts();
    let mut frames = Vec::new();
    while let Some(bytes) = body.data().await {
        let bytes = bytes.expect("data");
        body.flow_control().release_capacity(bytes.len()).ok();
        frames.push((bytes.to_vec(), body.is_end_stream()));
    }
    let trailers = body
        .trailers()
        .await
        .expect("an end")
        .map_or(0, |t| t.len());
    let response = http::Response::builder().status(201).header("x-up", "2");
    let response = response.body(()).expect("a response");
    let mut send = respond.send_response(response, false).expect("sent");
    send.send_data(Bytes::from_static(b"answer"), false)
        .expect("sent");
    let mut last = HeaderMap::new();
    last.insert("x-last", "3".parse().expect("a value"));
    send.send_trailers(last).expect("sent");
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let mut whole = Head::new(());
    *whole.headers_mut() = head.headers;
    *whole.uri_mut() = head.uri;
    *whole.method_mut() = head.method;
    (whole, frames, trailers)
}

#[test]
fn a_client_sends_piece_by_piece_and_the_last_piece_is_the_end() {
    for (trailers, ends) in [(&[][..], true), (&[("x-t", "1")][..], false)] {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let server = std::thread::spawn(move || runtime().block_on(serve_one(theirs)));
        let request = request(&["one", "two"], trailers);
        let extra = vec![(b"x-extra".to_vec(), b"2".to_vec())];
        let client = Client::open(1, ours, &request, extra, ear(), WireLog::default());
        let mut client = Box::new(client.expect("a client"));
        assert_eq!((client.has_more(), client.pieces_left()), (true, 2));
        assert!(client.send_piece() && client.send_piece());
        assert!(!client.send_piece());
        assert_eq!(client.has_more(), !ends);
        client.send_end();
        assert!(!client.has_more());
        let (head, frames, got) = server.join().expect("no panic");
        assert_eq!(head.uri().to_string(), "http://a.test/p?q=1");
        assert_eq!(
            (&head.headers()["x-here"], &head.headers()["x-extra"]),
            (&"1".parse().unwrap(), &"2".parse().unwrap())
        );
        let joined: Vec<u8> = frames.iter().flat_map(|(b, _)| b.clone()).collect();
        assert_eq!(joined, b"onetwo");
        assert_eq!(frames.last().map(|(_, end)| *end), Some(ends));
        assert_eq!(got, trailers.len());
        let until = Instant::now() + SOON;
        while !client.is_over() && Instant::now() < until {
            std::thread::yield_now();
        }
        let saw = client.close("closed");
        let response = saw.response.expect("a response");
        assert_eq!((response.status, response.complete), (Some(201), true));
        assert_eq!(response.body, Blob::new(b"answer"));
        assert_eq!((response.trailers.len(), saw.trouble), (1, None));
    }
}

#[test]
fn a_client_that_goes_away_says_why() {
    let (ours, _theirs) = UnixStream::pair().expect("a pair");
    let client = Client::open(
        1,
        ours,
        &request(&["x"], &[]),
        Vec::new(),
        ear(),
        WireLog::default(),
    );
    let saw = Box::new(client.expect("a client")).close("aborted by the client");
    assert_eq!(saw.response, None);
    assert_eq!(saw.trouble.as_deref(), Some("aborted by the client"));
}
