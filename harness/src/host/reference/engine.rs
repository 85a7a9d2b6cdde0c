//! The compiler and its two caches: in memory, and on disk in the user's own cache folder.
//!
//! Compiled code is shared between modules that differ only in their data.

use std::collections::HashMap;
use std::io::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sha2::{Digest as _, Sha256};
use wasmer::sys::{Cranelift, CraneliftOptLevel, EngineBuilder};
use wasmer::{Engine, Module};

use crate::host::reference::code::{Data, Outside, Parts, data, outside, split};
use crate::host::reference::link::{Links, Unlinkable};

/// Makes compilers, one after the other: what an engine has compiled stays in memory as long as the
/// engine is there.
pub(super) struct Code {
    cache_dir: Option<PathBuf>,
    most: usize,
    now: Mutex<Arc<Compiler>>,
}

/// An engine and everything it has compiled.
pub(super) struct Compiler {
    engine: Engine,
    cache_dir: Option<PathBuf>,
    /// What two threads want at once is compiled once.
    known: Mutex<Known>,
}

/// By the ABI's id, and by the code key or, without one, the digest of the code.
type Known = HashMap<String, HashMap<String, Arc<Compiled>>>;

/// A module, or why it is none; empty while it is compiled.
type Compiled = OnceLock<Result<Arc<Ready>, String>>;

/// What all modules share that differ only in their data.
pub(super) struct Ready {
    /// What decides whether it is taken.
    pub(super) seen: Outside,
    /// Where the section of their data begins, if it is the last.
    data_at: Option<usize>,
    /// The module, or the compiler's words.
    pub(super) module: Result<Module, String>,
    /// Whether its exports fit the ABI; empty until somebody has looked.
    pub(super) fits: OnceLock<Result<(), String>>,
    /// What answers its imports; empty until somebody has looked.
    pub(super) links: OnceLock<Result<Links, Unlinkable>>,
}

impl Code {
    /// Compilers that compile `most` modules each; with a folder, compiled code is kept there.
    pub(super) fn new(cache_dir: Option<PathBuf>, most: usize) -> Code {
        let now = Mutex::new(Arc::new(Compiler::new(cache_dir.clone())));
        Code {
            cache_dir,
            most,
            now,
        }
    }

    /// The compiler for a job: all its VMs need the same one.
    pub(super) fn compiler(&self) -> Arc<Compiler> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.lock().values().map(HashMap::len).sum::<usize>() >= self.most {
            *now = Arc::new(Compiler::new(self.cache_dir.clone()));
        }
        Arc::clone(&now)
    }
}

impl Compiler {
    fn new(cache_dir: Option<PathBuf>) -> Compiler {
        Compiler {
            engine: engine(),
            cache_dir,
            known: Mutex::default(),
        }
    }

    /// The engine, for stores.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The compiled code of `wasm` and the data to write into its memory. `key`, where given, is the
    /// same for modules that differ only in their data.
    ///
    /// # Errors
    /// It is no module: the reader's words.
    pub(super) fn load<'a>(
        &self,
        wasm: &'a [u8],
        key: Option<&str>,
        abi: &str,
    ) -> Result<(Arc<Ready>, Data<'a>), String> {
        let known = |key: &str| self.lock().get(abi)?.get(key)?.get().cloned();
        if let Some(Ok(ready)) = key.and_then(known)
            && let Some(data) = data(wasm, ready.data_at)
        {
            return Ok((ready, data));
        }
        let of = |key: &str| {
            let mut known = self.lock();
            let of_abi = known.entry(abi.to_owned()).or_default();
            Arc::clone(of_abi.entry(key.to_owned()).or_default())
        };
        let Parts {
            code,
            data,
            data_at,
        } = split(wasm);
        let compiled = match key {
            Some(key) => of(key),
            None => of(&hex(&Sha256::digest(&code))),
        };
        let ready = compiled.get_or_init(|| {
            Ok(Arc::new(Ready {
                seen: outside(wasm).map_err(|e| e.to_string())?,
                module: self.compile(&code),
                data_at,
                fits: OnceLock::new(),
                links: OnceLock::new(),
            }))
        });
        Ok((ready.clone()?, data))
    }

    fn compile(&self, code: &[u8]) -> Result<Module, String> {
        let file = self
            .cache_dir
            .as_ref()
            .map(|dir| dir.join(self.artifact(code)));
        let kept = file.as_deref().and_then(|f| std::fs::read(f).ok());
        if let Some(module) = kept.and_then(|bytes| self.loaded(bytes)) {
            return Ok(module);
        }
        // An engine lets one thread compile at a time; this one compiles nothing else.
        let module = Module::new(&engine(), code).map_err(|e| e.to_string())?;
        let bytes = module.serialize().map_err(|e| e.to_string())?;
        if let Some(file) = file {
            // A cache that cannot be written costs time, not correctness.
            drop(store(&file, &bytes));
        }
        let loaded = self.loaded(bytes.to_vec());
        loaded.ok_or_else(|| "compiled code cannot be loaded".to_owned())
    }

    /// File name of compiled code: by engine, its version, the processor and the code.
    fn artifact(&self, code: &[u8]) -> String {
        let mut digest = Sha256::new();
        digest.update(self.engine.deterministic_id());
        digest.update(self.engine.artifact_format());
        digest.update(std::env::consts::ARCH);
        digest.update(std::env::consts::OS);
        digest.update(code);
        format!("{}.wasmer", hex(&digest.finalize()))
    }

    #[expect(
        unsafe_code,
        reason = "compiled code is loaded only as this program has just compiled it, or from the user's own cache folder, under a name that holds its digest and the engine's version"
    )]
    fn loaded(&self, bytes: Vec<u8>) -> Option<Module> {
        // SAFETY: the bytes are from this program's own `Module::serialize`, at once or by way of `store`;
        // whoever can write into the user's cache folder can already run code as the user.
        unsafe { Module::deserialize(&self.engine, bytes) }.ok()
    }
}

/// A new engine.
fn engine() -> Engine {
    let mut compiler = Cranelift::default();
    // Guests run for microseconds: what counts is how soon they run.
    compiler.opt_level(CraneliftOptLevel::None);
    // Several modules are compiled beside each other; one alone is too small to share out.
    compiler.num_threads(NonZero::<usize>::MIN);
    EngineBuilder::new(compiler).engine().into()
}

/// Writes `bytes` so that readers see all of them or no file.
fn store(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let dir = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir)?;
    let mut temporary = tempfile::NamedTempFile::new_in(dir)?;
    temporary.write_all(bytes)?;
    temporary.persist(file).map_err(|e| e.error)?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
