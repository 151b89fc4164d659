#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk check: what would happen to each call and symbol, and who asks for it.
# timeout: 200
set -eu
. tests/tool/expect.sh

c app <<'C'
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <unistd.h>
extern int db_open(void), db_state;
static int dial(void) { char c; return getrandom(&c, 1, 0) != 1; }
int main(int argc, char **argv) {
    (void)argv;
    if (argc == 2) return db_open() + db_state;
    if (argc == 3) return ptrace(0, 0, 0, 0) != 0;
    if (argc == 4) return fork();
    return argc == 5 ? dial() : 0;
}
C
c good <<'C'
#include <unistd.h>
int main(void) { return write(1, "x", 1) != 1; }
C
cd "$TMP"
row() { # WORDS: a line of the table, whatever the width of its columns
    tr -s ' ' <out | grep -qF -e "$1" || fail "no row: $1"
}

run "$ZUK" check app.o
status 3
row "db_open TRAPS: undefined app.c:9"
row "db_state TRAPS: undefined data app.c:9"
row "ptrace TRAPS: missing main (app.c:10)"
row "fork refused: ENOSYS"
row "getrandom option RANDOM"
row "exit_group provided"
prints "1 missing; 2 undefined symbols"
says "3 of these would stop the app with a report (status 3)"
check [ "$(head -n 1 out | cut -d' ' -f1)" = db_open ] # what stops it comes first

# what the options and policies say is what is told
run "$ZUK" check --missing ptrace=enosys --set RANDOM=n app.o
status 3
row "ptrace answered: ENOSYS"
row "getrandom TRAPS: RANDOM is off"
run "$ZUK" check --set MISSING_CALLS=ptrace=ignore good.o
status 0
lacks "would stop"
run "$ZUK" check --strict app.o
status 1
says "undefined symbol 'db_open' in app.o, used at app.c:9"

# an image says what it was made with
run "$ZUK" build --set RANDOM=n --missing ptrace=ignore app.o -o app.elf
status 0
run "$ZUK" check app.elf
status 3
row "getrandom TRAPS: RANDOM is off"
row "ptrace answered: 0"
row "db_open TRAPS: undefined"

run "$ZUK" check --json app.o
status 3
python3 - <<'P' || fail "the JSON is not as it should be"
import json
with open("out", encoding="utf-8") as f:
    got = json.load(f)
assert got["complete"] is True and got["traps"] == 3, got
calls = {c["name"]: c for c in got["calls"]}
assert calls["ptrace"]["state"] == "missing" and calls["ptrace"]["traps"], calls["ptrace"]
assert calls["ptrace"]["number"] == 101 and calls["ptrace"]["line"] == 10
assert calls["getrandom"]["state"] == "option" and calls["getrandom"]["option"] == "RANDOM"
assert calls["exit_group"]["state"] == "provided" and calls["exit_group"]["option"] == "CORE"
symbols = {s["name"]: s for s in got["symbols"]}
assert symbols["db_open"]["kind"] == "function" and symbols["db_state"]["kind"] == "data"
assert symbols["db_open"]["at"] == "app.c:9", symbols
P
run "$ZUK" check --json good.o
status 0

# numbers that cannot be known
c blind <<'C'
#include <unistd.h>
#include <stdlib.h>
int main(int argc, char **argv) { return argc > 1 ? (int)syscall(atoi(argv[1])) : 0; }
C
run "$ZUK" check blind.o
prints "not known: a system call at"
prints "so the app may make other calls too"

# known, where each is called through its address: in the GOT, in a register
c got -O2 -fno-plt -Wa,-mrelax-relocations=no <<'C'
#include <sys/syscall.h>
#include <unistd.h>
#ifdef STORED
long (*volatile stored)(long, ...) = syscall;
#endif
int main(int argc, char **argv) {
    long n = syscall(SYS_getppid);
    for (int i = 0; i < argc; i++)
        n += argv[i][0] == 'x' ? syscall(SYS_gettid) : syscall(SYS_capget, i, n);
#ifdef STORED
    n += stored(argc);
#endif
    return n != 0;
}
C
c stored -O2 -fno-plt -Wa,-mrelax-relocations=no -DSTORED <got.c
for name in got stored; do
    "$ZIG" cc -target x86_64-linux-musl "$name.o" -o "$name"
    run "$ZUK" check "$name"
    row "getppid option PROCESS"
    row "gettid option PROCESS"
    row "capget option PROCESS"
    case $name in
    got) check [ "$(grep -c 'not known' out)" = 0 ] ;;
    stored) prints "the function's address stands in data" ;;
    esac
done

# refused
: >empty
run "$ZUK" check empty
status 1
says "'empty' is empty"
run "$ZUK" check
status 1
says "no build.zig in this folder"
run "$ZUK" check --jsno app.o
status 2
done_or_fail
