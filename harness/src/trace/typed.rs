//! Words and bytes of the boundary as typed values.
//!
//! Does not know where they come from.

use smol_str::format_smolstr;

use crate::abi::{EnumDef, Param, Returns, Type, decode_pairs};
use crate::trace::{Blob, Field, Returned, Value};

/// The value of a one-word parameter or output.
pub(super) fn typed_word(ty: &Type, word: u64, enums: &[EnumDef]) -> Value {
    match ty {
        Type::I64 => Value::Signed(word as i64),
        Type::Bool => boolean(word),
        Type::Enum(name) | Type::OutEnum(name) => member(name, word, enums),
        Type::Id(kind) | Type::OutId(kind) => Value::Id(*kind, word),
        _ => Value::Number(word),
    }
}

/// How a call with this result ended.
pub(super) fn typed_result(returns: &Returns, word: u64, enums: &[EnumDef]) -> Returned {
    // The words of results are 32 bits wide; a signed one has no more meaning in its upper half.
    let word = word & 0xffff_ffff;
    Returned::Value(match returns {
        Returns::Nothing => return Returned::Nothing,
        Returns::Enum(name) => member(name, word, enums),
        Returns::Bool => boolean(word),
        Returns::Pointer => Value::Pointer(word),
        Returns::U32 => Value::Number(word),
    })
}

/// A serialised map as its pairs; bytes that are no map stay bytes.
pub fn typed_map(bytes: &[u8]) -> Value {
    match decode_pairs(bytes) {
        Ok(pairs) => {
            let pair = |(key, value): &(Vec<u8>, Vec<u8>)| (Blob::new(key), Blob::new(value));
            Value::Pairs(pairs.iter().map(pair).collect())
        }
        Err(_) => Value::Bytes(Blob::new(bytes)),
    }
}

/// An address and a size, under the parameter's name and that name with `_size`.
pub(super) fn pointer_fields(param: &Param, ptr: u64, len: u64) -> [Field; 2] {
    let field = |name, value| Field {
        name,
        value,
        volatile: param.volatile,
    };
    [
        field(param.name.clone(), Value::Pointer(ptr)),
        field(format_smolstr!("{}_size", param.name), Value::Number(len)),
    ]
}

fn boolean(word: u64) -> Value {
    match word {
        0 => Value::Bool(false),
        1 => Value::Bool(true),
        n => Value::Number(n),
    }
}

fn member(name: &str, word: u64, enums: &[EnumDef]) -> Value {
    let def = enums.iter().find(|e| e.name == name);
    Value::Enum(def.and_then(|e| e.name_of(word)), word)
}
