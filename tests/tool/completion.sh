#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Completions hold every command and option, and bash completes with them.
# needs: bash
set -eu
. tests/tool/expect.sh
cd "$TMP"
for shell in bash zsh fish; do
    run "$ZUK" completion $shell
    status 0
    check [ ! -s err ]
    cp out script.$shell
    for command in $("$ZUK" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
        check grep -q "\\b$command\\b" script.$shell
    done
    for option in $("$ZUK" run --help | sed -n 's/.* --\([a-z-]*\).*/\1/p'); do
        check grep -qw -e "$option" script.$shell
    done
    ! command -v $shell >/dev/null || { run $shell -n script.$shell && status 0; }
done
complete() { # WANTED WORD...: the last word is being typed
    wanted=$1
    shift
    run bash -c '. ./script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _zuk; echo "${COMPREPLY[*]}"' bash "$@"
    check [ "$(cat out)" = "$wanted" ]
}
complete "doctor" zuk do
complete "--accel" zuk run --acc
complete "auto kvm tcg" zuk run --accel ""
complete "kvm" zuk exec --accel k
complete "--lang" zuk new --l
complete "zig c" zuk new --lang ""
complete "why" zuk config w
complete "NAMES=" zuk build --set NAM
complete "" zuk run fi # names of files are bash's own affair
complete "" zuk run x.elf -- --acc
run "$ZUK" completion tcsh
status 2
run "$ZUK" completion
status 2
done_or_fail
