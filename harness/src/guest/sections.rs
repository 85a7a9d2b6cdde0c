//! The sections of a module as they grow: what is kept of the base, and typed functions round it.
//!
//! Knows functions, signatures and instructions. Does not know what a program says.

use sha2::{Digest, Sha256};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, InstructionSink, MemArg,
    MemorySection, MemoryType, StartSection, TypeSection, ValType,
};

use crate::abi::{Callback, Hostcall, Returns, Type, Word};
use crate::case::Oddities;
use crate::guest::base::{Base, Piece, Sig};
use crate::guest::kept::Kept;
use crate::guest::odd;

/// Instructions of one byte.
const CALL: u8 = 0x10;
const UNREACHABLE: u8 = 0x00;

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

pub(super) fn sig_of(hostcall: &Hostcall) -> Sig {
    let words = hostcall.params.iter().flat_map(|p| p.ty.words());
    Sig {
        params: words.map(|w| val(*w)).collect(),
        results: results(&hostcall.returns),
    }
}

/// An import and the number under which the guest calls it.
pub(super) struct Arm<'a> {
    pub(super) import: u32,
    pub(super) hostcall: &'a Hostcall,
    /// Frames: the level; the guest hands over nothing but address and length.
    pub(super) info: Option<u64>,
}

/// An import and its signature.
pub(super) struct ImportFn {
    pub(super) name: (String, String),
    sig: Sig,
}

/// The imports, each once.
#[derive(Default)]
pub(super) struct Imports {
    pub(super) list: Vec<ImportFn>,
}

impl Imports {
    /// The place of an import, which is added if it is new.
    pub(super) fn add(&mut self, name: &(String, String), sig: Sig) -> u32 {
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
pub(super) struct Parts<'a> {
    base: &'a Base,
    kept: Kept,
    sigs: Vec<Sig>,
    imports: ImportSection,
    imported: u32,
    functions: FunctionSection,
    defined: u32,
    code: CodeSection,
    pub(super) exports: ExportSection,
    /// Functions that enter the guest, by the words that they take along.
    packers: Vec<(Vec<Word>, u32)>,
}

impl<'a> Parts<'a> {
    /// Nothing but the base's signatures and how many imports there will be.
    pub(super) fn new(base: &'a Base, kept: Kept, imported: u32) -> Parts<'a> {
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
    pub(super) fn copy(&mut self) {
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

    pub(super) fn import(&mut self, import: &ImportFn) {
        let sig = Sig {
            params: import.sig.params.clone(),
            results: import.sig.results.clone(),
        };
        let ty = self.type_index(sig);
        let (module, name) = &import.name;
        self.imports.import(module, name, EntityType::Function(ty));
    }

    pub(super) fn define(&mut self, sig: Sig, body: &Function) -> u32 {
        let ty = self.type_index(sig);
        self.functions.function(ty);
        self.code.function(body);
        self.defined += 1;
        self.imported + self.defined - 1
    }

    /// `(index, argv) -> i64`: unpacks the words and calls the import with this number.
    pub(super) fn dispatcher(&mut self, arms: &[Arm<'_>]) {
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

    pub(super) fn marker(&mut self, name: &str) {
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
    pub(super) fn wrapper(&mut self, index: u32, callback: &Callback) {
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
    pub(super) fn finish(
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
