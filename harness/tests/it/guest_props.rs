//! Specialised guests, for hostcalls of any shape: valid, importing what was asked, the same
//! every time, and passing on and recording exactly what the program says.

use std::sync::{Arc, Mutex};

use proptest::collection::vec;
use proptest::prelude::*;
use pwspec::abi::{
    Abi, Callback, EnumDef, ExportKind, Hostcall, IdKind, Param, PluginType, Returns, Type, Word,
};
use pwspec::case::{Act, ArgValue, Call, Exports, Handler, ModuleSpec, Operand, Select, Step};
use pwspec::guest::{self, Module};
use pwspec::trace::{Event, Reader, Taken, Value};
use wasmer::{
    ExternType, Function, FunctionEnv, FunctionEnvMut, Imports, Instance, Memory, Store,
    Value as Wasm,
};
use wasmparser::{Validator, WasmFeatures};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

/// The types that have one word and go in.
fn scalar() -> impl Strategy<Value = Type> {
    prop_oneof![
        Just(Type::U32),
        Just(Type::U64),
        Just(Type::I64),
        Just(Type::Bool),
        Just(Type::Size),
        Just(Type::Id(IdKind::Metric)),
        Just(Type::Enum("level".to_owned())),
    ]
}

/// A parameter's type with a value for it.
fn argument() -> impl Strategy<Value = (Type, ArgValue)> {
    let word = |n| ArgValue::Word(Operand::Const(n));
    let bytes = || vec(any::<u8>(), 0..40);
    prop_oneof![
        4 => (scalar(), any::<u64>()).prop_map(move |(ty, n)| (ty, word(n))),
        2 => bytes().prop_map(|b| (Type::Bytes, ArgValue::Data(b))),
        1 => (any::<u32>(), any::<u32>()).prop_map(|(ptr, len)| {
            let operand = |n: u32| Operand::Const(u64::from(n));
            (Type::Pairs, ArgValue::Pointer { ptr: operand(ptr), len: operand(len) })
        }),
        1 => (1usize..5, 0u64..600).prop_map(|(n, len)| {
            (Type::Bytes, ArgValue::Fill { pattern: vec![b'x'; n], len })
        }),
        1 => vec(bytes(), 0..4).prop_map(|pieces| (Type::Iovec, ArgValue::Iovec(pieces))),
        1 => Just((Type::OutBytes, ArgValue::Out)),
        1 => Just((Type::OutU64, ArgValue::Out)),
        1 => Just((Type::OutU32, ArgValue::Out)),
        1 => (1u64..50).prop_map(|len| (Type::Fill, ArgValue::Buffer(len))),
        1 => any::<u32>().prop_map(|at| {
            (Type::OutU32, ArgValue::OutAt(vec![Some(Operand::Const(u64::from(at)))]))
        }),
    ]
}

/// A hostcall: what it returns, its parameters with a value for each.
type Shape = (bool, Vec<(Type, ArgValue)>);

fn shapes() -> impl Strategy<Value = Vec<Shape>> {
    vec((any::<bool>(), vec(argument(), 0..8)), 1..6)
}

fn params(types: impl IntoIterator<Item = Type>) -> Vec<Param> {
    let param = |(i, ty)| Param {
        name: format!("p{i}").into(),
        ty,
        volatile: false,
        default: None,
    };
    types.into_iter().enumerate().map(param).collect()
}

/// An ABI with these hostcalls beside `proxy_log`, and one callback.
fn table(shapes: &[Shape]) -> Abi {
    let hostcall = |name: String, params, returns| Hostcall {
        import: ("env".to_owned(), name.clone()),
        name,
        params,
        returns,
        section: String::new(),
        absent: None,
    };
    let level = Type::Enum("level".to_owned());
    let mut hostcalls = vec![hostcall(
        "proxy_log".to_owned(),
        params([level, Type::Bytes]),
        Returns::U32,
    )];
    for (i, (returns, arguments)) in shapes.iter().enumerate() {
        hostcalls.push(hostcall(
            format!("call{i}"),
            params(arguments.iter().map(|(ty, _)| ty.clone())),
            if *returns {
                Returns::U32
            } else {
                Returns::Nothing
            },
        ));
    }
    Abi {
        id: "test".to_owned(),
        dialect_of: None,
        marker: "proxy_abi_version_0_0_0".to_owned(),
        hostcalls,
        callbacks: vec![Callback {
            name: "proxy_on_go".to_owned(),
            export: None,
            kind: ExportKind::Callback,
            plugin_types: Vec::new(),
            params: params([Type::U32, Type::I64]),
            returns: Returns::U32,
            section: String::new(),
            absent: None,
        }],
        enums: vec![EnumDef {
            name: "level".to_owned(),
            values: vec![("INFO".to_owned(), 6)],
            foreign: Vec::new(),
        }],
        requirements: Vec::new(),
        absent: Vec::new(),
        faults: Vec::new(),
        index: pwspec::abi::Index::default(),
    }
}

/// A program that makes the hostcalls in this order.
fn program(shapes: &[Shape], order: &[usize]) -> ModuleSpec {
    let step = |i: &usize| Step {
        when: None,
        act: Act::Call(Call {
            hostcall: format!("call{i}"),
            args: shapes[*i]
                .1
                .iter()
                .map(|(_, value)| value.clone())
                .collect(),
            saves: Vec::new(),
            repeat: 1,
        }),
    };
    ModuleSpec {
        token: "p".to_owned(),
        plugin_type: PluginType::Http,
        exports: Exports::default(),
        handlers: vec![Handler {
            plugin: 0,
            callback: "proxy_on_go".to_owned(),
            select: Select::default(),
            steps: order.iter().map(step).collect(),
        }],
        slots: 0,
        ..ModuleSpec::default()
    }
}

/// Words of a hostcall fit the guest.
fn fits(shapes: &[Shape]) -> bool {
    let words = |s: &Shape| s.1.iter().map(|(ty, _)| ty.words().len()).sum::<usize>();
    shapes.iter().all(|s| words(s) <= 16)
}

#[derive(Default)]
struct Heard {
    frames: Vec<String>,
    /// Name, words, and the bytes at each pair of words that the program fixes.
    calls: Vec<(String, Vec<u64>, Vec<Vec<u8>>)>,
    memory: Option<Memory>,
}

/// Calls the callback once; what the host heard.
fn run(module: &Module, shapes: Arc<Vec<Shape>>) -> Heard {
    let mut store = Store::default();
    let compiled = wasmer::Module::new(&store, &module.wasm).unwrap();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let env = FunctionEnv::new(&mut store, Arc::clone(&heard));
    let mut imports = Imports::new();
    for import in compiled.imports() {
        let ExternType::Function(ty) = import.ty() else {
            panic!("an import is no function");
        };
        let (name, results) = (import.name().to_owned(), ty.results().len());
        let shapes = Arc::clone(&shapes);
        let body = move |env: FunctionEnvMut<'_, Arc<Mutex<Heard>>>, args: &[Wasm]| {
            let words: Vec<u64> = args
                .iter()
                .map(|v| match v {
                    Wasm::I32(n) => u64::from(*n as u32),
                    Wasm::I64(n) => *n as u64,
                    _ => panic!("a parameter is no number"),
                })
                .collect();
            let mut heard = env.data().lock().unwrap();
            let memory = heard.memory.clone().unwrap();
            let read = |at: u64, len: u64| {
                let mut bytes = vec![0; len as usize];
                memory.view(&env).read(at, &mut bytes).unwrap();
                bytes
            };
            if name == "proxy_log" {
                assert_eq!(words[0], 6);
                let line = read(words[1], words[2]);
                heard.frames.push(String::from_utf8(line).unwrap());
            } else {
                let shape = &shapes[name["call".len()..].parse::<usize>().unwrap()];
                let (mut at, mut bytes) = (0, Vec::new());
                for (ty, value) in &shape.1 {
                    match value {
                        ArgValue::Data(_) | ArgValue::Fill { .. } => {
                            bytes.push(read(words[at], words[at + 1]));
                        }
                        ArgValue::Iovec(_) => {
                            let word =
                                |b: &[u8]| u64::from(u32::from_le_bytes(b.try_into().unwrap()));
                            let pieces = read(words[at], words[at + 1] * 8);
                            let pieces =
                                pieces.chunks(8).map(|p| read(word(&p[..4]), word(&p[4..])));
                            bytes.push(pieces.collect::<Vec<_>>().concat());
                        }
                        _ => {}
                    }
                    at += ty.words().len();
                }
                heard.calls.push((name.clone(), words, bytes));
            }
            Ok(vec![Wasm::I32(77); results])
        };
        let function = Function::new_with_env(&mut store, &env, ty.clone(), body);
        imports.define(import.module(), import.name(), function);
    }
    let instance = Instance::new(&mut store, &compiled, &imports).unwrap();
    let memory = instance.exports.get_memory("memory").unwrap().clone();
    heard.lock().unwrap().memory = Some(memory);
    let go = instance.exports.get_function("proxy_on_go").unwrap();
    let result = go
        .call(&mut store, &[Wasm::I32(-1), Wasm::I64(-2)])
        .unwrap();
    assert_eq!(&*result, [Wasm::I32(0)]);
    std::mem::take(&mut *heard.lock().unwrap())
}

/// What the program says about a call: its words (`None`: an address of the guest's own) and
/// bytes.
fn said(shape: &Shape) -> (Vec<Option<u64>>, Vec<Vec<u8>>) {
    let (mut words, mut bytes) = (Vec::new(), Vec::new());
    let constant = |operand: &Operand| match operand {
        Operand::Const(n) => *n,
        _ => unreachable!(),
    };
    for (ty, value) in &shape.1 {
        match value {
            ArgValue::Word(operand) => words.push(Some(match ty.words()[0] {
                Word::I32 => constant(operand) & 0xffff_ffff,
                Word::I64 => constant(operand),
            })),
            ArgValue::Data(data) => {
                words.extend([None, Some(data.len() as u64)]);
                bytes.push(data.clone());
            }
            ArgValue::Fill { pattern, len } => {
                words.extend([None, Some(*len)]);
                bytes.push(
                    pattern
                        .iter()
                        .copied()
                        .cycle()
                        .take(*len as usize)
                        .collect(),
                );
            }
            ArgValue::Iovec(pieces) => {
                words.extend([None, Some(pieces.len() as u64)]);
                bytes.push(pieces.concat());
            }
            ArgValue::Pointer { ptr, len } => {
                words.extend([Some(constant(ptr)), Some(constant(len))]);
            }
            ArgValue::Buffer(len) => words.extend([None, Some(*len)]),
            ArgValue::OutAt(at) => words.extend(at.iter().map(|a| a.as_ref().map(constant))),
            ArgValue::Out => words.extend(ty.words().iter().map(|_| None)),
            ArgValue::SavedBytes(_) => unreachable!(),
        }
    }
    (words, bytes)
}

/// Numbers and bytes that an event shows as arguments.
fn shown(event: &Event) -> (Vec<u64>, Vec<u64>) {
    let (mut numbers, mut lengths) = (Vec::new(), Vec::new());
    for field in &event.args {
        match &field.value {
            Value::Number(n) | Value::Enum(_, n) | Value::Id(_, n) | Value::Pointer(n) => {
                numbers.push(*n);
            }
            Value::Signed(n) => numbers.push(*n as u64),
            Value::Bool(b) => numbers.push(u64::from(*b)),
            Value::Bytes(blob) => lengths.push(blob.len()),
            other => panic!("an argument cannot be {other:?}"),
        }
    }
    (numbers, lengths)
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn modules_are_valid_and_import_what_was_asked(
        shapes in shapes(), order in vec(any::<prop::sample::Index>(), 0..8),
    ) {
        prop_assume!(fits(&shapes));
        let order: Vec<usize> = order.iter().map(|i| i.index(shapes.len())).collect();
        let (abi, spec) = (table(&shapes), program(&shapes, &order));
        let module = guest::build(&spec, &abi).unwrap();
        let features = WasmFeatures::WASM1 - WasmFeatures::MUTABLE_GLOBAL;
        Validator::new_with_features(features).validate_all(&module.wasm).unwrap();
        let seen = guest::inspect(&module.wasm).unwrap();
        let imports: Vec<String> = seen.imports.iter().map(|i| i.name.clone()).collect();
        let mut used: Vec<String> = order.iter().map(|i| format!("call{i}")).collect();
        used.sort();
        used.dedup();
        used.insert(0, "proxy_log".to_owned());
        prop_assert_eq!(imports, used);
        let again = guest::build(&spec, &abi).unwrap();
        prop_assert_eq!(&again.wasm, &module.wasm);
        let mut reversed = order.clone();
        reversed.reverse();
        let other = guest::build(&program(&shapes, &reversed), &abi).unwrap();
        prop_assert_eq!(other.code_digest, module.code_digest);
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn the_host_gets_and_the_trace_shows_what_the_program_says(shapes in shapes()) {
        prop_assume!(fits(&shapes));
        let order: Vec<usize> = (0..shapes.len()).collect();
        let module = guest::build(&program(&shapes, &order), &table(&shapes)).unwrap();
        let heard = run(&module, Arc::new(shapes.clone()));
        let mut reader = Reader::new(&module.legend);
        for line in &heard.frames {
            prop_assert_eq!(reader.push("vm", line), Taken::Taken);
        }
        let (instances, faults) = reader.finish();
        prop_assert_eq!(faults, vec![]);
        let event = &instances[0].events[0];
        prop_assert_eq!(shown(event).0, vec![0xffff_ffff, -2i64 as u64]);
        prop_assert_eq!(event.inner.len(), shapes.len());
        prop_assert_eq!(heard.calls.len(), shapes.len());
        for (i, shape) in shapes.iter().enumerate() {
            let (name, words, bytes) = &heard.calls[i];
            prop_assert_eq!(name, &format!("call{i}"));
            let (said_words, said_bytes) = said(shape);
            prop_assert_eq!(words.len(), said_words.len());
            for (heard, said) in words.iter().zip(&said_words) {
                prop_assert!(said.is_none_or(|s| s == *heard), "{words:?} {said_words:?}");
            }
            prop_assert_eq!(bytes, &said_bytes);
            let lengths: Vec<u64> = said_bytes.iter().map(|b| b.len() as u64).collect();
            prop_assert_eq!(shown(&event.inner[i]).1, lengths);
            let outs = event.inner[i].outs.iter().all(|f| f.value == Value::Untouched);
            prop_assert!(outs, "{:?}", event.inner[i].outs);
        }
    }
}

/// The tables as they are shipped.
fn tables() -> Vec<Abi> {
    let specs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    let mut files = Vec::new();
    for folder in ["abi", "abi/dialects"] {
        for entry in std::fs::read_dir(specs.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_str().unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((format!("{folder}/{name}"), text));
            }
        }
    }
    pwspec::abi::load(&files).unwrap()
}

fn some_value(ty: &Type) -> ArgValue {
    match ty {
        Type::Bytes | Type::Pairs => ArgValue::Data(b"x".to_vec()),
        Type::Iovec => ArgValue::Iovec(vec![b"x".to_vec()]),
        Type::Fill => ArgValue::Buffer(4),
        ty if ty.is_out() => ArgValue::Out,
        _ => ArgValue::Word(Operand::Const(1)),
    }
}

/// A program that makes every hostcall of a table once, in its first callback.
fn everything(abi: &Abi, plugin_type: PluginType) -> ModuleSpec {
    let present = abi.hostcalls.iter().filter(|h| h.absent.is_none());
    let steps = present.map(|h| Step {
        when: None,
        act: Act::Call(Call {
            hostcall: h.name.clone(),
            args: h.params.iter().map(|p| some_value(&p.ty)).collect(),
            saves: Vec::new(),
            repeat: 1,
        }),
    });
    ModuleSpec {
        token: "all".to_owned(),
        plugin_type,
        exports: Exports::default(),
        handlers: vec![Handler {
            plugin: 0,
            callback: "proxy_on_vm_start".to_owned(),
            select: Select::default(),
            steps: steps.collect(),
        }],
        slots: 0,
        ..ModuleSpec::default()
    }
}

#[test]
fn every_table_makes_valid_modules() {
    let tables = tables();
    assert!(tables.len() >= 4, "three versions and a dialect");
    for abi in &tables {
        for plugin_type in [PluginType::Http, PluginType::Tcp, PluginType::Service] {
            let spec = everything(abi, plugin_type);
            let module = guest::build(&spec, abi).unwrap();
            let features = WasmFeatures::WASM1 - WasmFeatures::MUTABLE_GLOBAL;
            Validator::new_with_features(features)
                .validate_all(&module.wasm)
                .unwrap();
            let seen = guest::inspect(&module.wasm).unwrap();
            let present = abi.hostcalls.iter().filter(|h| h.absent.is_none());
            for hostcall in present {
                let (module, name) = &hostcall.import;
                let import = |i: &guest::Import| i.module == *module && i.name == *name;
                assert_eq!(
                    seen.imports.iter().filter(|i| import(i)).count(),
                    1,
                    "{name}"
                );
            }
            assert_eq!(seen.markers, std::slice::from_ref(&abi.marker));
        }
    }
}
