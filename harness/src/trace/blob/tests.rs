//! Whole and cut bytes, in memory, in words and in a record.

use crate::trace::{Blob, ENDS, Growing, WHOLE, digest, quote};

#[test]
fn the_digest_is_fnv_1a() {
    assert_eq!(digest(b""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(digest(b"a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(digest(b"foobar"), 0x8594_4171_f739_67e8);
}

#[test]
fn long_values_are_cut() {
    let all: Vec<u8> = (0..=WHOLE).map(|n| n as u8).collect();
    assert_eq!(Blob::new(&all[..WHOLE]).whole(), Some(&all[..WHOLE]));
    let cut = Blob::new(&all);
    let want = Blob::Cut {
        len: WHOLE as u64 + 1,
        digest: digest(&all),
        head: all[..ENDS].to_vec(),
        tail: all[all.len() - ENDS..].to_vec(),
    };
    assert_eq!(cut, want);
    assert_eq!((cut.whole(), cut.len(), cut.is_empty()), (None, 257, false));
    assert!(Blob::with_limit(&all[..2 * ENDS - 1], 3).whole().is_some());
    assert!(Blob::with_limit(&all[..2 * ENDS], 3).whole().is_none());
}

#[test]
fn lengths_and_equality() {
    let b = Blob::new(b"abc");
    assert_eq!((b.len(), b.is_empty()), (3, false));
    assert!(Blob::default().is_empty());
    assert!(b.is(b"abc") && !b.is(b"abd") && !b.is(b"ab"));
    let long = vec![7; 300];
    let cut = Blob::new(&long);
    assert!(cut.is(&long) && !cut.is(&long[1..]));
    let mut other = long.clone();
    other[150] = 8;
    assert!(!cut.is(&other));
    let Blob::Cut {
        digest, head, tail, ..
    } = cut
    else {
        panic!("not cut")
    };
    let longer = Blob::Cut {
        len: 301,
        digest,
        head,
        tail,
    };
    assert!(!longer.is(&long));
}

#[test]
fn nothing_hostile_is_shown_raw() {
    assert_eq!(quote(b"a\"b\\c"), r#""a\"b\\c""#);
    assert_eq!(quote(b"\n\r\t\0\x1b"), r#""\n\r\t\u{0}\u{1b}""#);
    assert_eq!(quote(b"\xff\xc3a"), r#""\xff\xc3a""#);
    assert_eq!(
        quote("ä\u{202e}\u{200b}\u{2066}\u{feff}".as_bytes()),
        r#""ä\u{202e}\u{200b}\u{2066}\u{feff}""#
    );
    assert_eq!(Blob::new(b"a\n").display(), r#""a\n""#);
    let long = Blob::new(&[b'x'; 300]).display();
    let end = format!("\"{}\"", "x".repeat(ENDS));
    assert!(
        long.starts_with(&format!("{end} … {end} (300 bytes, digest ")),
        "{long}"
    );
}

#[test]
fn a_record_keeps_them() {
    let long = Blob::new(&[9; 300]);
    for b in [
        Blob::new(b"text"),
        Blob::new(b"\xff\x00"),
        Blob::default(),
        long.clone(),
    ] {
        let json = serde_json::to_string(&b).unwrap();
        assert_eq!(serde_json::from_str::<Blob>(&json).unwrap(), b, "{json}");
    }
    assert_eq!(
        serde_json::to_string(&Blob::new(b"t")).unwrap(),
        r#"{"text":"t"}"#
    );
    assert_eq!(
        serde_json::to_string(&Blob::new(b"\xff")).unwrap(),
        r#"{"b64":"/w=="}"#
    );
    for bad in [
        r#"{"b64":"!"}"#,
        r#"{"cut":[1,"x","",""]}"#,
        r#"{"cut":[1,"0","!",""]}"#,
        r#"{"x":""}"#,
    ] {
        assert!(serde_json::from_str::<Blob>(bad).is_err(), "{bad}");
    }
    let schema = schemars::schema_for!(Blob).to_value().to_string();
    for form in ["text", "b64", "cut"] {
        assert!(schema.contains(&format!("\"{form}\"")), "{form}: {schema}");
    }
}

#[test]
fn what_grew_piece_by_piece_is_kept_as_if_it_had_come_whole() {
    let all: Vec<u8> = (0..400u32).map(|n| (n * 7 % 251) as u8).collect();
    for limit in [2 * ENDS, 100, 256] {
        for len in [0, 1, 63, 64, 65, 99, 100, 101, 256, 257, 400] {
            for piece in [1, 3, 31, 32, 33, 64, 100, 400] {
                let mut growing = Growing::new(limit);
                all[..len].chunks(piece).for_each(|p| growing.push(p));
                let whole = Blob::with_limit(&all[..len], limit);
                assert_eq!(growing.blob(), whole, "{len} bytes, {limit}, by {piece}");
            }
        }
    }
}
