//! The map encoding, byte by byte.

use crate::abi::{decode_pairs, encode_pairs};

fn pairs(list: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    list.iter()
        .map(|(k, v)| (k.as_bytes().to_vec(), v.as_bytes().to_vec()))
        .collect()
}

/// The map of the text's example, in the bytes that its prose asks for.
const EXAMPLE: &[u8] = b"\x02\0\0\0\
    \x01\0\0\0\x01\0\0\0\x01\0\0\0\x02\0\0\0\
    a\x001\0b\x0022\0";

#[test]
fn the_example_of_the_text_both_ways() {
    let map = pairs(&[("a", "1"), ("b", "22")]);
    assert_eq!(encode_pairs(&map), EXAMPLE);
    assert_eq!(decode_pairs(EXAMPLE), Ok(map));
}

#[test]
fn an_empty_map_has_three_forms() {
    assert_eq!(encode_pairs(&[]), [0; 4]);
    for form in [&[][..], &[0], &[0; 4]] {
        assert_eq!(decode_pairs(form), Ok(Vec::new()), "{form:?}");
    }
}

#[test]
fn order_repeats_empty_parts_and_zero_bytes_survive() {
    let map = pairs(&[
        ("b", "x\0y"),
        ("a", ""),
        ("", "z"),
        ("a", "\u{e9}"),
        ("b", "x\0y"),
    ]);
    assert_eq!(decode_pairs(&encode_pairs(&map)), Ok(map));
}

#[test]
fn bytes_that_are_no_map_say_where_they_stop_being_one() {
    let refused = |bytes: &[u8], message: &str| {
        let error = decode_pairs(bytes).expect_err(message);
        assert_eq!(error.to_string(), message, "{bytes:?}");
    };
    for cut in 1..EXAMPLE.len() {
        refused(
            &EXAMPLE[..cut],
            &format!("the map ends early, at byte {cut}"),
        );
    }
    refused(&[1], "the map ends early, at byte 1");
    refused(&[0, 0], "the map ends early, at byte 2");
    refused(
        &[EXAMPLE, b"!"].concat(),
        "bytes behind the last pair, at byte 29",
    );
    refused(&[0, 0, 0, 0, 0], "bytes behind the last pair, at byte 4");

    let mut unterminated = EXAMPLE.to_vec();
    unterminated[23] = b'!';
    refused(
        &unterminated,
        "no zero byte behind a key or value, at byte 23",
    );
}

#[test]
fn lengths_that_the_bytes_do_not_bear_out_are_refused_at_once() {
    for count in [u32::MAX, 1 << 29, 1000] {
        let mut bytes = count.to_le_bytes().to_vec();
        bytes.extend([0; 8]);
        assert_eq!(decode_pairs(&bytes).expect_err("too short").offset(), 12);
    }
    let huge = [&[1, 0, 0, 0][..], &[0xff; 8], b"a\0b\0"].concat();
    assert_eq!(
        decode_pairs(&huge).expect_err("too short").offset(),
        huge.len()
    );
}
