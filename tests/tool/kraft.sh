#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# build and run --kernel unikraft: which words a kraft gets, where it stands, what
# becomes of its output and status; no kraft, options that mean nothing to it.
# timeout: 200
set -eu
. tests/tool/expect.sh
cd "$TMP"
c app <<'C'
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
C
mkdir bin
cat >bin/kraft <<'K'
#!/bin/sh
# Notes its words and its folder; builds what it finds in the Kraftfile.
printf '%s\n' "$@" >"$KRAFT_LOG.$1"
pwd >"$KRAFT_LOG.$1.folder"
echo "kraft $1 speaks"
echo "kraft $1 warns" >&2
case $1 in
build)
    [ -z "${KRAFT_FAILS:-}" ] || exit "$KRAFT_FAILS"
    name=$(sed -n 's/^name: //p' Kraftfile)
    [ -f Makefile.uk ] && [ -f undefined.c ] || exit 9
    mkdir -p .unikraft/build
    [ -n "${KRAFT_LAZY:-}" ] || echo "kernel of $name" >".unikraft/build/${name}_qemu-x86_64"
    ;;
run)
    cat
    exit 42
    ;;
esac
K
chmod +x bin/kraft
export KRAFT_LOG="$TMP/log"
with="env PATH=$TMP/bin:$PATH"

# build: the export, then kraft; the kernel where -o says, or where it is told
run $with "$ZUK" build --kernel unikraft app.o -o app.unikraft
status 0
prints "kraft build speaks"
says "kraft build warns"
check [ "$(cat app.unikraft)" = "kernel of app" ]
check [ -x app.unikraft ]
check [ "$(tr '\n' ' ' <log.build)" = "build --plat qemu --arch x86_64 " ]
run $with "$ZUK" build --kernel unikraft app.o
status 0
says "the kernel is "
check [ "$(cat "$(sed -n 's/.*the kernel is //p' err)")" = "kernel of app" ]
check [ ! -e app-x86_64.elf ]
folder=$(cat log.build.folder)
case $folder in "$TMP"/cache/*) ;; *) fail "the folder is not in the cache: $folder" ;; esac

# run: what the command line says, in kraft's words; its stdin, stdout and status
printf 'typed\n' >typed
run sh -c "$with '$ZUK' run --kernel unikraft -m 96M -p 127.0.0.1:8080:80 -p 53:53/udp -e A='b c' --name n app.o -- one 'two three' <typed"
status 42
check [ "$(cat out)" = "kraft run speaks
typed" ]
says "kraft build speaks"
check [ "$(cat log.run)" = "run
--plat
qemu
--arch
x86_64
--memory
96Mi
--port
127.0.0.1:8080:80/tcp
--port
53:53/udp
--env
A=b c
--name
n
.
--
one
two three" ]
check [ "$(cat log.run.folder)" = "$folder" ]

# kraft fails, or leaves nothing
run $with KRAFT_FAILS=3 "$ZUK" build --kernel unikraft app.o -o none
status 1
says "kraft build failed with status 3 in $folder"
check [ ! -e none ]
rm -f log.run
run $with KRAFT_FAILS=3 "$ZUK" run --kernel unikraft app.o
status 1
check [ ! -e log.run ]
rm -r "$folder/.unikraft"
run $with KRAFT_LAZY=1 "$ZUK" build --kernel unikraft app.o -o none
status 1
says "left no kernel"

# no kraft; what only zuk's kernel knows; no such kernel
mkdir empty
run env PATH="$TMP/empty" "$ZUK" build --kernel unikraft app.o
status 1
says "needs kraft, which is not on PATH"
says "hint: install KraftKit"
rm -f log.build
for option in --strace --isolate --trace=t.json --gdb --dry-run --set=RANDOM=n --machine=pc; do
    run $with "$ZUK" run --kernel unikraft $option app.o
    status 2
    says "does not go together with --kernel unikraft"
done
check [ ! -e log.build ]
run $with "$ZUK" build --kernel linux app.o
status 2
says "one of zuk, unikraft"
run $with "$ZUK" run --kernel zuk --accel tcg app.o
status 0
prints hello
done_or_fail
