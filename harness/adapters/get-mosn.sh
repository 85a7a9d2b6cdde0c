#!/bin/sh
# Builds MOSN with its Wasm filter from the main package in adapters/mosn.
#
#     get-mosn.sh FOLDER [VERSION]     ->  FOLDER/VERSION/mosn
#
# The version is that of adapters/mosn/go.mod; another one is got into a copy of it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=$1
pinned=$(sed -n 's/^require mosn.io\/mosn v//p' "$here/mosn/go.mod")
version=${2:-$pinned}
binary=$folder/$version/mosn

if [ -x "$binary" ]; then
    echo "mosn $version is there: $binary"
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "get-mosn.sh: needs Go 1.21 or later" >&2
    exit 3
fi

work=$(mktemp -d "$folder/.get-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cp "$here/mosn/main.go" "$here/mosn/go.mod" "$here/mosn/go.sum" "$work"
cd "$work"
export CGO_ENABLED=0 GOFLAGS=-mod=mod
if [ "$version" != "$pinned" ]; then
    go get "mosn.io/mosn@v$version"
fi
go build -trimpath -ldflags='-s -w' -o mosn .
mkdir -p "$folder/$version"
mv mosn "$binary"
echo "mosn $version: $binary"
