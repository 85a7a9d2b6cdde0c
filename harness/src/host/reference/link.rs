//! The linker: one host function for each import of a module, made from the ABI's table.
//!
//! The text's name of a hostcall selects what answers it; module, name, parameters and numbers come
//! from the table, so a dialect needs no code of its own.

use std::sync::Arc;

use wasmer::{
    AsStoreMut, ExternType, Function, FunctionEnv, FunctionEnvMut, FunctionType, Imports, Module,
    RuntimeError, Type as WasmType, Value,
};

use crate::abi::{Abi, Hostcall, Param, Returns, Word};
use crate::host::reference::call::Call;
use crate::host::reference::spoil::denied;
use crate::host::reference::status::{Fail, Status};
use crate::host::reference::world::World;
use crate::host::reference::{
    buffers, calls, clock, contexts, foreign, grpc, log, maps, metrics, props, queues, reply,
    shared, wasi,
};

/// What answers a hostcall.
pub(super) type Answer = fn(&mut Call<'_, '_>) -> Result<(), Fail>;

/// A hostcall, ready to be answered.
pub(super) struct Sig {
    abi: Arc<Abi>,
    /// Its place in the ABI's table.
    place: usize,
    /// Where each parameter's words begin.
    pub(super) first: Vec<usize>,
    answer: Answer,
}

impl Sig {
    /// The ABI's row.
    pub(super) fn hostcall(&self) -> &Hostcall {
        &self.abi.hostcalls[self.place]
    }
}

/// Why a module cannot be linked.
pub(super) enum Unlinkable {
    /// The host lacks this function.
    Missing { import: String, text: String },
    /// The module wants another signature, or something that is no function.
    Signature(String),
}

/// The most words that any hostcall takes, with room for a dialect's.
const WORDS: usize = 24;

/// The imports of `module` for VM number `vm`.
pub(super) fn link(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<World>,
    abi: &Arc<Abi>,
    module: &Module,
    vm: usize,
) -> Result<Imports, Unlinkable> {
    let mut imports = Imports::new();
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
        // Asked only where it matters: a fault that is asked for costs `prove` a play.
        let faults = env.as_ref(store).faults;
        let missing = match hostcall.name.as_str() {
            "proxy_done" => faults.is("proxy_done_is_not_linked"),
            "proc_exit" => faults.is("proc_exit_is_not_linked"),
            _ => false,
        };
        let Some(answer) = answer(&hostcall.name).filter(|_| !missing) else {
            return Err(Unlinkable::Missing {
                import: name.to_owned(),
                text: format!("import {from}.{name} is not offered"),
            });
        };
        let ours = signature(hostcall);
        match import.ty() {
            ExternType::Function(theirs) if *theirs == ours => {}
            ExternType::Function(theirs) => {
                let text =
                    format!("import {from}.{name} has the signature {theirs}, the ABI says {ours}");
                return Err(Unlinkable::Signature(text));
            }
            _ => {
                return Err(Unlinkable::Signature(format!(
                    "import {from}.{name} is no function"
                )));
            }
        }
        let sig = Arc::new(Sig {
            first: first_words(&hostcall.params),
            abi: Arc::clone(abi),
            place,
            answer,
        });
        let function = Function::new_with_env(store, env, ours, move |mut env, args| {
            dispatch(&mut env, vm, &sig, args)
        });
        imports.define(from, name, function);
    }
    Ok(imports)
}

fn dispatch(
    env: &mut FunctionEnvMut<'_, World>,
    vm: usize,
    sig: &Sig,
    args: &[Value],
) -> Result<Vec<Value>, RuntimeError> {
    let mut words = [0u64; WORDS];
    for (word, arg) in words.iter_mut().zip(args) {
        *word = match arg {
            Value::I32(v) => u64::from(v.cast_unsigned()),
            Value::I64(v) => v.cast_unsigned(),
            _ => 0,
        };
    }
    let answered = (sig.answer)(&mut Call::new(env, vm, sig, &words));
    let faults = env.data().faults;
    let abi = &env.data().abi;
    let number = match answered {
        Ok(()) if faults.planted() && denied(faults, &sig.hostcall().name) => {
            Status::InternalFailure.number(abi)
        }
        // OK and SUCCESS are 0 in the text; a dialect may number OK otherwise.
        Ok(()) => match &sig.hostcall().returns {
            Returns::Enum(name) if name == "proxy_status_t" => Status::Ok.number(abi),
            _ => 0,
        },
        Err(Fail::Status(status)) => status.number(abi),
        Err(Fail::Errno(errno)) => errno.number(abi),
        Err(Fail::Stop(error)) => return Err(error),
    };
    Ok(match sig.hostcall().returns {
        Returns::Nothing => Vec::new(),
        _ => vec![Value::I32(number as u32 as i32)],
    })
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
