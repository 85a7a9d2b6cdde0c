//! The fence: a tiny guest that logs the `x-fence` field of each request, built by hand.
//!
//! When its line is in the log, everything that the same worker did before is there as well.
//! It is no case's guest and sends no frames.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType, Module,
    TypeSection, ValType,
};

use crate::host::network::client::connect;
use crate::host::network::ear::Ear;

/// The id of the VM in which the fence runs.
pub const VM: &str = "pwspec-fence";
/// The field whose value is logged.
pub const FIELD: &str = "x-fence";
/// What its value begins with; a number follows. Not every host shows whose a line is.
pub const MARK: &str = "pwspec-fence ";

/// The module: 0.2.0, which all hosts of that line load.
pub fn module() -> Vec<u8> {
    const NAME_AT: i32 = 16;
    const OUT_PTR: i32 = 32;
    const OUT_LEN: i32 = 36;
    let i32s = |n: usize| vec![ValType::I32; n];

    let mut types = TypeSection::new();
    types.ty().function(i32s(3), i32s(1)); // 0: proxy_log, proxy_on_request_headers
    types.ty().function(i32s(5), i32s(1)); // 1: proxy_get_header_map_value
    types.ty().function(i32s(1), i32s(1)); // 2: allocators
    types.ty().function([], []); // 3: marker
    types.ty().function(i32s(2), []); // 4: proxy_on_context_create
    types.ty().function(i32s(2), i32s(1)); // 5: proxy_on_vm_start, proxy_on_configure

    let mut imports = ImportSection::new();
    imports.import("env", "proxy_log", EntityType::Function(0));
    imports.import("env", "proxy_get_header_map_value", EntityType::Function(1));

    let mut functions = FunctionSection::new();
    for ty in [0, 2, 3, 4, 5] {
        functions.function(ty);
    }

    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });

    let mut globals = GlobalSection::new();
    let heap = GlobalType {
        val_type: ValType::I32,
        mutable: true,
        shared: false,
    };
    globals.global(heap, &ConstExpr::i32_const(1024));

    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    for (name, function) in [
        ("proxy_on_request_headers", 2),
        ("proxy_on_memory_allocate", 3),
        ("malloc", 3),
        ("proxy_abi_version_0_2_0", 4),
        ("proxy_on_context_create", 5),
        ("proxy_on_vm_start", 6),
        ("proxy_on_configure", 6),
    ] {
        exports.export(name, ExportKind::Func, function);
    }

    let mut code = CodeSection::new();
    // Every request starts anew at the beginning of the heap, reads the field and logs its value.
    let mut on_request = Function::new([]);
    on_request
        .instructions()
        .i32_const(1024)
        .global_set(0)
        .i32_const(0)
        .i32_const(NAME_AT)
        .i32_const(FIELD.len() as i32)
        .i32_const(OUT_PTR)
        .i32_const(OUT_LEN)
        .call(1)
        .drop()
        .i32_const(2)
        .i32_const(OUT_PTR)
        .i32_load(word())
        .i32_const(OUT_LEN)
        .i32_load(word())
        .call(0)
        .drop()
        .i32_const(0)
        .end();
    code.function(&on_request);
    let mut allocate = Function::new([(1, ValType::I32)]);
    allocate
        .instructions()
        .global_get(0)
        .local_tee(1)
        .local_get(0)
        .i32_add()
        .i32_const(15)
        .i32_add()
        .i32_const(-16)
        .i32_and()
        .global_set(0)
        .local_get(1)
        .end();
    code.function(&allocate);
    for result in [None, None, Some(1)] {
        let mut plain = Function::new([]);
        if let Some(value) = result {
            plain.instructions().i32_const(value);
        }
        plain.instructions().end();
        code.function(&plain);
    }

    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(NAME_AT), FIELD.bytes());

    let mut module = Module::new();
    module.section(&types);
    module.section(&imports);
    module.section(&functions);
    module.section(&memories);
    module.section(&globals);
    module.section(&exports);
    module.section(&code);
    module.section(&data);
    module.finish()
}

fn word() -> wasm_encoder::MemArg {
    wasm_encoder::MemArg {
        offset: 0,
        align: 2,
        target: wasm_encoder::MemArgTarget::Memory(0),
        ordering: None,
    }
}

/// The number of a fence that was logged.
pub fn number(text: &str) -> Option<u64> {
    text.strip_prefix(MARK)?.trim().parse().ok()
}

/// The way through the fence's listener. Several threads may go through it beside each other: a
/// number is taken before its request is sent, so a higher one in the log says what a lower one does.
#[derive(Debug)]
pub struct Gate {
    socket: PathBuf,
    number: AtomicU64,
}

impl Gate {
    /// To the listener on `socket`, through which nothing has gone yet.
    pub fn new(socket: PathBuf) -> Gate {
        Gate {
            socket,
            number: AtomicU64::new(0),
        }
    }

    /// Sends a request through the fence and waits until the log shows it; whether it did. After
    /// that everything that the worker did before is in the log. This says nothing of other
    /// threads: what a main thread does at its own time (ticks of its own instance) may come later.
    pub fn pass(&self, ear: &Ear, within: Duration) -> bool {
        let number = 1 + self.number.fetch_add(1, Ordering::SeqCst);
        let until = Instant::now() + within;
        // A new connection each time: on an old one the request might be read before what was
        // handed to the worker meanwhile.
        let Ok(mut stream) = connect(&self.socket, within) else {
            return false;
        };
        let field = FIELD;
        let request = format!("GET / HTTP/1.1\r\nhost: fence\r\n{field}: {MARK}{number}\r\n\r\n");
        stream.write_all(request.as_bytes()).ok();
        let left = until.saturating_duration_since(Instant::now());
        ear.wait(left, |h| h.fence >= number || h.ended) && ear.heard().fence >= number
    }
}
