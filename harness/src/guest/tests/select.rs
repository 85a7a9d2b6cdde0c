//! Which handlers run, what they keep, and how guests end.

use crate::case::{Act, ArgValue, Call, Handler, Operand, Select, Step};
use crate::guest::build;
use crate::guest::tests::host::Vm;
use crate::guest::tests::run::only;
use crate::guest::tests::table::{abi, call, data, get, number, on, spec};
use crate::trace::{Blame, Event, EventKind, Instance, Returned, Value};

const CREATE: &str = "proxy_on_context_create";
const HEADERS: &str = "proxy_on_request_headers";
const RESPONSE: &str = "proxy_on_http_call_response";
const ALLOCATE: &str = "proxy_on_memory_allocate";

fn log(text: &str) -> Act {
    call("proxy_log", vec![number(3), data(text)])
}

fn log_at(handler: Handler, select: Select) -> Handler {
    Handler { select, ..handler }
}

fn logs(vm: &Vm) -> Vec<String> {
    vm.logs.lock().unwrap().clone()
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|e| e.name.as_str()).collect()
}

#[test]
fn handlers_are_selected_by_plugin_stream_count_and_end() {
    let handlers = vec![
        on(HEADERS, vec![log("any")]),
        log_at(
            on(HEADERS, vec![log("stream 2")]),
            Select {
                stream: Some(2),
                ..Select::default()
            },
        ),
        log_at(
            on(HEADERS, vec![log("second")]),
            Select {
                nth: Some(2),
                ..Select::default()
            },
        ),
        log_at(
            on(HEADERS, vec![log("end")]),
            Select {
                end_of_stream: Some(true),
                ..Select::default()
            },
        ),
        log_at(
            on(HEADERS, vec![log("open")]),
            Select {
                end_of_stream: Some(false),
                ..Select::default()
            },
        ),
        Handler {
            plugin: 1,
            ..on(HEADERS, vec![log("other plugin")])
        },
    ];
    let module = build(&spec(handlers), &abi()).unwrap();
    let mut vm = Vm::new(&module, |_, _, _| 0);
    vm.call(CREATE, &[100, 0]);
    vm.call(CREATE, &[3, 0]);
    vm.call(CREATE, &[50, 100]);
    vm.call(CREATE, &[9, 3]);
    vm.call(CREATE, &[4_000_000_000, 100]);
    let mut said = |context: u64, end: u64| {
        vm.logs.lock().unwrap().clear();
        vm.call(HEADERS, &[context, 0, end]);
        logs(&vm).join(", ")
    };
    assert_eq!(said(50, 0), "any, open");
    assert_eq!(said(4_000_000_000, 1), "any, stream 2, end");
    assert_eq!(said(50, 1), "any, second, end");
    assert_eq!(said(50, 1), "any, end");
    assert_eq!(said(9, 0), "other plugin");
    assert_eq!(said(4_000_000_000, 0), "any, stream 2, second, open");
}

#[test]
fn three_hundred_streams_are_kept_apart() {
    let handler = log_at(
        on(HEADERS, vec![log("second")]),
        Select {
            nth: Some(2),
            ..Select::default()
        },
    );
    let last = log_at(
        on(HEADERS, vec![log("stream 300")]),
        Select {
            stream: Some(300),
            ..Select::default()
        },
    );
    let module = build(&spec(vec![handler, last]), &abi()).unwrap();
    let mut vm = Vm::new(&module, |_, _, _| 0);
    vm.call(CREATE, &[1, 0]);
    for id in 0..300u64 {
        vm.call(CREATE, &[1000 + id * 7919, 1]);
    }
    for id in 0..300u64 {
        vm.call(HEADERS, &[1000 + id * 7919, 0, 0]);
    }
    assert_eq!(logs(&vm), ["stream 300"]);
    vm.call(HEADERS, &[1000 + 150 * 7919, 0, 0]);
    assert_eq!(logs(&vm), ["stream 300", "second"]);
}

#[test]
fn contexts_and_arguments_are_operands() {
    let metric = |operand| {
        let delta = ArgValue::Word(Operand::CallbackArg(1));
        call(
            "proxy_increment_metric",
            vec![ArgValue::Word(operand), delta],
        )
    };
    let acts = vec![
        metric(Operand::PluginContext(2)),
        metric(Operand::StreamContext(1)),
        metric(Operand::StreamContext(2)),
        Act::Return(Operand::CallbackArg(1)),
    ];
    let module = build(&spec(vec![on(HEADERS, acts)]), &abi()).unwrap();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let inner = seen.clone();
    let mut vm = Vm::new(&module, move |_, _, args| {
        inner.lock().unwrap().push((args[0], args[1]));
        0
    });
    vm.call(CREATE, &[20, 0]);
    vm.call(CREATE, &[30, 0]);
    vm.call(CREATE, &[5, 20]);
    vm.call(CREATE, &[6, 30]);
    assert_eq!(vm.call(HEADERS, &[5, 1, 1]), 1);
    assert_eq!(*seen.lock().unwrap(), [(30, 1), (5, 1), (6, 1)]);
    only(vm);
}

#[test]
fn a_context_that_was_not_created_is_the_cases_fault() {
    let act = Act::Return(Operand::StreamContext(3));
    let module = build(&spec(vec![on(HEADERS, vec![act])]), &abi()).unwrap();
    let mut vm = Vm::new(&module, |_, _, _| 0).with_stream();
    vm.call(HEADERS, &[7, 0, 0]);
    let (_, faults) = vm.finish();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].blame, Blame::Case);
}

#[test]
fn saved_outputs_are_used_later_and_conditions_compare_them() {
    let ask = |slot| {
        Act::Call(Call {
            hostcall: "proxy_http_call".to_owned(),
            args: vec![data("up"), number(1), ArgValue::Out],
            saves: vec![(2, slot)],
            repeat: 1,
        })
    };
    let keep = Act::Call(Call {
        hostcall: "proxy_get_header_map_value".to_owned(),
        args: vec![number(0), data("k"), ArgValue::Out],
        saves: vec![(2, 2)],
        repeat: 1,
    });
    let say = call("proxy_log", vec![number(3), ArgValue::SavedBytes(2)]);
    let length = call(
        "proxy_increment_metric",
        vec![
            ArgValue::Word(Operand::Saved(0)),
            ArgValue::Word(Operand::SavedLen(2)),
        ],
    );
    let when = |slot, text| Step {
        when: Some((1, slot)),
        act: log(text),
    };
    let mut response = on(RESPONSE, vec![]);
    response.steps = vec![when(0, "first answer"), when(1, "second answer")];
    let handlers = vec![
        on(HEADERS, vec![ask(0), ask(1), keep, say, length]),
        response,
    ];
    let module = build(&spec(handlers), &abi()).unwrap();
    let mut vm = Vm::new(&module, |guest, name, args| {
        match name {
            "proxy_http_call" => {
                let next = 70 + u64::from(guest.alloc_count());
                guest.give(b"x", args[3] + 64, args[3] + 68);
                guest.write_word(args[3], next);
            }
            "proxy_get_header_map_value" => guest.give(b"kept", args[3], args[4]),
            "proxy_increment_metric" => assert_eq!(args, [70, 4]),
            _ => {}
        }
        0
    })
    .with_stream();
    vm.call(HEADERS, &[7, 0, 1]);
    vm.call(RESPONSE, &[7, 71, 0]);
    vm.call(RESPONSE, &[7, 70, 0]);
    vm.call(RESPONSE, &[7, 72, 0]);
    assert_eq!(logs(&vm), ["kept", "second answer", "first answer"]);
    let instance = only(vm);
    let say = instance.walk().into_iter().find(|e| e.name == "proxy_log");
    let kept = Value::Bytes(crate::trace::Blob::new(b"kept"));
    assert_eq!(say.unwrap().arg("message"), Some(&kept));
}

fn headers_event(instance: &Instance) -> &Event {
    instance.events.iter().find(|e| e.name == HEADERS).unwrap()
}

#[test]
fn a_trap_leaves_its_callback_without_return() {
    let acts = vec![get("k"), Act::Trap];
    let handlers = vec![on(HEADERS, acts)];
    let module = build(&spec(handlers), &abi()).unwrap();
    let mut vm = Vm::new(&module, |_, _, _| 1).with_stream();
    assert!(vm.try_call(HEADERS, &[7, 0, 1]).is_err());
    // A host that goes on all the same starts anew in the trace.
    vm.call("proxy_on_vm_start", &[0, 0]);
    let instance = only(vm);
    assert_eq!(
        names(&instance.events),
        [CREATE, CREATE, HEADERS, "proxy_on_vm_start"]
    );
    let event = headers_event(&instance);
    assert_eq!(event.end, Returned::Never);
    assert!(matches!(event.inner[0].end, Returned::Value(_)));
}

#[test]
fn a_host_may_go_on_after_a_trap_inside_an_allocation() {
    let handlers = vec![on(HEADERS, vec![get("k")]), on(ALLOCATE, vec![Act::Trap])];
    let module = build(&spec(handlers), &abi()).unwrap();
    let mut vm = Vm::new(&module, |guest, _, _| {
        u64::from(guest.try_call(ALLOCATE, &[4]).is_err())
    })
    .with_stream();
    vm.call(HEADERS, &[7, 0, 1]);
    vm.call(HEADERS, &[7, 0, 1]);
    let instance = only(vm);
    assert_eq!(names(&instance.events), [CREATE, CREATE, HEADERS, HEADERS]);
    let get = &headers_event(&instance).inner[0];
    assert!(matches!(get.end, Returned::Value(Value::Enum(_, 1))));
    assert_eq!(names(&get.inner), [ALLOCATE]);
    assert_eq!(get.inner[0].end, Returned::Never);
}

#[test]
fn recursion_ends_in_a_trap_after_its_records_left() {
    let module = build(
        &spec(vec![on(HEADERS, vec![get("k"), Act::Recurse])]),
        &abi(),
    )
    .unwrap();
    let mut vm = Vm::new(&module, |_, _, _| 1).with_stream();
    assert!(vm.try_call(HEADERS, &[7, 0, 1]).is_err());
    let instance = only(vm);
    let event = headers_event(&instance);
    assert_eq!(event.end, Returned::Never);
    assert_eq!(names(&event.inner), ["proxy_get_header_map_value"]);
}

#[test]
fn an_allocator_may_refuse() {
    let refuse = on(ALLOCATE, vec![Act::Return(Operand::Const(0))]);
    let module = build(&spec(vec![on(HEADERS, vec![get("k")]), refuse]), &abi()).unwrap();
    let mut vm = Vm::new(&module, |guest, _, _| {
        assert_eq!(guest.call(ALLOCATE, &[5]), 0);
        assert_ne!(guest.call("malloc", &[5]), 0);
        2
    })
    .with_stream();
    vm.call(HEADERS, &[7, 0, 1]);
    let instance = only(vm);
    let inner = &headers_event(&instance).inner[0].inner;
    assert_eq!(names(inner), [ALLOCATE, "malloc"]);
    assert_eq!(inner[0].end, Returned::Value(Value::Pointer(0)));
}

#[test]
fn memory_grows_for_allocations_until_it_cannot() {
    let module = build(&spec(vec![on(HEADERS, vec![Act::Grow(Some(3))])]), &abi()).unwrap();
    let mut vm = Vm::new(&module, |_, _, _| 0).with_stream();
    let first = vm.call("malloc", &[10 << 20]);
    let second = vm.call("malloc", &[16]);
    assert!(second >= first + (10 << 20));
    assert_eq!(vm.call("malloc", &[0xffff_ffff]), 0);
    assert_eq!(vm.call(HEADERS, &[7, 0, 1]), 0);
}

#[test]
fn records_of_entry_points_leave_with_the_first_callback() {
    let handlers = vec![on("_initialize", vec![log("early")])];
    let module = build(&spec(handlers), &abi()).unwrap();
    let mut vm = Vm::new(&module, |_, _, _| 0);
    vm.call("_initialize", &[]);
    vm.call("malloc", &[16]);
    assert_eq!(vm.entered("_initialize"), 0, "nothing has left yet");
    assert_eq!(vm.call("proxy_on_vm_start", &[0, 0]), 1);
    let instance = only(vm);
    assert_eq!(
        names(&instance.events),
        ["_initialize", "malloc", "proxy_on_vm_start"]
    );
    let entry = &instance.events[0];
    assert_eq!(
        (entry.kind, &entry.end),
        (EventKind::Entry, &Returned::Nothing)
    );
    assert_eq!(names(&entry.inner), ["proxy_log"]);
}

#[test]
fn a_step_without_memory_for_its_arguments_is_left_out() {
    let huge = ArgValue::Fill {
        pattern: b"x".to_vec(),
        len: 0xfff0_0000,
    };
    let acts = vec![call("proxy_log", vec![number(3), huge]), log("after")];
    let module = build(&spec(vec![on(HEADERS, acts)]), &abi());
    assert!(module.is_err(), "more than a guest can hold");
}
