//! An instance of a guest without a host: every hostcall answers OK at once.
//!
//! Does not know what the calls mean.

use pwspec::trace::{EventKind, Field, Instance as Traced, Value as Recorded};
use wasmer::sys::{Cranelift, EngineBuilder};
use wasmer::{
    Engine, ExternType, Function, FunctionEnv, FunctionEnvMut, Imports, Instance, Memory, Module,
    Store, Type, Value,
};

/// A module, compiled, and the calls that a host made of its exports.
pub struct Bare {
    engine: Engine,
    module: Module,
    calls: Vec<(String, Vec<u64>)>,
}

/// What `proxy_log` is given, when somebody wants it.
#[derive(Default)]
struct Heard {
    memory: Option<Memory>,
    lines: Vec<String>,
}

impl Bare {
    /// The module of an instance that was traced.
    pub fn new(wasm: &[u8], traced: &Traced) -> Bare {
        let engine: Engine = EngineBuilder::new(Cranelift::default()).engine().into();
        let module = Module::new(&engine, wasm).unwrap();
        let events = traced
            .events
            .iter()
            .filter(|e| e.kind != EventKind::Hostcall);
        let calls = events.map(|e| (e.name.to_string(), e.args.iter().map(word).collect()));
        Bare {
            calls: calls.collect(),
            engine,
            module,
        }
    }

    /// Makes an instance and the calls; the lines that it logged, if they are wanted.
    pub fn run(&self, listen: bool) -> Vec<String> {
        let mut store = Store::new(self.engine.clone());
        let env = FunctionEnv::new(&mut store, Heard::default());
        let mut imports = Imports::new();
        for import in self.module.imports() {
            let ExternType::Function(ty) = import.ty() else {
                continue;
            };
            let log = listen && import.name() == "proxy_log";
            let answers = ty.results().len();
            let answer = move |mut env: FunctionEnvMut<'_, Heard>, args: &[Value]| {
                if log {
                    hear(&mut env, args);
                }
                Ok(vec![Value::I32(0); answers])
            };
            let function = Function::new_with_env(&mut store, &env, ty.clone(), answer);
            imports.define(import.module(), import.name(), function);
        }
        let instance = Instance::new(&mut store, &self.module, &imports).unwrap();
        let memory = instance.exports.get_memory("memory").unwrap().clone();
        env.as_mut(&mut store).memory = Some(memory);
        for (name, words) in &self.calls {
            let Ok(export) = instance.exports.get_function(name) else {
                continue;
            };
            let types = export.ty(&store);
            let args: Vec<Value> = types
                .params()
                .iter()
                .zip(words)
                .map(|(ty, word)| match ty {
                    Type::I64 => Value::I64(*word as i64),
                    _ => Value::I32(*word as i32),
                })
                .collect();
            export.call(&mut store, &args).unwrap();
        }
        std::mem::take(&mut env.as_mut(&mut store).lines)
    }
}

fn hear(env: &mut FunctionEnvMut<'_, Heard>, args: &[Value]) {
    let (at, len) = (args[1].unwrap_i32() as u32, args[2].unwrap_i32() as usize);
    let mut bytes = vec![0; len];
    let (heard, store) = env.data_and_store_mut();
    let Some(memory) = &heard.memory else { return };
    memory.view(&store).read(u64::from(at), &mut bytes).unwrap();
    heard
        .lines
        .push(String::from_utf8_lossy(&bytes).into_owned());
}

/// The word of an argument.
fn word(field: &Field) -> u64 {
    match &field.value {
        Recorded::Number(n) | Recorded::Enum(_, n) | Recorded::Id(_, n) | Recorded::Pointer(n) => {
            *n
        }
        Recorded::Signed(n) => *n as u64,
        Recorded::Bool(b) => u64::from(*b),
        _ => 0,
    }
}
