//! Frames: whatever happens to the lines on their way, the reader knows or is not misled.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use pwspec::abi::Returns;
use pwspec::trace::{
    Blame, ExportSig, Fault, Instance, Legend, Reader, Taken, frame_lines, frame_token, parse_frame,
};

const TOKEN: &str = "t0ken";

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    }
}

/// The key of a module that exports `f0` to `f3`, without parameters and results.
fn legend() -> Legend {
    let export = |n| ExportSig {
        name: format!("f{n}").into(),
        callback: true,
        params: Vec::new(),
        returns: Returns::Nothing,
    };
    Legend {
        token: TOKEN.to_owned(),
        exports: (0..4).map(export).collect(),
        ..Legend::default()
    }
}

/// Records of calls of these exports, one after the other.
fn records(calls: &[u8]) -> Vec<u8> {
    calls.iter().flat_map(|n| [1, *n, 0, 2, 0]).collect()
}

/// The lines of an instance that sends each of these as a frame.
fn lines(frames: &[Vec<u8>], max_line: u32) -> Vec<String> {
    let numbered = (0u32..).zip(frames);
    numbered
        .flat_map(|(n, calls)| frame_lines(TOKEN, n, &records(calls), max_line))
        .collect()
}

fn read<'a>(lines: impl IntoIterator<Item = (&'a str, &'a str)>) -> (Vec<Instance>, Vec<Fault>) {
    let mut reader = Reader::new(&legend());
    for (label, line) in lines {
        reader.push(label, line);
    }
    reader.finish()
}

fn names(instance: &Instance) -> Vec<String> {
    instance.events.iter().map(|e| e.name.to_string()).collect()
}

fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(vec(0u8..4, 1..20), 1..6)
}

/// The shortest line for this token carries eight bytes.
fn max_line() -> impl Strategy<Value = u32> {
    59u32..400
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn records_survive_being_cut(bytes in vec(any::<u8>(), 1..3000), max in max_line(), n: u32) {
        let lines = frame_lines(TOKEN, n, &bytes, max);
        let mut joined = Vec::new();
        for (i, line) in lines.iter().enumerate() {
            prop_assert!(line.len() <= max as usize);
            prop_assert!(line.bytes().all(|b| b.is_ascii_alphanumeric()));
            prop_assert_eq!(frame_token(line), Some(TOKEN));
            let part = parse_frame(line).map_err(TestCaseError::fail)?;
            prop_assert_eq!((part.number, part.part as usize), (n, i));
            prop_assert_eq!(part.parts as usize, lines.len());
            joined.extend(part.payload);
        }
        prop_assert_eq!(joined, bytes);
    }

    #[test]
    fn whole_frames_become_the_calls_in_order(frames in frames(), max in max_line()) {
        let lines = lines(&frames, max);
        let (instances, faults) = read(lines.iter().map(|l| ("vm", l.as_str())));
        prop_assert_eq!(faults, vec![]);
        prop_assert_eq!(instances.len(), 1);
        let calls: Vec<String> = frames.concat().iter().map(|n| format!("f{n}")).collect();
        prop_assert_eq!(names(&instances[0]), calls);
    }

    #[test]
    fn a_damaged_character_is_noticed(
        frames in frames(), max in max_line(), which: Index, place: Index, other: char,
    ) {
        let mut lines = lines(&frames, max);
        let line = which.index(lines.len());
        let mut chars: Vec<char> = lines[line].chars().collect();
        let at = place.index(chars.len());
        prop_assume!(chars[at] != other);
        chars[at] = other;
        lines[line] = chars.into_iter().collect();
        let (_, faults) = read(lines.iter().map(|l| ("vm", l.as_str())));
        prop_assert!(faults.iter().any(|f| f.blame == Blame::Harness));
    }

    #[test]
    fn a_cut_line_is_noticed(frames in frames(), max in max_line(), which: Index, at: Index) {
        let mut lines = lines(&frames, max);
        let line = which.index(lines.len());
        // What is left must at least show that it was a frame of ours.
        let keep = 6 + TOKEN.len() + at.index(lines[line].len() - 6 - TOKEN.len());
        lines[line].truncate(keep);
        let (_, faults) = read(lines.iter().map(|l| ("vm", l.as_str())));
        prop_assert!(!faults.is_empty());
    }

    #[test]
    fn a_lost_or_swapped_line_is_noticed(frames in frames(), max in max_line(), which: Index) {
        let whole = lines(&frames, max);
        let lost = which.index(whole.len());
        let last = frame_lines(TOKEN, 0, &records(frames.last().unwrap()), max).len();
        let mut lines = whole.clone();
        lines.remove(lost);
        // Nothing can tell that a last frame should have come.
        let is_last_frame = last == 1 && lost == whole.len() - 1;
        if !lines.is_empty() && !is_last_frame {
            let (_, faults) = read(lines.iter().map(|l| ("vm", l.as_str())));
            prop_assert!(!faults.is_empty());
        }
        if lost > 0 {
            let mut lines = whole;
            lines.swap(lost, lost - 1);
            let (_, faults) = read(lines.iter().map(|l| ("vm", l.as_str())));
            prop_assert!(!faults.is_empty());
        }
    }

    #[test]
    fn labels_keep_instances_apart(
        one in frames(), two in frames(), max in max_line(), order in vec(any::<bool>(), 0..200),
    ) {
        let (a, b) = (lines(&one, max), lines(&two, max));
        let (mut from_a, mut from_b) = (a.iter().peekable(), b.iter().peekable());
        let mut mixed = vec![("a", from_a.next().unwrap().as_str())];
        for first in order {
            let next = if first { from_a.next().map(|l| ("a", l)) } else { from_b.next().map(|l| ("b", l)) };
            mixed.extend(next.map(|(label, l)| (label, l.as_str())));
        }
        mixed.extend(from_a.map(|l| ("a", l.as_str())));
        mixed.extend(from_b.map(|l| ("b", l.as_str())));
        let (instances, faults) = read(mixed);
        prop_assert_eq!(faults, vec![]);
        prop_assert_eq!(instances.len(), 2);
        let alone = |lines: &[String], label: &str| {
            read(lines.iter().map(|l| (label, l.as_str()))).0.remove(0)
        };
        prop_assert_eq!(&instances[0], &alone(&a, "a"));
        prop_assert_eq!(&instances[1], &alone(&b, "b"));
    }

    #[test]
    fn records_of_any_kind_never_upset_the_reader(bytes in vec(any::<u8>(), 1..200)) {
        let mut reader = Reader::new(&legend());
        for line in frame_lines(TOKEN, 0, &bytes, 400) {
            prop_assert_eq!(reader.push("vm", &line), Taken::Taken);
        }
        reader.finish();
    }

    #[test]
    fn text_of_any_kind_never_upsets_the_reader(text: String, tail: String) {
        let mut reader = Reader::new(&legend());
        reader.push("vm", &text);
        reader.push("vm", &format!("PWF1{text}"));
        reader.push("vm", &format!("PWF105{TOKEN}{tail}"));
        reader.finish();
    }
}

#[test]
fn lines_with_another_token_are_counted_and_dropped() {
    let mut reader = Reader::new(&legend());
    let late = frame_lines("t0kem", 3, &records(&[1]), 400);
    assert_eq!(reader.push("vm", &late[0]), Taken::OtherToken);
    assert_eq!(reader.push("vm", "an ordinary line"), Taken::NotAFrame);
    assert_eq!(reader.other_tokens(), 1);
    assert_eq!(reader.finish(), (vec![], vec![]));
}

#[test]
fn a_new_instance_under_a_label_does_not_silence_the_old_one() {
    let old = lines(&[vec![0], vec![1], vec![2]], 400);
    let new = lines(&[vec![3]], 400);
    let mixed = [&old[0], &old[1], &new[0], &old[2]];
    let mut reader = Reader::new(&legend()).vm(4);
    for line in mixed {
        reader.push("thread", line);
    }
    assert_eq!((reader.instances(), reader.entered("f3")), (2, 1));
    let (instances, faults) = reader.finish();
    assert_eq!(faults, vec![]);
    assert_eq!(names(&instances[0]), ["f0", "f1", "f2"]);
    assert_eq!(names(&instances[1]), ["f3"]);
    assert_eq!(instances[0].vm, 4);
}

#[test]
fn an_instance_without_its_first_frame_is_one_fault() {
    let whole = lines(&[vec![0], vec![1], vec![2], vec![3]], 400);
    let (instances, faults) = read(whole[1..].iter().map(|l| ("vm", l.as_str())));
    assert_eq!((instances, faults.len()), (vec![], 1));
}
