# SPDX-License-Identifier: BSD-3-Clause
#
# For the scripts of this folder: `. tests/tool/expect.sh`, then
#
#   run COMMAND...     stdout in $TMP/out, stderr in $TMP/err, status in $status
#   status N           the last run ended with N
#   says TEXT          its stderr holds the text;  lacks TEXT: it does not
#   prints TEXT        its stdout holds the text
#   c NAME [FLAGS]     the C source on stdin becomes $TMP/NAME.o
#   later_clock FILE   a library for LD_PRELOAD: it is 400 days later
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

later_clock() {
    gcc -O1 -shared -fPIC -x c -o "$1" - <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *t) {
    int (*real)(clockid_t, struct timespec *) = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, t);
    if (status == 0 && clock == CLOCK_REALTIME) t->tv_sec += 400 * 86400;
    return status;
}
int gettimeofday(struct timeval *restrict t, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}
time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return t ? *t = now.tv_sec : now.tv_sec;
}
C
}

c() {
    name=$1
    shift
    cat >"$TMP/$name.c"
    (cd "$TMP" && "$ZIG" cc -target x86_64-linux-musl -g -O1 -fno-sanitize=all "$@" -c -o "$name.o" "$name.c")
}
