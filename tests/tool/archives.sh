#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Archives of every shape link: order, duplicates, GNU and BSD indexes, thin,
# members in need of each other, archives for the gnu target.
# timeout: 300
set -eu
. tests/tool/expect.sh

c main <<'C'
#include <stdio.h>
int a(int);
int main(void) { printf("%d\n", a(3)); return 0; }
C
c a <<'C'
int b(int);
int a(int n) { return n == 0 ? 100 : b(n - 1); }
C
c b <<'C'
int a(int);
int b(int n) { return n == 0 ? 200 : a(n - 1); }
C
c unused <<'C'
int never_defined(void);
int unused(void) { return never_defined(); }
C
cd "$TMP"
ok() {
    run "$ZUK" run --timeout 60 "$@"
    status 0
    prints 200
    lacks warning
}
ar rcs liball.a unused.o b.o a.o main.o
ok liball.a
ar rcs liba.a a.o unused.o && ar rcs libb.a b.o && ar rcs libmain.a main.o
ok libb.a liba.a libmain.a
ok main.o liba.a libb.a
ok a.o b.o main.o
ar rcS libnoindex.a b.o a.o main.o
ok libnoindex.a
rm -f libthin.a && ar rcsT libthin.a b.o a.o main.o
run "$ZUK" run --timeout 60 libthin.a
if [ "$status" = 0 ]; then prints 200; else says thin; fi
# the same member twice is no conflict in an archive
ar qcs libtwice.a a.o b.o main.o a.o
ok libtwice.a
# a strong definition beats a weak one
c weak <<'C'
__attribute__((weak)) int a(int n) { return n; }
C
ok main.o a.o b.o weak.o

# An archive for the gnu target: fortified calls and large-file names have
# twins in musl; what has none is named.
cat >gnu.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
int main(int argc, char **argv) {
    struct stat st;
    int n = 0;
    sscanf(argc > 1 ? argv[1] : "41", "%d", &n);
    if (fstat(1, &st) != 0) return 1;
    printf("%d\n", n + 159);
    return 0;
}
C
if gcc -O1 -fno-pie -c -o gnu.o gnu.c 2>/dev/null; then
    ok gnu.o
    gcc -O2 -D_FORTIFY_SOURCE=2 -D_FILE_OFFSET_BITS=64 -c -o fortified.o gnu.c
    run "$ZUK" run --timeout 60 fortified.o
    if [ "$status" = 0 ]; then
        prints 200
    else
        status 1
        says "built for gnu: rebuild with -target x86_64-linux-musl"
        says __printf_chk
    fi
fi
done_or_fail
