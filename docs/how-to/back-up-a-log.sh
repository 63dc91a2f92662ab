#!/bin/sh
# The drill of back-up-a-log.md: backs up a log, loses it in four ways, and restores it or is refused.
# Usage: back-up-a-log.sh EMPTY-FOLDER; needs `bootproof` on PATH.
set -eu
cd "$1"

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
back_up() { # the lock keeps writers out for as long as the copy takes
    rm -rf "$1"
    mkdir "$1"
    flock log.private/head/lock cp -a log log.private "$1"
}
restore() {
    rm -rf log log.private
    cp -a "$1/log" "$1/log.private" .
}
add() {
    for number in "$@"; do echo "entry $number" >"entry-$number"; done
    bootproof log add $(printf 'entry-%s ' "$@") --log log
}

say 'a log, its backup, and an auditor elsewhere that remembers what it saw'
bootproof log init --log log --origin example.org/drill
add 1 2 3
bootproof log audit --log log --state auditor.state
back_up backup

say 'all is lost, and nothing was published since the backup: restore, audit, go on'
restore backup
bootproof log audit --log log --state auditor.state
add 4 5

say 'the private part comes from an older backup: the log refuses to sign a fork'
cp -a log.private newest.private
rm -r log.private
cp -a backup/log.private .
refused BP-LOG-005 bootproof log add entry-1 --log log
rm -r log.private
mv newest.private log.private

say 'the public part comes from an older backup: the log names what is missing'
cp -a log newest
rm -rf log
cp -a backup/log .
refused BP-LOG-009 bootproof log add entry-1 --log log
rm -rf log
mv newest log
bootproof log audit --log log --state auditor.state

say 'both come from an older backup: nothing here can tell, the auditor can'
mkdir newest
mv log log.private newest
restore backup
refused 'the log shrank' bootproof log audit --log log --state auditor.state
rm -rf log log.private
mv newest/log newest/log.private .

say 'the newest copy is back and grows'
add 6
bootproof log audit --log log --state auditor.state
