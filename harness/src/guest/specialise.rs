//! The module made for one case: typed imports and exports round the prebuilt guest, the program
//! in its data.
//!
//! Knows how words become parameters. Does not know what a hostcall means. The same program and
//! ABI give the same bytes; programs that use the same hostcalls and exports differ in data only.

use sha2::{Digest, Sha256};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, InstructionSink, MemArg,
    MemorySection, MemoryType, StartSection, TypeSection, ValType,
};

use crate::abi::{Abi, Callback, Hostcall, Returns, Type, Word};
use crate::case::{ModuleSpec, Oddities};
use crate::guest::base::{Base, Piece, Sig, base};
use crate::guest::exports::Exports;
use crate::guest::kept::Kept;
use crate::guest::{GuestError, GuestErrorKind, encode, odd};
use crate::trace::{ExportSig, FRAME_OVERHEAD, Legend};

/// The longest frame line, in characters, unless a profile says otherwise.
pub const MAX_LINE: u32 = 1000;
/// The longest that the guest can make.
const LONGEST_LINE: u32 = 4096;
const LONGEST_TOKEN: usize = 64;
/// Instructions of one byte.
const CALL: u8 = 0x10;
const UNREACHABLE: u8 = 0x00;
/// The least memory of every module, in pages; larger programs get a power of two, so that the
/// size of a program seldom shows outside its data.
const PAGES: u64 = 8;

/// A module ready to be given to a host.
#[derive(Debug, Clone)]
pub struct Module {
    /// The WebAssembly binary.
    pub wasm: Vec<u8>,
    /// The key to its frames.
    pub legend: Legend,
    /// SHA-256, in hexadecimal, of everything but the data section: equal for modules that can
    /// share compiled code (see [`crate::guest::split_data`]).
    pub code_digest: String,
    /// What it imports, in order: module and name.
    pub imports: Vec<(String, String)>,
}

/// Makes the module of `spec` for the hosts of `abi`.
///
/// # Errors
/// When the program does not fit the ABI; see [`GuestErrorKind`].
pub fn build(spec: &ModuleSpec, abi: &Abi) -> Result<Module, GuestError> {
    build_with_line(spec, abi, MAX_LINE)
}

/// As [`build`], with frames of at most `max_line` characters.
///
/// # Errors
/// As [`build`], and when frames of that length cannot carry anything.
pub fn build_with_line(spec: &ModuleSpec, abi: &Abi, max_line: u32) -> Result<Module, GuestError> {
    check_frames(spec, max_line)?;
    let base = base()?;
    let exports = Exports::choose(spec, abi)?;
    odd::check(spec, &exports, abi)?;
    let hostcalls = encode::hostcalls(spec, abi)?;
    let log = log(abi)?;
    let at = base.heap.next_multiple_of(16);
    let program = encode::program(spec, abi, &exports, &hostcalls, at, max_line)?;

    let mut imports = Imports::default();
    let log_arm = Arm {
        import: imports.add(&log.hostcall.import, sig_of(log.hostcall)),
        hostcall: log.hostcall,
        info: Some(log.info),
    };
    let mut arms = vec![log_arm];
    for hostcall in hostcalls {
        arms.push(Arm {
            import: imports.add(&hostcall.import, sig_of(hostcall)),
            hostcall,
            info: None,
        });
    }

    for import in &spec.oddities.imports {
        let name = (import.module.clone(), import.name.clone());
        imports.add(&name, odd::sig(&import.signature));
    }
    let kept = Kept::choose(base, &program.parts)?;
    let mut parts = Parts::new(base, kept, imports.list.len() as u32);
    parts.copy();
    for import in &imports.list {
        parts.import(import);
    }
    parts.dispatcher(&arms);
    for marker in &exports.markers {
        parts.marker(marker);
    }
    for (index, callback) in exports.list.iter().enumerate() {
        let own = spec.oddities.signatures.iter();
        match own.rev().find(|(name, _)| *name == callback.name) {
            None => parts.wrapper(index as u32, callback),
            Some((name, other)) => {
                let function = parts.define(odd::sig(other), &odd::zeros(other));
                parts.exports.export(name, ExportKind::Func, function);
            }
        }
    }
    let nothing = Sig {
        params: Vec::new(),
        results: Vec::new(),
    };
    let start = spec.oddities.start;
    let start = start.map(|what| parts.define(nothing, &odd::start(what)));
    let header: Vec<u8> = program
        .header
        .iter()
        .flat_map(|w| w.to_le_bytes())
        .collect();
    let needs = u64::from(program.header[3]).div_ceil(1 << 16) + 1;
    let pages = PAGES
        .max(needs.next_power_of_two())
        .max(spec.oddities.pages.unwrap_or(0));
    let data: [(u32, &[u8]); 2] = [(base.header, &header), (at, &program.bytes)];
    let (wasm, code_digest) = parts.finish(pages, start, &spec.oddities, &data);

    let export_sig = |c: &&Callback| ExportSig {
        name: c.exported().into(),
        callback: c.kind == crate::abi::ExportKind::Callback,
        params: c.params.clone(),
        returns: c.returns.clone(),
    };
    Ok(Module {
        wasm,
        code_digest,
        imports: imports.list.into_iter().map(|i| i.name).collect(),
        legend: Legend {
            token: spec.token.clone(),
            exports: exports.list.iter().map(export_sig).collect(),
            steps: program.steps,
            enums: abi.enums.clone(),
        },
    })
}

fn check_frames(spec: &ModuleSpec, max_line: u32) -> Result<(), GuestError> {
    let token = &spec.token;
    let wrong = |what: String| Err(GuestError::new(GuestErrorKind::Frame, what));
    if token.is_empty()
        || token.len() > LONGEST_TOKEN
        || !token.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        return wrong(format!(
            "use the token {token:?}: 1 to {LONGEST_TOKEN} letters and digits are wanted"
        ));
    }
    let least = FRAME_OVERHEAD + token.len() as u32 + 16;
    if max_line < least || max_line > LONGEST_LINE {
        return wrong(format!(
            "make lines of {max_line} characters: {least} to {LONGEST_LINE} are possible"
        ));
    }
    Ok(())
}

/// How frames leave: `proxy_log`, with the ABI's number of its INFO level.
struct Log<'a> {
    hostcall: &'a Hostcall,
    info: u64,
}

fn log(abi: &Abi) -> Result<Log<'_>, GuestError> {
    let unknown = |what: &str| {
        GuestError::new(
            GuestErrorKind::Unknown,
            format!("send frames through ABI {}: {what}", abi.id),
        )
    };
    let hostcall = abi
        .hostcall("proxy_log")
        .filter(|h| h.absent.is_none())
        .ok_or_else(|| unknown("it has no proxy_log"))?;
    let level = hostcall.params.iter().find_map(|p| match &p.ty {
        Type::Enum(name) => abi.enumeration(name),
        _ => None,
    });
    let info = level
        .and_then(|e| e.number("INFO"))
        .ok_or_else(|| unknown("proxy_log has no level INFO"))?;
    if !hostcall.params.iter().any(|p| p.ty == Type::Bytes) {
        return Err(unknown("proxy_log takes no bytes"));
    }
    Ok(Log { hostcall, info })
}

fn val(word: Word) -> wasmparser::ValType {
    match word {
        Word::I32 => wasmparser::ValType::I32,
        Word::I64 => wasmparser::ValType::I64,
    }
}

fn results(returns: &Returns) -> Vec<wasmparser::ValType> {
    match returns {
        Returns::Nothing => Vec::new(),
        _ => vec![wasmparser::ValType::I32],
    }
}

fn sig_of(hostcall: &Hostcall) -> Sig {
    let words = hostcall.params.iter().flat_map(|p| p.ty.words());
    Sig {
        params: words.map(|w| val(*w)).collect(),
        results: results(&hostcall.returns),
    }
}

/// An import and the number under which the guest calls it.
struct Arm<'a> {
    import: u32,
    hostcall: &'a Hostcall,
    /// Frames: the level; the guest hands over nothing but address and length.
    info: Option<u64>,
}

struct ImportFn {
    name: (String, String),
    sig: Sig,
}

/// The imports, each once.
#[derive(Default)]
struct Imports {
    list: Vec<ImportFn>,
}

impl Imports {
    fn add(&mut self, name: &(String, String), sig: Sig) -> u32 {
        let same = |i: &ImportFn| i.name == *name && i.sig == sig;
        let at = self.list.iter().position(same).unwrap_or_else(|| {
            self.list.push(ImportFn {
                name: name.clone(),
                sig,
            });
            self.list.len() - 1
        });
        at as u32
    }
}

/// The sections of a module as they grow. Function indices: imports, then what is kept of the base's
/// functions, then the dispatcher, the markers, the wrappers and what they share.
struct Parts<'a> {
    base: &'a Base,
    kept: Kept,
    sigs: Vec<Sig>,
    imports: ImportSection,
    imported: u32,
    functions: FunctionSection,
    defined: u32,
    code: CodeSection,
    exports: ExportSection,
    /// Functions that enter the guest, by the words that they take along.
    packers: Vec<(Vec<Word>, u32)>,
}

impl<'a> Parts<'a> {
    fn new(base: &'a Base, kept: Kept, imported: u32) -> Parts<'a> {
        Parts {
            base,
            kept,
            sigs: base.types.clone(),
            imports: ImportSection::new(),
            imported,
            functions: FunctionSection::new(),
            defined: 0,
            code: CodeSection::new(),
            exports: ExportSection::new(),
            packers: Vec::new(),
        }
    }

    fn type_index(&mut self, sig: Sig) -> u32 {
        let known = self.sigs.iter().position(|s| *s == sig);
        known.unwrap_or_else(|| {
            self.sigs.push(sig);
            self.sigs.len() - 1
        }) as u32
    }

    /// Where a function of the base ends up, if it is kept; its import 0 becomes the dispatcher.
    fn moved(&self, index: u32) -> Option<u32> {
        match index {
            0 => Some(self.imported + self.kept.count),
            n => self.kept.place(n).map(|at| self.imported + at),
        }
    }

    /// Copies the base's functions as far as they are kept, with their calls redirected. A call of what
    /// was left out is never come to; it becomes a trap.
    fn copy(&mut self) {
        let base = self.base;
        for (index, (ty, pieces)) in (1u32..).zip(base.functions.iter().zip(&base.bodies)) {
            if self.kept.place(index).is_none() {
                continue;
            }
            self.functions.function(*ty);
            let mut body = Vec::new();
            for piece in pieces {
                match piece {
                    Piece::Bytes(bytes) => body.extend_from_slice(bytes),
                    Piece::Call(index) => match self.moved(*index) {
                        Some(index) => {
                            body.push(CALL);
                            leb(index, &mut body);
                        }
                        None => body.push(UNREACHABLE),
                    },
                }
            }
            self.code.raw(&body);
        }
        self.defined = self.kept.count;
    }

    fn import(&mut self, import: &ImportFn) {
        let sig = Sig {
            params: import.sig.params.clone(),
            results: import.sig.results.clone(),
        };
        let ty = self.type_index(sig);
        let (module, name) = &import.name;
        self.imports.import(module, name, EntityType::Function(ty));
    }

    fn define(&mut self, sig: Sig, body: &Function) -> u32 {
        let ty = self.type_index(sig);
        self.functions.function(ty);
        self.code.function(body);
        self.defined += 1;
        self.imported + self.defined - 1
    }

    /// `(index, argv) -> i64`: unpacks the words and calls the import with this number.
    fn dispatcher(&mut self, arms: &[Arm<'_>]) {
        let mut body = Function::new([]);
        let mut code = body.instructions();
        for _ in 0..=arms.len() {
            code.block(BlockType::Empty);
        }
        let labels: Vec<u32> = (0..arms.len() as u32).collect();
        code.local_get(0).br_table(labels, arms.len() as u32);
        for arm in arms {
            code.end();
            arm.unpack(&mut code);
            code.call(arm.import);
            match arm.hostcall.returns {
                Returns::Nothing => code.i64_const(0),
                _ => code.i64_extend_i32_u(),
            };
            code.return_();
        }
        code.end().unreachable().end();
        let sig = Sig {
            params: vec![wasmparser::ValType::I32; 2],
            results: vec![wasmparser::ValType::I64],
        };
        self.define(sig, &body);
    }

    fn marker(&mut self, name: &str) {
        let mut body = Function::new([]);
        body.instructions().end();
        let sig = Sig {
            params: Vec::new(),
            results: Vec::new(),
        };
        let index = self.define(sig, &body);
        self.exports.export(name, ExportKind::Func, index);
    }

    /// `(index, words…) -> i64`: packs words on the guest's stack and enters the guest. Exports with the
    /// same words share it.
    fn packer(&mut self, words: &[Word]) -> u32 {
        if let Some((_, function)) = self.packers.iter().find(|(w, _)| w == words) {
            return *function;
        }
        let count = words.len() as u32;
        let (frame, size) = (count + 1, (8 * count as i32 + 15) & !15);
        let mut body = Function::new([(1, ValType::I32)]);
        let mut code = body.instructions();
        code.global_get(self.base.stack).i32_const(size).i32_sub();
        code.local_tee(frame).global_set(self.base.stack);
        for (i, word) in (0u32..).zip(words) {
            code.local_get(frame).local_get(i + 1);
            if *word == Word::I32 {
                code.i64_extend_i32_u();
            }
            code.i64_store(slot(i));
        }
        code.local_get(0).local_get(frame).i32_const(count as i32);
        code.call(self.imported + self.kept.on);
        code.local_get(frame).i32_const(size).i32_add();
        code.global_set(self.base.stack).end();
        let sig = Sig {
            params: [Word::I32].iter().chain(words).map(|w| val(*w)).collect(),
            results: vec![wasmparser::ValType::I64],
        };
        let function = self.define(sig, &body);
        self.packers.push((words.to_vec(), function));
        function
    }

    /// A typed export: enters the guest with its number and its parameters.
    fn wrapper(&mut self, index: u32, callback: &Callback) {
        let words: Vec<Word> = callback
            .params
            .iter()
            .flat_map(|p| p.ty.words().iter().copied())
            .collect();
        let packer = (!words.is_empty()).then(|| self.packer(&words));
        let mut body = Function::new([]);
        let mut code = body.instructions();
        code.i32_const(index as i32);
        for i in 0..words.len() as u32 {
            code.local_get(i);
        }
        match packer {
            Some(packer) => code.call(packer),
            None => {
                let on = self.imported + self.kept.on;
                code.i32_const(0).i32_const(0).call(on)
            }
        };
        match callback.returns {
            Returns::Nothing => code.drop(),
            _ => code.i32_wrap_i64(),
        };
        code.end();
        let sig = Sig {
            params: words.into_iter().map(val).collect(),
            results: results(&callback.returns),
        };
        let function = self.define(sig, &body);
        self.exports
            .export(callback.exported(), ExportKind::Func, function);
    }

    /// The binary, and the digest of everything but its data.
    fn finish(
        mut self,
        pages: u64,
        start: Option<u32>,
        odd: &Oddities,
        data: &[(u32, &[u8])],
    ) -> (Vec<u8>, String) {
        let mut types = TypeSection::new();
        let encode = |list: &[wasmparser::ValType]| -> Vec<ValType> {
            list.iter().map(|v| encoded(*v)).collect()
        };
        for sig in &self.sigs {
            types
                .ty()
                .function(encode(&sig.params), encode(&sig.results));
        }
        let mut memory = MemorySection::new();
        memory.memory(MemoryType {
            minimum: pages,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut globals = GlobalSection::new();
        for global in &self.base.globals {
            let init = match global.ty {
                wasmparser::ValType::I64 => ConstExpr::i64_const(global.value),
                _ => ConstExpr::i32_const(global.value as i32),
            };
            globals.global(
                GlobalType {
                    val_type: encoded(global.ty),
                    mutable: global.mutable,
                    shared: false,
                },
                &init,
            );
        }
        if !odd.hidden_memory {
            self.exports.export("memory", ExportKind::Memory, 0);
        }
        let mut module = wasm_encoder::Module::new();
        odd::sections(odd, true, &mut module);
        module
            .section(&types)
            .section(&self.imports)
            .section(&self.functions)
            .section(&memory)
            .section(&globals)
            .section(&self.exports);
        if let Some(function_index) = start {
            module.section(&StartSection { function_index });
        }
        module.section(&self.code);
        let code_digest = hex(&Sha256::digest(module.as_slice()));
        let mut segments = DataSection::new();
        let own = self.base.data.iter().map(|(at, b)| (*at, b.as_slice()));
        for (at, bytes) in own.chain(data.iter().copied()) {
            segments.active(0, &ConstExpr::i32_const(at as i32), bytes.iter().copied());
        }
        module.section(&segments);
        odd::sections(odd, false, &mut module);
        let wasm = module.finish();
        // A start function may read the data, and last sections are no data: then nothing is shared.
        let plain = start.is_none() && odd.sections.is_empty();
        let digest = if plain {
            code_digest
        } else {
            hex(&Sha256::digest(&wasm))
        };
        (wasm, digest)
    }
}

impl Arm<'_> {
    /// Pushes the parameters of the import.
    fn unpack(&self, code: &mut InstructionSink<'_>) {
        let mut from = 0;
        for param in &self.hostcall.params {
            match (self.info, &param.ty) {
                (Some(info), Type::Enum(_)) => {
                    code.i32_const(info as i32);
                    continue;
                }
                (Some(_), ty) if *ty != Type::Bytes => {
                    let default = param.default.unwrap_or(0);
                    for word in ty.words() {
                        match word {
                            Word::I32 => code.i32_const(default as i32),
                            Word::I64 => code.i64_const(default as i64),
                        };
                    }
                    continue;
                }
                _ => {}
            }
            for word in param.ty.words() {
                code.local_get(1).i64_load(slot(from));
                if *word == Word::I32 {
                    code.i32_wrap_i64();
                }
                from += 1;
            }
        }
    }
}

/// The place of a word behind a frame's address.
fn slot(i: u32) -> MemArg {
    MemArg {
        offset: u64::from(8 * i),
        align: 3,
        target: Default::default(),
        ordering: None,
    }
}

/// The guest uses numbers only: other types do not get past the base's own parser.
fn encoded(ty: wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        _ => ValType::I32,
    }
}

/// An unsigned number as WebAssembly writes it.
fn leb(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
