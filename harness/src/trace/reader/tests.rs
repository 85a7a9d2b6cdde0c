//! Lines of several instances, whole and damaged.

use crate::abi::Returns;
use crate::trace::{Blame, ExportSig, Legend, Reader, Taken, frame_lines};

const TOKEN: &str = "t0ken";

fn reader() -> Reader {
    let export = |name: &str| ExportSig {
        name: name.into(),
        callback: true,
        params: Vec::new(),
        returns: Returns::Nothing,
    };
    Reader::new(&Legend {
        token: TOKEN.to_owned(),
        exports: vec![export("a"), export("b")],
        ..Legend::default()
    })
}

/// The frame with this number, in which an export was entered and left; in lines of `max` characters.
fn lines(number: u32, export: u8, max: u32) -> Vec<String> {
    frame_lines(TOKEN, number, &[1, export, 0, 2, 0], max)
}

fn line(number: u32, export: u8) -> String {
    lines(number, export, 1000).remove(0)
}

#[test]
fn instances_under_one_label_begin_with_frame_0() {
    let mut r = reader().vm(3);
    for (number, export) in [(0, 0), (1, 1), (0, 1), (1, 1), (2, 0)] {
        assert_eq!(r.push("x", &line(number, export)), Taken::Taken);
    }
    assert_eq!(r.push("y", &line(0, 0)), Taken::Taken);
    assert_eq!(r.instances(), 3);
    assert_eq!((r.entered("a"), r.entered("b")), (1, 2), "the most of any");
    assert_eq!((r.entered_but("a"), r.entered_but("b")), (3, 3), "of all");
    let (instances, faults) = r.finish();
    assert_eq!(faults, []);
    let told = instances.iter().map(|i| {
        let names: String = i.events.iter().map(|e| e.name.as_str()).collect();
        (i.vm, i.label.as_str(), names)
    });
    let want = [(3, "x", "ab"), (3, "x", "bba"), (3, "y", "a")];
    assert_eq!(
        told.collect::<Vec<_>>(),
        want.map(|(v, l, n)| (v, l, n.to_owned()))
    );
}

#[test]
fn an_older_instance_may_go_on() {
    let mut r = reader();
    for number in [0, 1, 0, 2] {
        r.push("x", &line(number, 0));
    }
    let (instances, faults) = r.finish();
    assert_eq!(faults, []);
    let counts: Vec<usize> = instances.iter().map(|i| i.events.len()).collect();
    assert_eq!(counts, [3, 1]);
}

#[test]
fn parts_of_a_frame_come_in_order() {
    let parts = lines(0, 1, 38 + 5 + 4);
    assert_eq!(parts.len(), 3);
    let mut r = reader();
    for part in &parts {
        assert_eq!(r.push("x", part), Taken::Taken);
    }
    let (instances, faults) = r.finish();
    assert_eq!((instances[0].events.len(), faults.len()), (1, 0));
    let mut r = reader();
    r.push("x", &parts[0]);
    r.push("x", &parts[2]);
    let (_, faults) = r.finish();
    let what = "frame 0, part 3 of 3, under x came where frame 0 was due: lines were lost";
    assert_eq!(faults[0].what, what);
    assert_eq!(faults.len(), 1, "{faults:?}");
    let mut r = reader();
    r.push("x", &parts[0]);
    r.push("x", &parts[1]);
    let (_, faults) = r.finish();
    assert_eq!(faults[0].what, "frame 0 under x was cut: 2 of 3 parts came");
}

#[test]
fn what_was_lost_is_said_once() {
    let mut r = reader();
    for number in [0, 2, 3] {
        r.push("x", &line(number, 0));
    }
    for _ in 0..2 {
        r.push("late", &line(4, 0));
    }
    let (instances, faults) = r.finish();
    assert_eq!(instances[0].events.len(), 1);
    let said: Vec<&str> = faults.iter().map(|f| f.what.as_str()).collect();
    let want = [
        "frame 2, part 1 of 1, under x came where frame 1 was due: lines were lost",
        "frame 4, part 1 of 1, under late came before the first frame of its instance",
    ];
    assert_eq!(said, want);
    assert!(faults.iter().all(|f| f.blame == Blame::Harness));
}

#[test]
fn records_that_cannot_be_break_their_instance_only() {
    let mut r = reader();
    r.push("x", &frame_lines(TOKEN, 0, &[99], 1000)[0]);
    r.push("x", &line(1, 0));
    r.push("x", &line(0, 1));
    let (instances, faults) = r.finish();
    assert_eq!(instances.len(), 2);
    assert_eq!(instances[1].events[0].name, "b");
    assert_eq!(
        faults[0].what,
        "frame 0 under x is impossible: there are no records of kind 99"
    );
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn lines_of_others_and_damaged_ones() {
    let mut r = reader();
    assert_eq!(r.push("x", "an ordinary line"), Taken::NotAFrame);
    let other = &frame_lines("0ther", 0, &[1, 0, 0, 2, 0], 1000)[0];
    assert_eq!(r.push("x", other), Taken::OtherToken);
    assert_eq!(r.other_tokens(), 1);
    let whole = line(0, 0);
    assert_eq!(r.push("x", &whole[..whole.len() - 1]), Taken::Taken);
    assert_eq!(
        r.push("x", &whole.replacen("PWF1", "....", 1)),
        Taken::Taken
    );
    assert_eq!(r.push("x", &format!("{whole}\r\n")), Taken::Taken);
    let (instances, faults) = r.finish();
    assert_eq!(instances.len(), 1);
    let said: Vec<&str> = faults.iter().map(|f| f.what.as_str()).collect();
    let want = [
        "a frame under x was cut or changed on its way: its checksum is wrong",
        "a frame under x holds characters that are neither letters nor digits",
    ];
    assert_eq!(said, want);
}
