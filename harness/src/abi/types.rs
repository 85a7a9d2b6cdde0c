//! The shapes of the ABI tables: hostcalls, callbacks, enums, requirements.
//!
//! Knows how a typed parameter lies in Wasm (how many words, which outputs).
//! Does not know any particular hostcall: those are data in `specs/abi`.

use std::collections::HashMap;
use std::fmt;

use smol_str::{SmolStr, format_smolstr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How binding a requirement or check is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The text is silent or leaves the host free: hosts are grouped, nobody fails.
    Survey,
    /// The text recommends it.
    Should,
    /// The text states it.
    Must,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Survey => "survey",
            Level::Should => "should",
            Level::Must => "must",
        })
    }
}

/// Who answers for a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Seat {
    /// Signature, memory, encoding, status, ids, effective context.
    Boundary,
    /// Order and time of callbacks, pause, buffering, forwarding, timers, upstream answers.
    Proxy,
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Seat::Boundary => "boundary",
            Seat::Proxy => "proxy",
        })
    }
}

/// What an opaque number stands for; the canonical trace names it by first appearance.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum IdKind {
    /// A plugin or stream context: `ctx#1`.
    Context,
    /// An HTTP call, gRPC call or gRPC stream: `call#1`.
    Call,
    /// A shared queue: `queue#1`.
    Queue,
    /// A metric: `metric#1`.
    Metric,
}

/// The type of one parameter. The Wasm signature follows from it: see [`Type::words`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A 32-bit number.
    U32,
    /// A 64-bit unsigned number (Wasm i64).
    U64,
    /// A 64-bit signed number (Wasm i64).
    I64,
    /// 0 or 1 (Wasm i32).
    Bool,
    /// A number of bytes or elements (Wasm i32).
    Size,
    /// A member of the named enum (Wasm i32).
    Enum(String),
    /// An opaque id (Wasm i32).
    Id(IdKind),
    /// Bytes that the guest passes: pointer, size.
    Bytes,
    /// A serialised map that the guest passes: pointer, size.
    Pairs,
    /// An iovec array that the guest passes: pointer, number of elements.
    Iovec,
    /// A guest buffer that the host fills: pointer, size.
    Fill,
    /// Bytes that the host returns through the guest's allocator: `data **`, `size *`.
    OutBytes,
    /// A serialised map that the host returns: `data **`, `size *`.
    OutPairs,
    /// A 32-bit number that the host writes: pointer.
    OutU32,
    /// A 64-bit number that the host writes: pointer.
    OutU64,
    /// A member of the named enum that the host writes: pointer.
    OutEnum(String),
    /// An opaque id that the host writes: pointer.
    OutId(IdKind),
    /// Two areas that the host fills (WASI `environ_get`, `args_get`): pointer array, buffer.
    OutArray,
}

/// A Wasm value type, as far as the ABI uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// Wasm `i32`.
    I32,
    /// Wasm `i64`.
    I64,
}

impl Type {
    /// The Wasm parameters that this type takes, in order.
    pub fn words(&self) -> &'static [Word] {
        match self {
            Type::U64 | Type::I64 => &[Word::I64],
            Type::Bytes
            | Type::Pairs
            | Type::Iovec
            | Type::Fill
            | Type::OutBytes
            | Type::OutPairs
            | Type::OutArray => &[Word::I32, Word::I32],
            _ => &[Word::I32],
        }
    }

    /// Whether the host writes this parameter.
    pub fn is_out(&self) -> bool {
        matches!(
            self,
            Type::Fill
                | Type::OutBytes
                | Type::OutPairs
                | Type::OutU32
                | Type::OutU64
                | Type::OutEnum(_)
                | Type::OutId(_)
                | Type::OutArray
        )
    }
}

/// One parameter of a hostcall or callback, in the text's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The name by which programs and traces speak of it: the text's, without `_data`/`_size`
    /// for a pair of words and without `return_` for an output (`value`, `call_id`).
    pub name: SmolStr,
    /// Its type.
    pub ty: Type,
    /// Its value differs from run to run by nature (time, randomness): traces print `‹varies›`.
    pub volatile: bool,
    /// The text calls it unused, or a dialect adds it: programs need not give it.
    pub default: Option<u64>,
}

/// What a hostcall or callback returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returns {
    /// No Wasm result.
    Nothing,
    /// A member of the named enum (`proxy_status_t`, `wasi_errno_t`, `proxy_action_t`).
    Enum(String),
    /// `true` or `false`.
    Bool,
    /// A guest address (allocators).
    Pointer,
    /// A number without meaning (`main`).
    U32,
}

/// A function that the host exposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostcall {
    /// The text's name without its module (`proxy_log`, `fd_write`): what programs call.
    pub name: String,
    /// The module and name under which a guest of this ABI or dialect imports it.
    pub import: (String, String),
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// Its result.
    pub returns: Returns,
    /// The heading of the text under which it stands, with the function's own heading.
    pub section: String,
    /// In a dialect: why the host has no counterpart.
    pub absent: Option<String>,
}

/// What part a guest export plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportKind {
    /// The ABI marker; never called.
    Marker,
    /// `_initialize`, `main`, `_start`.
    Entry,
    /// `proxy_on_memory_allocate`, `malloc`.
    Allocator,
    /// `proxy_on_*`.
    Callback,
}

/// Which plugin types a callback belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PluginType {
    /// An HTTP filter.
    #[default]
    Http,
    /// A TCP filter.
    Tcp,
    /// A background task.
    Service,
}

/// A function that the guest exposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The text's name (`proxy_on_request_headers`); programs may leave out `proxy_on_`.
    pub name: String,
    /// In a dialect: the name under which a guest exports it, where that is another one.
    pub export: Option<String>,
    /// What part it plays.
    pub kind: ExportKind,
    /// Only guests of these types export it by default; empty: all.
    pub plugin_types: Vec<PluginType>,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// Its result.
    pub returns: Returns,
    /// The heading of the text under which it stands.
    pub section: String,
    /// In a dialect: why the host has no counterpart.
    pub absent: Option<String>,
}

impl Callback {
    /// The name under which a guest exports it.
    pub fn exported(&self) -> &str {
        self.export.as_deref().unwrap_or(&self.name)
    }
}

/// An enum of the text with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumDef {
    /// `proxy_status_t`.
    pub name: String,
    /// `(OK, 0)`, in the text's order.
    pub values: Vec<(String, u64)>,
    /// Numbers that a dialect's host knows and the text does not: print as `NotAllowed(3)`.
    pub foreign: Vec<(String, u64)>,
}

impl EnumDef {
    /// The number of a name of the text.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.values.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
    }

    /// The name of a number: the text's, or a dialect's own in the form `NotAllowed(3)`.
    pub fn name_of(&self, number: u64) -> Option<SmolStr> {
        let own = self
            .values
            .iter()
            .find(|(_, v)| *v == number)
            .map(|(n, _)| n.into());
        own.or_else(|| {
            let (n, v) = self.foreign.iter().find(|(_, v)| *v == number)?;
            Some(format_smolstr!("{n}({v})"))
        })
    }
}

/// One row of the catalogue: one thing that the text asks of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Stable id: `proxy_get_header_map_value/NOT_FOUND`.
    pub id: String,
    /// How binding.
    pub level: Level,
    /// Who answers for it.
    pub seat: Seat,
    /// "when …, the host …", in our own words; one observable result.
    pub text: String,
    /// The heading of the text that it rests on.
    pub section: String,
    /// How we read the text where it is silent or wrong, and why.
    pub ruling: Option<String>,
    /// Why no black-box case can reach it.
    pub excluded: Option<String>,
}

/// A planted wrong behaviour of the reference host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRow {
    /// Its name in the reference host.
    pub fault: String,
    /// The requirement that it breaks.
    pub req: String,
    /// What the host does instead.
    pub says: String,
    /// Requirements that cannot but break with it, each with its reason.
    pub also: Vec<(String, String)>,
}

/// One ABI version or dialect, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abi {
    /// `0.2.1`, or the dialect's name (`mosn-v2`).
    pub id: String,
    /// In a dialect: the version whose text it is held against.
    pub dialect_of: Option<String>,
    /// The marker export.
    pub marker: String,
    /// In the text's order.
    pub hostcalls: Vec<Hostcall>,
    /// In the text's order: marker, entry points, allocators, callbacks.
    pub callbacks: Vec<Callback>,
    /// In the text's order.
    pub enums: Vec<EnumDef>,
    /// In the text's order.
    pub requirements: Vec<Requirement>,
    /// In a dialect: requirements of the text that nothing in it stands for, and why.
    pub absent: Vec<(String, String)>,
    /// Faults of the reference host that break requirements of this version.
    pub faults: Vec<FaultRow>,
    /// Where requirements stand, once the table is whole.
    pub index: Index,
}

/// Where each requirement stands in its table. Without it (a table in the making) they are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index(HashMap<String, usize>);

impl Abi {
    /// A hostcall by the text's name.
    pub fn hostcall(&self, name: &str) -> Option<&Hostcall> {
        self.hostcalls.iter().find(|h| h.name == name)
    }

    /// A callback or other export by the text's name.
    pub fn callback(&self, name: &str) -> Option<&Callback> {
        self.callbacks.iter().find(|c| c.name == name)
    }

    /// An enum by name.
    pub fn enumeration(&self, name: &str) -> Option<&EnumDef> {
        self.enums.iter().find(|e| e.name == name)
    }

    /// A requirement by id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        match self.index.0.is_empty() {
            true => self.requirements.iter().find(|r| r.id == id),
            false => self.requirements.get(*self.index.0.get(id)?),
        }
    }

    /// The same table, in which requirements are found at once. It must not be changed any more.
    pub(super) fn indexed(mut self) -> Abi {
        let all = self.requirements.iter().enumerate();
        self.index = Index(all.map(|(at, r)| (r.id.clone(), at)).collect());
        self
    }

    /// The version of the text: the id itself, or what the dialect is held against.
    pub fn text_version(&self) -> &str {
        self.dialect_of.as_deref().unwrap_or(&self.id)
    }
}
