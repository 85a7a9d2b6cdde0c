//! Fields of a message, and what came on a TCP connection.

use crate::trace::{Blob, Message};

#[test]
fn values_of_a_field_without_regard_to_case() {
    let b = |t: &str| Blob::Whole(t.as_bytes().to_vec());
    let long = Blob::new(&[b'a'; 300]);
    let fields = [
        (b("A"), b("1")),
        (b("b"), b("2")),
        (b("a"), b("3")),
        (long, b("4")),
    ];
    assert_eq!(Message::values(&fields, "a"), [&b("1"), &b("3")]);
    assert_eq!(Message::values(&fields, "B"), [&b("2")]);
    assert!(Message::values(&fields, "c").is_empty());
}

#[test]
fn what_came_on_a_tcp_connection_is_told_from_http() {
    let tcp = Message::tcp(Blob::new(b"x"), true);
    assert!(tcp.is_tcp() && tcp.complete && tcp.body.is(b"x"));
    let with = |change: fn(&mut Message)| {
        let mut m = Message::default();
        change(&mut m);
        m.is_tcp()
    };
    assert!(with(|m| m.complete = true));
    assert!(!with(|m| m.status = Some(200)));
    assert!(!with(|m| m.method = Some("GET".to_owned())));
}
