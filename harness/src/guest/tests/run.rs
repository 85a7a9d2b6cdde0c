//! What guests record when a host calls them.

use crate::abi::IdKind;
use crate::case::{Act, ArgValue, OUT_OF_BOUNDS, Operand};
use crate::guest::tests::host::{Inside, Vm};
use crate::guest::tests::table::{abi, call, data, get, number, on, spec};
use crate::guest::{build, build_with_line};
use crate::trace::{Blob, Event, EventKind, Field, Instance, Returned, Value};

const HEADERS: &str = "proxy_on_request_headers";

fn bytes(text: &str) -> Value {
    Value::Bytes(Blob::new(text.as_bytes()))
}

/// Runs the acts in one header callback of stream 7.
fn headers(
    acts: Vec<Act>,
    answer: impl Fn(&mut Inside<'_>, &str, &[u64]) -> u64 + Send + Sync + 'static,
) -> Event {
    let module = build(&spec(vec![on(HEADERS, acts)]), &abi()).unwrap();
    let mut vm = Vm::new(&module, answer).with_stream();
    vm.call(HEADERS, &[7, 0, 1]);
    find(&only(vm), HEADERS).clone()
}

fn ok() -> Returned {
    Returned::Value(Value::Enum(Some("OK".into()), 0))
}

/// The only instance of a run without faults.
pub(crate) fn only(vm: Vm) -> Instance {
    let (mut instances, faults) = vm.finish();
    assert_eq!(faults, Vec::new());
    assert_eq!(instances.len(), 1);
    instances.remove(0)
}

/// The first callback of that name.
fn find<'a>(instance: &'a Instance, name: &str) -> &'a Event {
    instance.events.iter().find(|e| e.name == name).unwrap()
}

#[test]
fn a_hostcall_with_an_allocation_inside() {
    let module = build(&spec(vec![on(HEADERS, vec![get("x-here")])]), &abi()).unwrap();
    let mut vm = Vm::new(&module, |guest, name, args| {
        assert_eq!(name, "proxy_get_header_map_value");
        assert_eq!(guest.read(args[1], args[2]), b"x-here");
        guest.give(b"one", args[3], args[4]);
        0
    })
    .with_stream();
    assert_eq!(vm.call(HEADERS, &[7, 3, 1]), 0);
    let instance = only(vm);
    let event = find(&instance, HEADERS);
    assert_eq!(event.kind, EventKind::Callback);
    assert_eq!(event.context(), Some(7));
    assert_eq!(event.arg("end_of_stream"), Some(&Value::Bool(true)));
    let continues = Value::Enum(Some("CONTINUE".into()), 0);
    assert_eq!(event.end, Returned::Value(continues));
    let [get] = event.inner.as_slice() else {
        panic!("one hostcall wanted: {event:?}");
    };
    assert_eq!((get.kind, get.step), (EventKind::Hostcall, Some(0)));
    assert_eq!(get.args[1].value, bytes("x-here"));
    assert_eq!(get.out("value"), Some(&bytes("one")));
    assert_eq!(get.end, ok());
    let [allocation] = get.inner.as_slice() else {
        panic!("one allocation wanted: {get:?}");
    };
    assert_eq!(allocation.kind, EventKind::Entry);
    assert_eq!(allocation.args[0].value, Value::Number(3));
    assert!(matches!(allocation.end, Returned::Value(Value::Pointer(p)) if p > 0));
}

#[test]
fn outputs_that_the_host_leaves_alone_are_untouched() {
    let acts = vec![
        get("a"),
        call(
            "proxy_http_call",
            vec![data("up"), number(5), ArgValue::Out],
        ),
        call("proxy_get_metric", vec![number(1), ArgValue::Out]),
        call("random_get", vec![ArgValue::Buffer(8)]),
    ];
    let event = headers(acts, |_, _, _| 1);
    for (call, out) in event.inner.iter().zip(["value", "call_id", "value", "buf"]) {
        assert_eq!(call.out(out), Some(&Value::Untouched), "{}", call.name);
    }
    let not_found = Value::Enum(Some("NOT_FOUND".into()), 1);
    assert_eq!(event.inner[0].end, Returned::Value(not_found));
}

#[test]
fn what_the_host_points_at_is_read_only_inside_memory() {
    let event = headers(
        vec![get("a"), get("b"), get("c"), get("d")],
        |guest, _, args| {
            match guest.read(args[1], args[2])[0] {
                b'a' => {
                    guest.write_word(args[3], 0xffff_fff0);
                    guest.write_word(args[4], 0x20);
                }
                b'b' => guest.write_word(args[3], 64),
                b'c' => guest.write_word(args[4], 64),
                _ => {
                    guest.write_word(args[3], 0);
                    guest.write_word(args[4], 0);
                }
            }
            0
        },
    );
    let value = |i: usize| event.inner[i].out("value").unwrap();
    for (i, word) in [(0, "outside"), (1, "no size"), (2, "no address")] {
        let Value::Unreadable(why) = value(i) else {
            panic!("unreadable wanted: {:?}", value(i));
        };
        assert!(why.contains(word), "{why}");
    }
    assert_eq!(*value(3), bytes(""));
}

#[test]
fn addresses_of_the_programs_choice_are_shown_and_never_read() {
    let bad = Some(Operand::Const(OUT_OF_BOUNDS));
    let at = |at| {
        call(
            "proxy_get_header_map_value",
            vec![number(0), data("k"), ArgValue::OutAt(at)],
        )
    };
    let acts = vec![at(vec![bad, bad]), at(vec![None, bad]), at(vec![bad, None])];
    let event = headers(acts, |_, _, args| {
        let bad = args[3..5].iter().filter(|a| **a == OUT_OF_BOUNDS).count();
        assert!(bad > 0);
        2
    });
    let [both, size, data] = event.inner.as_slice() else {
        panic!("three hostcalls wanted");
    };
    let pointer = Some(&Value::Pointer(OUT_OF_BOUNDS));
    assert_eq!(
        (both.arg("value"), both.arg("value_size")),
        (pointer, pointer)
    );
    assert_eq!(both.outs, Vec::new());
    assert_eq!((size.arg("value"), size.arg("value_size")), (None, pointer));
    assert_eq!(size.out("value"), Some(&Value::Untouched));
    assert_eq!((data.arg("value"), data.arg("value_size")), (pointer, None));
}

#[test]
fn bad_inputs_are_passed_as_they_are() {
    let pointer = ArgValue::Pointer {
        ptr: Operand::Const(OUT_OF_BOUNDS),
        len: Operand::Const(9),
    };
    let event = headers(
        vec![call("proxy_log", vec![number(3), pointer])],
        |_, _, args| {
            assert_eq!(args, [3, OUT_OF_BOUNDS, 9]);
            2
        },
    );
    let log = &event.inner[0];
    assert_eq!(log.arg("message"), Some(&Value::Pointer(OUT_OF_BOUNDS)));
    assert_eq!(log.arg("message_size"), Some(&Value::Number(9)));
}

#[test]
fn long_values_leave_as_length_digest_and_ends() {
    let long: Vec<u8> = (0..5000u32).map(|n| n as u8).collect();
    let given = long.clone();
    let event = headers(vec![get("k")], move |guest, _, args| {
        guest.give(&given, args[3], args[4]);
        0
    });
    let value = event.inner[0].out("value").unwrap();
    assert_eq!(*value, Value::Bytes(Blob::new(&long)));
    assert!(matches!(value, Value::Bytes(Blob::Cut { len: 5000, .. })));
}

#[test]
fn maps_are_sent_whole_up_to_16_kib() {
    let serialised = |len: usize| {
        let mut bytes = vec![1, 0, 0, 0, 1, 0, 0, 0];
        bytes.extend((len as u32).to_le_bytes());
        bytes.extend(b"k\0");
        bytes.resize(bytes.len() + len, b'v');
        bytes.push(0);
        bytes
    };
    let pairs = || call("proxy_get_header_map_pairs", vec![number(0), ArgValue::Out]);
    let set = call(
        "proxy_set_header_map_pairs",
        vec![number(0), ArgValue::Data(serialised(2))],
    );
    let event = headers(vec![pairs(), pairs(), set], move |guest, name, args| {
        if name == "proxy_get_header_map_pairs" {
            let first = guest.alloc_count() == 0;
            let bytes = serialised(if first { 10_000 } else { 17_000 });
            guest.give(&bytes, args[1], args[2]);
        }
        0
    });
    let Some(Value::Pairs(map)) = event.inner[0].out("pairs") else {
        panic!("a map wanted: {:?}", event.inner[0].outs);
    };
    assert_eq!(map[0].1.len(), 10_000);
    let cut = event.inner[1].out("pairs");
    assert!(matches!(cut, Some(Value::Bytes(Blob::Cut { .. }))));
    let two = vec![(Blob::new(b"k"), Blob::new(b"vv"))];
    assert_eq!(event.inner[2].arg("pairs"), Some(&Value::Pairs(two)));
}

#[test]
fn frames_longer_than_a_line_go_in_parts() {
    let long = "v".repeat(200);
    let module = build_with_line(&spec(vec![on(HEADERS, vec![get("k")])]), &abi(), 100).unwrap();
    let mut vm = Vm::new(&module, move |guest, _, args| {
        guest.give("v".repeat(200).as_bytes(), args[3], args[4]);
        0
    })
    .with_stream();
    vm.call(HEADERS, &[7, 0, 1]);
    assert!(*vm.widest.lock().unwrap() <= 100);
    let instance = only(vm);
    let get = &find(&instance, HEADERS).inner[0];
    assert_eq!(get.out("value"), Some(&bytes(&long)));
}

#[test]
fn calls_nest_fifty_deep() {
    const RESPONSE: &str = "proxy_on_http_call_response";
    let ask = || {
        call(
            "proxy_http_call",
            vec![data("up"), number(1), ArgValue::Out],
        )
    };
    let handlers = vec![on(HEADERS, vec![ask()]), on(RESPONSE, vec![ask()])];
    let module = build(&spec(handlers), &abi()).unwrap();
    let depth = std::sync::atomic::AtomicU64::new(0);
    let mut vm = Vm::new(&module, move |guest, _, args| {
        let now = depth.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        guest.write_word(args[3], now);
        if now < 50 {
            guest.call(RESPONSE, &[7, now, 0]);
        }
        0
    })
    .with_stream();
    vm.call(HEADERS, &[7, 0, 1]);
    assert_eq!(vm.entered(RESPONSE), 49);
    let instance = only(vm);
    let mut event = find(&instance, HEADERS);
    for level in 1..=50 {
        let [ask] = event.inner.as_slice() else {
            panic!("one hostcall wanted at level {level}");
        };
        assert_eq!(ask.out("call_id"), Some(&Value::Id(IdKind::Call, level)));
        assert_eq!(ask.end, ok());
        match ask.inner.as_slice() {
            [deeper] => event = deeper,
            _ => assert_eq!(level, 50),
        }
    }
}

#[test]
fn arguments_of_every_kind_reach_the_host() {
    let fill = ArgValue::Fill {
        pattern: b"abc".to_vec(),
        len: 1_000_000,
    };
    let acts = vec![
        call(
            "fd_write",
            vec![
                number(1),
                ArgValue::Iovec(vec![b"one ".to_vec(), b"two".to_vec()]),
                ArgValue::Out,
            ],
        ),
        call("proxy_log", vec![number(2), fill]),
        call(
            "proxy_increment_metric",
            vec![number(9), number(-3i64 as u64)],
        ),
        call("random_get", vec![ArgValue::Buffer(4)]),
        call("proc_exit", vec![number(3)]),
        call("proxy_log", vec![number(2), data("")]),
    ];
    let event = headers(acts, |guest, name, args| {
        match name {
            "fd_write" => {
                let iovec = guest.read(args[1], args[2] * 8);
                let words: Vec<u64> = iovec
                    .chunks(4)
                    .map(|c| u64::from(u32::from_le_bytes(c.try_into().unwrap())))
                    .collect();
                let text = [
                    guest.read(words[0], words[1]),
                    guest.read(words[2], words[3]),
                ];
                assert_eq!(text.concat(), b"one two");
                guest.write_word(args[3], 7);
            }
            "proxy_log" if args[2] > 0 => {
                let text = guest.read(args[1], args[2]);
                assert_eq!((text.len(), &text[..4]), (1_000_000, b"abca".as_slice()));
            }
            "proxy_increment_metric" => assert_eq!(args[1], -3i64 as u64),
            "random_get" => guest.write(args[0], b"rand"),
            _ => {}
        }
        0
    });
    let [write, log, metric, random, exit, empty] = event.inner.as_slice() else {
        panic!("six hostcalls wanted");
    };
    assert_eq!(write.arg("iovec"), Some(&bytes("one two")));
    assert_eq!(write.out("written"), Some(&Value::Number(7)));
    let filled: Vec<u8> = b"abc".iter().copied().cycle().take(1_000_000).collect();
    let filled = Value::Bytes(Blob::new(&filled));
    assert_eq!(log.arg("message"), Some(&filled));
    assert_eq!(metric.arg("delta"), Some(&Value::Signed(-3)));
    assert_eq!(random.arg("buf_size"), Some(&Value::Number(4)));
    assert_eq!(random.out("buf"), Some(&bytes("rand")));
    assert_eq!(exit.end, Returned::Nothing);
    assert_eq!(empty.arg("message"), Some(&bytes("")));
}

#[test]
fn a_repeat_step_is_announced_once_and_summed_up() {
    let Act::Call(mut repeated) = get("k") else {
        unreachable!()
    };
    repeated.repeat = 500;
    let event = headers(vec![Act::Call(repeated)], |guest, _, args| {
        guest.give(b"v", args[3], args[4]);
        u64::from(guest.alloc_count() > 400)
    });
    let [get] = event.inner.as_slice() else {
        panic!("one hostcall wanted");
    };
    let repeat = get.repeat.as_ref().unwrap();
    assert_eq!((repeat.times, repeat.same), (500, 400));
    assert_eq!(get.out("value"), Some(&bytes("v")));
    assert_eq!(get.inner.len(), 1, "allocations of the last round only");
}

#[test]
fn a_value_that_varies_says_so() {
    let mut table = abi();
    let random = table.hostcalls.iter_mut().find(|h| h.name == "random_get");
    random.unwrap().params[0].volatile = true;
    let acts = vec![call("random_get", vec![ArgValue::Buffer(4)])];
    let module = build(&spec(vec![on(HEADERS, acts)]), &table).unwrap();
    let mut vm = Vm::new(&module, |guest, _, args| {
        guest.write(args[0], b"rand");
        0
    });
    vm.call(HEADERS, &[7, 0, 0]);
    let event = find(&only(vm), HEADERS).clone();
    let field = Field {
        name: "buf".into(),
        value: bytes("rand"),
        volatile: true,
    };
    assert_eq!(event.inner[0].outs, vec![field]);
}

#[test]
fn environment_variables_are_read_from_the_guests_own_areas() {
    let bad = Some(Operand::Const(OUT_OF_BOUNDS));
    let environ = |arg| call("environ_get", vec![arg]);
    let acts = vec![
        environ(ArgValue::Out),
        environ(ArgValue::Out),
        environ(ArgValue::OutAt(vec![None, bad])),
    ];
    let event = headers(acts, |guest, _, args| {
        if guest.alloc_count() == 0 {
            guest.give(b"", args[0] + 128, args[0] + 132);
            guest.write(args[0] + 128, &[0xa5; 8]);
            guest.write_word(args[0], args[1]);
            guest.write_word(args[0] + 4, args[1] + 4);
            guest.write(args[1], b"A=1\0B=2\0");
        }
        0
    });
    let [two, none, given] = event.inner.as_slice() else {
        panic!("three hostcalls wanted");
    };
    assert_eq!(two.out("array"), Some(&bytes("A=1\0B=2\0")));
    assert_eq!(none.out("array"), Some(&Value::Untouched));
    assert_eq!(given.outs, Vec::new());
    assert_eq!(
        given.arg("array_size"),
        Some(&Value::Pointer(OUT_OF_BOUNDS))
    );
}

#[test]
fn records_without_room_are_admitted() {
    let Act::Call(mut repeated) = call(
        "proxy_http_call",
        vec![data("up"), number(1), ArgValue::Out],
    ) else {
        unreachable!()
    };
    repeated.repeat = 20_000;
    // Quiet: the records of entry points stay in the guest, with all that is called inside.
    let handlers = vec![on("_initialize", vec![Act::Call(repeated)])];
    let module = build(&spec(handlers), &abi()).unwrap();
    let mut vm = Vm::new(&module, |guest, _, _| {
        guest.call("proxy_on_vm_start", &[1, 2]);
        0
    });
    vm.call("_initialize", &[]);
    vm.call("proxy_on_vm_start", &[1, 2]);
    let (_, faults) = vm.finish();
    assert!(faults[0].what.contains("no room"), "{faults:?}");
}
