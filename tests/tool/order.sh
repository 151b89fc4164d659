#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# stdout and stderr in one pipe keep the app's order; a slow reader holds the
# guest back and loses nothing; stdin arrives while output is under way.
# timeout: 300
set -eu
. tests/tool/expect.sh
c turns <<'C'
#include <stdio.h>
#include <unistd.h>
int main(void) {
    char line[40];
    for (int i = 0; i < 3000; i++) {
        int n = sprintf(line, "%s %d\n", i % 3 == 0 ? "err" : "out", i);
        if (write(i % 3 == 0 ? 2 : 1, line, n) != n) return 1;
    }
    return 0;
}
C
c flood <<'C'
#include <string.h>
#include <unistd.h>
int main(void) {
    static char block[100000];
    for (int i = 0; i < 80; i++) {
        memset(block, 'a' + i % 26, sizeof block);
        for (size_t done = 0; done < sizeof block;) {
            long n = write(1, block + done, sizeof block - done);
            if (n <= 0) return 1;
            done += (size_t)n;
        }
    }
    return 5;
}
C
c both <<'C'
#include <stdio.h>
int main(void) {
    char line[100];
    while (fgets(line, sizeof line, stdin) != NULL) {
        for (int i = 0; i < 20; i++) fputs(line, stdout);
    }
    return 0;
}
C
cd "$TMP"
for name in turns flood both; do
    "$ZIG" cc -target x86_64-linux-musl -o $name $name.o
done

command="turns 2>&1"
./turns >want 2>&1
for machine in microvm q35; do
    timeout 60 "$ZUK" exec --color=never --machine $machine ./turns >got 2>&1 </dev/null || fail "status"
    check cmp want got
done

command="flood | slow reader"
./flood >want || true
status=0
{ timeout 100 "$ZUK" exec ./flood </dev/null || echo $? >flood.status; } |
    { for _ in 1 2 3 4 5; do head -c 70000; sleep 0.2; done; cat; } >got
check cmp want got
check [ "$(cat flood.status)" = 5 ]

command="both"
seq 1 5000 >lines
./both <lines >want
{ head -n 2000 lines; sleep 1; tail -n +2001 lines; } | timeout 60 "$ZUK" exec ./both >got
check cmp want got
done_or_fail
