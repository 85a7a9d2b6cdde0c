#!/bin/sh
# Builds the adapter around the host library that MOSN uses from the main package in adapters/mosn-lib.
#
#     get-mosn-lib.sh FOLDER [VERSION]     ->  FOLDER/VERSION/mosn-lib
set -eu
exec sh "$(dirname "$0")/build-go.sh" mosn-lib mosn.io/proxy-wasm-go-host "$1" "${2:-}"
