//! Lines that vary, and lines that only look as if they did.

use super::{mark, same};

#[test]
fn a_mark_stands_for_anything_and_the_rest_for_itself() {
    let then = "> f\n    set \"k\" ‹varies› = OK\n  = TRUE\n";
    assert!(same(then, "> f\n    set \"k\" 3 = OK\n  = TRUE\n"));
    assert!(same(then, "> f\n    set \"k\" 12 = OK\n  = TRUE"));
    assert!(same(then, "> f\n    set \"k\" 3   = OK\n  = TRUE\n"));
    assert!(!same(then, "> f\n    set \"l\" 3 = OK\n  = TRUE\n"));
    assert!(!same(then, "> f\n    set \"k\" 3 = NO\n  = TRUE\n"));
    assert!(!same(then, "> f\n  set \"k\" 3 = OK\n  = TRUE\n"));
    assert!(!same(then, "> f\n    set \"k\" 3 = OK\n"));
    let twice = "a ‹varies› b ‹varies› c";
    assert!(same(twice, "a 1 b 2 c"));
    assert!(!same(twice, "a 1 d 2 c"));
    assert!(!same(twice, "a 1 b 2 d"));
}

#[test]
fn without_a_mark_every_byte_counts() {
    assert!(same("a  b\n", "a  b"));
    assert!(!same("a  b\n", "a b\n"));
}

#[test]
fn what_differs_is_marked_by_whole_words_and_whole_lists() {
    let marked = |then: &str, now: &str| mark(then, now).map(|text| text.trim_end().to_owned());
    assert_eq!(
        marked(
            "> f\n    set \"third\" 3  = OK",
            "> f\n    set \"third\" 15 = OK"
        ),
        Some("> f\n    set \"third\" ‹varies› = OK".to_owned())
    );
    assert_eq!(
        marked(
            "get = OK {\"x-a\": \"1\", \"x-long\": \"2\"}",
            "get = OK {\"x-long\": \"2\", \"x-a\": \"1\"}"
        ),
        Some("get = OK {‹varies›}".to_owned())
    );
    assert_eq!(marked("a\nb", "a\nb"), None);
    assert_eq!(marked("a\nb", "a"), None);
    let once = marked("cas 4 of 5", "cas 9 of 5").unwrap();
    assert_eq!(once, "cas ‹varies› of 5");
    assert_eq!(marked(&once, "cas 7 of 5"), None);
    let again = marked(&once, "cas 7 of 6").unwrap();
    assert!(same(&again, "cas 4 of 5") && same(&again, "cas 7 of 6"));
}
