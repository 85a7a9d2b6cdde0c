//! A host of a few lines: it calls a module's exports and answers hostcalls as a test says.

use std::sync::{Arc, Mutex};

use wasmer::{
    ExternType, Function, FunctionEnv, FunctionEnvMut, Imports, Instance, Memory, RuntimeError,
    Store, Type, Value,
};

use crate::case::OUT_OF_BOUNDS;
use crate::guest::Module;
use crate::trace::{Fault, Instance as Traced, Reader, Taken};

/// How hostcalls other than frames are answered: name, arguments, result.
type Answer = dyn Fn(&mut Inside<'_>, &str, &[u64]) -> u64 + Send + Sync;

struct Env {
    reader: Arc<Mutex<Reader>>,
    logs: Arc<Mutex<Vec<String>>>,
    widest: Arc<Mutex<usize>>,
    answer: Arc<Answer>,
    instance: Option<Instance>,
    allocations: u32,
}

/// A running module.
pub(crate) struct Vm {
    store: Store,
    instance: Instance,
    reader: Arc<Mutex<Reader>>,
    pub logs: Arc<Mutex<Vec<String>>>,
    pub widest: Arc<Mutex<usize>>,
}

/// The guest as a hostcall sees it.
pub(crate) struct Inside<'a> {
    env: FunctionEnvMut<'a, Env>,
}

impl Inside<'_> {
    fn memory(&self) -> Memory {
        let instance = self.env.data().instance.as_ref().unwrap();
        instance.exports.get_memory("memory").unwrap().clone()
    }

    pub(crate) fn read(&self, at: u64, len: u64) -> Vec<u8> {
        let mut bytes = vec![0; len as usize];
        self.memory()
            .view(&self.env)
            .read(at, &mut bytes)
            .expect("inside memory");
        bytes
    }

    pub(crate) fn write(&self, at: u64, bytes: &[u8]) {
        self.memory().view(&self.env).write(at, bytes).unwrap();
    }

    pub(crate) fn write_word(&self, at: u64, word: u64) {
        self.write(at, &(word as u32).to_le_bytes());
    }

    pub(crate) fn call(&mut self, export: &str, args: &[u64]) -> u64 {
        self.try_call(export, args).unwrap()
    }

    pub(crate) fn try_call(&mut self, export: &str, args: &[u64]) -> Result<u64, RuntimeError> {
        let instance = self.env.data().instance.clone().unwrap();
        invoke(&mut self.env, &instance, export, args)
    }

    /// How often [`Inside::give`] was used so far.
    pub(crate) fn alloc_count(&self) -> u32 {
        self.env.data().allocations
    }

    /// Returns bytes through the guest's allocator.
    pub(crate) fn give(&mut self, bytes: &[u8], ptr_at: u64, size_at: u64) {
        self.env.data_mut().allocations += 1;
        let ptr = self.call("proxy_on_memory_allocate", &[bytes.len() as u64]);
        self.write(ptr, bytes);
        self.write_word(ptr_at, ptr);
        self.write_word(size_at, bytes.len() as u64);
    }
}

fn invoke(
    store: &mut impl wasmer::AsStoreMut,
    instance: &Instance,
    export: &str,
    args: &[u64],
) -> Result<u64, RuntimeError> {
    let function = instance.exports.get_function(export).expect("exported");
    let values: Vec<Value> = args.iter().map(|a| Value::I32(*a as i32)).collect();
    let results = function.call(store, &values)?;
    Ok(results.first().map_or(0, |v| v.unwrap_i32() as u32 as u64))
}

impl Vm {
    pub(crate) fn new(
        module: &Module,
        answer: impl Fn(&mut Inside<'_>, &str, &[u64]) -> u64 + Send + Sync + 'static,
    ) -> Vm {
        let mut store = Store::default();
        let compiled = wasmer::Module::new(&store, &module.wasm).unwrap();
        let reader = Arc::new(Mutex::new(Reader::new(&module.legend)));
        let (logs, widest) = (Arc::default(), Arc::default());
        let env = FunctionEnv::new(
            &mut store,
            Env {
                reader: Arc::clone(&reader),
                logs: Arc::clone(&logs),
                widest: Arc::clone(&widest),
                answer: Arc::new(answer),
                instance: None,
                allocations: 0,
            },
        );
        let mut imports = Imports::new();
        for import in compiled.imports() {
            let ExternType::Function(ty) = import.ty() else {
                panic!("an import is no function");
            };
            let name = import.name().to_owned();
            let results = ty.results().len();
            let body = move |env: FunctionEnvMut<'_, Env>, args: &[Value]| {
                let words: Vec<u64> = args
                    .iter()
                    .map(|v| match v {
                        Value::I32(n) => *n as u32 as u64,
                        Value::I64(n) => *n as u64,
                        _ => panic!("a parameter is no number"),
                    })
                    .collect();
                let value = hostcall(Inside { env }, &name, &words);
                Ok(vec![Value::I32(value as i32); results])
            };
            let function = Function::new_with_env(&mut store, &env, ty.clone(), body);
            imports.define(import.module(), import.name(), function);
        }
        let instance = Instance::new(&mut store, &compiled, &imports).unwrap();
        env.as_mut(&mut store).instance = Some(instance.clone());
        assert!(ty_is_i32(&compiled));
        Vm {
            store,
            instance,
            reader,
            logs,
            widest,
        }
    }

    pub(crate) fn call(&mut self, export: &str, args: &[u64]) -> u64 {
        self.try_call(export, args).unwrap()
    }

    pub(crate) fn try_call(&mut self, export: &str, args: &[u64]) -> Result<u64, RuntimeError> {
        invoke(&mut self.store, &self.instance, export, args)
    }

    /// One plugin context (2) and one stream context (7).
    pub(crate) fn with_stream(mut self) -> Vm {
        self.call("proxy_on_context_create", &[2, 0]);
        self.call("proxy_on_context_create", &[7, 2]);
        self
    }

    pub(crate) fn entered(&self, callback: &str) -> u32 {
        self.reader.lock().unwrap().entered(callback)
    }

    /// What was traced.
    pub(crate) fn finish(self) -> (Vec<Traced>, Vec<Fault>) {
        drop((self.instance, self.store));
        let reader = Arc::into_inner(self.reader).unwrap();
        reader.into_inner().unwrap().finish()
    }
}

/// All exports take 32-bit words only, which is what [`invoke`] passes.
fn ty_is_i32(module: &wasmer::Module) -> bool {
    let mut functions = module.exports().functions();
    functions.all(|f| f.ty().params().iter().all(|t| *t == Type::I32))
}

fn hostcall(mut inside: Inside<'_>, name: &str, args: &[u64]) -> u64 {
    if name == "proxy_log" && args[0] == 2 {
        let text = String::from_utf8(inside.read(args[1], args[2])).unwrap();
        let reader = Arc::clone(&inside.env.data().reader);
        let taken = reader.lock().unwrap().push("vm", &text);
        if taken == Taken::Taken {
            let mut widest = inside.env.data().widest.lock().unwrap();
            *widest = text.len().max(*widest);
            return 0;
        }
    }
    if name == "proxy_log" && args[1] < OUT_OF_BOUNDS {
        let text = String::from_utf8(inside.read(args[1], args[2])).unwrap();
        inside.env.data().logs.lock().unwrap().push(text);
    }
    let answer = Arc::clone(&inside.env.data().answer);
    answer(&mut inside, name, args)
}
