#!/bin/sh
# Builds the adapter around the Go SDK's test emulator from the main package in adapters/proxytest.
#
#     get-proxytest.sh FOLDER [VERSION]     ->  FOLDER/VERSION/proxytest
set -eu
exec sh "$(dirname "$0")/build-go.sh" proxytest github.com/tetratelabs/proxy-wasm-go-sdk "$1" "${2:-}"
