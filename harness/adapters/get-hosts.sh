#!/bin/sh
# Gets the binaries of hosts into target/hosts/<name>/<version>/.
#
#     harness/adapters/get-hosts.sh envoy mosn@1.6.1 …
#     harness/adapters/get-hosts.sh all        every host, and each older version that is known to come
#
# A host's own script is get-<name>.sh beside this one; it gets the version, or none for its usual
# one, and the folder target/hosts/<name>. What is there already is left alone.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
hosts=${PWSPEC_HOSTS:-$here/../../target/hosts}

if [ $# -eq 0 ]; then
    echo "usage: get-hosts.sh HOST[@VERSION]…; hosts: $(cd "$here" && ls get-*.sh | sed -n 's/^get-\(.*\)\.sh$/\1/p' | grep -v '^hosts$' | tr '\n' ' ')" >&2
    exit 2
fi

if [ "$*" = all ]; then
    set -- envoy envoy@1.39.3 envoy@1.38.2 envoy@1.37.0 envoy@1.36.2 \
        mosn mosn@1.3.0 mosn-lib java proxy-wasm-host proxytest
fi

for host in "$@"; do
    name=${host%%@*}
    version=
    case $host in *@*) version=${host#*@} ;; esac
    script=$here/get-$name.sh
    if [ ! -f "$script" ]; then
        echo "get-hosts.sh: nobody knows how to get $name" >&2
        exit 2
    fi
    mkdir -p "$hosts/$name"
    sh "$script" "$(cd "$hosts/$name" && pwd)" "$version"
done
