//! Which code wins when several apply, and that numbers keep their meaning.

use super::Exit;

const ORDER: [Exit; 8] = [
    Exit::Bug,
    Exit::Usage,
    Exit::Interrupted,
    Exit::Host,
    Exit::Unexpected,
    Exit::Nothing,
    Exit::Incomplete,
    Exit::Fine,
];

#[test]
fn the_worst_of_two_is_the_one_that_comes_first() {
    for (i, a) in ORDER.into_iter().enumerate() {
        for b in &ORDER[i..] {
            assert_eq!(Exit::worst([a, *b]), a, "{a:?} and {b:?}");
            assert_eq!(Exit::worst([*b, a]), a, "{b:?} and {a:?}");
        }
    }
    assert_eq!(Exit::worst([]), Exit::Fine);
}

#[test]
fn the_numbers_are_those_of_the_documents() {
    let numbers: Vec<u8> = ORDER.iter().map(|e| e.code()).collect();
    assert_eq!(numbers, [70, 2, 130, 3, 1, 4, 5, 0]);
    for exit in ORDER {
        assert_eq!(Exit::of(exit.code()), exit);
    }
}
