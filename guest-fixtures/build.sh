#!/bin/sh
# Builds the guests and writes prebuilt/ with its manifest. Called by `make guests`.
#
# The ordinary way is rustup's target (`rustup target add wasm32-unknown-unknown`). Where that
# cannot be had, Debian's rustc-web with rust-web-src builds the core library along (RUSTC_WEB
# names that compiler; the linker is the Rust toolchain's own rust-lld).
set -eu
cd "$(dirname "$0")"
target=wasm32-unknown-unknown
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR

libdir=$(rustc --print target-libdir --target $target 2>/dev/null || true)
if [ -n "$libdir" ] && [ -d "$libdir" ]; then
    compiler=$(rustc --version)
    cargo build --release --locked
else
    sysroot=$(rustc --print sysroot)
    host=$(rustc -vV | sed -n 's/^host: //p')
    compiler="$("${RUSTC_WEB:-/usr/bin/rustc}" --version | sed 's/ (built.*//'), own core"
    RUSTC_BOOTSTRAP=1 RUSTC="${RUSTC_WEB:-/usr/bin/rustc}" \
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$sysroot/lib/rustlib/$host/bin/rust-lld" \
        cargo build --release --locked -Zbuild-std=core,compiler_builtins,panic_abort \
        -Zbuild-std-features=compiler-builtins-mem
fi

mkdir -p prebuilt
install -m 644 target/$target/release/scripted.wasm prebuilt/scripted.wasm

# The digest of the sources: SHA-256 over the SHA-256 lines of every file a guest is made from,
# in byte order of their names.
sources=$(LC_ALL=C; export LC_ALL
    find Cargo.toml Cargo.lock .cargo scripted/Cargo.toml scripted/src -type f | sort |
        xargs sha256sum | sha256sum | cut -d' ' -f1)
wasm=$(sha256sum prebuilt/scripted.wasm | cut -d' ' -f1)
cat > prebuilt/manifest.json <<JSON
{
  "version": 1,
  "guests": [
    {
      "file": "scripted.wasm",
      "sha256": "$wasm",
      "sources": "$sources",
      "rustc": "$compiler"
    }
  ]
}
JSON
ls -l prebuilt/scripted.wasm
