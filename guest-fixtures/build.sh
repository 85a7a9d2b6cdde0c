#!/bin/sh
# Builds the guests and writes prebuilt/ with its manifest. Called by `make guests`.
#
# The ordinary way is rustup's targets (`rustup target add wasm32-unknown-unknown wasm32-wasip1`).
# Where they cannot be had, Debian's rustc-web with rust-web-src and wasi-libc builds the libraries
# along (RUSTC_WEB names that compiler; the linker is the Rust toolchain's own rust-lld). GUESTS_WITH
# set to `rustup` or `own` asks for one of the two.
set -eu
cd "$(dirname "$0")"
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR CARGO_BUILD_TARGET
sysroot=$(rustc --print sysroot)
host=$(rustc -vV | sed -n 's/^host: //p')
web=${RUSTC_WEB:-/usr/bin/rustc}
pure=wasm32-unknown-unknown
wasi=wasm32-wasip1

# Whether the toolchain can build for a target by itself.
has() {
    [ "${GUESTS_WITH:-}" != own ] || return 1
    dir=$(rustc --print target-libdir --target "$1" 2>/dev/null) && [ -d "$dir" ]
}

# Folders of this machine must not stand in the guests: what panic messages name begins with /crates,
# /guests and /rust.
remap() {
    for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
        printf -- '--remap-path-prefix=%s=/crates ' "$folder"
    done
    printf -- '--remap-path-prefix=%s=/guests ' "$PWD"
    printf -- '--remap-path-prefix=%s=/rust ' "$("$1" --print sysroot)/lib/rustlib/src/rust"
}

# build TARGET LIBRARIES FEATURES CARGO-ARGUMENTS…: sets `compiler`. What `flags` holds goes to rustc in
# place of the flags of .cargo/config.toml.
build() {
    target=$1 libraries=$2 features=$3
    shift 3
    export RUSTFLAGS="$flags"
    [ -n "$flags" ] || unset RUSTFLAGS
    if has "$target"; then
        compiler=$(rustc --version)
        cargo build --release --locked --target "$target" "$@"
        return
    fi
    if [ "${GUESTS_WITH:-}" = rustup ]; then
        echo "the toolchain has no $target: rustup target add $target" >&2
        exit 1
    fi
    compiler="$("$web" --version | sed 's/ (built.*//'), own libraries"
    name=$(echo "$target" | tr 'a-z-' 'A-Z_')
    env RUSTC_BOOTSTRAP=1 RUSTC="$web" \
        "CARGO_TARGET_${name}_LINKER=$sysroot/lib/rustlib/$host/bin/rust-lld" \
        cargo build --release --locked --target "$target" "-Zbuild-std=$libraries" \
        ${features:+"-Zbuild-std-features=$features"} "$@"
}

# The digest of sources: SHA-256 over the SHA-256 lines of every file that a guest is made from, in
# byte order of their names. What all guests share comes first.
digest() {
    LC_ALL=C
    export LC_ALL
    find Cargo.toml Cargo.lock .cargo "$@" -type f | sort | xargs sha256sum | sha256sum | cut -d' ' -f1
}

# entry FILE SOURCES COMPILER
entry() {
    printf '%s    {\n      "file": "%s",\n      "sha256": "%s",\n      "sources": "%s",\n      "compiler": "%s"\n    }' \
        "$comma" "$1" "$(sha256sum "prebuilt/$1" | cut -d' ' -f1)" "$2" "$3" >>"$manifest"
    comma=',
'
}

manifest=$(mktemp)
trap 'rm -f "$manifest"' EXIT
comma=
printf '{\n  "version": 2,\n  "guests": [\n' >"$manifest"

flags=
build $pure core,compiler_builtins,panic_abort compiler-builtins-mem -p scripted
install -D -m 644 target/$pure/release/scripted.wasm prebuilt/scripted.wasm
entry scripted.wasm "$(digest scripted/Cargo.toml scripted/src)" "$compiler"

# Handmade guests come out of a program that runs here.
cargo run --quiet --release --locked --target "$host" -p handmade -- prebuilt/handmade
wat=$(sed -n '/^name = "wat"/{n;s/.*"\(.*\)"/\1/p}' Cargo.lock)
sources=$(digest handmade/Cargo.toml handmade/src handmade/wat)
for file in prebuilt/handmade/*.wasm; do
    entry "${file#prebuilt/}" "$sources" "wat $wat"
done

# Plugins that are written with the SDK.
cargo fetch --quiet --locked
if has $wasi; then
    flags=$(remap rustc)
else
    flags="$(remap "$web")-Lnative=${WASI_LIBC:-/usr/lib/wasm32-wasi} -Clink-self-contained=no"
fi
build $wasi std,panic_abort '' -p 'sdk-*'
for folder in sdk/*/; do
    name=$(basename "$folder")
    install -D -m 644 "target/$wasi/release/$name.wasm" "prebuilt/sdk/$name.wasm"
    entry "sdk/$name.wasm" "$(digest "sdk/$name")" "$compiler"
done

printf '\n  ]\n}\n' >>"$manifest"
install -m 644 "$manifest" prebuilt/manifest.json
ls -l prebuilt prebuilt/*/
