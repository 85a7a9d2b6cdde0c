//! What a guest does in each callback, resolved for one ABI column and one attempt: every name of
//! the YAML has become a value, a slot or a position.
//!
//! Does not know how a guest encodes or runs it.

use crate::abi::PluginType;
use crate::case::{FixedRef, Oddities};

/// A module to build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleSpec {
    /// The token that its frames carry: letters and digits.
    pub token: String,
    /// Which callbacks it exports by default.
    pub plugin_type: PluginType,
    /// Changes to the default exports.
    pub exports: Exports,
    /// What its plugins do; one plugin per root context, in order of creation.
    pub handlers: Vec<Handler>,
    /// How many slots `save` uses.
    pub slots: u32,
    /// What is odd about it.
    pub oddities: Oddities,
    /// A guest that takes the place of the scripted one; then nothing else here counts.
    pub guest: Option<FixedRef>,
}

/// Which functions a module exports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Only these (besides `memory` and the marker); empty: the default.
    pub only: Vec<String>,
    /// The default without these.
    pub without: Vec<String>,
    /// The default and these as well (`main`, `_start`).
    pub also: Vec<String>,
    /// Instead of the column's own marker: these (`[]` cannot be told from the default, see `no_marker`).
    pub markers: Vec<String>,
    /// No marker at all.
    pub no_marker: bool,
}

/// What one plugin does in one callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    /// Which plugin of the VM, by order of root contexts, from 0.
    pub plugin: u32,
    /// The text's name of the callback, entry point or allocator.
    pub callback: String,
    /// In which calls of it.
    pub select: Select,
    /// What it does, in order. Without a `Return` it returns CONTINUE, true or nothing.
    pub steps: Vec<Step>,
}

/// In which calls of a callback a handler runs; all given conditions hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Select {
    /// Only on the nth stream context of the plugin in this VM, from 1.
    pub stream: Option<u32>,
    /// Only on the nth call of this callback on that context, from 1.
    pub nth: Option<u32>,
    /// Only when the callback's `end_of_stream` has this value.
    pub end_of_stream: Option<bool>,
}

/// One step of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Run only when callback argument number `.0` (from 0) equals saved slot `.1`.
    pub when: Option<(u32, u32)>,
    /// What it does.
    pub act: Act,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Make a hostcall.
    Call(Call),
    /// Return this value from the callback, at once.
    Return(Operand),
    /// Execute `unreachable`.
    Trap,
    /// Loop for ever.
    Spin,
    /// Call itself for ever.
    Recurse,
    /// Grow memory by this many 64 KiB pages once; `None`: one page at a time until it is refused, for ever.
    Grow(Option<u32>),
}

/// A hostcall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The text's name.
    pub hostcall: String,
    /// One per parameter of the hostcall, in order.
    pub args: Vec<ArgValue>,
    /// Outputs to keep: `(parameter index, slot)`.
    pub saves: Vec<(u32, u32)>,
    /// Make it this many times (1: once), announced once and summarised.
    pub repeat: u32,
}

/// A scalar that the guest computes when it makes the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// A constant (i32 parameters take its low 32 bits).
    Const(u64),
    /// The number kept in a slot (bytes: its address).
    Saved(u32),
    /// The number of bytes kept in a slot.
    SavedLen(u32),
    /// Argument of the running callback, from 0.
    CallbackArg(u32),
    /// The id of the nth plugin context (root) of this VM, from 1.
    PluginContext(u32),
    /// The id of the nth stream context of this VM, from 1.
    StreamContext(u32),
}

/// The value of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgValue {
    /// A scalar parameter.
    Word(Operand),
    /// Bytes, or an already serialised map: address and length of a copy in the program.
    Data(Vec<u8>),
    /// `len` bytes of a repeated pattern, made by the guest: `{fill: ab, len: 10MiB}`.
    Fill {
        /// The pattern, repeated and cut.
        pattern: Vec<u8>,
        /// Length in bytes.
        len: u64,
    },
    /// Bytes kept in a slot by an earlier call.
    SavedBytes(u32),
    /// Any address and size, as given: bad pointers.
    Pointer {
        /// The address.
        ptr: Operand,
        /// The size.
        len: Operand,
    },
    /// An iovec array made of these pieces.
    Iovec(Vec<Vec<u8>>),
    /// An output: sentinel-filled words of the guest's own (one per Wasm word of the parameter).
    Out,
    /// An output whose words are at the given addresses instead, where given.
    OutAt(Vec<Option<Operand>>),
    /// A buffer of this size for the host to fill ([`crate::abi::Type::Fill`]).
    Buffer(u64),
}

/// An address that no guest memory reaches: `{ptr: out_of_bounds}`.
pub const OUT_OF_BOUNDS: u64 = 0x7fff_0000;
