//! The words by which the tables name a type: `out bytes`, `u64 volatile`, `i64 default 0`.
//!
//! Does not know which enums exist: `check` asks that of the whole table.

use std::fmt;

use crate::abi::{IdKind, Param, Returns, Type};

impl fmt::Display for IdKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IdKind::Context => "context",
            IdKind::Call => "call",
            IdKind::Queue => "queue",
            IdKind::Metric => "metric",
        })
    }
}

impl fmt::Display for Type {
    /// As in the tables.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::U32 => "u32",
            Type::U64 => "u64",
            Type::I64 => "i64",
            Type::Bool => "bool",
            Type::Size => "size",
            Type::Bytes => "bytes",
            Type::Pairs => "pairs",
            Type::Iovec => "iovec",
            Type::Fill => "fill",
            Type::OutBytes => "out bytes",
            Type::OutPairs => "out pairs",
            Type::OutU32 => "out u32",
            Type::OutU64 => "out u64",
            Type::OutArray => "out array",
            Type::Enum(name) => return f.write_str(name),
            Type::OutEnum(name) => return write!(f, "out {name}"),
            Type::Id(kind) => return kind.fmt(f),
            Type::OutId(kind) => return write!(f, "out {kind}"),
        })
    }
}

impl fmt::Display for Returns {
    /// As it stands behind a signature: with an arrow, or nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Returns::Nothing => Ok(()),
            Returns::Enum(name) => write!(f, " -> {name}"),
            Returns::Bool => f.write_str(" -> bool"),
            Returns::Pointer => f.write_str(" -> pointer"),
            Returns::U32 => f.write_str(" -> u32"),
        }
    }
}

/// A parameter from its name and the words of its type.
pub(super) fn param(name: &str, words: &str) -> Result<Param, String> {
    let refused = || format!("unknown type `{words}`");
    let mut rest: Vec<&str> = words.split_whitespace().collect();
    let mut default = None;
    if let [.., "default", number] = rest[..] {
        default = Some(number.parse::<u64>().map_err(|_| refused())?);
        rest.truncate(rest.len() - 2);
    }
    let volatile = rest.last() == Some(&"volatile");
    if volatile {
        rest.pop();
    }
    let ty = match rest[..] {
        [word] => given(word),
        ["out", word] => written(word),
        _ => None,
    };
    Ok(Param {
        name: name.into(),
        ty: ty.ok_or_else(refused)?,
        volatile,
        default,
    })
}

fn given(word: &str) -> Option<Type> {
    Some(match word {
        "u32" => Type::U32,
        "u64" => Type::U64,
        "i64" => Type::I64,
        "bool" => Type::Bool,
        "size" => Type::Size,
        "bytes" => Type::Bytes,
        "pairs" => Type::Pairs,
        "iovec" => Type::Iovec,
        "fill" => Type::Fill,
        _ => {
            return id(word)
                .map(Type::Id)
                .or_else(|| enumeration(word).map(Type::Enum));
        }
    })
}

fn written(word: &str) -> Option<Type> {
    Some(match word {
        "u32" => Type::OutU32,
        "u64" => Type::OutU64,
        "bytes" => Type::OutBytes,
        "pairs" => Type::OutPairs,
        "array" => Type::OutArray,
        _ => {
            return id(word)
                .map(Type::OutId)
                .or_else(|| enumeration(word).map(Type::OutEnum));
        }
    })
}

fn id(word: &str) -> Option<IdKind> {
    Some(match word {
        "context" => IdKind::Context,
        "call" => IdKind::Call,
        "queue" => IdKind::Queue,
        "metric" => IdKind::Metric,
        _ => return None,
    })
}

/// All enums of the text end in `_t`, so a misspelt type is not taken for one.
fn enumeration(word: &str) -> Option<String> {
    word.ends_with("_t").then(|| word.to_owned())
}

/// A result from its word; no word is no result.
pub(super) fn returns(word: Option<&str>) -> Result<Returns, String> {
    Ok(match word {
        None => Returns::Nothing,
        Some("bool") => Returns::Bool,
        Some("pointer") => Returns::Pointer,
        Some("u32") => Returns::U32,
        Some(word) => {
            Returns::Enum(enumeration(word).ok_or_else(|| format!("unknown result `{word}`"))?)
        }
    })
}
