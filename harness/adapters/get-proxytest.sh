#!/bin/sh
# Builds the adapter around the Go SDK's test emulator from the main package in adapters/proxytest.
#
#     get-proxytest.sh FOLDER [VERSION]     ->  FOLDER/VERSION/proxytest
#
# The version is that of adapters/proxytest/go.mod; another one is got into a copy of it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$1
pinned=$(sed -n 's/^require github.com\/tetratelabs\/proxy-wasm-go-sdk v//p' "$here/proxytest/go.mod")
version=${2:-$pinned}
binary=$folder/$version/proxytest

if [ -x "$binary" ]; then
    echo "proxytest $version is there: $binary"
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "get-proxytest.sh: needs Go 1.21 or later" >&2
    exit 3
fi

work=$(mktemp -d "$folder/.get-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cp "$here/proxytest/main.go" "$here/proxytest/go.mod" "$here/proxytest/go.sum" "$work"
cd "$work"
export CGO_ENABLED=0 GOFLAGS=-mod=mod
if [ "$version" != "$pinned" ]; then
    go get "github.com/tetratelabs/proxy-wasm-go-sdk@v$version"
fi
go build -trimpath -ldflags='-s -w' -o proxytest .
mkdir -p "$folder/$version"
mv proxytest "$binary"
echo "proxytest $version: $binary"
