#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# zuk.lock, build --locked, zuk verify and the bill of materials.  The slow part
# of a reproducible build, musl at the canonical path, is compiled once and kept.
# tier: full
# timeout: 1500
set -eu
. tests/tool/expect.sh
cd "$TMP"
kept="$HOME/.cache/zuk/canonical"
mkdir -p "$kept" "$TMP/cache/zuk"
ln -s "$kept" "$TMP/cache/zuk/canonical"
c hello <<'C'
#include <stdio.h>
int main(int argc, char **argv) { printf("%s %d\n", argv[argc > 1], argc); return 0; }
C
cp hello.o kept.o

run "$ZUK" build --locked hello.o -o hello.elf
status 1
says "there is no"
says "zuk build --lock writes it"
check [ ! -e hello.elf ]
run "$ZUK" build --lock hello.o -o hello.elf -- one
status 0
for line in 'zig [0-9]' 'kernel-x86_64 [0-9a-f]\{64\}$' "input:hello.o $(sha256sum hello.o | cut -d' ' -f1)" 'libc.a [0-9a-f]\{64\}$' 'libcompiler_rt.a ' 'crt1.o '; do
    check grep -q "^$line" zuk.lock
done
cp zuk.lock first.lock
run "$ZUK" build --locked hello.o -o hello.elf -- one
status 0
check cmp zuk.lock first.lock

# each line that does not hold is named, with both values
for name in zig kernel-x86_64 input:hello.o libc.a; do
    sed "s/^$name .*/$name other/" first.lock >zuk.lock
    run "$ZUK" build --locked hello.o -o other.elf
    status 1
    says "$name is "
    says "was other"
    check [ ! -e other.elf ]
done
sed '/^crt1.o/d' first.lock >zuk.lock
run "$ZUK" build --locked hello.o -o other.elf
status 1
says "crt1.o"
: >zuk.lock
run "$ZUK" build --locked hello.o -o other.elf
status 1
head -c 70000 /dev/zero | tr '\0' x >zuk.lock
run "$ZUK" build --locked hello.o -o other.elf
status 1
says "is no lock file: it is larger than 64 KiB"
cp first.lock zuk.lock

# verify: the same; then a byte in each room
run "$ZUK" verify hello.elf
status 0
prints "hello.elf: the same, bit for bit"
run "$ZUK" verify hello.elf hello.o -- one
status 0
mkdir elsewhere
(cd elsewhere && cp ../hello.elf h.elf)
run "$ZUK" verify elsewhere/h.elf
status 1
says "how"
says "verify IMAGE INPUT"
change() { # OFFSET: that byte of the image becomes another
    python3 -c 'import sys
d = bytearray(open("hello.elf", "rb").read())
d[int(sys.argv[1])] ^= 255
open("bad.elf", "wb").write(d)' "$1"
    rm -rf bad.elf.zuk && cp -r hello.elf.zuk bad.elf.zuk
    run "$ZUK" verify bad.elf
    status 1
}
end=$(stat -c %s hello.elf)
change $((end - 1))
says "the app differs first"
change 2000
says "the kernel differs first, at byte "
c hello <<'C'
#include <stdio.h>
int main(int argc, char **argv) { printf("%s %d!\n", argv[argc > 1], argc); return 0; }
C
run "$ZUK" verify hello.elf
status 1
says "the app differs first"
cp kept.o hello.o
run "$ZUK" verify hello.elf hello.o -- two
status 1
says "the manifest differs first"
run "$ZUK" verify hello.o
status 1

run "$ZUK" inspect hello.elf
status 0
prints "SPDXVersion: SPDX-2.3"
prints "PackageName: musl"
# the versions are those of what set-up brought
of_package() { sed -n "/^PackageName: $1\$/,/^PackageName: /s/^PackageVersion: //p" out; }
check [ "$(of_package compiler_rt)" = "$(env -u ZUK_ZIG "$ZIG" version)" ]
check [ "$(of_package musl)" = "$(sed -n 's/^.define VERSION "\(.*\)"/\1/p' "$(dirname "$(realpath "$ZIG")")/lib/libc/musl/src/internal/version.h")" ]
prints "PackageLicenseDeclared: BSD-3-Clause"
prints "Created: 1970-01-01T00:00:00Z"
run env SOURCE_DATE_EPOCH=86400 "$ZUK" build --reproducible hello.o -o dated.elf
status 0
run "$ZUK" inspect dated.elf
prints "Created: 1970-01-02T00:00:00Z"
done_or_fail
