//! Fields of a message.

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
