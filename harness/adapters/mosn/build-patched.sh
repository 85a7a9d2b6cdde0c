#!/bin/sh
# Builds MOSN with a patch to its host library, whose own source is left alone: the patch goes into a
# copy, and the build is told to take the copy. So the work on a host goes round and round:
#
#     build-patched.sh PATCH BINARY        # build what PATCH changes
#     pwspec run --host mosn=BINARY        # see it
#     pwspec diff BEFORE AFTER             # exactly the expected cases must have turned green
#
# status.patch beside this script gives one status the text's number; the test
# `one_number_mended_turns_its_cases_green` shows with it that the loop holds.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
patch=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
binary=$2
library=mosn.io/proxy-wasm-go-host

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT INT TERM
cp "$here/main.go" "$here/go.mod" "$here/go.sum" "$work"
cd "$work"
export CGO_ENABLED=0 GOFLAGS=-mod=mod
go mod download "$library"
cp -R "$(go list -m -f '{{.Dir}}' "$library")" library
chmod -R u+w library
(cd library && patch -p1 --quiet < "$patch")
go mod edit -replace "$library=./library"
go build -trimpath -ldflags='-s -w' -o mosn .
mkdir -p "$(dirname "$binary")"
mv mosn "$binary"
