//! A module taken apart: the code, which compiles once, and the data segments, which differ from
//! case to case and are written at instantiation.
//!
//! Knows the sections of a module. Does not know any engine.

use std::borrow::Cow;

use wasmparser::{BinaryReader, Chunk, DataSectionReader, ExternalKind, Operator, Parser, Payload};

/// How much memory a guest may have, in pages of 64 KiB (256 MiB).
///
/// The text (Memory and CPU limits) wants a limit: a guest that asks for more is refused.
pub(super) const MEMORY_PAGES: u64 = 4096;

/// The number of the data section.
const DATA: u8 = 11;

/// A module's code and data apart.
pub(super) struct Parts<'a> {
    /// The module to compile.
    pub(super) code: Cow<'a, [u8]>,
    /// What to write into its memory after instantiation: offset and bytes, in order.
    pub(super) data: Data<'a>,
    /// Where the data section begins that was taken out, if nothing stands behind it.
    pub(super) data_at: Option<usize>,
}

/// Data segments: offset and bytes, in order.
pub(super) type Data<'a> = Vec<(u32, &'a [u8])>;

/// What decides, before anything is compiled, whether a module is taken.
#[derive(Default)]
pub(super) struct Outside {
    /// The functions `proxy_abi_version_*` that it exports.
    pub(super) markers: Vec<String>,
    /// The pages with which its memory begins.
    pub(super) pages: u64,
    /// How many custom sections it has.
    pub(super) custom: usize,
}

/// Looks at a module from outside. What cannot be read as a module is an error, in the reader's words.
pub(super) fn outside(wasm: &[u8]) -> Result<Outside, wasmparser::BinaryReaderError> {
    let mut out = Outside::default();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ExportSection(section) => {
                for export in section.into_iter().flatten() {
                    let marker = export.name.starts_with("proxy_abi_version_");
                    if export.kind == ExternalKind::Func && marker {
                        out.markers.push(export.name.to_owned());
                    }
                }
            }
            Payload::MemorySection(section) => {
                let pages = section.into_iter().flatten().map(|m| m.initial);
                out.pages = pages.max().unwrap_or(0);
            }
            Payload::CustomSection(_) => out.custom += 1,
            _ => {}
        }
    }
    Ok(out)
}

/// Takes `wasm` apart and gives its memory a limit. Data that cannot be taken out safely (passive
/// segments, offsets that are no constants, a start function that may read them) stays in the code;
/// what is no module stays as it is, for the compiler to refuse in its own words.
pub(super) fn split(wasm: &[u8]) -> Parts<'_> {
    for without_data in [true, false] {
        let mut code = Vec::with_capacity(wasm.len());
        let keep = |bytes: &[u8]| code.extend_from_slice(bytes);
        if let Some((data, data_at)) = walk(wasm, without_data, keep) {
            return Parts {
                code: Cow::Owned(code),
                data,
                data_at,
            };
        }
    }
    Parts {
        code: Cow::Borrowed(wasm),
        data: Vec::new(),
        data_at: None,
    }
}

/// The data segments of a module with the same code as one that was taken apart before, whose data
/// section began at `at`; `None` where they stay in the code.
pub(super) fn data(wasm: &[u8], at: Option<usize>) -> Option<Data<'_>> {
    match at {
        Some(at) => last(wasm, at),
        None => walk(wasm, true, |_| {}).map(|(data, _)| data),
    }
}

/// The segments of the data section that begins at `at` and is the last.
fn last(wasm: &[u8], at: usize) -> Option<Data<'_>> {
    let mut reader = BinaryReader::new(wasm.get(at..)?, at as u64);
    if reader.read_u8().ok()? != DATA {
        return None;
    }
    let size = reader.read_var_u32().ok()? as usize;
    if reader.bytes_remaining() != size {
        return None;
    }
    let section = DataSectionReader::new(reader).ok()?;
    let segments = section.into_iter().map(|s| active(&s.ok()?));
    segments.collect()
}

/// Hands the code to `keep` piece by piece and returns the data segments, if they are taken out, and
/// where their section begins, if it is the last.
fn walk(
    wasm: &[u8],
    without_data: bool,
    mut keep: impl FnMut(&[u8]),
) -> Option<(Data<'_>, Option<usize>)> {
    let mut data = Vec::new();
    let mut data_at = None;
    let mut parser = Parser::new(0);
    let mut at = 0usize;
    loop {
        let Ok(Chunk::Parsed { consumed, payload }) = parser.parse(&wasm[at..], true) else {
            return None;
        };
        let raw = &wasm[at..at + consumed];
        let began = at;
        at += consumed;
        match payload {
            Payload::End(_) => return Some((data, data_at)),
            Payload::StartSection { .. } | Payload::DataCountSection { .. } if without_data => {
                return None;
            }
            Payload::DataSection(section) if without_data => {
                for segment in section {
                    data.push(active(&segment.ok()?)?);
                }
                data_at = (at == wasm.len()).then_some(began);
            }
            Payload::MemorySection(section) => keep(&limited(section)?),
            Payload::CodeSectionStart { size, .. } => {
                keep(raw);
                let end = at.checked_add(size as usize)?;
                keep(wasm.get(at..end)?);
                at = end;
                parser.skip_section();
            }
            _ => keep(raw),
        }
    }
}

/// The memory section with [`MEMORY_PAGES`] as the most that any memory may have.
fn limited(section: wasmparser::MemorySectionReader<'_>) -> Option<Vec<u8>> {
    let mut memories = wasm_encoder::MemorySection::new();
    for memory in section {
        let m = memory.ok()?;
        if m.memory64 || m.shared || m.page_size_log2.is_some() {
            return None;
        }
        let most = MEMORY_PAGES.max(m.initial);
        memories.memory(wasm_encoder::MemoryType {
            minimum: m.initial,
            maximum: Some(m.maximum.unwrap_or(most).min(most)),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
    }
    let mut module = wasm_encoder::Module::new();
    module.section(&memories);
    // Behind the eight bytes of magic number and version.
    Some(module.finish().split_off(8))
}

/// Offset and bytes of an active segment of memory 0 with a constant offset.
fn active<'a>(segment: &wasmparser::Data<'a>) -> Option<(u32, &'a [u8])> {
    let wasmparser::DataKind::Active {
        memory_index: 0,
        offset_expr,
    } = &segment.kind
    else {
        return None;
    };
    let mut ops = offset_expr.get_operators_reader();
    let Ok(Operator::I32Const { value }) = ops.read() else {
        return None;
    };
    matches!(ops.read(), Ok(Operator::End)).then_some((value.cast_unsigned(), segment.data))
}
