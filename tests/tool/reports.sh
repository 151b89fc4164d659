#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Reports in every dress: of a stripped image, as JSON, with --strace; what
# --gdb prints connects; -v tells the choices.
# timeout: 300
set -eu
. tests/tool/expect.sh
c crash <<'C'
#include <stdio.h>
#include <unistd.h>
static int read_it(volatile int *p) {
    return *p; /* line 4 */
}
int main(int argc, char **argv) {
    (void)argv;
    write(1, "before\n", 7);
    if (argc > 1) return 0;
    return read_it((int *)8);
}
C
cd "$TMP"
run "$ZUK" build crash.o -o crash.elf
status 0
run "$ZUK" run crash.elf
status 139
prints before
says "segmentation fault"
says "crash.c:4"
says "read_it"
says "write(1"
run "$ZUK" run crash.elf -- fine
status 0
lacks "zuk:"

# stripped: smaller, and as well explained
run "$ZUK" build --strip crash.o -o strip.elf
status 0
check [ "$(wc -c <strip.elf)" -lt "$(wc -c <crash.elf)" ]
run "$ZUK" run strip.elf
status 139
says "crash.c:4"

run "$ZUK" run --json crash.elf
status 139
cat >look.py <<'P'
import json
text = open("err").read()
d = json.loads(text[text.index("{"):])
assert d["status"] == 139, d
report = json.dumps(d)
for part in ("segmentation fault", "crash.c", "read_it"):
    assert part in report, (part, d)
P
check python3 look.py

run "$ZUK" run --strace crash.elf -- fine
status 0
prints before
says 'write(1, "before\n", 7) = 7'
says "exit_group(0)"

c vector <<'C'
#include <sys/uio.h>
int main(void) {
    char a[4], b[8];
    struct iovec out[] = {{"ab", 2}, {"", 0}, {"cdef", 4}}, in[] = {{a, 4}, {b, 8}};
    return readv(0, in, 2) != 6 || writev(1, out, 3) != 6;
}
C
printf 123456 >in
run sh -c "$ZUK run --strace vector.o <in"
says 'readv(0, [{"1234", 4}, {"56", 8}], 2) = 6'
says 'writev(1, [{"ab", 2}, {"", 0}, {"cdef", 4}], 3) = 6'

run "$ZUK" run -v --accel auto crash.elf -- fine
status 0
says "accelerator: "
check grep -qi -e tcg -e kvm err
run "$ZUK" build -v crash.o -o verbose.elf
status 0
says "options CORE"
check [ -s verbose.elf.zuk/features.txt ]
check [ -s verbose.elf.zuk/link.cmd ]

# gdb: the line that is printed connects, and finds main's source line
if command -v gdb >/dev/null; then
    port=$((20000 + $$ % 20000))
    timeout 60 "$ZUK" run --gdb=$port crash.elf -- fine >gdb.out 2>gdb.err </dev/null &
    zuk=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        grep -q 'gdb ' gdb.err && break
        sleep 0.5
    done
    line=$(sed -n 's/^.*\(gdb .*\)$/\1/p' gdb.err | head -n 1)
    command="$line"
    cat >gdb.script <<'G'
set pagination off
set confirm off
hbreak read_it
hbreak main
continue
backtrace
delete
continue
G
    run sh -c "timeout 50 $line -batch -x gdb.script"
    prints "crash.c"
    wait $zuk || true
    check grep -q before gdb.out
fi
done_or_fail
