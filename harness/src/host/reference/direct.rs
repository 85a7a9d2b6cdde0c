//! Exports and imports whose words have 32 bits, called without the engine's lists of values: nearly
//! all of the ABI's.
//!
//! Does not know what the calls mean.

use wasmer::{Function, FunctionEnv, FunctionEnvMut, RuntimeError, Store, Type, Value};

use crate::abi::{Callback, ExportKind, Returns, Word};
use crate::host::reference::world::World;

/// Calls an export with its words; the result's word, 0 without one.
pub(super) type Export = Box<dyn Fn(&mut Store, &[u64]) -> Result<u64, RuntimeError> + Send + Sync>;

/// How many words an export takes, all of 32 bits, and whether it returns one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    words: usize,
    returns: bool,
}

impl Shape {
    /// That of a row of the ABI's table, if every guest that is taken must keep to it.
    pub(super) fn of(row: &Callback) -> Option<Shape> {
        let mut words = row.params.iter().flat_map(|p| p.ty.words());
        let direct = keeps(row) && words.all(|w| *w == Word::I32);
        direct.then(|| Shape {
            words: row.params.iter().map(|p| p.ty.words().len()).sum(),
            returns: row.returns != Returns::Nothing,
        })
    }
}

/// Whether a guest's export must have the signature that the ABI gives it: `main` returns a number in
/// the text, and guests that return none do no harm.
pub(super) fn keeps(row: &Callback) -> bool {
    row.kind != ExportKind::Marker && row.name != "main"
}

/// A way to call `function`, which has this shape; without one, any signature.
pub(super) fn export(store: &Store, function: &Function, shape: Option<Shape>) -> Export {
    macro_rules! words {
        ($words:ty; $($at:literal)*) => {{
            if !shape.is_some_and(|s| s.returns) {
                if let Ok(f) = function.typed::<$words, ()>(store) {
                    return Box::new(move |store, _words| {
                        f.call(store, $(_words[$at] as i32),*).map(|()| 0)
                    });
                }
            } else if let Ok(f) = function.typed::<$words, i32>(store) {
                return Box::new(move |store, _words| {
                    let word = f.call(store, $(_words[$at] as i32),*)?;
                    Ok(u64::from(word.cast_unsigned()))
                });
            }
        }};
    }
    match shape.map(|s| s.words) {
        Some(0) => words!((); ),
        Some(1) => words!(i32; 0),
        Some(2) => words!((i32, i32); 0 1),
        Some(3) => words!((i32, i32, i32); 0 1 2),
        Some(4) => words!((i32, i32, i32, i32); 0 1 2 3),
        Some(5) => words!((i32, i32, i32, i32, i32); 0 1 2 3 4),
        _ => {}
    }
    let ty = function.ty(store);
    let function = function.clone();
    Box::new(move |store, words| {
        let value = |(ty, word): (&Type, &u64)| match ty {
            Type::I64 => Value::I64(word.cast_signed()),
            _ => Value::I32(*word as i32),
        };
        let values: Vec<Value> = ty.params().iter().zip(words).map(value).collect();
        let returned = function.call(store, &values)?;
        Ok(match returned.first() {
            Some(Value::I32(v)) => u64::from(v.cast_unsigned()),
            _ => 0,
        })
    })
}

/// A function of the host that takes as many 32-bit words as `words` says and returns one; `None`
/// where there are more words than any hostcall has.
pub(super) fn import<F>(
    store: &mut Store,
    env: &FunctionEnv<World>,
    words: usize,
    answer: F,
) -> Option<Function>
where
    F: Fn(&mut FunctionEnvMut<'_, World>, &[u64]) -> Result<u32, RuntimeError>
        + Send
        + Sync
        + 'static,
{
    macro_rules! taking {
        ($($word:ident)*) => {
            Function::new_typed_with_env(
                store,
                env,
                move |mut env: FunctionEnvMut<'_, World>, $($word: i32),*| {
                    let words = [$(u64::from($word.cast_unsigned())),*];
                    answer(&mut env, &words).map(u32::cast_signed)
                },
            )
        };
    }
    Some(match words {
        0 => taking!(),
        1 => taking!(a),
        2 => taking!(a b),
        3 => taking!(a b c),
        4 => taking!(a b c d),
        5 => taking!(a b c d e),
        6 => taking!(a b c d e f),
        7 => taking!(a b c d e f g),
        8 => taking!(a b c d e f g h),
        9 => taking!(a b c d e f g h i),
        10 => taking!(a b c d e f g h i j),
        11 => taking!(a b c d e f g h i j k),
        12 => taking!(a b c d e f g h i j k l),
        _ => return None,
    })
}
