//! Messages as client and upstream see them where no socket is between them and the host.
//!
//! Like HTTP/1.1: `:authority` travels as `host`, the other pseudo-fields as request line and status.
//! No framing field is added.

use crate::case::{Answer, Fields, Request};
use crate::trace::{Blob, ClientSaw, Growing, Message};

/// Fields as a record keeps them.
pub(in crate::host) fn blobs(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<(Blob, Blob)> {
    fields
        .iter()
        .map(|(k, v)| (Blob::new(k), Blob::new(v)))
        .collect()
}

/// Bodies up to this length are recorded whole.
const BODY: usize = 16 * 1024;

/// A body as a record keeps it.
pub(in crate::host) fn body(bytes: &[u8]) -> Blob {
    Blob::with_limit(bytes, BODY)
}

/// The same, before anything of it has come.
pub(in crate::host) fn no_body() -> Growing {
    Growing::new(BODY)
}

/// Whether a response has no body on the wire, whatever was given for it (RFC 9110, 6.4.1).
pub(in crate::host) fn bodiless(method: &str, status: Option<u16>) -> bool {
    method == "HEAD" || matches!(status, Some(100..=199 | 204 | 304))
}

fn pseudo(fields: &Fields, name: &str) -> Option<String> {
    let found = fields.iter().find(|(k, _)| k == name.as_bytes());
    found.map(|(_, v)| String::from_utf8_lossy(v).into_owned())
}

fn without_pseudo(fields: &Fields) -> Vec<(Blob, Blob)> {
    let plain = fields.iter().filter(|(k, _)| !k.starts_with(b":"));
    plain.map(|(k, v)| (Blob::new(k), Blob::new(v))).collect()
}

/// The head of a request as an upstream sees it.
pub(in crate::host) fn request(fields: &Fields) -> Message {
    let mut headers = Vec::new();
    if let Some(authority) = pseudo(fields, ":authority") {
        headers.push((Blob::new(b"host"), Blob::new(authority.as_bytes())));
    }
    headers.extend(without_pseudo(fields));
    Message {
        method: pseudo(fields, ":method"),
        path: pseudo(fields, ":path"),
        headers,
        ..Message::default()
    }
}

/// The head of a response as a client sees it. A status that is no number became 500 on the way.
pub(in crate::host) fn response(fields: &Fields) -> Message {
    let status = pseudo(fields, ":status").and_then(|s| s.parse().ok());
    Message {
        status: Some(status.unwrap_or(500)),
        headers: without_pseudo(fields),
        ..Message::default()
    }
}

/// The header map of a client's request.
pub(in crate::host) fn head_of_request(request: &Request) -> Fields {
    let mut fields = vec![
        (b":method".to_vec(), request.method.clone().into_bytes()),
        (b":scheme".to_vec(), b"http".to_vec()),
        (
            b":authority".to_vec(),
            request.authority.clone().into_bytes(),
        ),
        (b":path".to_vec(), request.path.clone().into_bytes()),
    ];
    fields.extend(request.headers.iter().cloned());
    fields
}

/// The header map of an upstream's answer.
pub(in crate::host) fn head_of_answer(answer: &Answer) -> Fields {
    let mut fields = vec![(b":status".to_vec(), answer.status.to_string().into_bytes())];
    fields.extend(answer.headers.iter().cloned());
    fields
}

/// What one client saw: its stream, the response so far, what went wrong, and whether it got its answer.
pub(in crate::host) type Client = (u32, Option<Message>, Option<String>, bool);

/// What all clients saw, by stream. One that got no answer and does not know why was left open.
pub(in crate::host) fn clients(all: impl Iterator<Item = Client>) -> Vec<ClientSaw> {
    let saw = all.map(|(stream, response, trouble, answered)| ClientSaw {
        stream,
        response,
        trouble: match trouble {
            None if !answered => Some("left open".to_owned()),
            known => known,
        },
    });
    let mut saw: Vec<ClientSaw> = saw.collect();
    saw.sort_by_key(|c| c.stream);
    saw
}
