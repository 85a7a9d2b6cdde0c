//! What guests record when a host calls them.

use crate::case::{Act, ArgValue, Operand};
use crate::guest::build;
use crate::guest::tests::host::Vm;
use crate::guest::tests::table::{abi, call, data, get, number, on, spec};
use crate::trace::{Blob, Event, EventKind, Instance, Returned, Value};

const HEADERS: &str = "proxy_on_request_headers";

fn bytes(text: &str) -> Value {
    Value::Bytes(Blob::new(text.as_bytes()))
}

/// The only instance of a run without faults.
fn only(vm: Vm) -> Instance {
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
    let continues = Value::Enum(Some("CONTINUE".to_owned()), 0);
    assert_eq!(event.end, Returned::Value(continues));
    let [get] = event.inner.as_slice() else {
        panic!("one hostcall wanted: {event:?}");
    };
    assert_eq!((get.kind, get.step), (EventKind::Hostcall, Some(0)));
    assert_eq!(get.args[1].value, bytes("x-here"));
    assert_eq!(get.out("value"), Some(&bytes("one")));
    let ok = Value::Enum(Some("OK".to_owned()), 0);
    assert_eq!(get.end, Returned::Value(ok));
    let [allocation] = get.inner.as_slice() else {
        panic!("one allocation wanted: {get:?}");
    };
    assert_eq!(allocation.kind, EventKind::Entry);
    assert_eq!(allocation.args[0].value, Value::Number(3));
    assert!(matches!(allocation.end, Returned::Value(Value::Pointer(p)) if p > 0));
}
#[test]
fn tmp_timing() {
    let s = spec(vec![on(HEADERS, vec![get("x-here")])]);
    let a = abi();
    let module = build(&s, &a).unwrap();
    let t = std::time::Instant::now();
    for _ in 0..100 {
        build(&s, &a).unwrap();
    }
    eprintln!("build {:?} size {}", t.elapsed() / 100, module.wasm.len());
    for _ in 0..5 {
        let store = wasmer::Store::default();
        let t = std::time::Instant::now();
        wasmer::Module::new(&store, &module.wasm).unwrap();
        eprintln!("compile {:?}", t.elapsed());
    }
    std::fs::write("/tmp/guest.wasm", &module.wasm).unwrap();
}
