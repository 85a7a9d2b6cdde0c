//! Writes the handmade guests into the folder that it is given: `wat/*.wat` as modules, and files
//! that are none.
//!
//! Does not know what hosts do with them.

use std::error::Error;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let to = std::env::args_os().nth(1).ok_or("which folder?")?;
    let to = PathBuf::from(to);
    std::fs::create_dir_all(&to)?;
    let module = |name: &str| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("wat")
            .join(name)
            .with_extension("wat");
        wat::parse_file(file)
    };
    let plain = module("plain")?;
    // The next version of the binary format: the four bytes behind the magic number say which.
    let mut future = plain.clone();
    future[4] = 2;
    let guests: [(&str, Vec<u8>); 9] = [
        ("plain", plain.clone()),
        ("marker_result", module("marker_result")?),
        ("marker_traps", module("marker_traps")?),
        ("no_memory", module("no_memory")?),
        ("invalid_body", module("invalid_body")?),
        ("truncated", plain[..plain.len() / 2].to_vec()),
        ("future_version", future),
        ("not_wasm", b"#!/bin/sh\necho this is no module\n".to_vec()),
        ("empty", Vec::new()),
    ];
    for (name, bytes) in guests {
        std::fs::write(to.join(name).with_extension("wasm"), bytes)?;
    }
    Ok(())
}
