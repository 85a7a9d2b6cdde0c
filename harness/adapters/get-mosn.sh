#!/bin/sh
# Builds MOSN with its Wasm filter from the main package in adapters/mosn.
#
#     get-mosn.sh FOLDER [VERSION]     ->  FOLDER/VERSION/mosn
#
# Versions tried: 1.6.1 and 1.3.0 build. 1.4.0, 1.5.0 and 1.6.0 could not be had: the module proxy
# answered that these versions are not available. 1.2.0 has only the engine wasmer, which needs cgo,
# and a dependency that could not be had.
set -eu
exec sh "$(dirname "$0")/build-go.sh" mosn mosn.io/mosn "$1" "${2:-}"
