#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The command line: every misuse has status 2 and a sentence; help is stdout.
set -eu
. tests/tool/expect.sh
cd "$TMP"
usage() { # TEXT ARGUMENT...
    text=$1
    shift
    run "$ZUK" "$@"
    status 2
    says "$text"
    check [ ! -s out ]
}
usage "" # no command at all
usage "no command 'biuld'" biuld
usage "no input" build
usage "no input" run --
usage "no program" exec
usage "did you mean 'zuk help run'" help rnu
usage "unknown option --sttrict" build --sttrict x.a
usage "did you mean --strict" build --sttrict x.a
usage "'zuk help' lists" build --zzz x.a
usage "needs a value" build x.a -o
usage "--memory" run --memory lots x.a
usage "-m" run -m 0 x.a
usage "--timeout" run --timeout soon x.a
usage "--timeout" run --timeout -1 x.a
usage "--accel" run --accel hvf x.a
usage "--machine" run --machine virt x.a
usage "--missing" run --missing sometimes x.a
usage "--missing" run --missing no_such_call=trap x.a
usage "--missing" run --missing read=perhaps x.a
usage "--color" run --color=mauve x.a
usage "takes no value" run --strace=yes x.a
usage "--gdb" run --gdb=99999 x.a
usage "-e" run -e =x x.a
usage "-m" build -m 64M x.a # run's option

for source in a.zig a.c; do
    echo "// nothing" >$source
    run "$ZUK" build $source
    status 1
    says "'$source' is a text file"
    says "hint: compile it first: zig "
    says " -target x86_64-linux-musl -"
done
: >notes.txt
run env ZUK_QEMU=/nowhere "$ZUK" run notes.txt
status 1
says "'notes.txt' is empty"

run "$ZUK" help
status 0
prints "zuk run"
check [ ! -s err ]
for verb in build run exec; do
    run "$ZUK" help $verb
    status 0
    prints "usage: zuk $verb"
    run "$ZUK" $verb --help
    status 0
    prints "usage: zuk $verb"
    check [ ! -s err ]
done
run "$ZUK" --version
status 0
done_or_fail
