#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Kernel objects that were made with another abi/ than zuk are not linked: it says
# so, with what to do, and leaves no image; doctor finds them too.
set -eu
. tests/tool/expect.sh
cd "$TMP"
c app <<'C'
int main(void) { return 5; }
C
mkdir -p lib/x86_64
cp -r "$TOP/build/lib/zuk/." lib/
export ZUK_LIB="$TMP/lib"
run "$ZUK" run --timeout 60 app.o
status 5
run "$ZUK" build app.o -o app.elf
status 0
refused() {
    for words in "build app.o -o other.elf" "build app.o -o app.elf" "run app.o"; do
        run "$ZUK" $words
        status 1
        says "zuk: error: the kernel's objects in $TMP/lib/x86_64 and this zuk are of different versions"
        says "hint: run make in zuk's source folder"
        check [ ! -e other.elf ]
    done
    run "$ZUK" doctor
    status 1
    prints "the objects in $TMP/lib are of another version than this zuk"
}
echo 0123456789abcdef >lib/x86_64/abi
touch lib/x86_64/main.o # another commit's objects are other files, too
refused
rm lib/x86_64/abi # from before there was one
refused
cp "$TOP/build/lib/zuk/x86_64/abi" lib/x86_64/
run "$ZUK" run --timeout 60 app.o
status 5
# what is linked already needs no objects
echo 0123456789abcdef >lib/x86_64/abi
run "$ZUK" run --timeout 60 app.elf
status 5
done_or_fail
