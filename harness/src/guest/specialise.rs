//! The module made for one case: typed imports and exports round the prebuilt guest, the program
//! in its data.
//!
//! Knows how words become parameters. Does not know what a hostcall means. The same program and
//! ABI give the same bytes; programs that use the same hostcalls and exports differ in data only.

use wasm_encoder::ExportKind;

use crate::abi::{Abi, Callback, Hostcall, Type};
use crate::case::ModuleSpec;
use crate::guest::base::{Sig, base};
use crate::guest::exports::Exports;
use crate::guest::kept::Kept;
use crate::guest::sections::{Arm, Imports, Parts, sig_of};
use crate::guest::{GuestError, GuestErrorKind, encode, odd};
use crate::trace::{ExportSig, FRAME_OVERHEAD, Legend};

/// The longest frame line, in characters, unless a profile says otherwise.
pub const MAX_LINE: u32 = 1000;
/// The longest that the guest can make.
const LONGEST_LINE: u32 = 4096;
const LONGEST_TOKEN: usize = 64;
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
