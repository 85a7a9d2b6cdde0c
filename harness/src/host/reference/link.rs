//! The linker: one host function for each import of a module, made from the ABI's table.
//!
//! The text's name of a hostcall selects what answers it; module, name, parameters and numbers come
//! from the table, so a dialect needs no code of its own.

use std::sync::Arc;

use wasmer::{
    Extern, ExternType, Function, FunctionEnv, FunctionEnvMut, FunctionType, Module, RuntimeError,
    Store, Type as WasmType, Value,
};

use crate::abi::{Abi, Hostcall, Param, Returns, Word};
use crate::host::reference::call::Call;
use crate::host::reference::faults::Faults;
use crate::host::reference::spoil::denied;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::World;
use crate::host::reference::{
    buffers, calls, clock, contexts, direct, foreign, grpc, log, maps, metrics, props, queues,
    reply, shared, wasi,
};

/// What answers a hostcall.
pub(super) type Answer = fn(&mut Call<'_, '_>) -> Result<(), Fail>;

/// A hostcall, ready to be answered.
pub(super) struct Sig {
    /// The ABI whose row it is.
    pub(super) abi: Arc<Abi>,
    /// Its place in the ABI's table.
    place: usize,
    /// Where each parameter's words begin.
    pub(super) first: Vec<usize>,
    answer: Answer,
    ty: FunctionType,
    /// The number of success.
    ok: u64,
}

impl Sig {
    /// The ABI's row.
    pub(super) fn hostcall(&self) -> &Hostcall {
        &self.abi.hostcalls[self.place]
    }

    /// Whether it takes words of 32 bits only and returns one.
    fn is_direct(&self) -> bool {
        let words = [self.ty.params(), self.ty.results()];
        let all = words.into_iter().flatten();
        self.ty.results().len() == 1 && all.into_iter().all(|w| *w == WasmType::I32)
    }
}

/// Why a module cannot be linked.
#[derive(Debug, Clone)]
pub(super) enum Unlinkable {
    /// The host lacks this function.
    Missing { import: String, text: String },
    /// The module wants another signature, or something that is no function.
    Signature(String),
}

/// What answers the imports of a module, in their order.
pub(super) type Links = Vec<Arc<Sig>>;

/// Finds what answers the imports of `module`.
pub(super) fn resolve(abi: &Arc<Abi>, module: &Module) -> Result<Links, Unlinkable> {
    let mut links = Links::new();
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        let by_name =
            |h: &&Hostcall| h.import.0 == from && h.import.1 == name && h.absent.is_none();
        let place = abi.hostcalls.iter().position(|h| by_name(&h));
        let Some(place) = place else {
            return Err(Unlinkable::Missing {
                import: name.to_owned(),
                text: format!("unknown import {from}.{name}"),
            });
        };
        let hostcall = &abi.hostcalls[place];
        let Some(answer) = answer(&hostcall.name) else {
            return Err(not_offered(hostcall));
        };
        let ty = signature(hostcall);
        match import.ty() {
            ExternType::Function(theirs) if *theirs == ty => {}
            ExternType::Function(theirs) => {
                let text =
                    format!("import {from}.{name} has the signature {theirs}, the ABI says {ty}");
                return Err(Unlinkable::Signature(text));
            }
            _ => {
                return Err(Unlinkable::Signature(format!(
                    "import {from}.{name} is no function"
                )));
            }
        }
        // OK and SUCCESS are 0 in the text; a dialect may number OK otherwise.
        let ok = match &hostcall.returns {
            Returns::Enum(name) if name == "proxy_status_t" => Status::Ok.number(abi),
            _ => 0,
        };
        links.push(Arc::new(Sig {
            first: first_words(&hostcall.params),
            abi: Arc::clone(abi),
            place,
            answer,
            ty,
            ok,
        }));
    }
    Ok(links)
}

fn not_offered(hostcall: &Hostcall) -> Unlinkable {
    let (from, name) = &hostcall.import;
    Unlinkable::Missing {
        import: name.clone(),
        text: format!("import {from}.{name} is not offered"),
    }
}

/// The imports of a module for VM number `vm`, in their order.
pub(super) fn link(
    store: &mut Store,
    env: &FunctionEnv<World>,
    links: &[Arc<Sig>],
    vm: usize,
) -> Result<Vec<Extern>, Unlinkable> {
    let faults = env.as_ref(store).faults;
    let mut imports = Vec::with_capacity(links.len());
    for sig in links {
        // Asked only where it matters: a fault that is asked for costs `prove` a play.
        let missing = match sig.hostcall().name.as_str() {
            "proxy_done" => faults.is("proxy_done_is_not_linked"),
            "proc_exit" => faults.is("proc_exit_is_not_linked"),
            _ => false,
        };
        if missing {
            return Err(not_offered(sig.hostcall()));
        }
        let of = Arc::clone(sig);
        let answer = move |env: &mut FunctionEnvMut<'_, World>, words: &[u64]| {
            dispatch(env, vm, &of, faults, words)
        };
        let function = if sig.is_direct() {
            direct::import(store, env, sig.ty.params().len(), answer)
        } else {
            Some(detour(store, env, sig, answer))
        };
        let function = function.ok_or_else(|| not_offered(sig.hostcall()))?;
        imports.push(function.into());
    }
    Ok(imports)
}

/// A function of any signature.
fn detour(
    store: &mut Store,
    env: &FunctionEnv<World>,
    sig: &Sig,
    answer: impl Fn(&mut FunctionEnvMut<'_, World>, &[u64]) -> Result<u32, RuntimeError>
    + Send
    + Sync
    + 'static,
) -> Function {
    let silent = sig.ty.results().is_empty();
    Function::new_with_env(store, env, sig.ty.clone(), move |mut env, args| {
        let word = |arg: &Value| match arg {
            Value::I32(v) => u64::from(v.cast_unsigned()),
            Value::I64(v) => v.cast_unsigned(),
            _ => 0,
        };
        let words: Vec<u64> = args.iter().map(word).collect();
        let number = answer(&mut env, &words)?;
        Ok(match silent {
            true => Vec::new(),
            false => vec![Value::I32(number.cast_signed())],
        })
    })
}

/// Answers one call: the word that it returns, if it returns one.
fn dispatch(
    env: &mut FunctionEnvMut<'_, World>,
    vm: usize,
    sig: &Sig,
    faults: Faults,
    words: &[u64],
) -> Result<u32, RuntimeError> {
    let answered = (sig.answer)(&mut Call::new(env, vm, sig, faults, words));
    let number = match answered {
        Ok(()) if faults.planted() && denied(faults, &sig.hostcall().name) => {
            Status::InternalFailure.number(&sig.abi)
        }
        Ok(()) => sig.ok,
        Err(Fail::Status(status)) => status.number(&sig.abi),
        Err(Fail::Errno(errno)) => errno.number(&sig.abi),
        Err(Fail::Stop(error)) => return Err(error),
    };
    Ok(number as u32)
}

/// The Wasm signature of a hostcall.
fn signature(hostcall: &Hostcall) -> FunctionType {
    FunctionType::new(words(&hostcall.params), results(&hostcall.returns))
}

/// The Wasm types of parameters.
pub(super) fn words(params: &[Param]) -> Vec<WasmType> {
    let words = params.iter().flat_map(|p| p.ty.words());
    words
        .map(|w| match w {
            Word::I32 => WasmType::I32,
            Word::I64 => WasmType::I64,
        })
        .collect()
}

/// The Wasm types of a result.
pub(super) fn results(returns: &Returns) -> Vec<WasmType> {
    match returns {
        Returns::Nothing => Vec::new(),
        _ => vec![WasmType::I32],
    }
}

fn first_words(params: &[Param]) -> Vec<usize> {
    let mut next = 0;
    let firsts = params.iter().map(|p| {
        let first = next;
        next += p.ty.words().len();
        first
    });
    firsts.collect()
}

/// What answers the hostcall of this name.
fn answer(name: &str) -> Option<Answer> {
    Some(match name {
        "proxy_log" => log::log,
        "proxy_get_log_level" => log::get_log_level,
        "fd_write" => wasi::fd_write,
        "clock_time_get" => wasi::clock_time_get,
        "random_get" => wasi::random_get,
        "environ_sizes_get" => wasi::environ_sizes_get,
        "environ_get" => wasi::environ_get,
        "args_sizes_get" => wasi::args_sizes_get,
        "args_get" => wasi::args_get,
        "proc_exit" => wasi::proc_exit,
        "proxy_get_current_time_nanoseconds" => clock::get_current_time,
        "proxy_set_tick_period_milliseconds" => clock::set_tick_period,
        "proxy_done" => contexts::done,
        "proxy_set_effective_context" => contexts::set_effective_context,
        "proxy_get_configuration" => buffers::get_configuration,
        "proxy_set_buffer_bytes" => buffers::set,
        "proxy_get_buffer_bytes" => buffers::get,
        "proxy_get_buffer_status" => buffers::status,
        "proxy_get_header_map_size" => maps::size,
        "proxy_get_header_map_pairs" => maps::get_pairs,
        "proxy_set_header_map_pairs" => maps::set_pairs,
        "proxy_get_header_map_value" => maps::get,
        "proxy_add_header_map_value" => maps::add,
        "proxy_replace_header_map_value" => maps::replace,
        "proxy_remove_header_map_value" => maps::remove,
        "proxy_continue_stream" => reply::continue_stream,
        "proxy_continue_request" => reply::continue_request,
        "proxy_continue_response" => reply::continue_response,
        "proxy_clear_route_cache" => reply::clear_route_cache,
        "proxy_close_stream" => reply::close_stream,
        "proxy_send_local_response" => reply::send_local_response,
        "proxy_get_status" => calls::get_status,
        "proxy_http_call" => calls::http_call,
        "proxy_grpc_call" => grpc::call,
        "proxy_grpc_stream" => grpc::stream,
        "proxy_grpc_send" => grpc::send,
        "proxy_grpc_cancel" => grpc::cancel,
        "proxy_grpc_close" => grpc::close,
        "proxy_call_foreign_function" => foreign::call_foreign_function,
        "proxy_set_shared_data" => shared::set,
        "proxy_get_shared_data" => shared::get,
        "proxy_register_shared_queue" => queues::register,
        "proxy_resolve_shared_queue" => queues::resolve,
        "proxy_enqueue_shared_queue" => queues::enqueue,
        "proxy_dequeue_shared_queue" => queues::dequeue,
        "proxy_define_metric" => metrics::define,
        "proxy_record_metric" => metrics::record,
        "proxy_increment_metric" => metrics::increment,
        "proxy_get_metric" => metrics::get,
        "proxy_get_property" => props::get,
        "proxy_set_property" => props::set,
        _ => return None,
    })
}
