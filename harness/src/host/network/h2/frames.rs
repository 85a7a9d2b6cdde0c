//! Messages of gRPC on the wire: five bytes in front of each, and texts in header fields.
//!
//! Does not know HTTP/2.

use bytes::{BufMut, Bytes, BytesMut};

/// A message as it travels: not compressed, its length, its bytes.
pub fn framed(message: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(message.len() + 5);
    out.put_u8(0);
    out.put_u32(message.len() as u32);
    out.put_slice(message);
    out.freeze()
}

/// Takes messages out of the bytes that have come.
#[derive(Debug, Default)]
pub struct Unframer {
    rest: BytesMut,
}

impl Unframer {
    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The next message that is whole.
    pub fn next_message(&mut self) -> Option<Vec<u8>> {
        let head: [u8; 4] = self.rest.get(1..5)?.try_into().ok()?;
        let len = u32::from_be_bytes(head) as usize;
        if self.rest.len() - 5 < len {
            return None;
        }
        let framed = self.rest.split_to(5 + len);
        Some(framed[5..].to_vec())
    }

    /// How many bytes of a message that is not whole are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }
}

/// A status message as a field's value: all but printable ASCII, and the per cent sign, in per cent
/// and two hexadecimal digits.
pub fn percent(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b' '..=b'~' if b != b'%' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_however_the_bytes_are_cut() {
        let all: Vec<Vec<u8>> = vec![b"one".to_vec(), Vec::new(), vec![7; 300]];
        let wire: Vec<u8> = all.iter().flat_map(|m| framed(m).to_vec()).collect();
        for size in [1, 2, 4, 5, 6, 7, 100, wire.len()] {
            let mut unframer = Unframer::default();
            let mut back = Vec::new();
            for part in wire.chunks(size) {
                unframer.push(part);
                while let Some(message) = unframer.next_message() {
                    back.push(message);
                }
            }
            assert_eq!((back, unframer.left()), (all.clone(), 0));
        }
        let mut cut = Unframer::default();
        cut.push(&wire[..7]);
        assert_eq!((cut.next_message(), cut.left()), (None, 7));
    }

    #[test]
    fn status_messages_are_one_line_of_ascii() {
        assert_eq!(
            percent("not found: 100 %\nä"),
            "not found: 100 %25%0A%C3%A4"
        );
    }
}
