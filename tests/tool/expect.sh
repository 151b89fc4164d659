# SPDX-License-Identifier: BSD-3-Clause
#
# For the scripts of this folder: `. tests/tool/expect.sh`, then
#
#   run COMMAND...     stdout in $TMP/out, stderr in $TMP/err, status in $status
#   status N           the last run ended with N
#   says TEXT          its stderr holds the text;  lacks TEXT: it does not
#   prints TEXT        its stdout holds the text
#   done_or_fail       the last line of a script: fails when a check failed
#
# A failed check prints the command and what it said, and the script goes on.
# stdin is /dev/null; zuk's cache is the script's own, Zig's is not (libc is in it).
export ZIG_GLOBAL_CACHE_DIR="${ZIG_GLOBAL_CACHE_DIR:-$HOME/.cache/zig}"
export XDG_CACHE_HOME="$TMP/cache"
unset NO_COLOR
failed=0
status=

run() {
    command="$*"
    set +e
    timeout 300 "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
    status=$?
    set -e
}

fail() {
    failed=$((failed + 1))
    echo "FAILED: $*"
    echo "  \$ $command"
    echo "  status $status"
    head -c 3000 "$TMP/out" | sed 's/^/  stdout: /'
    head -c 6000 "$TMP/err" | sed 's/^/  stderr: /'
}

status() { [ "$status" = "$1" ] || fail "status is $status, not $1"; }
says() { grep -qF -e "$1" "$TMP/err" || fail "stderr lacks: $1"; }
lacks() { ! grep -qF -e "$1" "$TMP/err" || fail "stderr holds: $1"; }
prints() { grep -qF -e "$1" "$TMP/out" || fail "stdout lacks: $1"; }
check() { "$@" || fail "not true: $*"; }

done_or_fail() {
    [ "$failed" = 0 ] && exit 0
    echo "$failed checks failed"
    exit 1
}

# c NAME [FLAGS]: compiles the C source on stdin to $TMP/NAME.o
c() {
    name=$1
    shift
    cat >"$TMP/$name.c"
    (cd "$TMP" && "$ZIG" cc -target x86_64-linux-musl -g -O1 -fno-sanitize=all "$@" -c -o "$name.o" "$name.c")
}
