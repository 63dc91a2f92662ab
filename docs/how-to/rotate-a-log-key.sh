#!/bin/sh
# The drill of rotate-a-log-key.md: a log changes its key while three readers follow it.
# Usage: rotate-a-log-key.sh EMPTY-FOLDER; needs `bootproof` on PATH.
set -eu
cd "$1"
export BOOTPROOF_STATE="$PWD/state"

say() { printf '\n== %s\n' "$1"; }
add() {
    echo "entry $1" >"entry-$1"
    bootproof log add "entry-$1" --log log
}
reads() { bootproof log audit --log log --vkey "$1" --state "$1.state" | tail -n 1; }
refused() { # refused CODE COMMAND...: the command must fail with this code
    code=$1
    shift
    if "$@" >answer 2>&1; then
        echo "not refused: $*"
        exit 1
    fi
    grep -m1 "$code" answer || { cat answer; exit 1; }
}

say 'a log, and a reader who was given its key'
bootproof log init --log log --origin example.org/drill
add 1
cp log/log.vkey old.vkey
reads old.vkey

say 'the new key: from now on both sign'
bootproof log key add --generate --log log
tail -n 1 log/log.vkey >new.vkey
cp log/log.vkey both.vkey
add 2
for reader in old.vkey new.vkey both.vkey; do reads "$reader"; done

say 'the old key is retired, once everyone has the new one'
old=$(cut -d + -f 2 old.vkey)
bootproof log key retire "$old" --log log
add 3
reads new.vkey
reads both.vkey

say 'who was not told says no, and does not take it for another log'
refused BP-LOG-008 bootproof log audit --log log --vkey old.vkey

say 'the last key stays'
refused BP-LOG-044 bootproof log key retire "$(cut -d + -f 2 new.vkey)" --log log
