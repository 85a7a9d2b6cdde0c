//! What a module keeps of the prebuilt guest: what its program needs, and no more.

use std::collections::BTreeSet;

use wasmparser::Validator;

use crate::case::{Act, ArgValue, Call, ModuleSpec, Operand, Select, Step};
use crate::guest::base::base;
use crate::guest::exports::Exports;
use crate::guest::kept::Kept;
use crate::guest::tests::table::{abi, call, data, get, number, on, spec};
use crate::guest::{build, encode, split_data};

const HEADERS: &str = "proxy_on_request_headers";

fn parts(spec: &ModuleSpec) -> BTreeSet<&'static str> {
    let abi = abi();
    let exports = Exports::choose(spec, &abi).unwrap();
    let hostcalls = encode::hostcalls(spec, &abi).unwrap();
    let program = encode::program(spec, &abi, &exports, &hostcalls, 1 << 18, 1000).unwrap();
    program.parts
}

fn program(act: Act) -> ModuleSpec {
    spec(vec![on(HEADERS, vec![act])])
}

fn with(act: Act, change: impl FnOnce(&mut Call)) -> ModuleSpec {
    let Act::Call(mut call) = act else {
        panic!("a call is wanted")
    };
    change(&mut call);
    program(Act::Call(call))
}

/// Programs, and the parts that each needs.
fn table() -> Vec<(ModuleSpec, Vec<&'static str>)> {
    let log = |value| program(call("proxy_log", vec![number(1), value]));
    let mut when = program(get("k"));
    when.handlers[0].steps[0] = Step {
        when: Some((0, 0)),
        act: Act::Return(Operand::Const(0)),
    };
    let mut nth = program(Act::Return(Operand::Const(0)));
    nth.handlers[0].select = Select {
        nth: Some(2),
        ..Select::default()
    };
    let key = |at| {
        let value = vec![number(0), data("k"), at];
        program(call("proxy_get_header_map_value", value))
    };
    vec![
        (spec(Vec::new()), vec![]),
        (program(Act::Return(Operand::Const(1))), vec![]),
        (
            program(Act::Return(Operand::CallbackArg(0))),
            vec!["operand"],
        ),
        (program(Act::Trap), vec!["act"]),
        (program(Act::Grow(None)), vec!["act"]),
        (when, vec!["when"]),
        (nth, vec!["count", "new_counts"]),
        (log(data("x")), vec!["call"]),
        (
            log(ArgValue::SavedBytes(0)),
            vec!["call", "from_slots", "input"],
        ),
        (
            log(ArgValue::Pointer {
                ptr: Operand::Const(0),
                len: Operand::SavedLen(0),
            }),
            vec!["call", "input", "operand"],
        ),
        (program(get("k")), vec!["bytes", "call", "outputs"]),
        (
            with(get("k"), |call| call.repeat = 2),
            vec!["bytes", "call", "outputs", "repeat"],
        ),
        (
            with(get("k"), |call| call.saves = vec![(2, 0)]),
            vec!["bytes", "call", "outputs", "save"],
        ),
        (
            key(ArgValue::OutAt(vec![None, Some(Operand::Const(0))])),
            vec!["bytes", "call", "given", "outputs", "place"],
        ),
        (
            program(call("proxy_get_metric", vec![number(1), ArgValue::Out])),
            vec!["call", "number", "outputs"],
        ),
        (
            program(call("random_get", vec![ArgValue::Buffer(4)])),
            vec!["area", "call", "clear_areas", "given", "input", "outputs"],
        ),
        (
            program(call("environ_get", vec![ArgValue::Out])),
            vec!["area", "call", "clear_areas", "given", "outputs", "place"],
        ),
    ]
}

#[test]
fn a_program_asks_for_the_parts_that_it_needs_and_no_others() {
    for (spec, wanted) in table() {
        let wanted: BTreeSet<&str> = wanted.into_iter().collect();
        assert_eq!(parts(&spec), wanted, "{:?}", spec.handlers);
    }
}

#[test]
fn the_guest_has_these_parts_and_no_others() {
    let asked: BTreeSet<&str> = table().iter().flat_map(|(spec, _)| parts(spec)).collect();
    let there = base().unwrap().parts.iter();
    let there: BTreeSet<&str> = there.map(|(name, _)| name.as_str()).collect();
    assert_eq!(asked, there);
    let error = Kept::choose(base().unwrap(), &BTreeSet::from(["nothing"])).err();
    let text = error.unwrap().to_string();
    assert!(text.contains("it has no part nothing"), "{text}");
}

#[test]
fn what_no_part_needs_is_left_out_too() {
    let base = base().unwrap();
    let count = |parts: &[&'static str]| {
        let kept = Kept::choose(base, &parts.iter().copied().collect()).unwrap();
        let places = (1..=base.bodies.len() as u32).filter_map(|i| kept.place(i));
        let places: Vec<u32> = places.collect();
        let gapless: Vec<u32> = (0..kept.count).collect();
        assert_eq!(places, gapless);
        kept.count
    };
    // Rare parts come in company, which is not there where none of them is wanted.
    assert_eq!(count(&["act"]), count(&["when", "operand"]));
    assert!(count(&["act"]) > count(&[]));
    let all: Vec<&'static str> = table().iter().flat_map(|(spec, _)| parts(spec)).collect();
    assert_eq!(count(&all), base.bodies.len() as u32);
    // A part that nothing kept calls is not there either.
    assert_eq!(count(&["number"]), count(&[]));
}

#[test]
fn every_module_is_valid_and_a_smaller_program_makes_a_smaller_one() {
    let size = |spec: &ModuleSpec| {
        let module = build(spec, &abi()).unwrap();
        Validator::new().validate_all(&module.wasm).unwrap();
        split_data(&module.wasm).unwrap().0.len()
    };
    let least = size(&spec(Vec::new()));
    for (spec, wanted) in table() {
        let size = size(&spec);
        assert_eq!(
            size > least,
            !wanted.is_empty(),
            "{wanted:?}: {size}, {least}"
        );
    }
}
