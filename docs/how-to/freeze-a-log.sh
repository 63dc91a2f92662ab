#!/bin/sh
# The drill of freeze-a-log.md: a log ends, another one goes on, and a thief who has the old key is found out.
# Usage: freeze-a-log.sh EMPTY-FOLDER; needs `bootproof` on PATH.
set -eu
cd "$1"
export BOOTPROOF_STATE="$PWD/state" XDG_CONFIG_HOME="$PWD/config"

say() { printf '\n== %s\n' "$1"; }
refused() { # refused CODE COMMAND...: the command must fail with this code
    code=$1
    shift
    if "$@" >answer 2>&1; then
        echo "not refused: $*"
        exit 1
    fi
    grep -m1 "$code" answer || { cat answer; exit 1; }
}
for number in 1 2 3; do echo "entry $number" >"entry-$number"; done

say 'a log ends'
bootproof log init --log old --origin example.org/old
bootproof log add entry-1 entry-2 --log old
bootproof log freeze --log old
refused 'this log was frozen' bootproof log add entry-3 --log old
bootproof log audit --log old

say 'another one goes on: its first entry is bound to the final checkpoint'
bootproof log init --log new --origin example.org/new --continues old
bootproof log add entry-3 --log new
bootproof log audit --log new --continues old

say 'what the first entry says'
bootproof log proof 0 --log new --out first.tlog-proof
bootproof inspect first.tlog-proof

say 'whoever stole the old key can sign a longer log, and is found out'
bootproof log init --log stolen --key file:old.private/log.key
bootproof log add entry-1 entry-2 entry-3 --log stolen
refused 'does not end there' env BOOTPROOF_STATE="$PWD/elsewhere" \
    bootproof log audit --log new --continues stolen
