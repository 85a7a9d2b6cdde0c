#!/bin/sh
# Builds a Go program of adapters/NAME; called by the get-*.sh of hosts that are written in Go.
#
#     build-go.sh NAME MODULE FOLDER [VERSION]     ->  FOLDER/VERSION/NAME
#
# MODULE is the host's own module. Its version is that of adapters/NAME/go.mod, with the dependencies
# that are pinned there. Another version comes with the dependencies of its own go.mod, and the sums of
# its own go.sum. What is there already is left alone, unless our sources have changed since.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=$1
module=$2
folder=$(cd "$3" && pwd)
pinned=$(sed -n "s|^require $module v||p" "$here/$name/go.mod")
version=${4:-$pinned}
binary=$folder/$version/$name
sources=$(cat "$here/$name"/* "$here/go/protocol.go" | cksum)

if [ -x "$binary" ] && [ "$(cat "$binary.sources" 2>/dev/null)" = "$sources" ]; then
    echo "$name $version is there: $binary"
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "get-$name.sh: needs Go 1.21 or later" >&2
    exit 3
fi

work=$(mktemp -d "$folder/.get-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
cp "$here/$name"/*.go "$work"
if grep -q 'protocol\.go' "$here/$name/main.go"; then
    cp "$here/go/protocol.go" "$work"
fi
export CGO_ENABLED=0 GOFLAGS=-mod=mod
link='-s -w'
if [ "$version" = "$pinned" ]; then
    cp "$here/$name/go.mod" "$here/$name/go.sum" "$work"
    cd "$work"
else
    cd "$work"
    go mod init "pwspec/$name" 2>/dev/null
    go get "$module@v$version"
    cat "$(go list -m -f '{{.Dir}}' "$module")/go.sum" >> go.sum
    # Since Go 1.23 the linker refuses what old releases of golang.org/x/net do; the flag is younger.
    case $(go env GOVERSION) in
        go1.1* | go1.20* | go1.21* | go1.22*) ;;
        *) link="$link -checklinkname=0" ;;
    esac
fi
go build -trimpath -ldflags="$link" -o "$name" .
mkdir -p "$folder/$version"
mv "$name" "$binary"
echo "$sources" > "$binary.sources"
echo "$name $version: $binary"
