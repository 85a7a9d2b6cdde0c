//! Telling the streams of a case apart.

use crate::case::{Answer, Exchange, Request, Stream};
use crate::host::network::upstream::needs_tag;

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
