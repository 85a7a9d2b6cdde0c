//! What client and upstreams saw, in the canonical text.

use super::{bytes, call, is, of, whole};
use crate::trace::*;

fn message() -> Message {
    Message {
        method: None,
        path: None,
        status: Some(200),
        headers: vec![
            (whole("Content-Type"), whole("text")),
            (whole("Date"), whole("now")),
            (whole("odd name"), whole("1")),
            (Blob::Whole(vec![0xff]), whole("2")),
            (whole(""), whole("3")),
            (whole("q\"q"), whole("4")),
        ],
        body: whole("hello"),
        trailers: vec![(whole("T"), whole("1")), (whole("date"), whole("2"))],
        complete: true,
    }
}

#[test]
fn the_wire() {
    let seen = Seen {
        client: vec![
            ClientSaw {
                stream: 1,
                response: Some(message()),
                trouble: None,
            },
            ClientSaw {
                stream: 2,
                response: None,
                trouble: Some("reset".into()),
            },
        ],
        upstream: vec![UpstreamSaw {
            upstream: "main".into(),
            request: Message {
                method: Some("GET".into()),
                path: Some("/a b".into()),
                headers: vec![
                    (whole("x-request-id"), whole("1")),
                    (whole("date"), whole("d")),
                ],
                ..Message::default()
            },
        }],
        grpc: vec![
            GrpcSaw {
                upstream: "grpc_a".into(),
                service: "pkg.Service".into(),
                method: "Do".into(),
                metadata: vec![
                    (whole("X-Own"), whole("1")),
                    (whole("x-request-id"), whole("2")),
                ],
                messages: vec![whole("one"), whole("")],
                ended: true,
                cancelled: false,
            },
            GrpcSaw {
                upstream: "grpc_b".into(),
                cancelled: true,
                ..GrpcSaw::default()
            },
        ],
    };
    let (client_adds, upstream_adds) = (["date".to_owned()], ["X-Request-Id".to_owned()]);
    let options = CanonOptions {
        client_adds: &client_adds,
        upstream_adds: &upstream_adds,
        ..CanonOptions::default()
    };
    let want = "\
client 1
    200
    content-type: \"text\"
    \"odd name\": \"1\"
    \"\\xff\": \"2\"
    \"\": \"3\"
    \"q\\\"q\": \"4\"
    body \"hello\"
    trailers
      t: \"1\"
client 2
    no response
    trouble: reset
upstream main
    GET \"/a b\" (incomplete)
    date: \"d\"
upstream grpc_a
    pkg.Service Do (ended)
    x-own: \"1\"
    message \"one\"
    message \"\"
upstream grpc_b
      (cancelled)
";
    assert_eq!(canonical(&Trace::default(), &seen, &options), want);
}

#[test]
fn fields_that_proxies_add_vary_within_maps() {
    let pairs = Value::Pairs(vec![
        (whole("Date"), whole("now")),
        (whole("x-id"), whole("7")),
        (whole("a"), whole("1")),
    ]);
    let e = call("f", &[], is("OK", 0), &[("a", pairs)]);
    let trace = Trace {
        instances: vec![of(vec![e])],
    };
    let (client_adds, upstream_adds) = (["date".to_owned()], ["x-id".to_owned()]);
    let options = CanonOptions {
        client_adds: &client_adds,
        upstream_adds: &upstream_adds,
        ..CanonOptions::default()
    };
    let text = canonical(&trace, &Seen::default(), &options);
    assert_eq!(
        text,
        "> f = OK {\"Date\": ‹varies›, \"x-id\": ‹varies›, \"a\": \"1\"}\n"
    );
}

#[test]
fn values_made_for_the_attempt_have_their_name() {
    let aliases = [(b"q-123".to_vec(), "{unique: q}".to_owned())];
    let options = CanonOptions {
        aliases: &aliases,
        ..CanonOptions::default()
    };
    let e = call(
        "f",
        &[("a", bytes("q-123")), ("b", bytes("q-1234"))],
        is("OK", 0),
        &[],
    );
    let seen = Seen {
        client: vec![ClientSaw {
            stream: 1,
            response: Some(Message {
                body: whole("q-123"),
                complete: true,
                ..Message::default()
            }),
            trouble: None,
        }],
        ..Seen::default()
    };
    let trace = Trace {
        instances: vec![of(vec![e])],
    };
    let text = canonical(&trace, &seen, &options);
    assert!(
        text.starts_with("> f {unique: q} \"q-1234\" = OK\n"),
        "{text}"
    );
    let wire = "client 1\n    closed\n    body {unique: q}\n";
    assert!(text.ends_with(wire), "{text}");
}
