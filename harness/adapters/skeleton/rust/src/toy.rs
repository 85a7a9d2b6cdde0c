//! A toy of a Proxy-Wasm host on wasmi: enough for the canaries of `pwspec doctor`, and no more.
//!
//! It is here to be replaced by a host of yours. It knows three hostcalls, two maps, HTTP streams and one
//! plugin a VM. It does not know pwspec.

use std::collections::HashMap;

use wasmi::{Caller, Engine, Error, Extern, Instance, Linker, Memory, Module, Store, Val};

const OK: i32 = 0;
const NOT_FOUND: i32 = 1;
const BAD_ARGUMENT: i32 = 2;
const INVALID_MEMORY_ACCESS: i32 = 6;

/// The numbers of the two maps.
pub const REQUEST_HEADERS: u32 = 0;
pub const RESPONSE_HEADERS: u32 = 2;
/// The context of the plugin.
pub const PLUGIN: u32 = 1;

const PAUSE: i32 = 1;
const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "critical"];

/// Names and values.
pub type Headers = Vec<(Vec<u8>, Vec<u8>)>;
/// The headers of one HTTP stream that are there, by the number of the map.
pub type Stream = HashMap<u32, Headers>;
/// Takes the level and the bytes of each message.
type Log = Box<dyn Fn(&str, &[u8])>;

/// What hostcalls work on.
struct State {
    log: Log,
    streams: HashMap<u32, Stream>,
    current: u32,
}

/// One VM with its one plugin.
pub struct Host {
    store: Store<State>,
    instance: Instance,
    next: u32,
}

/// What went wrong.
pub enum Trouble {
    /// The module is none, or needs what there is not.
    NotTaken(Error),
    /// The plugin trapped.
    Trapped(Error),
}

impl Host {
    /// Makes a VM of a module.
    pub fn new(wasm: &[u8], log: Log) -> Result<Host, Trouble> {
        let engine = Engine::default();
        let state = State {
            log,
            streams: HashMap::new(),
            current: PLUGIN,
        };
        let mut store = Store::new(&engine, state);
        let instance = linked(&engine, &mut store, wasm).map_err(Trouble::NotTaken)?;
        let next = PLUGIN + 1;
        let mut host = Host {
            store,
            instance,
            next,
        };
        host.call("_initialize", 0, &[])?;
        Ok(host)
    }

    /// Starts VM and plugin; whether the plugin agrees.
    pub fn start(
        &mut self,
        vm_configuration: &[u8],
        configuration: &[u8],
    ) -> Result<bool, Trouble> {
        self.call("proxy_on_context_create", 0, &[PLUGIN, 0])?;
        let size = vm_configuration.len() as u32;
        if self.call("proxy_on_vm_start", 1, &[PLUGIN, size])? == 0 {
            return Ok(false);
        }
        let size = configuration.len() as u32;
        Ok(self.call("proxy_on_configure", 1, &[PLUGIN, size])? != 0)
    }

    /// A stream begins: its context.
    pub fn open(&mut self) -> Result<u32, Trouble> {
        let id = self.next;
        self.next += 1;
        self.store.data_mut().streams.insert(id, Stream::new());
        self.store.data_mut().current = id;
        self.call("proxy_on_context_create", 0, &[id, PLUGIN])?;
        Ok(id)
    }

    /// The headers of a stream, to be read and set.
    pub fn stream(&mut self, id: u32) -> &mut Stream {
        self.store.data_mut().streams.entry(id).or_default()
    }

    /// The headers in this map have come; whether the plugin pauses the stream.
    pub fn headers(&mut self, id: u32, map: u32, end_of_stream: bool) -> Result<bool, Trouble> {
        self.store.data_mut().current = id;
        let number = self.stream(id).get(&map).map_or(0, Vec::len) as u32;
        let name = match map {
            REQUEST_HEADERS => "proxy_on_request_headers",
            _ => "proxy_on_response_headers",
        };
        let action = self.call(name, 0, &[id, number, u32::from(end_of_stream)])?;
        Ok(action == PAUSE)
    }

    /// A stream, or the plugin, is over.
    pub fn finish(&mut self, id: u32) -> Result<(), Trouble> {
        self.store.data_mut().current = id;
        for name in ["proxy_on_done", "proxy_on_log", "proxy_on_delete"] {
            self.call(name, 0, &[id])?;
        }
        self.store.data_mut().streams.remove(&id);
        Ok(())
    }

    /// Calls the plugin; what it does not export gives `otherwise`.
    fn call(&mut self, name: &str, otherwise: i32, words: &[u32]) -> Result<i32, Trouble> {
        let Some(function) = self.instance.get_func(&self.store, name) else {
            return Ok(otherwise);
        };
        let words: Vec<Val> = words.iter().map(|w| Val::I32(w.cast_signed())).collect();
        let mut results = vec![Val::I32(otherwise); function.ty(&self.store).results().len()];
        function
            .call(&mut self.store, &words, &mut results)
            .map_err(Trouble::Trapped)?;
        Ok(results.first().and_then(Val::i32).unwrap_or(otherwise))
    }
}

fn linked(engine: &Engine, store: &mut Store<State>, wasm: &[u8]) -> Result<Instance, Error> {
    let module = Module::new(engine, wasm)?;
    let mut linker = Linker::new(engine);
    linker.func_wrap("env", "proxy_log", proxy_log)?;
    linker.func_wrap("env", "proxy_get_header_map_value", get_header_map_value)?;
    linker.func_wrap(
        "env",
        "proxy_replace_header_map_value",
        replace_header_map_value,
    )?;
    linker.instantiate_and_start(store, &module)
}

fn memory(caller: &Caller<'_, State>) -> Result<Memory, Error> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    memory.ok_or_else(|| Error::new("the module has no memory"))
}

fn read(caller: &Caller<'_, State>, address: u32, size: u32) -> Result<Option<Vec<u8>>, Error> {
    let data = memory(caller)?.data(caller);
    let start = address as usize;
    Ok(data.get(start..start + size as usize).map(<[u8]>::to_vec))
}

/// Hands a value over: allocated in the guest, its address and size at the addresses that it gave.
fn give(
    caller: &mut Caller<'_, State>,
    value: &[u8],
    address: u32,
    size: u32,
) -> Result<i32, Error> {
    let length = value.len() as u32;
    let place = if value.is_empty() {
        0
    } else {
        let own = caller.get_export("proxy_on_memory_allocate");
        let allocate = own.or_else(|| caller.get_export("malloc"));
        let allocate = allocate.and_then(Extern::into_func);
        let allocate = allocate.ok_or_else(|| Error::new("the module has no allocator"))?;
        allocate
            .typed::<u32, u32>(&*caller)?
            .call(&mut *caller, length)?
    };
    let memory = memory(caller)?;
    let written = [
        (place, value),
        (address, &place.to_le_bytes()[..]),
        (size, &length.to_le_bytes()[..]),
    ];
    let mut written = written.into_iter();
    let all = written.all(|(at, bytes)| memory.write(&mut *caller, at as usize, bytes).is_ok());
    Ok(if all { OK } else { INVALID_MEMORY_ACCESS })
}

fn current<'c>(caller: &'c mut Caller<'_, State>, map: u32) -> Option<&'c mut Headers> {
    let id = caller.data().current;
    caller.data_mut().streams.get_mut(&id)?.get_mut(&map)
}

fn proxy_log(caller: Caller<'_, State>, level: u32, message: u32, size: u32) -> Result<i32, Error> {
    let Some(words) = read(&caller, message, size)? else {
        return Ok(INVALID_MEMORY_ACCESS);
    };
    let Some(level) = LEVELS.get(level as usize) else {
        return Ok(BAD_ARGUMENT);
    };
    (caller.data().log)(level, &words);
    Ok(OK)
}

fn get_header_map_value(
    mut caller: Caller<'_, State>,
    map: u32,
    key: u32,
    key_size: u32,
    value: u32,
    value_size: u32,
) -> Result<i32, Error> {
    let Some(name) = read(&caller, key, key_size)? else {
        return Ok(INVALID_MEMORY_ACCESS);
    };
    let Some(headers) = current(&mut caller, map) else {
        return Ok(BAD_ARGUMENT);
    };
    let mut same = headers
        .iter()
        .filter(|(n, _)| n.eq_ignore_ascii_case(&name));
    match same.next().map(|(_, found)| found.clone()) {
        Some(found) => give(&mut caller, &found, value, value_size),
        None => Ok(NOT_FOUND),
    }
}

fn replace_header_map_value(
    mut caller: Caller<'_, State>,
    map: u32,
    key: u32,
    key_size: u32,
    value: u32,
    value_size: u32,
) -> Result<i32, Error> {
    let name = read(&caller, key, key_size)?;
    let (Some(name), Some(new)) = (name, read(&caller, value, value_size)?) else {
        return Ok(INVALID_MEMORY_ACCESS);
    };
    let Some(headers) = current(&mut caller, map) else {
        return Ok(BAD_ARGUMENT);
    };
    let same = |field: &(Vec<u8>, Vec<u8>)| field.0.eq_ignore_ascii_case(&name);
    let place = headers.iter().position(same).unwrap_or(headers.len());
    headers.retain(|field| !same(field));
    headers.insert(place, (name, new));
    Ok(OK)
}
