#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Inputs that are no program: each gets a clear error, status 1, and no image.
# timeout: 300
set -eu
. tests/tool/expect.sh

c main <<'C'
#include <stdio.h>
int main(void) { puts("fine"); return 0; }
C
c other <<'C'
int main(void) { return 1; }
C
c nomain <<'C'
int helper(void) { return 1; }
C
cd "$TMP"
ar rcs libmain.a main.o

bad() { # INPUT TEXT: refused with that text, nothing left
    run "$ZUK" build "$1" -o "$TMP/image.elf"
    status 1
    says "zuk: error: "
    says "$2"
    check [ ! -e "$TMP/image.elf" ]
    # nothing half-written; the folder image.elf.zuk holds what passes decided
    check [ -z "$(ls -A "$TMP" | grep '^\.*image' | grep -vxF image.elf.zuk || true)" ]
}

run "$ZUK" build libmain.a -o good.elf
status 0
check [ -s good.elf ]

# the image does not take the place of what it is made of
cp main.o kept.o
ln -s kept.o link.o
for name in kept.o ./kept.o link.o; do
    run "$ZUK" build kept.o -o $name
    status 1
    says "zuk: error: '$name' is the input 'kept.o'"
    check cmp -s main.o kept.o
done

# archives
: >empty_file
bad empty_file empty_file
printf '!<arch>\n' >empty.a
bad empty.a "empty archive"
size=$(wc -c <libmain.a)
for cut in 9 40 67 70 $((size / 2)) $((size - 1)); do
    head -c "$cut" libmain.a >cut.a
    bad cut.a cut.a
done
head -c 100000 /dev/urandom >garbage.a
bad garbage.a garbage.a
{ printf '!<arch>\n'; head -c 5000 /dev/urandom; } >garbage2.a
bad garbage2.a garbage2.a
# a member that says it is 9 GB
python3 - <<'P'
data = bytearray(open("libmain.a", "rb").read())
at = data.index(b"main.o/")
data[at + 48:at + 58] = b"9999999999"
open("liar.a", "wb").write(data)
P
bad liar.a liar.a

# objects
head -c 100 main.o >cut.o
bad cut.o cut.o
head -c $(($(wc -c <main.o) - 100)) main.o >cut2.o
bad cut2.o cut2.o
python3 - <<'P'
data = bytearray(open("main.o", "rb").read())
data[40:48] = (1 << 60).to_bytes(8, "little")  # e_shoff
open("far.o", "wb").write(data)
P
bad far.o far.o
bad nomain.o "no main"
ar rcs libnomain.a nomain.o
bad libnomain.a "no main"
run "$ZUK" build main.o other.o -o image.elf
status 1
says "main is defined 2 times"
says main.o
says other.o
check [ ! -e image.elf ]

# other machines
(cat main.c) >arm.c
"$ZIG" cc -target aarch64-linux-musl -c -o arm.o arm.c
bad arm.o aarch64
ar rcs libarm.a arm.o
bad libarm.a aarch64
says "-target x86_64-linux-musl"
printf '\177ELF\001\001\001' >elf32.o
bad elf32.o elf32.o

# not an app at all
cc -o dynamic main.c
bad ./dynamic "dynamically linked"
says libc.so.6
says static
run "$ZUK" exec ./dynamic
status 1
says "dynamically linked"
cc -shared -fPIC -o libshared.so nomain.c
bad libshared.so "shared library"
printf '#!/bin/sh\necho hi\n' >script && chmod +x script
bad ./script script
bad ./no_such_file no_such_file
bad /dev/null /dev/null
mkdir -p folder
bad folder "build.zig"
"$ZIG" cc -target x86_64-linux-musl -flto -c -o lto.o main.c
bad lto.o "LLVM bitcode"

# many at once: every error is told, not just the first
run "$ZUK" build cut.o arm.o -o image.elf
status 1
says cut.o
says arm.o

# an unreadable one, when we are not root
if [ "$(id -u)" != 0 ]; then
    cp main.o secret.o && chmod 0 secret.o
    bad secret.o "ermission denied"
fi
done_or_fail
