#!/usr/bin/env bash
# Runs the suite on hosts and publishes each column.
# matrix.sh FOLDER [HOST[@VERSION]…]: without names every host that is found, the newest version in all its
# ABI versions and dialects, older ones in one; a host that is not here is skipped with the command that
# gets it. A host that is named must be here. What `doctor` says of a library's adapter is remembered: a
# column whose adapter did not pass is stamped.
set -euo pipefail
folder=$1
shift
pwspec=${PWSPEC:-pwspec}
work=${WORK:-target/matrix}
named=("$@")
names=()
if [ ${#named[@]} -gt 0 ]; then
    names=("${named[@]}")
else
    # The list has a key a line; a host's `found` and `version` come behind its `name`, and `how_to_get`
    # last. Of a host's versions the newest comes first.
    while IFS=$'\t' read -r name found version get; do
        if [ "$found" = true ]; then
            case " ${names[*]-} " in *" $name "*) names+=("$name@$version") ;; *) names+=("$name") ;; esac
        else
            echo "skipped: $name is not here (${get:-no command gets it})"
        fi
    done < <("$pwspec" hosts --format json | awk -F'": ' '
        /"name"/ { gsub(/[",]/, "", $2); name = $2; version = "" }
        /"found"/ { gsub(/,/, "", $2); found = $2 }
        /"version"/ { gsub(/[",]/, "", $2); version = $2 }
        /"how_to_get"/ { gsub(/^"|",?$/, "", $2); print name "\t" found "\t" version "\t" $2 }')
fi
# An older version has one column: the newest ABI version of which it takes modules at all.
older() {
    case $1 in
        mosn@*) echo --abi 0.2.0 ;;
        *@*) echo --abi 0.2.1 ;;
    esac
}
mkdir -p "$work"
for name in "${names[@]}"; do
    out=$work/${name//[^a-zA-Z0-9.]/-}
    rm -rf "$out"
    "$pwspec" doctor "$name" > "$work/doctor.txt" || {
        echo "$name: doctor is not content: $work/doctor.txt" >&2
        exit 3
    }
    code=0
    # shellcheck disable=SC2046 # no words, or two
    "$pwspec" run --host "$name" $([ ${#named[@]} -gt 0 ] || older "$name") --snapshots report --trace off --format terse --out "$out" || code=$?
    # Whatever the gate says is a result; a host that could not be driven is none.
    case $code in
        0 | 1 | 5) "$pwspec" report "$out" --publish "$folder" ;;
        *)
            echo "$name: pwspec ended with $code: nothing is published" >&2
            exit "$code"
            ;;
    esac
done
