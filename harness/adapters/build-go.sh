#!/bin/sh
# Builds a Go program of adapters/NAME; called by the get-*.sh of hosts that are written in Go.
#
#     build-go.sh NAME MODULE FOLDER [VERSION]     ->  FOLDER/VERSION/NAME
#
# MODULE is the host's own module. Its version is that of adapters/NAME/go.mod; another one is got into
# a copy of it. What is there already is left alone.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=$1
module=$2
folder=$3
pinned=$(sed -n "s|^require $module v||p" "$here/$name/go.mod")
version=${4:-$pinned}
binary=$folder/$version/$name

if [ -x "$binary" ]; then
    echo "$name $version is there: $binary"
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "get-$name.sh: needs Go 1.21 or later" >&2
    exit 3
fi

work=$(mktemp -d "$folder/.get-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cp "$here/$name/main.go" "$here/$name/go.mod" "$here/$name/go.sum" "$work"
cd "$work"
export CGO_ENABLED=0 GOFLAGS=-mod=mod
if [ "$version" != "$pinned" ]; then
    go get "$module@v$version"
fi
go build -trimpath -ldflags='-s -w' -o "$name" .
mkdir -p "$folder/$version"
mv "$name" "$binary"
echo "$name $version: $binary"
