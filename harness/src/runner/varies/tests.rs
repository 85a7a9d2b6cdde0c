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
    assert_eq!(
        marked(
            "get = OK \"\\u{1}a b\\u{18}\"",
            "get = OK \"\\u{1}c d\\u{18}\""
        ),
        Some("get = OK ‹varies›".to_owned())
    );
    let once = marked("cas 4 of 5", "cas 9 of 5").unwrap();
    assert_eq!(once, "cas ‹varies› of 5");
    assert_eq!(marked(&once, "cas 7 of 5"), None);
    let again = marked(&once, "cas 7 of 6").unwrap();
    assert!(same(&again, "cas 4 of 5") && same(&again, "cas 7 of 6"));
}

#[test]
fn lines_that_come_more_or_less_often_become_one_that_stands_for_any_number() {
    let ticks = |n: usize| format!("> start\n{}> done\n> end\n", "> tick\n".repeat(n));
    let once = mark(&ticks(3), &ticks(4)).unwrap();
    assert!(once.contains("‹varies› …\n"), "{once}");
    assert!(same(&once, &ticks(3)) && same(&once, &ticks(4)));
    assert!(same(&once, &ticks(9)), "more of them: {once}");
    assert!(!same(&once, "> start\n> tick\n> end\n"), "done must come");
    // A body that is cut in other places: the lines between, the same by chance, are no landmarks.
    let body = |sizes: &[u32]| {
        let each = sizes.iter().map(|s| format!("> body {s}\n  = PAUSE\n"));
        format!("> head\n{}> rest\n", each.collect::<String>())
    };
    let once = mark(&body(&[1, 2, 3]), &body(&[4, 2])).unwrap();
    let twice = mark(&once, &body(&[3, 3, 3, 3])).unwrap_or(once);
    assert!(same(&twice, &body(&[1, 2, 3])) && same(&twice, &body(&[4, 2])));
    assert!(same(&twice, &body(&[3, 3, 3, 3])), "{twice}");
    assert!(!same(&twice, "> head\n> other\n"));
    // A mark of many lines stays one.
    let marks = twice.lines().filter(|l| l.starts_with("‹varies› …"));
    assert_eq!(marks.count(), 1, "{twice}");
}
