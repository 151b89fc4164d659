#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Each example does what its README says.
# tier: quick
# timeout: 600
set -eu
. tests/tool/expect.sh
cp -r "$TOP/examples" "$TMP/examples"
cd "$TMP"

run "$ZUK" run --zig "$ZIG" examples/hello-zig -- one "two words"
status 0
prints "Hello from a Zig library!"
prints "compiled by  Zig $("$ZIG" version)"
prints " one two words"
says "info(hello): running on Linux "
says "this line is std.log's, on stderr"
lacks "zuk: error"
run "$ZUK" run --zig "$ZIG" -Doptimize=ReleaseSmall examples/hello-zig
status 0
prints "Hello from a Zig library!"
lacks "std.log's"

make -s -C examples/hello-c ZIG="$ZIG" OUT="$TMP"
run "$ZUK" run -e USER=somebody libhello.a -- one ''
status 0
prints "argument 1 is 'one'"
prints "argument 2 is ''"
says "USER is somebody"

run "$ZUK" build --zig "$ZIG" examples/cat -o cat.elf
status 0
head -c 300000 /dev/urandom >bytes
timeout 60 "$ZUK" run cat.elf <bytes >copy 2>err
check cmp -s bytes copy
check grep -q '^cat: 300000 bytes$' err

run "$ZUK" run --zig "$ZIG" examples/missing
status 3
prints "Before the call."
says "database_open"
says "src/main.zig:8"
run "$ZUK" run --zig "$ZIG" examples/missing -- skip
status 0
prints "Before the call."
run "$ZUK" run --zig "$ZIG" --strict examples/missing
status 1
says "database_open"
done_or_fail
