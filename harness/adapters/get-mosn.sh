#!/bin/sh
# Builds MOSN with its Wasm filter from the main package in adapters/mosn.
#
#     get-mosn.sh FOLDER [VERSION]     ->  FOLDER/VERSION/mosn
set -eu
exec sh "$(dirname "$0")/build-go.sh" mosn mosn.io/mosn "$1" "${2:-}"
