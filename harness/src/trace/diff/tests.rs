//! A diff for people.

use crate::trace::diff;

#[test]
fn differences() {
    assert_eq!(diff("a\nb\n", "a\nb\n"), "");
    let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let new = old.replace("5\n", "five\n");
    let want = "--- snapshot\n+++ now\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n";
    assert_eq!(diff(old, &new), want);
}
