//! Guests that are files and are given to hosts as they are: made by hand, or with a plugin SDK.
//!
//! Does not know what is expected of them. They send no frames.

use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use crate::case::{FixedGuest, FixedRef};
use crate::guest::base::PREBUILT;
use crate::guest::{GuestError, GuestErrorKind, inspect};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$((
            $name,
            include_bytes!(concat!("../../../guest-fixtures/prebuilt/", $name)),
        )),*]
    };
}

/// Every file below `guest-fixtures/prebuilt` but the scripted guest.
pub(super) const FILES: &[(&str, &[u8])] = files![
    "handmade/empty.wasm",
    "handmade/future_version.wasm",
    "handmade/invalid_body.wasm",
    "handmade/marker_result.wasm",
    "handmade/marker_traps.wasm",
    "handmade/no_memory.wasm",
    "handmade/not_wasm.wasm",
    "handmade/plain.wasm",
    "handmade/truncated.wasm",
    "sdk/auth.wasm",
    "sdk/body.wasm",
    "sdk/headers.wasm",
    "sdk/metrics.wasm",
    "sdk/tcp.wasm",
];

/// Every guest that is built beforehand, the scripted one first: its path below
/// `guest-fixtures/prebuilt` and its bytes.
pub fn guest_files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    std::iter::once(("scripted.wasm", PREBUILT)).chain(FILES.iter().copied())
}

/// What there is of them.
pub fn fixed_guests() -> Arc<[FixedGuest]> {
    static ALL: OnceLock<Arc<[FixedGuest]>> = OnceLock::new();
    ALL.get_or_init(|| {
        FILES
            .iter()
            .map(|(name, wasm)| described(name, wasm))
            .collect()
    })
    .clone()
}

fn described(name: &str, wasm: &[u8]) -> FixedGuest {
    // What cannot be read has no marker and imports nothing.
    let seen = inspect(wasm).unwrap_or_default();
    let imports = seen.imports.into_iter().map(|i| (i.module, i.name));
    FixedGuest {
        name: name.to_owned(),
        digest: Sha256::digest(wasm)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect(),
        markers: seen.markers,
        imports: imports.collect(),
    }
}

/// The bytes of a fixed guest, with the marker that it is to have.
///
/// # Errors
/// There is none of this name, or the marker is not as long as its own.
pub fn fixed(of: &FixedRef) -> Result<Vec<u8>, GuestError> {
    let unusable = |why: &str| {
        let text = format!("use the guest {}: {why}", of.name);
        GuestError::new(GuestErrorKind::Module, text)
    };
    let file = FILES.iter().find(|(name, _)| *name == of.name);
    let mut wasm = file.ok_or_else(|| unusable("there is none"))?.1.to_vec();
    let Some(wanted) = &of.marker else {
        return Ok(wasm);
    };
    // Names in a module carry their length: only one of the same length can take another's place.
    for own in inspect(&wasm)?.markers {
        if own.len() != wanted.len() {
            return Err(unusable("the marker has another length"));
        }
        let places: Vec<usize> = (0..=wasm.len() - own.len())
            .filter(|at| wasm[*at..].starts_with(own.as_bytes()))
            .collect();
        for at in places {
            wasm[at..at + own.len()].copy_from_slice(wanted.as_bytes());
        }
    }
    Ok(wasm)
}
