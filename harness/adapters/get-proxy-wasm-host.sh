#!/bin/sh
# Builds the adapter around the Rust crate proxy-wasm-host, a workspace of its own.
#
#     get-proxy-wasm-host.sh FOLDER [VERSION]     ->  FOLDER/VERSION/proxy-wasm-host
#
# The crate asks for a newer compiler than it needs, hence the flag. Release: a module compiles twenty
# times as fast. What is there already is left alone.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$1
pinned=$(sed -n 's/^proxy-wasm-host = "=\(.*\)"/\1/p' "$here/proxy-wasm-host/Cargo.toml")
version=${2:-$pinned}
binary=$folder/$version/proxy-wasm-host

if [ -x "$binary" ]; then
    echo "proxy-wasm-host $version is there: $binary"
    exit 0
fi
if ! command -v cargo >/dev/null; then
    echo "get-proxy-wasm-host.sh: needs Rust 1.95 or later" >&2
    exit 3
fi

work=$(mktemp -d "$folder/.get-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cp -R "$here/rust" "$here/proxy-wasm-host" "$work"
cd "$work/proxy-wasm-host"
locked=--locked
if [ "$version" != "$pinned" ]; then
    sed -i.old "s/\"=$pinned\"/\"=$version\"/" Cargo.toml
    sed -i.old "s/VERSION: &str = \"$pinned\"/VERSION: \&str = \"$version\"/" src/main.rs
    locked=
fi
cargo build --quiet --release --ignore-rust-version $locked --target-dir "$work/target"
mkdir -p "$folder/$version"
mv "$work/target/release/pwspec-proxy-wasm-host" "$binary"
echo "proxy-wasm-host $version: $binary"
