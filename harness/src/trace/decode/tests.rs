//! Records written by hand: each kind, each form of an output, and what cannot be.

use super::*;
use crate::abi::{EnumDef, IdKind, Returns};
use crate::trace::digest;
use crate::trace::{ExportSig, Legend};

fn param(name: &str, ty: Type) -> Param {
    Param {
        name: name.into(),
        ty,
        volatile: false,
        default: None,
    }
}

/// Export 0 is a callback with a number and a bool, 1 an allocator. Step 0 has an input of each form,
/// step 1 an output of each.
fn legend() -> Legend {
    let inputs = vec![
        param("kind", Type::Enum("k".to_owned())),
        param("key", Type::Bytes),
        param("map", Type::Pairs),
        param("offset", Type::I64),
    ];
    let outputs = vec![
        param("value", Type::OutBytes),
        param("pairs", Type::OutPairs),
        param("id", Type::OutId(IdKind::Queue)),
        param("buffer", Type::Fill),
    ];
    let step = |hostcall: &str, params: Vec<Param>| StepSig {
        hostcall: hostcall.into(),
        returns: Returns::Enum("k".to_owned()),
        fixed: vec![None; params.len()],
        given: vec![[false; 2]; params.len()],
        params,
    };
    let mut first = step("proxy_put", inputs);
    first.fixed[2] = Some(Value::Bytes(Blob::new(b"as written")));
    Legend {
        token: "t".to_owned(),
        exports: vec![
            ExportSig {
                name: "proxy_on_thing".into(),
                callback: true,
                params: vec![param("size", Type::Size), param("end", Type::Bool)],
                returns: Returns::Bool,
            },
            ExportSig {
                name: "malloc".into(),
                callback: false,
                params: vec![param("memory_size", Type::Size)],
                returns: Returns::Pointer,
            },
        ],
        steps: vec![first, step("proxy_get", outputs)],
        enums: vec![EnumDef {
            name: "k".to_owned(),
            values: vec![("OK".to_owned(), 0), ("NOT_FOUND".to_owned(), 1)],
            foreign: Vec::new(),
        }],
    }
}

const ENTERED: [u8; 5] = [ENTER, 0, 2, 7, 1];
const LEFT: [u8; 2] = [LEAVE, 1];
const PUT: [u8; 9] = [CALLING, 0, 6, 1, 16, 3, 24, 0, 5];
const GET: [u8; 10] = [CALLING, 1, 7, 8, 12, 16, 20, 24, 28, 32];

/// What a tree makes of these records: its events, and what was wrong.
fn read(parts: &[&[u8]]) -> (Vec<Event>, Vec<Fault>) {
    let (mut tree, mut faults) = (Tree::default(), Vec::new());
    if let Err(e) = tree.add(&parts.concat(), &legend(), &mut faults) {
        panic!("{}", e.why());
    }
    (tree.finish(), faults)
}

/// Why these records cannot be.
fn impossible(parts: &[&[u8]]) -> String {
    let mut tree = Tree::default();
    let all = tree.add(&parts.concat(), &legend(), &mut Vec::new());
    all.err()
        .map_or("possible".to_owned(), |e| e.why().to_owned())
}

fn field(name: &str, value: Value) -> Field {
    Field {
        name: name.into(),
        value,
        volatile: false,
    }
}

fn status(name: &str, number: u64) -> Returned {
    Returned::Value(Value::Enum(Some(name.into()), number))
}

#[test]
fn calls_stand_inside_each_other() {
    let malloc: &[u8] = &[ENTER, 1, 1, 9, LEAVE, 0x80, 0x02];
    let (events, faults) = read(&[&ENTERED, &PUT, &[0], malloc, &[RESULT, 1, 0], &LEFT]);
    assert_eq!(faults, []);
    let [thing] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((thing.kind, thing.step), (EventKind::Callback, None));
    assert_eq!(thing.name, "proxy_on_thing");
    let args = [
        field("size", Value::Number(7)),
        field("end", Value::Bool(true)),
    ];
    assert_eq!(thing.args, args);
    assert_eq!(thing.end, Returned::Value(Value::Bool(true)));
    let [put] = thing.inner.as_slice() else {
        panic!("{thing:?}")
    };
    assert_eq!((put.kind, put.step), (EventKind::Hostcall, Some(0)));
    assert_eq!(put.end, status("NOT_FOUND", 1));
    assert_eq!(put.inner[0].kind, EventKind::Entry);
    assert_eq!(put.inner[0].end, Returned::Value(Value::Pointer(256)));
}

#[test]
fn inputs_are_shown_as_the_program_fixed_them_as_they_were_or_as_addresses() {
    let args = |parts: &[&[u8]]| {
        read(&[&[&ENTERED[..]], parts].concat()).0[0].inner[0]
            .args
            .clone()
    };
    let common = |key: &[Field]| {
        let mut all = vec![field("kind", Value::Enum(Some("NOT_FOUND".into()), 1))];
        all.extend(key.iter().cloned());
        all.push(field("map", Value::Bytes(Blob::new(b"as written"))));
        all.push(field("offset", Value::Signed(5)));
        all
    };
    let addresses = [
        field("key", Value::Pointer(16)),
        field("key_size", Value::Number(3)),
    ];
    assert_eq!(args(&[&PUT, &[0]]), common(&addresses));
    let saved = [field("key", Value::Bytes(Blob::new(b"abc")))];
    let said: &[u8] = &[2, 3, b'a', b'b', b'c', 0];
    assert_eq!(args(&[&PUT, said]), common(&saved));
}

#[test]
fn outputs_in_every_form() {
    let outs = |said: &[u8]| {
        let all = read(&[&ENTERED, &GET, &[0], &[RESULT, 0], said, &[0]]);
        let get = &all.0[0].inner[0];
        assert_eq!(get.end, status("OK", 0));
        assert!(get.args.is_empty(), "{:?}", get.args);
        get.outs.clone()
    };
    let value = |v: Value| [field("value", v)];
    assert_eq!(outs(&[]), []);
    assert_eq!(outs(&[1, 0]), value(Value::Untouched));
    let bytes: &[u8] = &[1, FIRST | SECOND | VALUE, 40, 2, 2, b'h', b'i'];
    assert_eq!(outs(bytes), value(Value::Bytes(Blob::new(b"hi"))));
    let text = |v: &[Field]| match &v[0].value {
        Value::Unreadable(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        text(&outs(&[1, FIRST | SECOND, 0x40, 9])),
        "9 bytes at 0x40 are outside the guest's memory"
    );
    assert_eq!(
        text(&outs(&[1, FIRST, 0x40])),
        "address 0x40 was written, no size"
    );
    assert_eq!(
        text(&outs(&[1, SECOND, 9])),
        "size 9 was written, no address"
    );
    assert_eq!(outs(&[1, FIRST_GIVEN | SECOND_GIVEN]), []);
    assert_eq!(outs(&[1, FIRST_GIVEN]), value(Value::Untouched));
    // One pair: the number of pairs, both lengths, name and value with a zero byte each.
    let map: &[u8] = &[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, b'a', 0, b'b', 0];
    let pairs = [&[2, FIRST | SECOND | VALUE, 40, 16, 16], map].concat();
    let one = vec![(Blob::new(b"a"), Blob::new(b"b"))];
    assert_eq!(outs(&pairs), [field("pairs", Value::Pairs(one))]);
    assert_eq!(
        outs(&[3, FIRST, 5]),
        [field("id", Value::Id(IdKind::Queue, 5))]
    );
    assert_eq!(outs(&[3, FIRST_GIVEN]), []);
    assert_eq!(outs(&[3, 0]), [field("id", Value::Untouched)]);
    let filled = [field("buffer", Value::Bytes(Blob::new(b"x")))];
    assert_eq!(outs(&[4, VALUE, 1, b'x']), filled);
    assert_eq!(outs(&[4, FIRST_GIVEN]), []);
    assert_eq!(outs(&[4, SECOND_GIVEN]), []);
    assert_eq!(outs(&[4, 0]), [field("buffer", Value::Untouched)]);
}

#[test]
fn long_values_come_as_their_ends() {
    let long = [7_u8; 300];
    let said = [
        &[1, FIRST | SECOND | VALUE, 40, 44, 0xac, 0x02][..],
        &digest(&long).to_le_bytes(),
        &[7; 64],
    ]
    .concat();
    let (events, _) = read(&[&ENTERED, &GET, &[0], &[RESULT, 0], &said, &[0]]);
    let value = Value::Bytes(Blob::new(&long));
    assert_eq!(events[0].inner[0].outs, [field("value", value)]);
}

#[test]
fn what_the_program_chose_of_an_output_is_an_argument() {
    let mut own = legend();
    own.steps[1].given = vec![[true, true], [false, true], [true, false], [false, true]];
    let mut tree = Tree::default();
    let records = [&ENTERED[..], &GET, &[0, RESULT, 0, 0]].concat();
    assert!(tree.add(&records, &own, &mut Vec::new()).is_ok());
    let events = tree.finish();
    let args = [
        field("value", Value::Pointer(8)),
        field("value_size", Value::Pointer(12)),
        field("pairs_size", Value::Pointer(20)),
        field("id", Value::Pointer(24)),
        field("buffer_size", Value::Number(32)),
    ];
    assert_eq!(events[0].inner[0].args, args);
}

#[test]
fn a_repeat_is_summed_up() {
    let (events, _) = read(&[&ENTERED, &PUT, &[0, REPEATED, 9, 4, RESULT, 0, 0], &LEFT]);
    let repeat = Some(Repeat { times: 9, same: 4 });
    assert_eq!(events[0].inner[0].repeat, repeat);
    let outside = impossible(&[&ENTERED, &[REPEATED, 9, 4]]);
    assert_eq!(outside, "a hostcall is summed up that is not running");
}

#[test]
fn what_does_not_come_back_never_did() {
    let (events, _) = read(&[&ENTERED, &PUT, &[0]]);
    assert_eq!(events[0].end, Returned::Never);
    assert_eq!(events[0].inner[0].end, Returned::Never);
    // A trap inside a call that the host made inside a hostcall: the outer two go on.
    let inner: &[u8] = &[ENTER, 1, 1, 9, ABANDONED, 1];
    let (events, _) = read(&[&ENTERED, &PUT, &[0], inner, &[RESULT, 0, 0], &LEFT]);
    let put = &events[0].inner[0];
    assert_eq!(put.inner[0].end, Returned::Never);
    assert_eq!(put.end, status("OK", 0));
    let (events, _) = read(&[&ENTERED, &PUT, &[0], &[ABANDONED, 0], &ENTERED, &LEFT]);
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].inner[0].end, Returned::Never);
}

#[test]
fn what_the_guest_has_no_room_for_is_a_fault_with_its_blame() {
    let (_, faults) = read(&[&[DROPPED, 3, NO_MEMORY, 1, NO_CONTEXT, 2]]);
    let want = [
        (Blame::Harness, "the guest had no room for 3 records"),
        (
            Blame::Case,
            "the guest has no memory for the arguments of call 2",
        ),
        (
            Blame::Case,
            "the program names context 2 before it was created",
        ),
    ];
    let want = want.map(|(blame, what)| Fault::new(blame, what.to_owned()));
    assert_eq!(faults, want);
}

#[test]
fn entries_are_counted_by_name() {
    let mut tree = Tree::default();
    let malloc: &[u8] = &[ENTER, 1, 1, 9, LEAVE, 0];
    let all = [&ENTERED, &LEFT[..], &ENTERED, malloc, &LEFT, &ENTERED].concat();
    assert!(tree.add(&all, &legend(), &mut Vec::new()).is_ok());
    assert_eq!(tree.entered("proxy_on_thing"), 3);
    assert_eq!(tree.entered("malloc"), 1);
    assert_eq!(tree.entered("other"), 0);
    assert_eq!(tree.entered_but("malloc"), 3);
    assert_eq!(tree.entered_but("proxy_on_thing"), 1);
}

#[test]
fn records_that_cannot_be() {
    let cases: [(&[&[u8]], &str); 13] = [
        (&[&[99]], "there are no records of kind 99"),
        (&[&LEFT], "a callback returns that is not running"),
        (
            &[&ENTERED, &PUT, &[0], &LEFT],
            "a callback returns that is not running",
        ),
        (&[&[RESULT, 0, 0]], "a hostcall returns that is not running"),
        (
            &[&ENTERED, &[RESULT, 0, 0]],
            "a hostcall returns while a callback is running",
        ),
        (&[&[ENTER, 5, 0]], "the module has no export 5"),
        (&[&[ENTER, 0, 1, 7]], "a call has too few arguments"),
        (
            &[&[ENTER, 0, 3, 7, 1, 1]],
            "proxy_on_thing has too many arguments",
        ),
        (
            &[&ENTERED, &[CALLING, 7, 0, 0]],
            "the program has no call 8",
        ),
        (&[&[ENTER, 0, 2, 7]], "a record ends too early"),
        (
            &[&ENTERED, &PUT, &[0, RESULT, 0, 2, 0]],
            "proxy_put has no output 1",
        ),
        (
            &[&[ENTER, 0x80, 0x80, 0x80, 0x80, 0x10, 0]],
            "a number is too large",
        ),
        (&[&[LEAVE], &[0x80; 10], &[1]], "a number is too long"),
    ];
    for (records, why) in cases {
        assert_eq!(impossible(records), why, "{records:?}");
    }
}
