//! Lines whose checksum is right and whose form is not.

use super::*;

/// A line with the right checksum behind `body`.
fn summed(body: &str) -> String {
    format!("{body}{:016x}", digest(body.as_bytes()))
}

#[test]
fn a_frame_has_a_token_numbers_and_bytes() {
    let line = summed("PWF102t0000000010001000201ff");
    let part = parse_frame(&line).unwrap();
    let want = FramePart {
        token: "t0",
        number: 1,
        part: 1,
        parts: 2,
        payload: vec![0x01, 0xff],
    };
    assert_eq!(part, want);
}

#[test]
fn what_cannot_be_is_refused_though_it_is_intact() {
    for body in [
        "PWF102t00000000100020002ff",     // a third part of two
        "PWF102t00000000100010002",       // no bytes
        "PWF102t00000000100010002f",      // half a byte
        "PWF102t00000000100010002gf",     // no digit
        "PWF102t00000000100010002fg",     // nor this
        "PWF102t00000000100010002FF",     // guests write small ones
        "PWF102t00000000g00010002ff",     // no number
        "PWF1g2t00000000100010002ff",     // no length of a token
        "PWF100000000010001000200010002", // no token
        "PWF1fft00000000100010002ff",     // a token beyond the end
    ] {
        let why = parse_frame(&summed(body)).unwrap_err();
        assert_eq!(why, "has an impossible form", "{body}");
    }
}

#[test]
fn what_is_too_short_for_a_frame_is_cut() {
    let short = "PWF102t000000001000100".to_owned() + &"0".repeat(15);
    assert_eq!(short.len(), 37);
    assert_eq!(
        parse_frame(&short).unwrap_err(),
        "is cut after 37 characters"
    );
    let why = parse_frame(&(short + "0")).unwrap_err();
    assert!(why.contains("its checksum is wrong"), "{why}");
    let why = parse_frame("PWF1 short").unwrap_err();
    assert!(why.contains("neither letters nor digits"), "{why}");
    let sum = "x".repeat(30) + "0000000000000 00";
    assert!(parse_frame(&sum).unwrap_err().contains("neither letters"));
}
